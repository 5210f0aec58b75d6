"""Saving and loading: what goes in comes out, other programs can read it, and damaged files are refused by name."""

from __future__ import annotations

import io
import json
import os
import pickle
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import wengert as wg

DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


def same(a: object, b: object) -> bool:
    """Equal in values, types, dtypes and order."""
    if isinstance(a, wg.Tensor):
        return (
            isinstance(b, wg.Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.requires_grad == b.requires_grad
            and a._data.tobytes() == b._data.tobytes()
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "file.safetensors")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_every_dtype_and_shape_comes_back(path: str, dtype: str, shape: tuple[int, ...]):
    values = np.random.default_rng(0).integers(0, 2, shape)
    tensor = wg.tensor(values.tolist(), dtype=getattr(wg, dtype)).reshape(shape)
    wg.save({"x": tensor}, path)
    assert same(wg.load(path), {"x": tensor})


def test_nesting_order_and_plain_values_come_back(path: str):
    obj = {
        "z": wg.ones(2),
        "a": [wg.zeros(3), {"deep": (1, 2.5, None, True, "text", -0.0)}],
        3: OrderedDict([("second", wg.ones(1, dtype=wg.int64)), ("first", wg.zeros(1))]),
        (0, 1): "a tuple as key",
        "numpy": np.arange(3, dtype=np.int16),
        "complex": 1 + 2j,
        "dtype": wg.bfloat16,
        "device": wg.device("cpu"),
        "set": {1, 2},
        "trained": wg.ones(2, requires_grad=True),
        "empty": {},
    }
    wg.save(obj, path)
    assert same(wg.load(path), obj)


def test_numbers_that_json_does_not_have(path: str):
    wg.save({"inf": float("inf"), "minus": -float("inf"), "nan": float("nan")}, path)
    loaded = wg.load(path)
    assert loaded["inf"] == float("inf")
    assert loaded["minus"] == -float("inf")
    assert loaded["nan"] != loaded["nan"]


def test_one_tensor_and_file_objects():
    file = io.BytesIO()
    wg.save(wg.ones(2, 2), file)
    file.seek(0)
    assert same(wg.load(file), wg.ones(2, 2))


def test_views_are_saved_by_value(path: str):
    x = wg.arange(12.0).reshape(3, 4)
    wg.save({"column": x[:, 1], "transposed": x.T, "row": x[1]}, path)
    loaded = wg.load(path)
    assert loaded["column"].tolist() == [1.0, 5.0, 9.0]
    assert loaded["transposed"].tolist() == x.T.tolist()
    assert loaded["row"].tolist() == [4.0, 5.0, 6.0, 7.0]


def test_a_tensor_that_occurs_twice_is_written_once_and_shared_again(path: str):
    x = wg.ones(1000)
    wg.save({"one": x, "two": x.detach()}, path)
    assert os.path.getsize(path) < 6000
    loaded = wg.load(path)
    loaded["one"][0] = 7.0
    assert loaded["two"][0].item() == 7.0


def test_other_programs_read_a_state_dict(path: str):
    wg.save(OrderedDict([("w", wg.ones(2, 3)), ("b", wg.zeros(3))]), path)
    arrays = safetensors.numpy.load_file(path)
    assert {name: a.shape for name, a in arrays.items()} == {"w": (2, 3), "b": (3,)}


def test_files_of_other_programs(path: str):
    safetensors.numpy.save_file({"w": np.ones((2, 3), np.float32), "n": np.arange(2)}, path, {"note": "text"})
    loaded = wg.load(path)
    assert loaded["w"].tolist() == [[1.0] * 3] * 2
    assert loaded["n"].dtype == wg.int64


def test_arrays_are_aligned(path: str):
    wg.save({"odd": wg.ones(3, dtype=wg.int8), "wide": wg.ones(3, dtype=wg.float64), "half": wg.ones(3).half()}, path)
    content = Path(path).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    assert header["wide"]["data_offsets"][0] % 8 == 0
    assert header["half"]["data_offsets"][0] % 2 == 0


@pytest.mark.parametrize("where", ["cpu", wg.device("cpu"), {"cpu": "cpu"}, lambda tensor, place: tensor])
def test_map_location(path: str, where: object):
    wg.save({"x": wg.ones(2)}, path)
    assert same(wg.load(path, map_location=where), {"x": wg.ones(2)})


def good_file(ending: str = ".safetensors") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"file{ending}")
        wg.save({"weight": wg.ones(4), "bias": wg.zeros(2)}, path)
        return path.read_bytes()


def with_header(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
DAMAGED = {
    "empty": (b"", "; 0 bytes"),
    "short": (b"abc", "; 3 bytes"),
    "noise": (b"\x10" * 100, "no safetensors file"),
    "truncated header": (good_file()[:40], "truncated"),
    "truncated data": (good_file()[:-3], "truncated"),
    "too long": (good_file() + b"x", "damaged"),
    "zip": (b"PK\x03\x04" + bytes(100), "torch.save"),
    "truncated zip": (good_file(".pt")[:-30], "truncated"),
    "damaged zip": (good_file(".pt").replace(b"FloatStorage", b"BloatStorage"), "damaged"),
    "pickle": (b"\x80\x02}q\x00." + bytes(30), "could run any code"),
    "numpy": (b"\x93NUMPY" + bytes(30), "numpy.load"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "html": (b"<!doctype html><html></html>", "web page"),
    "no JSON": (with_header({})[:8] + b"{x", "damaged"),
    "list": (with_header([]), "damaged"),
    "entry": (with_header({"w": 3}), "damaged"),
    "negative shape": (with_header({"w": {**ENTRY, "shape": [-1]}}, bytes(4)), "damaged"),
    "boolean shape": (with_header({"w": {**ENTRY, "shape": [True]}}, bytes(4)), "damaged"),
    "unknown type": (
        with_header({"w": {**ENTRY, "dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}}, bytes(3)),
        "F6_E2M3|damaged",
    ),
    "wrong size": (with_header({"w": {**ENTRY, "shape": [2]}}, bytes(4)), "damaged"),
    "gap": (with_header({"w": {**ENTRY, "data_offsets": [4, 8]}}, bytes(8)), "damaged"),
    "overlap": (with_header({"w": ENTRY, "v": ENTRY}, bytes(4)), "damaged"),
    "huge": (with_header({"w": {**ENTRY, "shape": [2**40], "data_offsets": [0, 2**42]}}, bytes(8)), "truncated"),
    "notes": (with_header({"__metadata__": {"a": 1}}), "damaged"),
    "arrangement": (with_header({"__metadata__": {"wengert": '{"tensor": "gone"}'}}), "damaged"),
    "arrangement kind": (with_header({"__metadata__": {"wengert": '{"call": "os.system"}'}}), "damaged"),
    "arrangement nesting": (with_header({"__metadata__": {"wengert": '{"list":[' * 5000}}), "damaged"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_and_foreign_files_are_refused(path: str, what: str):
    content, message = DAMAGED[what]
    Path(path).write_bytes(content)
    with pytest.raises(RuntimeError, match=message) as caught:
        wg.load(path)
    assert path in str(caught.value)


@pytest.mark.parametrize("length", [0x80, 0x280])
def test_a_header_whose_length_begins_as_a_pickle_does(length: int) -> None:
    content = length.to_bytes(8, "little") + json.dumps({"x": ENTRY}).encode().ljust(length) + np.float32(7).tobytes()
    assert content[:1] == b"\x80"
    assert wg.load(io.BytesIO(content))["x"].tolist() == [7.0]


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        wg.load(tmp_path / "nothing.safetensors")


def test_what_cannot_be_saved_is_named_and_nothing_is_written(tmp_path: Path):
    target = tmp_path / "file.safetensors"
    with pytest.raises(TypeError, match=r"obj\['a'\]\['1'\] is a function; to a path that ends otherwise"):
        wg.save({"a": [wg.ones(1), lambda: 0]}, target)
    with pytest.raises(TypeError, match=r"cannot pickle this dict: .*lambda"):
        wg.save({"a": [wg.ones(1), lambda: 0]}, tmp_path / "file.pt")
    module = wg.nn.Identity()
    module.activation = lambda x: x
    for name in ("file.safetensors", "file.pt"):
        with pytest.raises(TypeError, match=r"state_dict\(\)"):
            wg.save(module, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_whole_objects_are_pickled_and_read_only_on_request(tmp_path: Path):
    target = tmp_path / "model.pt"
    model = wg.nn.Sequential(wg.nn.Linear(2, 3), wg.nn.BatchNorm1d(3))
    model[0].twin = model[0].weight
    wg.save({"model": model, "epoch": 3}, target, pickle_protocol=4)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        wg.load(target)
    found = wg.load(target, weights_only=False, map_location="cpu")
    assert found["epoch"] == 3
    assert found["model"][0].twin is found["model"][0].weight
    x = wg.ones(4, 2)
    assert wg.equal(found["model"].eval()(x), model.eval()(x))
    seen = []
    wg.load(target, lambda tensor, place: seen.append(place) or tensor, weights_only=False)
    assert seen == ["cpu"] * 7
    target.write_bytes(target.read_bytes()[:-20])
    with pytest.raises(RuntimeError, match=r"cannot load .*model\.pt"):
        wg.load(target, weights_only=False)


class Settings:
    def __init__(self, rate: float) -> None:
        self.rate = rate


def test_classes_that_are_said_to_be_safe_are_read_without_trust(tmp_path: Path):
    target = tmp_path / "settings.pt"
    value = {"settings": Settings(0.5), "weight": wg.ones(2), "dtype": wg.half, "shape": wg.Size([2]), "of": range(3)}
    wg.save(value, target)
    with pytest.raises(pickle.UnpicklingError, match=r"Unsupported global: GLOBAL .*Settings .*add_safe_globals"):
        wg.load(target)
    with wg.serialization.safe_globals([Settings]):
        found = wg.load(target)
    assert found["settings"].rate == 0.5
    assert found["weight"].tolist() == [1.0, 1.0]
    assert (found["dtype"], found["shape"], found["of"]) == (wg.float16, wg.Size([2]), range(3))
    with wg.serialization.safe_globals([(Settings, f"{Settings.__module__}.Settings")]):
        wg.load(target)
    with pytest.raises(pickle.UnpicklingError, match="settings"):
        wg.load(target)


class Evil:
    def __reduce__(self) -> Any:
        return os.getcwd, ()


def test_nothing_of_a_whole_object_is_called_without_trust(tmp_path: Path):
    wg.save([Evil()], tmp_path / "evil.pt")
    with pytest.raises(pickle.UnpicklingError, match=r"posix.getcwd"):
        wg.load(tmp_path / "evil.pt")
    assert wg.load(tmp_path / "evil.pt", weights_only=False) == [os.getcwd()]


def test_parameters_and_sizes_stay_what_they_are(path: str):
    weight = wg.nn.Parameter(wg.ones(2))
    wg.save({"p": weight, "frozen": wg.nn.Parameter(wg.zeros(1), False), "data": weight.data, "s": wg.Size([3])}, path)
    found = wg.load(path)
    assert isinstance(found["p"], wg.nn.Parameter)
    assert found["p"].requires_grad
    assert isinstance(found["frozen"], wg.nn.Parameter)
    assert not found["frozen"].requires_grad
    assert type(found["data"]) is wg.Tensor
    with wg.no_grad():
        found["p"].fill_(3.0)
    assert found["data"].tolist() == [3.0, 3.0]
    assert isinstance(found["s"], wg.Size)


def test_arguments_of_pytorchs_save_and_load(tmp_path: Path):
    target = tmp_path / "x.pt"
    wg.save(wg.ones(2), target, pickle_module=pickle, _use_new_zipfile_serialization=False)
    assert wg.load(target, "cpu", pickle, weights_only=True, encoding="latin1").tolist() == [1.0, 1.0]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "file.safetensors"
    wg.save({"x": wg.ones(1)}, target)
    before = target.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        wg.save({"x": wg.zeros(100)}, target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_module_and_its_optimizer_continue_from_files(tmp_path: Path):
    def build() -> tuple[wg.nn.Module, wg.optim.Optimizer]:
        model = wg.nn.Sequential(wg.nn.Linear(4, 8), wg.nn.Tanh(), wg.nn.Linear(8, 1))
        return model, wg.optim.Adam(model.parameters(), lr=0.01)

    x = wg.randn(16, 4)

    def steps(model: wg.nn.Module, optimizer: wg.optim.Optimizer) -> list[float]:
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    model, optimizer = build()
    steps(model, optimizer)
    wg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state.safetensors")
    expected = steps(model, optimizer)
    loaded = wg.load(tmp_path / "state.safetensors")
    model, optimizer = build()
    model.load_state_dict(loaded["model"])
    optimizer.load_state_dict(loaded["optimizer"])
    assert steps(model, optimizer) == expected
    assert loaded["model"]._metadata[""] == {"version": 1}


@pytest.mark.parity
def test_torch_reads_and_writes_the_same_files(path: str):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    wg.save({"w": wg.ones(2, 3).bfloat16(), "b": wg.arange(3.0)}, path)
    assert load_file(path)["w"].dtype == torch.bfloat16
    save_file({"w": torch.full((2, 3), 1.5, dtype=torch.bfloat16), "s": torch.tensor(2.0)}, path)
    loaded = wg.load(path)
    assert loaded["w"].dtype == wg.bfloat16
    assert loaded["w"].float().tolist() == [[1.5] * 3] * 2
    assert loaded["s"].shape == ()
