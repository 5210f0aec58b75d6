"""Data sets: sizes and values, files in every state of repair, and downloads from a server of our own."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.utils import datasets
from wengert.utils.data import DataLoader
from wengert.utils.datasets import fetching
from wengert.utils.transforms import ToTensor


@pytest.mark.parametrize(
    ("name", "rows", "shape", "classes"),
    [
        ("iris", 150, (4,), 3),
        ("wine", 178, (13,), 3),
        ("breast_cancer", 569, (30,), 2),
        ("digits", 1797, (1, 8, 8), 10),
        ("diabetes", 442, (10,), 0),
        ("friedman", 1000, (10,), 0),
    ],
)
def test_tables(name: str, rows: int, shape: tuple[int, ...], classes: int):
    make = getattr(datasets, name)
    whole, train, test = (make(split=split) for split in ("all", "train", "test"))
    assert (len(whole), tuple(whole.data.shape[1:]), len(whole.classes)) == (rows, shape, classes)
    assert len(train) + len(test) == rows
    assert abs(len(test) - rows / 5) < 2
    assert whole.data.dtype == wg.float32
    assert whole.targets.dtype == (wg.int64 if classes else wg.float32)
    together = {row.tobytes() for part in (train, test) for row in part.data._data}
    assert together == {row.tobytes() for row in whole.data._data}
    if name != "digits":
        assert wg.allclose(train.data.mean(0), wg.zeros(shape), atol=1e-4)
        assert wg.allclose(train.data.std(0, correction=0), wg.ones(shape), atol=1e-4)
    else:
        assert (float(whole.data.min()), float(whole.data.max())) == (0.0, 1.0)
    if classes:
        shares = [wg.bincount(part.targets).float() / len(part) for part in (train, test)]
        assert wg.allclose(*shares, atol=0.03)
    assert wg.equal(make(split="test").data, test.data)
    with pytest.raises(ValueError, match="split must be one of"):
        make(split="valid")


def test_no_table_is_downloaded_unasked(tmp_path: Path):
    with pytest.raises(RuntimeError, match="download=True"):
        datasets.california_housing(root=str(tmp_path))


def test_shapes():
    for make in (datasets.moons, datasets.circles, datasets.spirals, datasets.xor):
        x, y = make(301, noise=0.0).tensors
        assert x.shape == (301, 2)
        counts = wg.bincount(y)
        assert int(counts.max() - counts.min()) <= 1
        assert wg.equal(make(301).tensors[0], make(301).tensors[0])
        assert not wg.equal(make(301, noise=0.1, seed=1).tensors[0], make(301, noise=0.1).tensors[0])
    x, y = datasets.circles(100, noise=0.0).tensors
    assert wg.allclose(x.norm(dim=1), wg.where(y == 0, 1.0, 0.5))
    x, y = datasets.xor(100).tensors
    assert wg.equal((x[:, 0] != x[:, 1]).long(), y)
    x, y = datasets.spirals(90, classes=5, noise=0.0).tensors
    assert int(y.max()) == 4
    assert float(x.norm(dim=1).max()) <= 1.0001
    with pytest.raises(ValueError, match="inner radius"):
        datasets.circles(factor=1.0)
    with pytest.raises(ValueError, match="at least a point"):
        datasets.spirals(2)


# ---------------------------------------------------------------------- files


def idx(array: Any) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.astype(np.uint8).tobytes()


IMAGES, LABELS = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 251, np.array([7, 0, 9])


def write_mnist(
    folder: Path, packed: bool = False, part: str = "train", images: Any = IMAGES, labels: Any = LABELS
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        content = idx(np.asarray(array))
        path = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "MNIST/raw"])
def test_mnist(tmp_path: Path, packed: bool, below: str):
    write_mnist(tmp_path / below, packed)
    found = datasets.MNIST(tmp_path)
    assert len(found) == 3
    image, target = found[0]
    assert (image.shape, image.dtype, target) == ((1, 28, 28), wg.float32, 7)
    np.testing.assert_allclose(image[0].numpy(), IMAGES[0] / 255, rtol=1e-6)
    assert found.tensors()[0].shape == (3, 1, 28, 28)
    changed = datasets.MNIST(tmp_path, transform=ToTensor(), target_transform=lambda t: -t)
    assert wg.equal(changed[1][0], found[1][0])
    assert changed[2][1] == -9
    ((images, targets),) = DataLoader(found, batch_size=3, num_workers=2)
    assert targets.tolist() == [7, 0, 9]
    assert wg.equal(images, found.tensors()[0])
    with pytest.raises(RuntimeError, match=r"Dataset not found.*t10k-images.*download=True"):
        datasets.MNIST(tmp_path, train=False)


def test_mnist_from_one_file(tmp_path: Path):
    np.savez(tmp_path / "mnist.npz", x_train=IMAGES.astype(np.uint8), y_train=LABELS)
    assert datasets.MNIST(tmp_path / "mnist.npz").targets.tolist() == [7, 0, 9]
    with pytest.raises(RuntimeError, match="x_test and y_test"):
        datasets.MNIST(tmp_path / "mnist.npz", train=False)
    with pytest.raises(RuntimeError, match="no file"):
        datasets.MNIST(tmp_path / "other.npz")
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(RuntimeError, match="damaged"):
        datasets.MNIST(tmp_path / "mnist.npz")


def test_damaged_idx_files(tmp_path: Path):
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    good = path.read_bytes()
    for content in (b"", good[:-1], good + b"x", b"\0\0\x0d" + good[3:], b"<html>", good[:10]):
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match="no IDX file of bytes, or a damaged one"):
            datasets.MNIST(tmp_path)
    path.unlink()
    write_mnist(tmp_path / "packed", packed=True)
    packed = tmp_path / "packed" / "train-images-idx3-ubyte.gz"
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(RuntimeError, match="damaged or truncated"):
        datasets.MNIST(tmp_path / "packed")
    write_mnist(tmp_path / "unlike", labels=[1, 2])
    with pytest.raises(RuntimeError, match="3 images with 2 labels"):
        datasets.MNIST(tmp_path / "unlike")
    write_mnist(tmp_path / "classes", labels=[1, 2, 10])
    with pytest.raises(RuntimeError, match="labels from 1 to 10, of 10 classes"):
        datasets.FashionMNIST(tmp_path / "classes")


def cifar_rows(count: int, labels: int) -> bytes:
    rows = np.arange(count * (labels + 3072)).reshape(count, -1) % 256
    rows[:, :labels] = np.arange(count)[:, None] % 10
    return rows.astype(np.uint8).tobytes()


@pytest.mark.parametrize("kind", ["CIFAR10", "CIFAR100"])
@pytest.mark.parametrize("packed", [False, True])
def test_cifar(tmp_path: Path, kind: str, packed: bool):
    made = getattr(datasets, kind)
    for train in (True, False):
        for name in made.parts[train]:
            (tmp_path / made.folder).mkdir(exist_ok=True)
            (tmp_path / made.folder / name).write_bytes(cifar_rows(4, made.labels))
    if packed:
        with tarfile.open(tmp_path / made.archive, "w:gz") as archive:
            archive.add(tmp_path / made.folder, made.folder)
        for path in (tmp_path / made.folder).iterdir():
            path.unlink()
        (tmp_path / made.folder).rmdir()
    train, test = made(tmp_path), made(tmp_path, train=False)
    assert len(train) == 4 * len(made.parts[True])
    assert test.targets.tolist() == [0, 1, 2, 3]
    image, _ = test[0]
    assert image.shape == (3, 32, 32)
    row = np.frombuffer(cifar_rows(4, made.labels), np.uint8)[made.labels : made.labels + 3072]
    np.testing.assert_allclose(image.numpy(), row.reshape(3, 32, 32) / 255, rtol=1e-6)


def test_missing_and_damaged_cifar(tmp_path: Path):
    with pytest.raises(RuntimeError, match=r"cifar-10-binary\.tar\.gz.*download=True"):
        datasets.CIFAR10(tmp_path)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    with pytest.raises(RuntimeError, match="damaged or truncated"):
        datasets.CIFAR10(tmp_path)
    (tmp_path / "test_batch.bin").write_bytes(cifar_rows(2, 1)[:-1])
    with pytest.raises(RuntimeError, match="no whole number of images"):
        datasets.CIFAR10(tmp_path, train=False)


def test_folders_of_images(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    for kind, value in (("dogs", 200), ("cats", 100)):
        (tmp_path / kind / "more").mkdir(parents=True)
        for place in (tmp_path / kind / "b.png", tmp_path / kind / "more" / "a.PNG"):
            image.fromarray(np.full((3, 4, 3), value, np.uint8)).save(place, "png")
    (tmp_path / "cats" / "notes.txt").write_text("not an image")
    found = datasets.ImageFolder(tmp_path)
    assert (found.classes, found.class_to_idx, len(found)) == (["cats", "dogs"], {"cats": 0, "dogs": 1}, 4)
    x, y = found[0]
    assert (x.shape, y) == ((3, 3, 4), 0)
    assert wg.allclose(x, wg.full((3, 3, 4), 100 / 255))
    assert found.targets == [0, 0, 1, 1]
    assert datasets.ImageFolder(tmp_path, transform=ToTensor())[3][0].dtype == wg.float32
    (tmp_path / "cats" / "b.png").write_bytes(b"damaged")
    with pytest.raises(RuntimeError, match=r"cannot read .*b\.png, which is item 0"):
        found[0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no valid file for the classes empty"):
        datasets.ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="class folder"):
        datasets.ImageFolder(tmp_path / "empty")


def test_characters(tmp_path: Path):
    text = "abcde" * 20
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    found = datasets.Characters(tmp_path / "text.txt", 10)
    assert found.vocabulary == "abcde"
    assert len(found) == 9
    x, y = found[-1]
    assert (found.decode(x), found.decode(y)) == ("abcdeabcde", "bcdeabcdea")
    assert len(datasets.Characters(text, 10, stride=1)) == 90
    train, test = (datasets.Characters(text, 4, split=split) for split in ("train", "test"))
    assert len(train.ids) + len(test.ids) == 100
    with pytest.raises(IndexError, match="9 pieces"):
        found[9]
    with pytest.raises(ValueError, match="'x' is not among the 5"):
        found.encode("x")
    with pytest.raises(ValueError, match="too few"):
        datasets.Characters("abc", 3)


# ---------------------------------------------------------------------- downloads


class Server(ThreadingHTTPServer):
    """Serves what is in ``files``; the first answers to a name in ``broken`` end early."""

    files: dict[str, bytes]
    broken: dict[str, int]
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name, part = self.path.strip("/"), self.headers.get("Range")
        self.server.asked.append((name, part))
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        start = int(part.removeprefix("bytes=").rstrip("-")) if part else 0
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        left = self.server.broken.get(name, 0)
        self.server.broken[name] = left - 1
        self.wfile.write(content[start : len(content) // 2] if left > 0 else content[start:])

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.files, server.broken, server.asked = {}, {}, []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/"


CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def test_a_download_goes_on_where_it_has_stopped(server: Server, tmp_path: Path):
    server.files["data.bin"], server.broken["data.bin"] = CONTENT, 1
    path = tmp_path / "deep" / "data.bin"
    url = address(server) + "data.bin"
    assert fetching.fetch([url, url], path, MD5, progress=False) == path
    assert path.read_bytes() == CONTENT
    assert server.asked == [("data.bin", None), ("data.bin", f"bytes={len(CONTENT) // 2}-")]
    fetching.fetch([url], path, MD5)
    assert len(server.asked) == 2
    assert [p.name for p in path.parent.iterdir()] == ["data.bin"]


def test_the_next_mirror_is_tried_and_wrong_files_are_not_kept(server: Server, tmp_path: Path):
    server.files |= {"wrong": b"x" * 100, "right": CONTENT}
    base = address(server)
    fetching.fetch([base + "none", base + "wrong", base + "right"], tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    with pytest.raises(RuntimeError, match=r"(?s)404.*another checksum.*by hand.*put it at .*other\.bin"):
        fetching.fetch([base + "none", base + "wrong"], tmp_path / "other.bin", MD5)
    assert [p.name for p in tmp_path.iterdir()] == ["data.bin"]


def test_without_a_network_the_error_says_where_the_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datasets.MNIST, "mirrors", ("http://127.0.0.1:9/",))
    with pytest.raises(RuntimeError, match=r"put it at .*MNIST.raw.train-images-idx3-ubyte\.gz"):
        datasets.MNIST(tmp_path, download=True)


def test_mnist_is_downloaded_when_asked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sums = {}
    for part in ("train", "t10k"):
        write_mnist(tmp_path / "source", packed=True, part=part)
    for path in (tmp_path / "source").iterdir():
        server.files[path.name] = path.read_bytes()
        sums[path.stem] = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(datasets.MNIST, "mirrors", (address(server),))
    monkeypatch.setattr(datasets.MNIST, "files", sums)
    assert len(datasets.MNIST(tmp_path / "home", download=True)) == 3
    assert len(datasets.MNIST(tmp_path / "home", train=False)) == 3
    assert len(server.asked) == 4


def test_cifar_is_downloaded_when_asked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in [*datasets.CIFAR10.parts[True], *datasets.CIFAR10.parts[False]]:
            entry = tarfile.TarInfo(f"{datasets.CIFAR10.folder}/{name}")
            entry.size = len(cifar_rows(1, 1))
            archive.addfile(entry, io.BytesIO(cifar_rows(1, 1)))
    server.files[datasets.CIFAR10.archive] = packed.getvalue()
    monkeypatch.setattr(datasets.CIFAR10, "url", address(server))
    monkeypatch.setattr(datasets.CIFAR10, "md5", hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest())
    assert len(datasets.CIFAR10(tmp_path, download=True)) == 5
