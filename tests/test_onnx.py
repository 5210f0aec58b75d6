"""ONNX files: what is written is what the model computes, at any size of batch, and what is read computes it, too."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests import onnx_programs as programs
from wengert import nn
from wengert.nn import functional as F

onnx = pytest.importorskip("onnx")

TABLES = ("ELEMENTWISE", "BINARY", "REDUCTIONS", "SHAPES", "POSITIONS", "PRODUCTS", "LAYERS")
ROWS = [(f"{table.lower()}: {name}", *row) for table in TABLES for name, row in getattr(programs, table).items()]
# What the interpreter of the package ``onnx`` has wrong; onnxruntime has it right.
NOT_BY_REFERENCE = {"layers: ConvTranspose2d", "layers: RNN relu"}
TOLERANCE = 2e-5


def prepared(function: Any, makers: Any, batch: int) -> tuple[Any, tuple[Any, ...]]:
    makers = makers if isinstance(makers, tuple) else (makers,)
    model = function if isinstance(function, nn.Module) else programs.Program(function)
    return model.eval(), tuple([make(batch) for make in makers])


def exported(model: Any, args: tuple[Any, ...], **options: Any) -> Any:
    names = [f"x{i}" for i in range(len(args))]
    return wg.onnx.export(model, args, input_names=names, dynamic_axes={n: {0: "batch"} for n in names}, **options)


def compared(program: Any, model: Any, args: tuple[Any, ...], runtimes: tuple[str, ...]) -> None:
    from wengert.utils.onnx import differences

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the interpreter's own
        for runtime in runtimes:
            assert max(differences(model, args, program, runtime)) < TOLERANCE, runtime


@pytest.mark.parametrize(("name", "function", "makers"), ROWS, ids=[row[0] for row in ROWS])
def test_operations(name: str, function: Any, makers: Any):
    model, args = prepared(function, makers, 2)
    program = exported(model, args)
    onnx.checker.check_model(program.model_proto, full_check=True)
    _, others = prepared(function, makers, 3)
    compared(program, model, others, ("import",) if name in NOT_BY_REFERENCE else ("reference", "import"))


@pytest.mark.parametrize(("name", "function", "makers"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.slow
@pytest.mark.sweep
def test_operations_in_a_runtime(name: str, function: Any, makers: Any):
    pytest.importorskip("onnxruntime")
    for opset in (13, 17, 20, 23):
        model, args = prepared(function, makers, 2)
        try:
            program = exported(model, args, opset_version=opset)
        except wg.onnx.UnsupportedOperatorError as error:
            refused = str(error)
        else:
            refused = ""
        if refused:
            assert opset < 18
            assert "newer" in refused
            continue
        onnx.checker.check_model(program.model_proto, full_check=True)
        for batch in (2, 5):
            compared(program, model, prepared(function, makers, batch)[1], ("onnxruntime", "import"))


# ---------------------------------------------------------------------- names, sizes, files


def convolutions() -> Any:
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))


def test_names_are_those_of_the_state_dict():
    model = convolutions()
    program = wg.onnx.export(model, wg.randn(2, 1, 4, 4), input_names=["image"], output_names=["scores"])
    assert (program.input_names, program.output_names) == (["image"], ["scores"])
    stored = {t.name for t in program.model_proto.graph.initializer}
    keys = {k for k in model.state_dict() if not k.endswith("num_batches_tracked")}
    assert stored == keys | (stored - keys)
    assert all(name.startswith("constant") for name in stored - keys)
    again = wg.onnx.load(program)
    assert set(again.state_dict()) == keys
    assert {n for n, _ in again.named_parameters()} == {n for n, _ in model.named_parameters()}
    again.load_state_dict({k: v for k, v in convolutions().state_dict().items() if k in keys})


def test_a_matrix_used_twice_is_written_once():
    program = wg.onnx.export(programs._Tied(), wg.tensor([[1, 2]]))
    assert [t.name for t in program.model_proto.graph.initializer].count("embedding.weight") == 1
    assert not any(t.name == "head.weight" for t in program.model_proto.graph.initializer)


def test_the_model_stays_as_it_was():
    model = convolutions()
    model[1].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    wg.onnx.export(model, wg.randn(2, 1, 4, 4), training=wg.onnx.TrainingMode.EVAL)
    assert [m.training for m in model] == [True, False, True, True, True]
    wg.onnx.export(model, wg.randn(2, 1, 4, 4), training=wg.onnx.TrainingMode.TRAINING)
    assert all(wg.equal(v, before[k]) for k, v in model.state_dict().items())
    loss = model(wg.randn(2, 1, 4, 4)).sum()
    loss.backward()
    assert type(model[0].weight.grad._data) is np.ndarray


def test_what_is_read_can_be_trained_and_written_again():
    wg.manual_seed(0)
    model, x, target = convolutions(), wg.randn(8, 1, 4, 4), wg.randn(8, 3)
    again = wg.onnx.load(exported(model, (x,)))
    optimizer = wg.optim.SGD(again.parameters(), 0.1)
    losses = []
    for _ in range(5):
        loss = F.mse_loss(again(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    compared(exported(again, (x,)), again, (x[:3],), ("reference", "import"))


def test_gradients_of_what_is_read():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4)).double()
    x = wg.randn(2, 3, dtype=wg.float64)
    again = wg.onnx.load(wg.onnx.export(model, x))
    for module in (model, again):
        module(x).square().sum().backward()
    for name, parameter in again.named_parameters():
        assert wg.allclose(parameter.grad, model.get_parameter(name).grad, atol=1e-6), name


class Pooled(nn.Module):
    """Sizes of its own: of images of any height and width, and of sequences of any length."""

    def forward(self, x: Any) -> Any:
        n, c, h, w = x.shape
        y = F.max_pool2d(x, 2).flatten(2).transpose(1, 2)
        scale = F.interpolate(x, scale_factor=2.0, mode="bilinear")
        return y, scale, x.reshape(n, c * h, w), x.mean((2, 3)) / h, x[:, :, : h // 2, 1:]


def test_sizes_of_several_dimensions():
    model = Pooled()
    shapes = {"x": {0: "batch", 2: "height", 3: wg.export.Dim("width")}}
    program = wg.onnx.export(model, (wg.randn(2, 3, 4, 6),), dynamic_shapes=shapes)
    dims = [d.dim_param or d.dim_value for d in program.model_proto.graph.input[0].type.tensor_type.shape.dim]
    assert dims == ["batch", 3, "height", "width"]
    compared(program, model, (wg.randn(3, 3, 10, 8),), ("reference", "import"))
    compared(program, model, (wg.randn(1, 3, 6, 12),), ("reference", "import"))


def test_a_batch_of_one_as_example():
    model = nn.Sequential(nn.Linear(3, 2), nn.Flatten(0))
    program = wg.onnx.export(model, wg.ones(1, 3), dynamic_axes={"input": [0]})
    assert program.call_reference(wg.ones(4, 3))[0].shape == (8,)


class Attends(nn.Module):
    """Attention over sequences of any length, with positions."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Embedding(16, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, tokens: Any, keep: Any = None) -> Any:
        x = tokens + self.positions(wg.arange(tokens.size(1)))
        hidden = wg.ones(x.size(1), x.size(1), dtype=wg.bool).triu(1)
        return self.attention(x, x, x, attn_mask=hidden, need_weights=False)[0]


def test_lengths_of_sequences():
    model = Attends().eval()
    program = wg.onnx.export(model, wg.randn(2, 5, 8), dynamic_axes={"tokens": {0: "batch", 1: "length"}})
    for shape in ((2, 5, 8), (3, 9, 8), (1, 2, 8)):
        compared(program, model, (wg.randn(*shape),), ("reference", "import"))


def test_arguments_by_name_and_in_containers():
    class Model(nn.Module):
        def forward(self, pair: Any, flag: bool = True, scale: Any = None) -> Any:
            return {"sum": pair[0] + pair["b"] if isinstance(pair, dict) else pair[0] + pair[1] * scale, "flag": flag}

    x, y, s = wg.ones(2), wg.ones(2), wg.tensor(3.0)
    program = wg.onnx.export(Model(), ((x, y),), kwargs={"scale": s})
    assert program.input_names == ["pair_0", "pair_1", "scale"]
    assert program.call_reference(x, y, s)[0].tolist() == [4.0, 4.0]
    legacy = wg.onnx.export(Model(), ((x, y), {"scale": s}))
    assert legacy.input_names == program.input_names


def test_files(tmp_path: Path):
    model, x = nn.Linear(40, 30), wg.randn(2, 40)
    path = tmp_path / "model.onnx"
    wg.onnx.export(model, x, path)
    assert wg.equal(wg.onnx.load(path)(x), model(x))
    with open(path, "rb") as file:
        assert wg.equal(wg.onnx.load(file)(x), model(x))
    apart = tmp_path / "apart.onnx"
    for _ in range(2):
        wg.onnx.export(model, x, str(apart), external_data=True)
    assert (tmp_path / "apart.onnx.data").stat().st_size == 40 * 30 * 4
    assert wg.equal(wg.onnx.load(apart)(x), model(x))
    (tmp_path / "apart.onnx.data").unlink()
    with pytest.raises(RuntimeError, match=r"apart\.onnx\.data"):
        wg.onnx.load(apart)
    with pytest.raises(ValueError, match="external data"):
        wg.onnx.export(model, x, io.BytesIO(), external_data=True)


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x89PNG\r\n\x1a\n" + bytes(64)])
def test_what_is_no_model(data: bytes, tmp_path: Path):
    with pytest.raises(RuntimeError, match="ONNX model"):
        wg.onnx.load(data)
    path = tmp_path / "bad.onnx"
    path.write_bytes(data)
    with pytest.raises(RuntimeError, match=r"bad\.onnx"):
        wg.onnx.load(path)


def test_a_file_that_is_cut_short():
    data = wg.onnx.export(nn.Linear(3, 2), wg.ones(1, 3)).model_proto.SerializeToString()
    for end in (10, len(data) // 2, len(data) - 5):
        with pytest.raises(RuntimeError, match="cut short"):
            wg.onnx.load(data[:end])
    with pytest.raises(FileNotFoundError):
        wg.onnx.load("there is no such file.onnx")
    with pytest.raises(TypeError, match="expected a path"):
        wg.onnx.load(3)


# ---------------------------------------------------------------------- what cannot be written or read


def _rotated(x: Any) -> Any:
    """Rotary positions, as language models have them."""
    length, width = x.shape[-2:]
    speeds = 1.0 / (10000 ** (wg.arange(0, width, 2).float() / width))
    angles = wg.outer(wg.arange(length).float(), speeds)
    even, odd = x[..., ::2], x[..., 1::2]
    turned = [even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()]
    return wg.stack(turned, -1).flatten(-2)


def _windowed(x: Any) -> Any:
    """Attention within windows of an image, moved by one."""
    n, c, h, w = x.shape
    x = wg.roll(x.permute(0, 2, 3, 1), (-1, -1), (1, 2)).view(n, h // 2, 2, w // 2, 2, c)
    x = x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, 4, c)
    x = (x @ x.transpose(-2, -1) / c**0.5).softmax(-1) @ x
    return x.view(n, h // 2, w // 2, 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c).permute(0, 3, 1, 2)


def _heads(x: Any) -> Any:
    n, t, c = x.shape
    q, k, v = (y.view(n, t, 2, c // 6).transpose(1, 2) for y in x.split(c // 3, 2))
    scores = (q @ k.mT * k.size(-1) ** -0.5).masked_fill(wg.ones(t, t).tril() == 0, float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(n, t, c // 3)


# Functions of a sequence (N, T, 6) or of an image (N, 2, H, W), whose sizes change.
SIZED = [
    _rotated,
    _heads,
    lambda x: x.mean(1) + x.var(1) + x.sum(1) / x.size(1) + x.amax(1),
    lambda x: (x @ x.mT / x.size(-1) ** 0.5).softmax(-1).tril(),
    lambda x: x.flip(1)[:, :-1] + x[:, 1:].cumsum(1) + x.roll(1, 1)[:, 1:],
    lambda x: x.unfold(1, 3, 2).mean(-1),
    lambda x: x[:, -1] * x[:, x.size(1) // 2],
    lambda x: x.topk(3, 1).values + x.sort(1).values[:, :3] + x.gather(1, x.argsort(1))[:, -3:],
    lambda x: wg.cat([wg.zeros(x.size(0), 1, 6), x, x.new_ones(x.size(0), 2, 6)], 1),
    nn.LSTM(6, 4, 2, batch_first=True),
    nn.GRU(6, 4, bidirectional=True, batch_first=True),
    lambda x: nn.functional.max_pool1d(F.conv1d(x.mT, wg.ones(2, 6, 3), stride=2, padding=1), 2, ceil_mode=True),
]
IMAGES = [
    _windowed,
    lambda x: F.interpolate(F.max_pool2d(x, 2), x.shape[2:], mode="bilinear", align_corners=True),
    lambda x: F.interpolate(F.max_pool2d(x, 2), x.shape[2:]),
    lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1) + F.adaptive_max_pool2d(x, 1).flatten(1),
    lambda x: F.pad(x, (1, 2, 0, 1), mode="reflect"),
    lambda x: x + wg.stack(wg.meshgrid(wg.arange(x.size(2)), wg.arange(x.size(3)), indexing="ij")).sum(0),
]


class First(nn.Module):
    """What a layer returns, without the states of a recurrent one."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        y = self.function(x)
        return y[0] if isinstance(y, tuple) else y


@pytest.mark.parametrize("i", range(len(SIZED)))
def test_sequences_of_any_length(i: int):
    model = First(SIZED[i])
    program = wg.onnx.export(model, wg.randn(2, 9, 6), dynamic_axes={"x": {0: "batch", 1: "length"}})
    for batch, length in ((3, 12), (1, 7)):
        compared(program, model, (wg.randn(batch, length, 6),), ("reference", "import"))


@pytest.mark.parametrize("i", range(len(IMAGES)))
def test_images_of_any_size(i: int):
    model = First(IMAGES[i])
    program = wg.onnx.export(model, wg.randn(2, 2, 6, 8), dynamic_axes={"x": {0: "batch", 2: "height", 3: "width"}})
    for batch, height, width in ((3, 8, 10), (1, 12, 6)):
        compared(program, model, (wg.randn(batch, 2, height, width),), ("reference", "import"))


class Loops(nn.Module):
    def forward(self, x: Any) -> Any:
        y = x[:, 0]
        for t in range(1, x.size(1)):
            y = wg.tanh(y + x[:, t])
        return y


def test_a_loop_over_a_size_that_changes():
    x = wg.ones(2, 3, 4)
    compared(exported(Loops(), (x,)), Loops(), (wg.randn(5, 3, 4),), ("reference",))
    with pytest.raises(wg.onnx.OnnxExporterError, match="another path with another size of 'time'"):
        wg.onnx.export(Loops(), x, dynamic_axes={"x": {1: "time"}})


def test_a_condition_on_values_warns():
    class Model(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2 if x.sum() > 0 else x

    with pytest.warns(wg.onnx.TracerWarning, match=r"Python value \(bool\)"):
        wg.onnx.export(Model(), wg.ones(3))


def test_operations_without_a_rule():
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = programs.Program(lambda x: wg.linalg.svd(x)[1])

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    with pytest.raises(wg.onnx.UnsupportedOperatorError, match=r"(?s)opset version 18.*Model\.inner.*register_custom"):
        wg.onnx.export(Model(), wg.ones(3, 3))
    with pytest.raises(wg.onnx.UnsupportedOperatorError, match="BitwiseAnd, which is newer"):
        wg.onnx.export(programs.Program(lambda i: i & 3), wg.tensor([1, 2]), opset_version=17)


def test_rules_of_ones_own():
    name = "wengert::erfinv"
    wg.onnx.register_custom_op_symbolic(name, lambda g, x: g.op("my.ops::ErfInv", x), 13)
    wg.onnx.register_importer("my.ops::ErfInv", lambda node, x: wg.erfinv(x))
    try:
        program = wg.onnx.export(programs.Program(wg.erfinv), wg.full((2,), 0.5), custom_opsets={"my.ops": 3})
        assert [(s.domain, s.version) for s in program.model_proto.opset_import] == [("", 18), ("my.ops", 3)]
        assert wg.allclose(wg.onnx.load(program)(wg.full((2,), 0.5)), wg.erfinv(wg.full((2,), 0.5)))
    finally:
        wg.onnx.unregister_custom_op_symbolic(name, 13)
    with pytest.raises(ValueError, match="domain::name"):
        wg.onnx.register_custom_op_symbolic("erfinv", lambda g, x: x, 13)


def test_operators_that_cannot_be_read_are_all_named():
    from onnx import TensorProto, helper

    nodes = [helper.make_node(kind, ["x"], [kind]) for kind in ("Abs", "MelWeightMatrix", "StringNormalizer")]
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    out = helper.make_tensor_value_info("Abs", TensorProto.FLOAT, [2])
    proto = helper.make_model(helper.make_graph(nodes, "g", [info], [out]))
    with pytest.raises(RuntimeError, match="MelWeightMatrix, StringNormalizer"):
        wg.onnx.load(proto)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda m, x: wg.onnx.export(lambda y: y, x), TypeError, "must be a Module"),
        (lambda m, x: wg.onnx.export(m, ()), TypeError, "tensors"),
        (lambda m, x: wg.onnx.export(m, x, opset_version=6), ValueError, "opset version: 6"),
        (lambda m, x: wg.onnx.export(m, x, input_names=["a", "b"]), ValueError, "number of input names"),
        (lambda m, x: wg.onnx.export(m, x, output_names=["a", "b"]), ValueError, "number of output names"),
        (lambda m, x: wg.onnx.export(m, x, dynamic_axes={"input": [4]}), ValueError, "no dimension 4"),
        (lambda m, x: wg.onnx.export(m, x, dynamic_axes={"input": {1: "width"}}), RuntimeError, "does not run with"),
        (lambda m, x: wg.onnx.export(m, x, dynamic_shapes={"y": {0: "n"}}), ValueError, "neither parameters"),
        (lambda m, x: wg.onnx.load(wg.onnx.export(m, x))(), TypeError, "input was not given"),
        (lambda m, x: wg.onnx.load(wg.onnx.export(m, x))(x, x), TypeError, "2 were given"),
        (lambda m, x: wg.onnx.load(wg.onnx.export(m, x))(x[0]), ValueError, "2 dimensions in the file"),
    ],
)
def test_what_is_refused(call: Any, kind: type[Exception], text: str):
    with pytest.raises(kind, match=text):
        call(nn.Linear(3, 2), wg.ones(2, 3))


def test_without_parameters_and_with_them_as_inputs():
    model, x = nn.Linear(3, 2), wg.ones(1, 3)
    bare = wg.onnx.export(model, x, export_params=False)
    assert bare.input_names == ["input", "weight", "bias"]
    both = wg.onnx.export(model, x, keep_initializers_as_inputs=True)
    assert [v.name for v in both.model_proto.graph.input] == ["input", "weight", "bias"]
    assert wg.equal(wg.onnx.load(both)(x), model(x))


def test_random_numbers_are_drawn_anew():
    program = exported(programs.Program(lambda x: x + wg.randn_like(x)), (wg.zeros(2, 500),))
    first, second = (program.call_reference(wg.zeros(3, 500))[0] for _ in range(2))
    assert not wg.equal(first, second)
    assert abs(float(first.std()) - 1) < 0.1


def test_verify_finds_differences():
    model, x = nn.Linear(3, 2), wg.ones(1, 3)
    program = wg.onnx.export(model, x, verify=True)
    assert set(wg.onnx.verify(model, x, program, runtimes=["reference", "import"])) == {"reference", "import"}
    with wg.no_grad():
        model.bias += 1
    with pytest.raises(wg.onnx.OnnxExporterError, match="differs from the model by 1"):
        wg.onnx.verify(model, x, program, runtimes=["reference"])


def test_every_example_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "examples"))
    import onnx_table

    for row in onnx_table.rows(("reference", "import")):
        assert row.dynamic, row.name
        assert max(row.differences.values()) < 1e-4, row.name
    sys.modules.pop("onnx_table")
