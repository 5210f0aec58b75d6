"""Files in PyTorch's format: what is in them, who reads them, and that reading them runs nothing."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import pickle
import pickletools
import subprocess
import sys
import warnings
import zipfile
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.utils.torch_file import DTYPES
from wengert.utils.torch_names import found_here, name_in_files

from .cases import composite_layers, loss_layers  # noqa: F401  (they add their rows to the table)
from .cases.layer_case import Built, LayerCase
from .cases.layers import CASES

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

parity = [
    pytest.mark.parity,
    pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it"),
]


def through(value: Any, **options: Any) -> Any:
    file = io.BytesIO()
    wg.save(value, file)
    file.seek(0)
    return wg.load(file, **options)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_every_type_and_shape_comes_back(dtype: str, shape: tuple[int, ...]):
    x = wg.tensor(np.random.default_rng(0).integers(0, 2, shape).tolist()).reshape(shape).to(getattr(wg, dtype))
    y = through(x)
    assert (y.dtype, y.shape, y.stride()) == (x.dtype, x.shape, x.stride())
    assert y._data.tobytes() == x._data.tobytes()


def test_values_of_all_kinds_come_back():
    value = {
        "numbers": [1, -2, 2**40, -(2**70), 2.5, True, None, 1 + 2j, "tëxt", b"bytes", float("inf")],
        "tuple": (wg.ones(2), {3, 4}, frozenset({5})),
        "size": wg.Size([2, 3]),
        "types": [wg.float16, wg.uint16, wg.channels_last, wg.strided],
        "device": wg.device("cpu"),
        "ordered": OrderedDict(a=wg.zeros(0), b=wg.tensor(7)),
        "counted": Counter("hello"),
        "default": defaultdict(list, x=[1]),
        "of": range(2, 9, 3),
        "arrays": [np.arange(3, dtype=np.int16), np.float32(1.5), np.array("text"), np.ones((2, 2), order="F")],
    }
    found = through(value)
    assert list(found) == list(value)
    for key in ("numbers", "size", "device", "counted", "default", "of"):
        assert found[key] == value[key]
        assert type(found[key]) is type(value[key])
    assert found["tuple"][1:] == value["tuple"][1:]
    assert found["types"][:2] == value["types"][:2]
    assert found["types"][2] is wg.channels_last
    assert found["types"][3].name == "strided"
    assert isinstance(found["ordered"], OrderedDict)
    assert found["ordered"]["b"].item() == 7
    for a, b in zip(found["arrays"], value["arrays"], strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_memory_is_shared_as_it_was():
    x = wg.zeros(4, 4)
    found = through({"all": x, "row": x[1], "column": x[:, 2], "again": x, "other": wg.zeros(4, 4)})
    assert found["again"] is found["all"]
    found["row"].fill_(5)
    assert found["all"][1].tolist() == [5.0] * 4
    assert found["column"].tolist() == [0.0, 5.0, 0.0, 0.0]
    assert found["other"].tolist() == [[0.0] * 4] * 4


def test_a_view_alone_brings_only_its_own_memory():
    x = wg.arange(1e6).reshape(1000, 1000)
    for view in (x[3], x[:, 3], x[5:7, ::2], x.T[:2]):
        file = io.BytesIO()
        wg.save(view, file)
        assert len(file.getvalue()) < 4 * view.numel() + 3000
        assert through(view).tolist() == view.tolist()
    assert through(x.T).stride() == (1, 1000)
    assert through(wg.ones(1).expand(1000, 1000)).stride() == (0, 0)


def test_what_tensors_are_comes_back():
    weight = wg.nn.Parameter(wg.ones(2))
    weight.decay = 0.5
    tagged = wg.ones(1)
    tagged.tag = "mine"
    indices, values = wg.tensor([[0, 1], [1, 0]]), wg.tensor([1.0, 2.0])
    sparse = wg.sparse_coo_tensor(indices, values, (2, 2)).coalesce()
    found = through(
        {
            "weight": weight,
            "frozen": wg.nn.Parameter(wg.zeros(1), False),
            "trained": wg.ones(1, requires_grad=True),
            "tagged": tagged,
            "lazy": wg.nn.UninitializedParameter(),
            "coo": sparse,
            "csr": sparse.to_sparse_csr(),
        }
    )
    assert isinstance(found["weight"], wg.nn.Parameter)
    assert found["weight"].decay == 0.5
    assert not found["frozen"].requires_grad
    assert found["trained"].requires_grad
    assert found["trained"].is_leaf
    assert found["tagged"].tag == "mine"
    assert isinstance(found["lazy"], wg.nn.UninitializedParameter)
    for name in ("coo", "csr"):
        assert found[name].layout.name == f"sparse_{name}"
        assert found[name].to_dense().tolist() == [[0.0, 1.0], [2.0, 0.0]]
    assert found["coo"].is_coalesced()


class Scaled(wg.Tensor):
    """A tensor class of a user's."""


class Net(wg.nn.Module):
    """A module of a user's, with all that modules may have."""

    def __init__(self) -> None:
        super().__init__()
        self.body = wg.nn.Sequential(wg.nn.Conv2d(1, 2, 3), wg.nn.BatchNorm2d(2), wg.nn.ReLU(), wg.nn.Flatten())
        self.head = wg.nn.Linear(2 * 4, 3)
        self.tied = self.head.weight
        self.register_buffer("steps", wg.zeros(()), persistent=False)
        self.register_parameter("none", None)
        self.activation = wg.nn.functional.relu
        self.register_forward_hook(double, always_call=True)
        self.register_full_backward_hook(ignore)

    def forward(self, x: Any) -> Any:
        return self.activation(self.head(self.body(x)))


def double(module: Any, args: Any, output: Any) -> Any:
    return output * 2


def ignore(module: Any, grad_input: Any, grad_output: Any) -> None: ...


def test_a_whole_module_comes_back_when_trusted():
    model, x = Net().eval(), wg.randn(2, 1, 4, 4)
    with pytest.raises(pickle.UnpicklingError, match=r"asks for .*Net.*weights_only=False"):
        through(model)
    twin = through(model, weights_only=False)
    assert wg.equal(twin(x), model(x))
    assert twin.tied is twin.head.weight
    assert (twin.none, twin.training) == (None, False)
    assert list(twin.state_dict()) == list(model.state_dict())
    assert [name for name, _ in twin.named_buffers()] == [name for name, _ in model.named_buffers()]
    twin.train()(x.requires_grad_()).sum().backward()
    assert twin.head.weight.grad is not None
    assert type(through(wg.ones(2).as_subclass(Scaled), weights_only=False)) is Scaled


def test_tied_weights_stay_tied():
    net = wg.nn.ModuleDict({"embed": wg.nn.Embedding(5, 3), "out": wg.nn.Linear(3, 5, bias=False)})
    net.out.weight = net.embed.weight
    state = through(net.state_dict())
    assert list(state) == ["embed.weight", "out.weight"]
    state["embed.weight"].fill_(7.0)
    assert state["out.weight"].unique().tolist() == [7.0]
    assert state._metadata == net.state_dict()._metadata


def test_an_optimizer_goes_on_from_its_file():
    def made() -> tuple[Any, Any]:
        model = wg.nn.Linear(3, 1)
        return model, wg.optim.Adam(model.parameters(), lr=0.1)

    def step(model: Any, optimizer: Any) -> float:
        optimizer.zero_grad()
        loss = (model(wg.ones(2, 3)) ** 2).mean()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    model, optimizer = made()
    step(model, optimizer)
    state = through({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    other, again = made()
    other.load_state_dict(state["model"])
    again.load_state_dict(state["optimizer"])
    assert step(other, again) == step(model, optimizer)
    both = through((model, optimizer), weights_only=False)
    assert step(*both) == step(model, optimizer)


def test_the_archive_is_pytorchs(tmp_path: Path):
    path = tmp_path / "net.pt"
    wg.save({"a": wg.ones(3), "b": wg.zeros(2, dtype=wg.int64)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        assert {f"net/{name}" for name in ("data.pkl", "byteorder", "version", "data/0", "data/1")} <= set(entries)
        assert archive.read("net/version") == b"3\n"
        assert archive.read("net/data/0") == np.ones(3, np.float32).tobytes()
        content = archive.read("net/data.pkl")
    for entry in entries.values():
        begin = entry.header_offset + 30 + len(entry.filename) + len(entry.extra)
        assert begin % 64 == 0
        assert entry.compress_type == zipfile.ZIP_STORED
    names = {argument for opcode, argument, _ in pickletools.genops(content) if opcode.name == "GLOBAL"}
    assert {name for name in names if "wengert" in name} == set()
    assert next(iter(pickletools.genops(content)))[1] == 2


def test_memory_can_stay_in_the_file(tmp_path: Path):
    path = tmp_path / "net.pt"
    x = wg.arange(1000.0)
    wg.save({"x": x, "half": x.bfloat16(), "none": wg.zeros(0)}, path)
    found = wg.load(path, mmap=True)
    assert wg.equal(found["x"], x)
    assert wg.equal(found["half"], x.bfloat16())
    base = found["x"]._data
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    found["x"].fill_(0.0)  # in memory, not in the file
    assert wg.equal(wg.load(path)["x"], x)
    with pytest.raises(RuntimeError, match="f must be a file path"):
        wg.load(io.BytesIO(path.read_bytes()), mmap=True)


def test_devices_by_the_name_that_they_had():
    seen = []
    through({"x": wg.ones(1)}, map_location=lambda tensor, device: seen.append(device) or tensor)
    assert seen == ["cpu"]
    assert through({"x": wg.ones(1)}, map_location={"cuda:0": "cpu"})["x"].device == wg.device("cpu")


# ---------------------------------------------------------------------- hostile files


def archive_of(content: bytes, **storages: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x/data.pkl", content)
        for key, memory in storages.items():
            archive.writestr(f"x/data/{key.removeprefix('s')}", memory)
    file.seek(0)
    return file


def call(module: str, name: str, *arguments: str) -> bytes:
    """A pickle that calls a function with texts."""
    texts = b"".join(b"X" + len(a).to_bytes(4, "little") + a.encode() for a in arguments)
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"(" + texts + b"tR."


NAMES = [
    *(("os", "system"), ("posix", "system"), ("subprocess", "Popen"), ("builtins", "exec"), ("__builtin__", "eval")),
    *(("builtins", "getattr"), ("builtins", "__import__"), ("importlib", "import_module"), ("pickle", "loads")),
    *(("torch.hub", "load"), ("torch", "load"), ("torch.serialization", "load"), ("numpy", "load")),
    *(("wengert", "load"), ("wengert.utils.torch_file", "SAFE.append"), ("numpy.testing", "runstring")),
    *(("torch.nn.modules.linear", "Linear"), ("runpy", "run_path"), ("webbrowser", "open"), ("code", "interact")),
]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_no_name_but_those_of_data_is_looked_up(module: str, name: str, tmp_path: Path):
    mark = tmp_path / "mark"
    for content in (call(module, name, f"touch {mark}"), b"\x80\x02c" + f"{module}\n{name}\n.".encode()):
        with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
            wg.load(archive_of(content))
    assert not mark.exists()
    assert module not in sys.modules or module.partition(".")[0] in sys.modules


ATTRIBUTES = {
    "of a class": b"\x80\x02ctorch\nSize\n(NX\x05\x00\x00\x00numel}(X\x01\x00\x00\x00aK\x01ut\x86b.",
    "of a class, by dictionary": b"\x80\x02ctorch\nSize\n}X\x05\x00\x00\x00numelK\x01sb.",
    "of a function": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\x00\x00\x00__defaults__)s\x86b.",
    "of an own dictionary": b"\x80\x02}}X\x01\x00\x00\x00aK\x01sb.",
    "of the class of ordered dictionaries": b"\x80\x02ccollections\nOrderedDict\n}X\x03\x00\x00\x00getK\x01sb.",
}


@pytest.mark.parametrize("what", ATTRIBUTES)
def test_attributes_are_set_of_nothing_that_the_file_did_not_make(what: str):
    before = dict(vars(wg.Size)), wg.utils.torch_file._array.__defaults__
    with pytest.raises(RuntimeError, match="cannot load"):
        wg.load(archive_of(ATTRIBUTES[what]))
    assert (dict(vars(wg.Size)), wg.utils.torch_file._array.__defaults__) == before


def tensor_pickle(count: int, offset: int, size: int, stride: int) -> bytes:
    numbers = [b"J" + n.to_bytes(4, "little", signed=True) for n in (count, offset, size, stride)]
    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + numbers[0] + b"tQ"
    rest = numbers[1] + numbers[2] + b"\x85" + numbers[3] + b"\x85\x89ccollections\nOrderedDict\n)R"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + pid + rest + b"tR."


@pytest.mark.parametrize(
    ("count", "offset", "size", "stride"),
    [(4, 0, 5, 1), (4, 2, 3, 1), (4, 0, 2, 4), (4, -1, 2, 1), (4, 3, 4, -1), (4, 0, -2, 1), (2**30, 0, 2, 1)],
)
def test_no_tensor_reaches_beyond_its_memory(count: int, offset: int, size: int, stride: int):
    good = wg.load(archive_of(tensor_pickle(4, 1, 3, 1), s0=np.arange(4, dtype=np.float32).tobytes()))
    assert good.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(RuntimeError, match="damaged"):
        wg.load(archive_of(tensor_pickle(count, offset, size, stride), s0=bytes(16)))


def test_numpy_arrays_of_a_file_hold_only_numbers_and_text():
    for array in (np.array([object]), np.zeros(2, [("a", "i4")])):
        with pytest.raises(RuntimeError, match="cannot load"):
            wg.load(archive_of(pickle.dumps(array, 2)))
    good = pickle.dumps(np.arange(4, dtype=np.int64), 2)
    assert wg.load(archive_of(good)).tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="damaged"):
        wg.load(archive_of(good.replace(b"K\x04\x85", b"K\x7f\x85")))


def test_noise_is_refused_or_read():
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    wg.save({"x": wg.ones(3), "y": [np.arange(3), {"z": (1, 2.5)}]}, file)
    with zipfile.ZipFile(file) as archive:
        content = archive.read("archive/data.pkl")
        memory = archive.read("archive/data/0")
    for _ in range(300):
        noisy = bytearray(content)
        for _ in range(2):
            noisy[rng.integers(len(noisy))] = rng.integers(256)
        with contextlib.suppress(wg.utils.serialization.FileFormatError):
            wg.load(archive_of(bytes(noisy), s0=memory))


def test_a_full_disk_leaves_the_last_file(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full, the disk that is always full")
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        wg.save(wg.ones(100_000), full)


def test_a_killed_process_leaves_the_last_file(tmp_path: Path):
    path = tmp_path / "state.pt"
    wg.save({"x": wg.ones(10)}, path)
    script = (
        "import os, wengert as wg, wengert.utils.torch_writing as writing\n"
        "real = writing.add\n"
        "def dies(archive, name, content):\n"
        "    if name.endswith('version'): archive.fp.flush(); os.kill(os.getpid(), 9)\n"
        "    real(archive, name, content)\n"
        "writing.add = dies\n"
        f"wg.save({{'x': wg.zeros(10)}}, {str(path)!r})\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent.parent, check=False)
    assert ended.returncode == -9
    assert wg.load(path)["x"].tolist() == [1.0] * 10


# ---------------------------------------------------------------------- beside PyTorch


def made(T: Any, case: LayerCase) -> Any:
    def own(value: Any) -> Any:
        if isinstance(value, Built):
            return value.make(T)
        return T.tensor(value) if isinstance(value, np.ndarray) else value

    return getattr(T.nn, case.name)(*map(own, case.args), **{name: own(value) for name, value in case.kwargs})


def layers() -> list[LayerCase]:
    """One row of each layer that PyTorch has too. The hooks of one that waits for its shape are its library's own."""
    rows = {case.name: case for case in CASES if case.parity and not case.name.startswith("Lazy")}
    return [] if torch is None else [case for name, case in sorted(rows.items()) if hasattr(torch.nn, name)]


class TestWithPyTorch:
    pytestmark = parity

    def from_torch(self, value: Any, **options: Any) -> Any:
        file = io.BytesIO()
        torch.save(value, file)
        file.seek(0)
        return wg.load(file, **options)

    def to_torch(self, value: Any, **options: Any) -> Any:
        file = io.BytesIO()
        wg.save(value, file)
        file.seek(0)
        return torch.load(file, **options)

    @pytest.mark.parametrize("dtype", sorted(DTYPES))
    def test_types(self, dtype: str):
        x = wg.arange(6).reshape(2, 3).to(getattr(wg, dtype)).T
        y = self.to_torch(x)
        assert str(y.dtype) == f"torch.{dtype}"
        assert y.stride() == x.stride()
        np.testing.assert_array_equal(y.to(torch.complex128).numpy(), x.to(wg.complex128).numpy())

    def test_values_beside_tensors(self):
        value = {
            "numbers": [1, -2, 2**40, -(2**70), 2.5, True, None, 1 + 2j, "tëxt"],
            "tuple": (wg.ones(2), {3, 4}),
            "size": wg.Size([2, 3]),
            "dtype": wg.bfloat16,
            "device": wg.device("cpu"),
            "ordered": OrderedDict(a=wg.zeros(0, 2), b=wg.tensor(7)),
            "parameter": wg.nn.Parameter(wg.ones(1)),
            "sparse": wg.eye(2).to_sparse(),
            "csr": wg.eye(2).to_sparse_csr(),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layouts that are new there
            found = self.to_torch(value)
        assert found["numbers"] == value["numbers"]
        assert found["tuple"][1] == {3, 4}
        assert found["size"] == torch.Size([2, 3])
        assert found["dtype"] is torch.bfloat16
        assert found["device"] == torch.device("cpu")
        assert found["ordered"]["a"].shape == (0, 2)
        assert found["ordered"]["b"].item() == 7
        assert isinstance(found["parameter"], torch.nn.Parameter)
        assert found["sparse"].to_dense().tolist() == [[1.0, 0.0], [0.0, 1.0]]
        assert found["csr"].to_dense().tolist() == [[1.0, 0.0], [0.0, 1.0]]

    def test_memory_is_shared_there_too(self, tmp_path: Path):
        x = wg.zeros(4, 4)
        path = tmp_path / "shared.pt"
        wg.save({"all": x, "row": x[1], "column": x[:, 2]}, path)
        for options in ({}, {"mmap": True}, {"weights_only": False}):
            found = torch.load(path, **options)
            found["row"].fill_(5)
            assert found["all"][1].tolist() == [5.0] * 4
            assert found["column"].tolist() == [0.0, 5.0, 0.0, 0.0]

    def test_a_model_and_its_optimizer_go_on_there(self):
        def model(T: Any) -> Any:
            return T.nn.Sequential(T.nn.Conv2d(1, 4, 3), T.nn.BatchNorm2d(4), T.nn.Flatten(), T.nn.Linear(4 * 16, 3))

        ours, theirs = model(wg).double(), model(torch).double()
        x = np.random.default_rng(0).standard_normal((5, 1, 6, 6))
        y = np.arange(5) % 3
        optimizers = [
            wg.optim.AdamW(ours.parameters(), amsgrad=True),
            torch.optim.AdamW(theirs.parameters(), amsgrad=True),
        ]

        def step(T: Any, net: Any, optimizer: Any) -> float:
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(net(T.tensor(x)), T.tensor(y))
            loss.backward()
            optimizer.step()
            return float(loss.item())

        for _ in range(3):
            step(wg, ours, optimizers[0])
        checkpoint = self.to_torch({"model": ours.state_dict(), "optimizer": optimizers[0].state_dict(), "epoch": 3})
        theirs.load_state_dict(checkpoint["model"])
        optimizers[1].load_state_dict(checkpoint["optimizer"])
        for _ in range(3):
            assert step(torch, theirs, optimizers[1]) == pytest.approx(step(wg, ours, optimizers[0]), rel=1e-9)

    @pytest.mark.parametrize("case", layers(), ids=lambda case: case.name)
    def test_whole_layers_both_ways(self, case: LayerCase):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, theirs = made(wg, case), made(torch, case)
        there, here = self.to_torch(ours, weights_only=False), self.from_torch(theirs, weights_only=False)
        assert type(there) is type(theirs)
        assert type(here) is type(ours)
        assert repr(there) == repr(theirs)
        assert set(theirs.__dict__) - set(there._parameters) <= set(there.__dict__)
        for written, read in ((ours, there), (theirs, here)):
            assert list(read.state_dict()) == list(written.state_dict())
            for a, b in zip(written.state_dict().values(), read.state_dict().values(), strict=True):
                if hasattr(a, "numpy") and not isinstance(a, (wg.nn.UninitializedParameter,)):
                    np.testing.assert_array_equal(np.asarray(a.detach()), np.asarray(b.detach()))

    def test_a_whole_model_computes_the_same_both_ways(self):
        def model(T: Any) -> Any:
            layers = T.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
            return T.nn.Sequential(T.nn.Embedding(10, 8), T.nn.TransformerEncoder(layers, 2), T.nn.Linear(8, 4)).eval()

        x = np.arange(6).reshape(2, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, theirs = model(wg), model(torch)
            there, here = self.to_torch(ours, weights_only=False), self.from_torch(theirs, weights_only=False)
            pairs = [(ours, there), (here, theirs), (copy.deepcopy(here), theirs)]
            for mine, their in pairs:
                np.testing.assert_allclose(
                    mine(wg.tensor(x)).detach().numpy(), their(torch.tensor(x)).detach().numpy(), atol=1e-5
                )

    def test_classes_have_pytorchs_names(self):
        wrong = []
        for part in ("nn", "optim", "optim.lr_scheduler", "distributions", "utils.data"):
            theirs, ours = torch, wg
            for name in part.split("."):
                theirs, ours = getattr(theirs, name), getattr(ours, name)
            for name in dir(theirs):
                a, b = getattr(theirs, name), getattr(ours, name, None)
                if not (isinstance(a, type) and isinstance(b, type) and b.__module__.startswith("wengert")):
                    continue
                if a.__module__.startswith("torch") and not name.startswith("_") and a.__name__ == name:
                    where = name_in_files(b)
                    module = sys.modules.get(where[0]) if where else None
                    if (
                        module is None
                        or getattr(module, where[1], None) is not a
                        or found_here(a.__module__, name) is not b
                    ):
                        wrong.append((name, where))
        assert wrong == []


def test_the_names_of_files_lead_back():
    for kind in (wg.nn.Linear, wg.nn.Parameter, wg.optim.RMSprop, wg.nn.functional.relu, wg.distributions.Normal):
        assert found_here(*name_in_files(kind)) is kind  # type: ignore[misc]
    assert name_in_files(wg.nn.Conv2d) == ("torch.nn.modules.conv", "Conv2d")
    assert name_in_files(os.getcwd) is None
    with pytest.raises(AttributeError, match=r"torch\.nn\.Nothing has no counterpart"):
        found_here("torch.nn", "Nothing")
