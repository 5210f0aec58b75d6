"""Readers of the files in which MNIST, Fashion-MNIST and CIFAR are passed on."""

from __future__ import annotations

import math
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...autograd.base import wrap
from ..data import Dataset
from ..safetensors import FileFormatError
from .fetching import MissingFilesError, fetch, opened

__all__ = ["CIFAR10", "CIFAR100", "MNIST", "FashionMNIST"]


class _Images(Dataset[Any]):
    """What the readers share.

    Attributes:
        data: all images, uint8: (N, H, W), or (N, H, W, 3) for colours.
        targets: their classes: (N,), int64.
    """

    classes: ClassVar[list[str]]

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.root, self.train = Path(root), train
        self.transform, self.target_transform = transform, target_transform
        if download:
            self._fetch()
        images, targets = self._read()
        if len(images) != len(targets):
            raise FileFormatError(
                f"{self.root}: {len(images)} images with {len(targets)} labels; the files do not belong together"
            )
        if len(targets) and not 0 <= int(targets.min()) <= int(targets.max()) < len(self.classes):
            raise FileFormatError(
                f"{self.root}: labels from {targets.min()} to {targets.max()}, of {len(self.classes)} classes"
            )
        self.data, self.targets = wrap(images), wrap(targets.astype(np.int64))

    def _fetch(self) -> None:
        raise NotImplementedError

    def _read(self) -> tuple[Any, Any]:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.data[index], int(self.targets[index])
        image = self._default(image) if self.transform is None else self.transform(image.numpy())
        return image, target if self.target_transform is None else self.target_transform(target)

    def _default(self, image: Any) -> Any:
        """The image as a tensor (C, H, W) from 0 to 1, which a network can take."""
        image = image[None] if image.ndim == 2 else image.permute(2, 0, 1)
        return image.float() / 255

    def tensors(self) -> tuple[Any, Any]:
        """All images as one tensor (N, C, H, W), float32 from 0 to 1, and their classes (N,)."""
        images = self.data[:, None] if self.data.ndim == 3 else self.data.permute(0, 3, 1, 2)
        return images.contiguous().float() / 255, self.targets

    def __repr__(self) -> str:
        lines = f"Number of datapoints: {len(self)}", f"Root location: {self.root}", "Train" if self.train else "Test"
        return "\n    ".join((f"Dataset {type(self).__name__}", *lines))

    def _missing(self, wanted: list[str]) -> MissingFilesError:
        return MissingFilesError(
            f"Dataset not found. {type(self).__name__} looks for {', '.join(wanted)} in {self.root} and the folders "
            f"{type(self).__name__}/raw and raw there. Say download=True to fetch them, or put them there yourself"
        )

    def _find(self, names: list[str]) -> Path | None:
        for folder in (self.root, self.root / type(self).__name__ / "raw", self.root / "raw"):
            for name in names:
                if (folder / name).is_file():
                    return folder / name
        return None


class MNIST(_Images):
    """Handwritten digits, 28 by 28 pixels: 60,000 to train, 10,000 to test.

    An item is an image and its class. Without a ``transform`` the image is a tensor (1, 28, 28), float32 from 0 to 1;
    a ``transform`` is given a NumPy array (28, 28), uint8, as `transforms.ToTensor` takes it.

    Args:
        root: the folder with the four original files, packed or not; or an ``.npz`` file with ``x_train``,
            ``y_train``, ``x_test`` and ``y_test``.
        train: the training images, else those to test with.
        transform: applied to each image as it is read.
        target_transform: applied to each class.
        download: fetch the files if they are not there.

    Raises:
        RuntimeError: files are missing, damaged, or could not be fetched.

    References:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
    """

    classes: ClassVar = [
        *("0 - zero", "1 - one", "2 - two", "3 - three", "4 - four"),
        *("5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine"),
    ]
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    files: ClassVar = {
        "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
    }

    def _fetch(self) -> None:
        for name, md5 in self.files.items():
            if self._find([name, name + ".gz"]) is None:
                place = self.root / type(self).__name__ / "raw" / (name + ".gz")
                fetch([f"{mirror}{name}.gz" for mirror in self.mirrors], place, md5)

    def _read(self) -> tuple[Any, Any]:
        if self.root.suffix == ".npz":
            return _from_npz(self.root, "train" if self.train else "test")
        kind = "train" if self.train else "t10k"
        names = [f"{kind}-images-idx3-ubyte", f"{kind}-labels-idx1-ubyte"]
        found = [self._find([name, name + ".gz", name.replace("-idx", ".idx")]) for name in names]
        if any(path is None for path in found):
            raise self._missing([f"{name}[.gz]" for name in names])
        images, labels = (_from_idx(path) for path in found if path is not None)
        return images, labels


class FashionMNIST(MNIST):
    """Pieces of clothing in the form of `MNIST`: 60,000 to train, 10,000 to test; see there.

    References:
        H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: A novel image dataset", 2017, arXiv:1708.07747.
    """

    classes: ClassVar = [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    ]
    mirrors: ClassVar = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    files: ClassVar = {
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    }


def _from_idx(path: Path) -> Any:
    """The array of a file in the IDX format: two zero bytes, the type, the number of dimensions, sizes, elements."""
    try:
        with opened(path) as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"cannot read {path}: damaged or truncated ({error})") from error
    count = content[3] if len(content) > 3 else 0
    sizes = tuple(int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(count))
    begin = 4 + 4 * count
    if content[:3] != b"\0\0\x08" or len(content) - begin != math.prod(sizes) or not count:
        raise FileFormatError(
            f"cannot read {path}: no IDX file of bytes, or a damaged one: it begins with {content[:4]!r} and has "
            f"{len(content)} bytes, where the sizes {list(sizes)} want {begin + math.prod(sizes)}"
        )
    return np.frombuffer(content, np.uint8, offset=begin).reshape(sizes).copy()


def _from_npz(path: Path, part: str) -> tuple[Any, Any]:
    try:
        with open(path, "rb") as file, np.load(file) as arrays:
            return arrays[f"x_{part}"], arrays[f"y_{part}"]
    except FileNotFoundError as error:
        raise MissingFilesError(f"Dataset not found. There is no file {path}") from error
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise FileFormatError(
            f"cannot read {path}: no npz file with x_{part} and y_{part}, or a damaged one ({error})"
        ) from error


class CIFAR10(_Images):
    """Photographs of 32 by 32 pixels in ten classes: 50,000 to train, 10,000 to test.

    An item is an image and its class; without a ``transform`` a tensor (3, 32, 32), float32 from 0 to 1. The binary
    version of the files is read, packed or not; it holds bytes only, and nothing that runs.

    Args:
        root: where the archive or its folder is.
        train: the training images, else those to test with.
        transform: applied to each image, a NumPy array (32, 32, 3), uint8, as it is read.
        target_transform: applied to each class.
        download: fetch the archive if it is not there.

    Raises:
        RuntimeError: files are missing, damaged, or could not be fetched.

    References:
        A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """

    classes: ClassVar = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    archive: ClassVar = "cifar-10-binary.tar.gz"
    md5: ClassVar = "c32a1d4ab5d03f1284b67883e8d87530"
    folder: ClassVar = "cifar-10-batches-bin"
    parts: ClassVar = {True: [f"data_batch_{i}.bin" for i in range(1, 6)], False: ["test_batch.bin"]}
    labels: ClassVar = 1  # bytes of labels before each image; the last is the class
    url: ClassVar = "https://www.cs.toronto.edu/~kriz/"

    def _fetch(self) -> None:
        if self._find([self.archive]) is None and not (self.root / self.folder).is_dir():
            fetch([self.url + self.archive], self.root / self.archive, self.md5)

    def _read(self) -> tuple[Any, Any]:
        contents = [self._part(name) for name in self.parts[self.train]]
        size = self.labels + 3 * 32 * 32
        for name, content in zip(self.parts[self.train], contents, strict=True):
            if not content or len(content) % size:
                raise FileFormatError(
                    f"cannot read {name} in {self.root}: {len(content)} bytes are no whole number of images of {size}"
                )
        rows = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, size)
        images = rows[:, self.labels :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), rows[:, self.labels - 1]

    def _part(self, name: str) -> bytes:
        for folder in (self.root / self.folder, self.root):
            if (folder / name).is_file():
                return (folder / name).read_bytes()
        packed = self._find([self.archive])
        if packed is None:
            raise self._missing([f"{self.archive}, or the folder {self.folder},"])
        try:
            with tarfile.open(packed) as archive:
                member = archive.extractfile(f"{self.folder}/{name}")
                return b"" if member is None else member.read()
        except (tarfile.TarError, OSError, EOFError, KeyError, zlib.error) as error:
            raise FileFormatError(f"cannot read {name} in {packed}: damaged or truncated ({error})") from error


class CIFAR100(CIFAR10):
    """The same in a hundred classes; see `CIFAR10`."""

    classes: ClassVar = [str(i) for i in range(100)]
    archive: ClassVar = "cifar-100-binary.tar.gz"
    md5: ClassVar = "03b5dce01913d631647c71ecec9e9cb8"
    folder: ClassVar = "cifar-100-binary"
    parts: ClassVar = {True: ["train.bin"], False: ["test.bin"]}
    labels: ClassVar = 2
