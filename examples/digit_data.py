"""Handwritten digits: the 1,797 that come with scikit-learn, or MNIST from a file or a folder."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import wengert as wg
from wengert.utils.data import TensorDataset

MARGIN = 1  # empty pixels around every image, so that training can move it

Arrays = tuple[Any, Any]  # images (N, H, W), labels (N,)
Batch = tuple[wg.Tensor, wg.Tensor]  # images (N, 1, H, W) float32 from 0 to 1, labels (N,) int64


class Digits:
    """Images and labels on one device.

    Training looks at each image through a window that moves by up to one pixel, which makes many digits out of few;
    testing looks through its middle.
    """

    def __init__(self, images: Any, labels: Any, device: Any) -> None:
        padded = np.pad(images.astype(np.uint8), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
        self.images = wg.from_numpy(padded[:, None]).to(device)  # (N, 1, H + 2, W + 2) uint8
        self.labels = wg.from_numpy(labels.astype(np.int64)).to(device)  # (N,)
        self.size = images.shape[-1]

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled(self, batch_size: int) -> Iterator[Batch]:
        """All digits in a new order, every batch through another window."""
        order = wg.randperm(len(self), device=self.labels.device)
        for start in range(0, len(self), batch_size):
            chosen = order[start : start + batch_size]
            down, right = wg.randint(0, 2 * MARGIN + 1, (2,), device="cpu").tolist()
            yield self.window(self.images[chosen], down, right), self.labels[chosen]

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """All digits as they are."""
        for start in range(0, len(self), batch_size):
            part = slice(start, start + batch_size)
            yield self.window(self.images[part], MARGIN, MARGIN), self.labels[part]

    def window(self, images: wg.Tensor, down: int, right: int) -> wg.Tensor:
        """Every image without its margin, seen from ``down`` and ``right``."""
        return images[:, :, down : down + self.size, right : right + self.size].float() / 255


def load(path: Path | None, device: Any) -> tuple[Digits, Digits]:
    """Training digits and held-out digits; from scikit-learn if ``path`` is None."""
    train, held_out = arrays(path)
    return Digits(*train, device), Digits(*held_out, device)


def datasets(path: Path | None) -> tuple[TensorDataset, TensorDataset]:
    """The same as data sets of images (N, 1, H, W), float32 from 0 to 1, and labels (N,)."""
    train, held_out = (
        TensorDataset(
            wg.from_numpy(images[:, None].astype(np.float32) / np.float32(255)), wg.from_numpy(labels.astype(np.int64))
        )
        for images, labels in arrays(path)
    )
    return train, held_out


def arrays(path: Path | None) -> tuple[Arrays, Arrays]:
    """Images with values from 0 to 255 and labels, to learn from and held out."""
    if path is None:
        return from_sklearn()
    if not path.exists():
        raise FileNotFoundError(f"--data {path}: there is no such file or folder")
    return from_idx(path) if path.is_dir() else from_npz(path)


def from_sklearn() -> tuple[Arrays, Arrays]:
    """8x8 images. A fifth, evenly over the ten digits, is held out; it is always the same fifth."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = (digits.images * (255 / 16)).round()
    parts = train_test_split(images, digits.target, test_size=0.2, stratify=digits.target, random_state=0)
    images_train, images_test, labels_train, labels_test = parts
    return (images_train, labels_train), (images_test, labels_test)


def from_npz(path: Path) -> tuple[Arrays, Arrays]:
    """A NumPy archive with ``x_train, y_train, x_test, y_test``."""
    keys = ("x_train", "y_train", "x_test", "y_test")
    try:
        archive = np.load(path)
        names = archive.files
    except (OSError, ValueError, AttributeError) as error:  # what is no archive fails in several ways
        raise ValueError(f"--data {path}: is neither a folder nor an .npz file") from error
    missing = [key for key in keys if key not in names]
    if missing:
        raise ValueError(f"--data {path}: has no {', '.join(missing)}; it has {', '.join(names) or 'nothing'}")
    with archive:
        x_train, y_train, x_test, y_test = (archive[key] for key in keys)
    return (x_train, y_train), (x_test, y_test)


def from_idx(folder: Path) -> tuple[Arrays, Arrays]:
    """The four files that MNIST is distributed as, compressed or not."""
    train = read_idx(folder, "train-images"), read_idx(folder, "train-labels")
    held_out = read_idx(folder, "t10k-images"), read_idx(folder, "t10k-labels")
    return train, held_out


def read_idx(folder: Path, prefix: str) -> Any:
    """One idx file: two zero bytes, the type (8 is bytes), the number of dimensions, their sizes, the data."""
    found = sorted(p for p in folder.iterdir() if p.name.startswith(prefix) and "idx" in p.name)
    if not found:
        raise FileNotFoundError(f"--data {folder}: has no file {prefix}-idx*-ubyte or {prefix}-idx*-ubyte.gz")
    raw = found[0].read_bytes()
    try:
        data = gzip.decompress(raw) if found[0].suffix == ".gz" else raw
        if data[:3] != b"\0\0\x08":
            raise ValueError("it does not start as one")
        shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"--data {found[0]}: is not an idx file of bytes: {error}") from error
