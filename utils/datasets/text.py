"""Text, character by character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...autograd.base import wrap
from ...backends.errors import InvalidValueError
from ..data import Dataset

__all__ = ["Characters"]


class Characters(Dataset[Any]):
    """Pieces of a text, and the same pieces one character later: what a language model learns from.

    Args:
        text: the text itself, or a path to it as a `pathlib.Path`.
        length: how many characters a piece has.
        split: ``all``, ``train``, or ``test``: the last tenth.
        vocabulary: the characters that are known, in the order of their numbers; those of the whole text when left out.
        stride: how far one piece begins after another; ``length`` when left out, so that they do not overlap.

    Attributes:
        ids: the whole part of the text as numbers, int64.
        vocabulary: the characters, sorted.

    Raises:
        ValueError: the text is too short for a piece, or has a character that is not in the vocabulary.

    Example:
        >>> from wengert.utils.datasets import Characters
        >>> data = Characters("to be or not to be", length=5)
        >>> x, y = data[0]
        >>> data.decode(x), data.decode(y)
        ('to be', 'o be ')
    """

    def __init__(
        self,
        text: str | Path,
        length: int,
        split: str = "all",
        vocabulary: str | None = None,
        stride: int | None = None,
    ) -> None:
        content = text.read_text(encoding="utf-8") if isinstance(text, Path) else text
        if split not in ("all", "train", "test"):
            raise InvalidValueError(f"split must be 'all', 'train' or 'test', not {split!r}")
        self.vocabulary = "".join(sorted(set(content))) if vocabulary is None else vocabulary
        self.length, self.stride = length, stride or length
        self._numbers = {character: i for i, character in enumerate(self.vocabulary)}
        border = len(content) * 9 // 10
        self.ids = self.encode(
            content[:border] if split == "train" else content[border:] if split == "test" else content
        )
        if len(self.ids) <= length:
            raise InvalidValueError(
                f"the text has {len(self.ids)} characters, too few for a piece of {length} and the next"
            )

    def encode(self, text: str) -> Any:
        """The numbers of characters: shape (len(text),), int64.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        try:
            return wrap(np.array([self._numbers[character] for character in text], np.int64))
        except KeyError as error:
            raise InvalidValueError(
                f"{error.args[0]!r} is not among the {len(self.vocabulary)} characters known"
            ) from None

    def decode(self, ids: Any) -> str:
        """The characters of numbers."""
        return "".join(self.vocabulary[i] for i in ids.tolist())

    def __len__(self) -> int:
        return (len(self.ids) - self.length - 1) // self.stride + 1

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} pieces")
        start = (index % len(self)) * self.stride
        return self.ids[start : start + self.length], self.ids[start + 1 : start + self.length + 1]
