"""safetensors files by name of tensor: lazily, over several files, and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import wengert as wg
from wengert.utils.tensor_files import load_file, load_sharded, safe_open, save_file, save_sharded


def tensors(count: int = 6) -> dict[str, Any]:
    return {f"layer.{i}.weight": wg.full((10, 10), float(i)) for i in range(count)}


def test_every_type_comes_back(tmp_path: Path):
    kinds = [wg.float64, wg.float32, wg.float16, wg.bfloat16, wg.int64, wg.uint8, wg.bool, wg.uint16, wg.float8_e4m3fn]
    given = {f"{kind}": wg.tensor([[0, 1], [1, 1]]).to(kind) for kind in kinds}
    given |= {"none": wg.zeros(0, 3), "scalar": wg.tensor(2.0), "view": wg.arange(6.0).reshape(2, 3).T}
    save_file(given, tmp_path / "x.safetensors", {"note": "text"})
    found = load_file(tmp_path / "x.safetensors")
    assert set(found) == set(given)
    for name, tensor in given.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        assert found[name]._data.tobytes() == tensor._data.tobytes()
    with safe_open(tmp_path / "x.safetensors") as file:
        assert file.metadata() == {"format": "pt", "note": "text"}
        assert file.keys() == sorted(given)
        assert file.get_slice("view").get_shape() == [3, 2]
        assert file.get_slice("view").get_dtype() == "F32"


def test_a_slice_reads_only_its_part(tmp_path: Path):
    x = wg.arange(12.0).reshape(3, 4)
    save_file({"x": x}, tmp_path / "x.safetensors")
    part = safe_open(tmp_path / "x.safetensors").get_slice("x")
    assert isinstance(part._array, np.memmap)
    assert wg.equal(part[1:, ::2], x[1:, ::2])
    part[:][0, 0] = 7.0  # a copy, which may be written
    assert wg.equal(part[...], x)


def test_what_is_not_there_is_named_with_what_is_near(tmp_path: Path):
    save_file(tensors(), tmp_path / "x.safetensors")
    with pytest.raises(KeyError, match=r"no tensor 'layer\.9\.weight'; it has 'layer\.\d\.weight'"):
        safe_open(tmp_path / "x.safetensors").get_tensor("layer.9.weight")
    with pytest.raises(TypeError, match="'n' is a int"):
        save_file({"n": 3}, tmp_path / "y.safetensors")
    with pytest.raises(TypeError, match="view_as_real"):
        save_file({"z": wg.zeros(1, dtype=wg.complex128)}, tmp_path / "y.safetensors")
    assert not (tmp_path / "y.safetensors").exists()


@pytest.mark.parametrize(
    "content", [b"", b"abc", b"\x10" * 100, (2**40).to_bytes(8, "little"), b"PK\x03\x04" + bytes(90)], ids=repr
)
def test_damaged_files(tmp_path: Path, content: bytes):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(RuntimeError, match=r"cannot load .*x\.safetensors"):
        safe_open(tmp_path / "x.safetensors")


def test_files_end_within_a_tensor(tmp_path: Path):
    save_file(tensors(), tmp_path / "x.safetensors")
    content = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").write_bytes(content[:-1])
    with pytest.raises(RuntimeError, match="damaged"):
        load_file(tmp_path / "x.safetensors")


class TestSharded:
    def test_names_and_index_are_the_hubs(self, tmp_path: Path):
        given = tensors()
        paths = save_sharded(given, tmp_path / "model", max_shard_size="800B")
        assert [path.name for path in paths] == [
            *(f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)),
            "model.safetensors.index.json",
        ]
        index = json.loads(paths[-1].read_text())
        assert index["metadata"] == {"total_size": 2400}
        assert index["weight_map"]["layer.3.weight"] == "model-00002-of-00003.safetensors"
        assert set(safetensors.numpy.load_file(paths[0])) == {"layer.0.weight", "layer.1.weight"}
        found = load_sharded(tmp_path / "model")
        assert list(found) == list(given)
        assert all(wg.equal(found[name], given[name]) for name in given)

    def test_the_files_of_an_earlier_call_go(self, tmp_path: Path):
        save_sharded(tensors(6), tmp_path, 800)
        save_sharded(tensors(4), tmp_path, 800)
        assert len(list(tmp_path.iterdir())) == 3
        save_sharded(tensors(1), tmp_path, 800)
        assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
        assert list(load_sharded(tmp_path)) == ["layer.0.weight"]
        save_sharded(tensors(6), tmp_path, 10)  # each tensor is larger than a file may be
        assert len(list(tmp_path.iterdir())) == 7
        assert len(load_sharded(tmp_path)) == 6

    def test_what_is_missing_or_damaged_is_named(self, tmp_path: Path):
        with pytest.raises(ValueError, match="max_shard_size"):
            save_sharded(tensors(), tmp_path, "many")
        with pytest.raises(FileNotFoundError):
            load_sharded(tmp_path)
        *files, index = save_sharded(tensors(), tmp_path, "1KiB")
        text = index.read_text()
        index.write_text(text.replace("layer.0.weight", "layer.7.weight"))
        with pytest.raises(RuntimeError, match=r"no tensor 'layer\.7\.weight'"):
            load_sharded(tmp_path)
        index.write_text(text.replace(files[0].name, "../" + files[0].name))
        with pytest.raises(RuntimeError, match="outside the folder"):
            load_sharded(tmp_path)
        index.write_text("{}")
        with pytest.raises(RuntimeError, match="no index"):
            load_sharded(tmp_path)
        index.write_text(text)
        files[1].unlink()
        with pytest.raises(FileNotFoundError):
            load_sharded(tmp_path)


@pytest.mark.parity
def test_the_package_reads_and_writes_the_same(tmp_path: Path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as read
    from safetensors.torch import save_file as write

    save_file({"b": wg.arange(3.0).bfloat16(), "c": wg.ones(2, dtype=wg.int32)}, tmp_path / "ours.safetensors")
    found = read(tmp_path / "ours.safetensors")
    assert found["b"].dtype == torch.bfloat16
    assert found["b"].tolist() == [0.0, 1.0, 2.0]
    write({"b": torch.ones(2, 3, dtype=torch.bfloat16), "e": torch.zeros(0)}, tmp_path / "theirs.safetensors")
    ours = load_file(tmp_path / "theirs.safetensors")
    assert (ours["b"].dtype, ours["b"].shape, ours["e"].shape) == (wg.bfloat16, (2, 3), (0,))
