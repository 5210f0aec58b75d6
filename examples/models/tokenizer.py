"""GPT-2's tokens: text as numbers and back, by the published files and the ``tokenizers`` package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def gpt2_tokenizer(folder: str | os.PathLike[str]) -> Any:
    """The byte-pair encoding that a folder of the Hugging Face Hub holds.

    Args:
        folder: has ``tokenizer.json``, or ``vocab.json`` and ``merges.txt``.

    Returns:
        A ``tokenizers.Tokenizer``: ``.encode(text).ids`` are numbers for `GPT`, ``.decode(numbers)`` is text.

    Raises:
        ImportError: the package is not installed. FileNotFoundError: the files are not there.
    """
    try:
        from tokenizers import ByteLevelBPETokenizer, Tokenizer
    except ImportError as error:
        raise ImportError("tokens of GPT-2 need the tokenizers package: pip install tokenizers") from error
    whole, vocabulary, merges = (Path(folder) / name for name in ("tokenizer.json", "vocab.json", "merges.txt"))
    if whole.exists():
        return Tokenizer.from_file(str(whole))
    if not (vocabulary.exists() and merges.exists()):
        raise FileNotFoundError(f"{folder} has neither {whole.name} nor {vocabulary.name} and {merges.name}")
    return ByteLevelBPETokenizer(str(vocabulary), str(merges))
