"""Where NVIDIA's libraries and headers are on this machine, for the tests that compare bindings with them."""

from __future__ import annotations

import ast
import re
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from wengert.backends.cuda import libraries

WHEELS = Path(sysconfig.get_path("purelib")) / "nvidia"


def header(name: str) -> str:
    """The text of a header of CUDA's or of a library's."""
    folders = [*WHEELS.glob("*/include"), Path("/usr/local/cuda/include"), Path("/usr/include")]
    for folder in folders:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8", errors="replace")
    pytest.skip(f"{name} is not installed: it comes with the package of its library, or with CUDA")


def library(name: str) -> Any:
    """A shared library, which loads without a driver, too."""
    found = libraries.find(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {libraries.REMEDIES[name]}")
    return found


def enumerators(text: str) -> dict[str, int]:
    """The names that a C header gives to integers, in enumerations and definitions."""
    found: dict[str, int] = {}
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    for name, value in re.findall(r"\b([A-Z][A-Z0-9_a-z]*)\s*=\s*([^,}\n]+)", text):
        resolved = re.sub(r"[A-Za-z_]\w*", lambda m: str(found.get(m[0], m[0])), value.strip().rstrip(","))
        try:
            found[name] = int(eval(compile(ast.parse(resolved, mode="eval"), "header", "eval"), {}))
        except (NameError, SyntaxError, TypeError):
            continue
    return found
