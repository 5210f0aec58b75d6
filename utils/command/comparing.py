"""``wengert bench`` in a checkout: its benchmarks, which compare with other libraries and are not installed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

__all__ = ["checkout", "comparison"]


def checkout() -> Path | None:
    """The folder of the checkout that this is, if it is one."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "benchmarks" / "command.py").is_file() and (root / "pyproject.toml").is_file() else None


def comparison(root: Path, words: list[str]) -> int:
    """Run ``benchmarks/run.py`` of the checkout at ``root`` with these arguments; its exit code."""
    sys.path.insert(0, str(root))
    return int(importlib.import_module("benchmarks.command").main(words))
