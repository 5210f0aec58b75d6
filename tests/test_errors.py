"""Bad input: each is an exception of PyTorch's type that says what was wrong and what to do, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.errors import WengertError

from .conftest import why_no_gpu
from .op_checks import values

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Bad:
    """One wrong use.

    Attributes:
        name: what is wrong.
        make: ``make(T)`` gives the arguments, in namespace ``T``, which is wengert or torch.
        call: ``call(T, *arguments)`` raises.
        kind: the built-in type that PyTorch raises.
        says: what the text names: the op, shapes, types or devices, the fix.
        parity: PyTorch raises too, an exception of ``kind``.
    """

    name: str
    make: Callable[[Any], tuple[Any, ...]]
    call: Callable[..., Any]
    kind: type[Exception]
    says: tuple[str, ...]
    parity: bool = True


def ones(*shapes: tuple[int, ...], grad: bool = False, dtype: str = "float32") -> Callable[[Any], tuple[Any, ...]]:
    """Arguments of these shapes."""
    return lambda T: tuple(T.ones(shape, dtype=getattr(T, dtype), requires_grad=grad) for shape in shapes)


def twice(T: Any, x: Any) -> None:
    y = (x * x).sum()
    T.autograd.grad(y, x)
    T.autograd.grad(y, x)


def modified(T: Any, x: Any) -> None:
    y = x * 1
    z = y * y
    y.add_(1)
    T.autograd.grad(z.sum(), x)


X = (2, 3)
ROWS = [
    # shapes
    Bad("add", ones(X, (4,)), lambda T, x, y: x + y, RuntimeError, ("add", "[2, 3]", "[4]", "reshape")),
    Bad("mul", ones((2, 1, 3), (2, 2)), lambda T, x, y: x * y, RuntimeError, ("mul", "[2, 1, 3]", "[2, 2]")),
    Bad("compare", ones(X, (4,)), lambda T, x, y: x < y, RuntimeError, ("[2, 3]", "[4]")),
    Bad("add_ grows", ones((3,), X), lambda T, x, y: x.add_(y), RuntimeError, ("add_", "[3]", "[2, 3]")),
    Bad("where", ones(X, (4,)), lambda T, x, y: T.where(x > 0, x, y), RuntimeError, ("where", "[2, 3]", "[4]")),
    Bad("matmul", ones(X, X), lambda T, x, y: x @ y, RuntimeError, ("matmul", "2x3 and 2x3")),
    Bad("matmul 1-d", ones((3,), (4,)), lambda T, x, y: x @ y, RuntimeError, ("dot", "[3]", "[4]")),
    Bad(
        "bmm", ones((2, 3, 4), (2, 5, 6)), lambda T, x, y: T.bmm(x, y), RuntimeError, ("bmm", "[2, 3, 4]", "[2, 5, 6]")
    ),
    Bad("cat", ones(X, (2, 4)), lambda T, x, y: T.cat([x, y]), RuntimeError, ("cat", "[2, 3]", "[2, 4]")),
    Bad("cat of nothing", ones(), lambda T: T.cat([]), (RuntimeError, ValueError), ("cat",)),  # type: ignore[arg-type]
    Bad("stack", ones(X, (3, 2)), lambda T, x, y: T.stack([x, y]), RuntimeError, ("stack", "[2, 3]", "[3, 2]")),
    Bad("reshape", ones(X), lambda T, x: x.reshape(4), RuntimeError, ("[4]", "6")),
    Bad("reshape -1", ones(X), lambda T, x: x.reshape(4, -1), RuntimeError, ("[4, -1]", "6")),
    Bad("view of strides", ones(X), lambda T, x: x.t().view(6), RuntimeError, ("view", "reshape")),
    Bad("expand", ones(X), lambda T, x: x.expand(4, 3), RuntimeError, ("expand", "[2, 3]", "4")),
    Bad("squeeze of in-place", ones(X), lambda T, x: x.__setitem__(0, T.ones(4)), RuntimeError, ("[4]", "[3]")),
    Bad("split", ones(X), lambda T, x: x.split([1, 3], 1), RuntimeError, ("split", "3")),
    # dimensions and indices
    Bad("dim", ones(X), lambda T, x: x.sum(2), IndexError, ("Dimension out of range", "[-2, 1]", "2")),
    Bad("softmax dim", ones(X), lambda T, x: T.softmax(x, 2), IndexError, ("Dimension out of range", "[-2, 1]")),
    Bad("dim twice", ones(X), lambda T, x: x.sum((0, 0)), RuntimeError, ("0",)),
    Bad("transpose dim", ones(X), lambda T, x: x.transpose(0, 5), IndexError, ("Dimension out of range", "5")),
    Bad("permute", ones(X), lambda T, x: x.permute(0), RuntimeError, ("permute",)),
    Bad("index", ones(X), lambda T, x: x[2], IndexError, ("2",)),
    Bad("too many indices", ones(X), lambda T, x: x[0, 0, 0], IndexError, ("too many indices", "2")),
    Bad("tensor index", ones(X), lambda T, x: x[T.tensor([0, 5])], IndexError, ("5", "2")),
    Bad("float index", ones(X), lambda T, x: x[T.tensor([0.0])], IndexError, ("long",)),
    Bad("mask shape", ones(X), lambda T, x: x[T.ones(3, dtype=T.bool)], IndexError, ("[3]", "[2, 3]")),
    Bad("iterate 0-d", ones(()), lambda T, x: list(x), TypeError, ("0-d",)),
    # element types
    Bad(
        "matmul dtypes",
        lambda T: (T.ones(2, 2), T.ones(2, 2, dtype=T.float64)),
        lambda T, x, y: x @ y,
        RuntimeError,
        ("matmul", "got: float != double", ".to("),
    ),
    Bad("int += float", ones(X, dtype="int64"), lambda T, x: x.add_(0.5), RuntimeError, ("add_", "cast")),
    Bad("grad of ints", ones(X, dtype="int64"), lambda T, x: x.requires_grad_(), RuntimeError, ("floating point",)),
    Bad("mean of ints", ones(X, dtype="int64"), lambda T, x: x.mean(), RuntimeError, ("mean", "float")),
    Bad("str", ones(X), lambda T, x: x + "a", TypeError, ("str",)),
    Bad("ragged", ones(), lambda T: T.tensor([[1, 2], [3]]), ValueError, ("2", "1")),
    Bad("dtype name", ones(X), lambda T, x: x.to("no_such"), RuntimeError, ("no_such",)),
    # values
    Bad("item", ones(X), lambda T, x: x.item(), RuntimeError, ("6 elements", "Scalar")),
    Bad("bool", ones(X), lambda T, x: bool(x), RuntimeError, ("more than one value is ambiguous",)),
    Bad("numpy of grad", ones(X, grad=True), lambda T, x: x.numpy(), RuntimeError, ("numpy()", "detach()")),
    Bad("sizes", ones(), lambda T: T.ones(-1), RuntimeError, ("-1", "negative")),
    # the graph
    Bad("backward twice", ones(X, grad=True), twice, RuntimeError, ("second time", "retain_graph=True")),
    Bad("no scalar", ones(X, grad=True), lambda T, x: (x * 2).backward(), RuntimeError, ("scalar outputs",)),
    Bad("no graph", ones(()), lambda T, x: x.backward(), RuntimeError, ("does not require grad",)),
    Bad("modified", ones(X, grad=True), modified, RuntimeError, ("modified by an inplace operation", "version")),
    Bad("write to a leaf", ones(X, grad=True), lambda T, x: x.add_(1), RuntimeError, ("leaf Variable",)),
    Bad("write to its view", ones(X, grad=True), lambda T, x: x[0].zero_(), RuntimeError, ("view of a leaf",)),
    Bad("set a leaf", ones(X, grad=True), lambda T, x: x.__setitem__(0, 1.0), RuntimeError, ("leaf Variable",)),
    Bad(
        "gradient shape", ones(X, grad=True), lambda T, x: (x * 2).backward(T.ones(3)), RuntimeError, ("[3]", "[2, 3]")
    ),
    Bad("grad shape", ones(X), lambda T, x: setattr(x, "grad", T.ones(3)), RuntimeError, ("size",)),
    Bad("unused", ones(X, X, grad=True), lambda T, x, y: T.autograd.grad(x.sum(), y), RuntimeError, ("allow_unused",)),
    Bad("flag", ones(X, grad=True), lambda T, x: (x * 2).requires_grad_(False), RuntimeError, ("leaf variables",)),
    # layers and losses
    Bad(
        "linear of a number", ones(()), lambda T, x: T.nn.Linear(1, 1)(x), RuntimeError, ("both arguments", "1D", "0D")
    ),
    Bad("linear", ones((2, 5)), lambda T, x: T.nn.Linear(3, 4)(x), RuntimeError, ("5", "3")),
    Bad(
        "conv channels", ones((1, 2, 5, 5)), lambda T, x: T.nn.Conv2d(3, 4, 3)(x), RuntimeError, ("3", "2", "channels")
    ),
    Bad("conv too small", ones((1, 3, 2, 2)), lambda T, x: T.nn.Conv2d(3, 4, 3)(x), RuntimeError, ("Kernel size",)),
    Bad("conv groups", ones(), lambda T: T.nn.Conv2d(3, 4, 3, groups=2), ValueError, ("groups",)),
    Bad("batch norm", ones((2, 3)), lambda T, x: T.nn.BatchNorm2d(3)(x), ValueError, ("4D", "2D")),
    Bad("batch norm of one", ones((1, 3)), lambda T, x: T.nn.BatchNorm1d(3)(x), ValueError, ("more than 1 value",)),
    Bad("layer norm", ones((2, 3)), lambda T, x: T.nn.LayerNorm(4)(x), RuntimeError, ("[4]", "[2, 3]")),
    Bad("dropout", ones(), lambda T: T.nn.Dropout(1.5), ValueError, ("1.5", "between 0 and 1")),
    Bad(
        "embedding index",
        lambda T: (T.tensor([0, 7]),),
        lambda T, i: T.nn.Embedding(5, 2)(i),
        IndexError,
        ("7", "5"),
    ),
    Bad("embedding dtype", ones((2,)), lambda T, i: T.nn.Embedding(5, 2)(i), RuntimeError, ("Float",)),
    Bad(
        "cross entropy batch",
        lambda T: (T.ones(3, 4), T.tensor([0, 1])),
        lambda T, x, t: T.nn.functional.cross_entropy(x, t),
        ValueError,
        ("3", "2", "batch"),
    ),
    Bad(
        "cross entropy target",
        lambda T: (T.ones(2, 4), T.tensor([0, 4])),
        lambda T, x, t: T.nn.functional.cross_entropy(x, t),
        IndexError,
        ("Target 4 is out of bounds",),
    ),
    Bad(
        "bce shapes",
        lambda T: (T.ones(2), T.ones(3)),
        lambda T, x, t: T.nn.functional.binary_cross_entropy_with_logits(x, t),
        ValueError,
        ("[2]", "[3]"),
    ),
    Bad("no forward", ones(X), lambda T, x: T.nn.Module()(x), NotImplementedError, ("forward",)),
    Bad("no such attribute", ones(), lambda T: T.nn.Linear(2, 2).wieght, AttributeError, ("Linear", "wieght")),
    Bad(
        "parameter before init",
        ones(),
        lambda T: T.nn.Module.__setattr__(T.nn.Module.__new__(T.nn.Module), "w", T.nn.Parameter(T.ones(2))),
        AttributeError,
        ("Module.__init__",),
    ),
    # states
    Bad(
        "missing key",
        lambda T: (T.nn.Linear(2, 2),),
        lambda T, m: m.load_state_dict({"weight": T.ones(2, 2)}),
        RuntimeError,
        ("Linear", "Missing key", '"bias"'),
    ),
    Bad(
        "unexpected key",
        lambda T: (T.nn.Linear(2, 2),),
        lambda T, m: m.load_state_dict({"weight": T.ones(2, 2), "bias": T.ones(2), "more": T.ones(2)}),
        RuntimeError,
        ("Linear", "Unexpected key", '"more"'),
    ),
    Bad(
        "wrong shape",
        lambda T: (T.nn.Linear(2, 2),),
        lambda T, m: m.load_state_dict({"weight": T.ones(2, 2), "bias": T.ones(3)}),
        RuntimeError,
        ("Linear", "size mismatch for bias", "[3]", "[2]"),
    ),
    # optimizers
    Bad("no parameters", ones(), lambda T: T.optim.SGD([], lr=0.1), ValueError, ("empty parameter list",)),
    Bad("not a leaf", ones(X, grad=True), lambda T, x: T.optim.SGD([x * 1], lr=0.1), ValueError, ("leaf",)),
    Bad(
        "learning rate", ones(X, grad=True), lambda T, x: T.optim.SGD([x], lr=-1.0), ValueError, ("learning rate", "-1")
    ),
    Bad("not a tensor", ones(), lambda T: T.optim.Adam([1.0]), TypeError, ("float",)),
    # devices
    Bad("device", ones(), lambda T: T.ones(2, device="tpu"), RuntimeError, ("tpu", "cpu", "cuda")),
    Bad("device string", ones(), lambda T: T.device("cpu:x"), RuntimeError, ("cpu:x",)),
    Bad(
        "two devices",
        lambda T: (T.ones(2), T.ones(2, device="strict")),
        lambda T, x, y: x + y,
        RuntimeError,
        ("add", "same device", "cpu", "strict", ".to("),
        parity=False,
    ),
    Bad(
        "two devices in matmul",
        lambda T: (T.ones(2, 2), T.ones(2, 2, device="strict")),
        lambda T, x, y: x @ y,
        RuntimeError,
        ("same device", "cpu", "strict"),
        parity=False,
    ),
    Bad(
        "gradient on another device",
        lambda T: (T.ones(2, requires_grad=True), T.ones(2, device="strict")),
        lambda T, x, g: (x * 2).backward(g),
        RuntimeError,
        ("cpu", "strict"),
        parity=False,
    ),
]


def state(arguments: tuple[Any, ...]) -> list[Any]:
    """What must be the same afterwards."""
    tensors = [t for t in arguments if isinstance(t, wg.Tensor)]
    tensors += [t for m in arguments if isinstance(m, wg.nn.Module) for t in m.state_dict().values()]
    return [(values(t), t._version, t.requires_grad, t.grad, t.is_leaf) for t in tensors]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bad_input(row: Bad) -> None:
    arguments = row.make(wg)
    before = state(arguments)
    with pytest.raises(row.kind) as error:
        row.call(wg, *arguments)
    text = str(error.value)
    assert all(part in text for part in row.says), text
    for now, then in zip(state(arguments), before, strict=True):
        np.testing.assert_array_equal(now[0], then[0])
        assert now[1:] == then[1:]


@pytest.mark.parity
@pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it")
@pytest.mark.parametrize("row", [r for r in ROWS if r.parity], ids=lambda row: row.name)
def test_torch_raises_that_too(row: Bad) -> None:
    with pytest.raises(row.kind):
        row.call(torch, *row.make(torch))


def test_every_error_of_the_library_has_one_base() -> None:
    from wengert.backends import errors

    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, WengertError)
        assert name == "WengertError" or issubclass(kind, RuntimeError | IndexError | ValueError | TypeError | KeyError)


@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b"", lambda b: b"nonsense" * 9, lambda b: b + b"more"])
def test_a_damaged_weight_file_changes_no_model(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    model = wg.nn.Linear(2, 2)
    file = tmp_path / "weights.safetensors"
    wg.save(model.state_dict(), file)
    file.write_bytes(damage(file.read_bytes()))
    before = state((model,))
    with pytest.raises(RuntimeError) as error:
        model.load_state_dict(wg.load(file))
    assert "weights.safetensors" in str(error.value)
    for now, then in zip(state((model,)), before, strict=True):
        np.testing.assert_array_equal(now[0], then[0])


def test_a_missing_weight_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing_here"):
        wg.load(tmp_path / "nothing_here.safetensors")


@pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU here")
def test_a_missing_gpu_is_explained() -> None:
    before = wg.get_default_device()
    for use in (
        lambda: wg.ones(2, device="cuda"),
        lambda: wg.ones(2).to("cuda"),
        lambda: wg.set_default_device("cuda"),
    ):
        with pytest.raises(RuntimeError) as error:
            use()
        assert "cuda" in str(error.value)
        assert any(word in str(error.value) for word in ("pip install", "driver"))
    assert wg.get_default_device() == before


# ---------------------------------------------------------------------- texts that name lines


def line_of(mark: str) -> str:
    """``file:line`` of the line of this file that ends with a mark."""
    with open(__file__, encoding="utf-8") as file:
        return f"{__file__}:{next(i for i, line in enumerate(file, 1) if line.rstrip().endswith(mark))}"


def test_a_second_backward_names_the_operation_the_first_one_and_the_usual_causes():
    x = wg.ones(3, requires_grad=True)
    with wg.debug.record_lines():
        y = x.exp()  # made
    y.sum().backward()  # taken
    with pytest.raises(RuntimeError, match="backward through the graph a second time") as caught:
        y.sum().backward()
    text = str(caught.value)
    assert f"ExpBackward0, recorded at {line_of('# made')}, has given back what it saved" in text
    assert f"in the pass that was started at {line_of('# taken')}" in text
    assert "detach()" in text
    assert "retain_graph=True" in text


def test_a_write_to_a_saved_value_names_both_lines_and_the_fix():
    x = wg.ones(3, requires_grad=True)
    with wg.debug.record_lines():
        y = x.exp()  # saved
    y.mul_(2)  # written
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        y.sum().backward()
    text = str(caught.value)
    assert f"recorded at {line_of('# saved')}, saved as its output 0" in text
    assert f"The last write was mul_ at {line_of('# written')}" in text
    assert "x = x + y" in text
    z = x.exp()
    z.mul_(2)
    with pytest.raises(RuntimeError, match=r"debug\.record_lines\(\) tells where"):
        z.sum().backward()


def test_a_layer_for_other_features_says_what_to_change():
    linear = wg.nn.Linear(12, 2)
    with pytest.raises(RuntimeError, match=r"2x3 and 12x2.*make the layer with in_features=3"):
        linear(wg.ones(2, 3))
    with pytest.raises(RuntimeError, match=r"flatten the input \[5, 3, 2, 2\] first"):
        linear(wg.ones(5, 3, 2, 2))
