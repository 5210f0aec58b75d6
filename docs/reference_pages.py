"""The lists of the reference: what a fenced block ``{api} wengert.nn`` in a page of `docs/reference` stands for.

A block names a module. Its lines, if there are any, say which of the module's names it shows:

- ``family: creation, shapes`` takes those that the op table (`tests/cases`) has in these families, which are as in
  `docs/ops.md`;
- ``only: .*seed.* Generator`` takes those that match one of these regular expressions as a whole;
- ``without: .*seed.* Generator`` leaves those out.

Each name appears once as a table's row and once with its docstring; a second name of the same thing, and an op's
in-place form, only as a line that says so. A class that several modules offer is described in the one with the longest
path. `tests/test_reference.py` finds public names that no block shows.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import docstrings

HERE = Path(__file__).parent
FENCE = re.compile(r"^```\{api\} ([\w.]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Python shows these with any class; here they would repeat what the base class says.
SAID_ONCE = {"forward", "backward", "extra_repr", "reset_parameters"}


def expand(text: str) -> str:
    """The text of a page with directives of Sphinx's in place of its blocks."""
    return FENCE.sub(lambda found: block(found[1], options(found[2])), text)


def options(lines: str) -> dict[str, list[str]]:
    """The words of each line, by the word before its colon."""
    found = (line.partition(":") for line in lines.splitlines() if line.strip())
    return {key.strip(): words.replace(",", " ").split() for key, _, words in found}


def shown(text: str) -> Iterator[tuple[str, str]]:
    """The modules and names of every block of a page."""
    for module, lines in FENCE.findall(text):
        for name in chosen(module, options(lines)):
            yield module, name


def public(module: str) -> list[str]:
    """The functions and classes that a module offers under its own name."""
    space = importlib.import_module(module)
    names = getattr(space, "__all__", None) or [name for name in dir(space) if not name.startswith("_")]
    return sorted((name for name in names if belongs(getattr(space, name, None))), key=str.lower)


def belongs(value: Any) -> bool:
    """Whether a value is something of wengert's that can be described, which excludes modules and constants."""
    if isinstance(value, types.ModuleType) or not (callable(value) or inspect.isclass(value)):
        return False
    return (getattr(value, "__module__", None) or "").startswith("wengert") and bool(inspect.getdoc(value))


@functools.cache
def family_of() -> dict[str, str]:
    """The family of each name in the op table."""
    from tests.cases.ops import FAMILIES

    found: dict[str, str] = {}
    for family in FAMILIES:
        for case in importlib.import_module(f"tests.cases.{family}").CASES:
            for name in (case.name, *case.also):
                found.setdefault(name, family)
    return found


def chosen(module: str, asked: dict[str, list[str]]) -> list[str]:
    """The names that a block shows."""
    names = [name for name in public(module) if matches(name, asked.get("only", [".*"]))]
    if "family" in asked:
        names = [name for name in names if family(module, name) in asked["family"]]
    return [name for name in names if not matches(name, asked.get("without", []))]


def matches(name: str, patterns: list[str]) -> bool:
    """Whether one of the regular expressions is about a name."""
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def family(module: str, name: str) -> str:
    """The family of an op, or ``other``; an in-place form is where its op is."""
    path = f"{module}.{name}".removeprefix("wengert.")
    found = family_of()
    return found.get(path) or found.get(path.removesuffix("_")) or "other"


def block(module: str, asked: dict[str, list[str]]) -> str:
    """The directives of one block."""
    space = importlib.import_module(module)
    here, elsewhere = split(module, chosen(module, asked))
    names, second = without_second_names(space, here)
    rows = "".join(row(space, name) for name in names)
    table = f".. list-table::\n   :widths: auto\n\n{rows}\n" if rows else ""
    also = "\n\n".join([*second, *elsewhere])
    entries = "\n".join(entry(space, name) for name in names)
    return f"```{{eval-rst}}\n.. currentmodule:: {module}\n\n{table}\n{also}\n\n{entries}\n```"


@functools.cache
def homes() -> dict[type, str]:
    """Where each class is described: under its longest name."""
    found: dict[type, str] = {}
    for path in pages():
        for module, name in shown(path.read_text(encoding="utf-8")):
            value, full = getattr(importlib.import_module(module), name), f"{module}.{name}"
            if inspect.isclass(value) and module.count(".") > found.get(value, "").rpartition(".")[0].count("."):
                found[value] = full
            elif inspect.isclass(value):
                found.setdefault(value, full)
    return found


def split(module: str, names: list[str]) -> tuple[list[str], list[str]]:
    """The names to show here, and a line about those classes that another module's block describes."""
    space, here, lines = importlib.import_module(module), [], []
    for name in names:
        value = getattr(space, name)
        home = homes().get(value, "") if inspect.isclass(value) else ""
        if home and home.rpartition(".")[0] != module:
            lines.append(f"``{name}`` is :py:obj:`{home}`")
        else:
            here.append(name)
    return here, ["; ".join(lines) + "."] if lines else []


def row(space: Any, name: str) -> str:
    """A line of the table."""
    return f"   * - :py:obj:`{name}`\n     - {docstrings.summary(inspect.getdoc(getattr(space, name)) or '')}\n"


def without_second_names(space: Any, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The names to describe, and lines about those that are only another name or the in-place form of one."""
    first: dict[int, str] = {}
    described, aliases, in_place = [], [], []
    names = list(names)
    for name in sorted(names, key=lambda name: (name != getattr(getattr(space, name), "__name__", name), len(name))):
        value = getattr(space, name)
        if name.endswith("_") and name[:-1] in names:
            in_place.append(name)
        elif first.setdefault(id(value), name) != name:
            aliases.append(f"``{name}`` is :py:obj:`{first[id(value)]}`")
        else:
            described.append(name)
    lines = ["; ".join(sorted(aliases)) + "."] if aliases else []
    if in_place:
        lines.append("In place: " + ", ".join(f"``{name}``" for name in sorted(in_place)) + ".")
    return sorted(described, key=str.lower), lines


def entry(space: Any, name: str) -> str:
    """The directive that shows a docstring."""
    value = getattr(space, name)
    if not inspect.isclass(value):
        return f".. autofunction:: {name}\n"
    kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
    members = ", ".join(own_members(value))
    return f".. {kind}:: {name}\n" + (f"   :members: {members}\n" if members else "")


def own_members(kind: type) -> list[str]:
    """The methods and properties that a class explains itself."""
    found = []
    for name, member in vars(kind).items():
        inner = getattr(member, "__func__", member)
        text = getattr(inner, "__doc__", None)
        method = callable(inner) or isinstance(inner, property)
        if method and text and not name.startswith("_") and name not in SAID_ONCE and not inspect.isclass(inner):
            found.append(name)
    return found


def pages() -> list[Path]:
    """The pages of the reference."""
    return sorted((HERE / "reference").glob("*.md"))
