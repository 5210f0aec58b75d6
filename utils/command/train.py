"""``wengert train``: run one of the examples, which are installed with the package."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from .failing import CommandError, UsageError, nearest

__all__ = ["examples", "listing", "train"]

PACKAGE = "...examples"  # seen from here


def examples() -> dict[str, str]:
    """The names of the examples, and what each is: the first line of its docstring. None of them is imported."""
    folder = Path(next(iter(importlib.import_module(PACKAGE, __package__).__path__)))
    found = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def listing() -> Iterator[str]:
    """Lines that name the examples."""
    found = examples()
    width = max(map(len, found), default=0)
    for name, text in found.items():
        yield f"  {name:<{width}}  {text}".rstrip()


def train(name: str, words: list[str]) -> int:
    """Run the example ``name`` with its own options.

    Args:
        name: as `examples` has it; hyphens count as underscores.
        words: options of the example.

    Returns:
        The exit code: 0, or what the example returns if that is a number.

    Raises:
        UsageError: there is no such example; the message names the one that is most like it.
    """
    module_name = name.removesuffix(".py").replace("-", "_")
    known = examples()
    if module_name not in known:
        raise UsageError(f"no example is called {name!r} (wengert train --list names all){nearest(module_name, known)}")
    module = importlib.import_module(f"{PACKAGE}.{module_name}", __package__)
    before, sys.argv = sys.argv, [f"wengert train {module_name}", *words]  # which names it in the example's --help
    try:
        result = module.main(words)
    finally:
        sys.argv = before
    if not isinstance(result, int | dict | None):
        raise CommandError(f"the example {module_name} returned a {type(result).__name__} in place of its figures")
    return result if isinstance(result, int) else 0
