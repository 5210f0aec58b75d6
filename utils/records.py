"""The parts of a file that ``torch.save`` wrote, by name."""

from __future__ import annotations

import zipfile
from typing import Any

__all__ = ["PyTorchFileReader"]


class PyTorchFileReader:
    """Reads a file that ``torch.save`` wrote, part by part.

    Args:
        f: a path, or an open file.
    """

    def __init__(self, f: Any) -> None:
        self._zip = zipfile.ZipFile(f)
        self._root = self._zip.namelist()[0].partition("/")[0]

    def get_record(self, name: str) -> bytes:
        """One part, such as ``"data.pkl"``.

        Raises:
            KeyError: there is none of that name.
        """
        return self._zip.read(f"{self._root}/{name}")

    def has_record(self, name: str) -> bool:
        """Whether there is such a part."""
        return f"{self._root}/{name}" in self._zip.namelist()

    def get_all_records(self) -> list[str]:
        """The names of all parts."""
        return [name.partition("/")[2] for name in self._zip.namelist()]
