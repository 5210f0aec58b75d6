"""Files in folders that are named after their classes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...autograd.base import wrap
from ...backends.errors import BackendUnavailableError
from ..data import Dataset
from ..safetensors import FileFormatError

__all__ = ["DatasetFolder", "ImageFolder", "default_loader"]

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class DatasetFolder(Dataset[Any]):
    """Samples at ``root/class/.../name.ext``.

    Args:
        root: the folder.
        loader: reads a sample from its path.
        extensions: which files are samples; not with ``is_valid_file``.
        transform: applied to each sample.
        target_transform: applied to each class.
        is_valid_file: whether a path is a sample.

    Attributes:
        classes: the names of the folders, sorted.
        class_to_idx: their numbers.
        samples: paths and classes of all samples.
        targets: the classes of all samples.

    Raises:
        FileNotFoundError: there is no folder, or none with a sample.
    """

    def __init__(
        self,
        root: Any,
        loader: Callable[[str], Any],
        extensions: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        if (extensions is None) == (is_valid_file is None):
            raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
        self.root, self.loader, self.extensions = os.fspath(root), loader, extensions
        self.transform, self.target_transform = transform, target_transform
        self.classes, self.class_to_idx = self.find_classes(self.root)
        valid = is_valid_file or (lambda path: path.lower().endswith(tuple(extensions or ())))
        self.samples = [
            (os.path.join(folder, name), self.class_to_idx[kind])
            for kind in self.classes
            for folder, _, names in sorted(os.walk(os.path.join(self.root, kind), followlinks=True))
            for name in sorted(names)
            if valid(os.path.join(folder, name))
        ]
        empty = set(self.class_to_idx.values()) - {number for _, number in self.samples}
        if empty:
            kinds = ", ".join(self.classes[i] for i in sorted(empty))
            wanted = f" Supported extensions are: {', '.join(extensions)}" if extensions else ""
            raise FileNotFoundError(f"Found no valid file for the classes {kinds}.{wanted}")
        self.targets = [number for _, number in self.samples]

    def find_classes(self, directory: str) -> tuple[list[str], dict[str, int]]:
        """The folders in ``directory``, and their numbers."""
        classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        if not classes:
            raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
        return classes, {name: i for i, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        try:
            sample = self.loader(path)
        except Exception as error:
            raise FileFormatError(f"cannot read {path}, which is item {index}: {error}") from error
        sample = sample if self.transform is None else self.transform(sample)
        return sample, target if self.target_transform is None else self.target_transform(target)

    def __repr__(self) -> str:
        return f"Dataset {type(self).__name__}\n    Number of datapoints: {len(self)}\n    Root location: {self.root}"


def default_loader(path: str) -> Any:
    """An image as Pillow reads it, in red, green and blue."""
    with _pillow().open(path) as image:
        return image.convert("RGB")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise BackendUnavailableError(
            "images are read by Pillow, which is not installed: pip install pillow"
        ) from error
    return Image


class ImageFolder(DatasetFolder):
    """Images at ``root/class/name.png``, read by Pillow.

    Without a ``transform`` an image is a tensor (3, H, W), float32 from 0 to 1; a ``transform`` is given Pillow's.

    Args:
        root: the folder.
        transform: applied to each image.
        target_transform: applied to each class.
        loader: reads an image from its path; Pillow when left out.
        is_valid_file: whether a path is an image; by its ending when left out.
    """

    def __init__(
        self,
        root: Any,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        extensions = None if is_valid_file else EXTENSIONS
        super().__init__(Path(root), loader, extensions, transform, target_transform, is_valid_file)
        self.imgs = self.samples

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = super().__getitem__(index)
        if self.transform is None and self.loader is default_loader:
            array = np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(255)
            image = wrap(np.ascontiguousarray(array))
        return image, target
