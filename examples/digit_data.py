"""Handwritten digits: the 1,797 that come with scikit-learn, or MNIST from a file or folder."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

MARGIN = 1  # empty pixels around every image, so that training can move it

Digits = tuple[Any, Any]  # images (N, 1, H, W) uint8, labels (N,) int64


def load(path: Path | None) -> tuple[Digits, Digits]:
    """Training and held-out digits as NumPy arrays; from scikit-learn if ``path`` is None."""
    if path is None:
        train, test = from_sklearn()
    elif not path.exists():
        raise FileNotFoundError(f"--data {path}: there is no such file or folder")
    elif path.is_dir():
        train, test = from_idx(path)
    else:
        train, test = from_npz(path)
    return prepare(*train), prepare(*test)


def prepare(images: Any, labels: Any) -> Digits:
    """Add the channel dimension and the margin."""
    images = np.pad(images.astype(np.uint8), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    return images[:, None], labels.astype(np.int64)


def from_sklearn() -> tuple[Digits, Digits]:
    """8x8 images; every fifth, evenly over the ten digits, is held out. The split is always the same."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = (digits.images * (255 / 16)).round()
    parts = train_test_split(images, digits.target, test_size=0.2, stratify=digits.target, random_state=0)
    train_images, test_images, train_labels, test_labels = parts
    return (train_images, train_labels), (test_images, test_labels)


def from_npz(path: Path) -> tuple[Digits, Digits]:
    """A NumPy archive with ``x_train, y_train, x_test, y_test``."""
    keys = ("x_train", "y_train", "x_test", "y_test")
    try:
        with np.load(path) as archive:
            missing = [key for key in keys if key not in archive.files]
            if missing:
                raise ValueError(f"--data {path}: has no {', '.join(missing)}; it has {', '.join(archive.files)}")
            x_train, y_train, x_test, y_test = (archive[key] for key in keys)
    except (OSError, AttributeError) as error:  # not an archive: np.load says so in several ways
        raise ValueError(f"--data {path}: is neither a folder nor a readable .npz file") from error
    return (x_train, y_train), (x_test, y_test)


def from_idx(folder: Path) -> tuple[Digits, Digits]:
    """The four files that MNIST is distributed as, compressed or not."""
    train = read_idx(folder, "train-images"), read_idx(folder, "train-labels")
    test = read_idx(folder, "t10k-images"), read_idx(folder, "t10k-labels")
    return train, test


def read_idx(folder: Path, prefix: str) -> Any:
    """One idx file: two zero bytes, the type (8: bytes), the number of dimensions, their sizes, the data."""
    found = sorted(p for p in folder.iterdir() if p.name.startswith(prefix) and "idx" in p.name)
    if not found:
        raise FileNotFoundError(f"--data {folder}: has no file {prefix}-idx*-ubyte or {prefix}-idx*-ubyte.gz")
    raw = found[0].read_bytes()
    data = gzip.decompress(raw) if found[0].suffix == ".gz" else raw
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"--data {found[0]}: is not an idx file of bytes")
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)
