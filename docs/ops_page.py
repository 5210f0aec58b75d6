"""Writes `ops.md`, the page that lists every public op, from the op table: ``python -m docs.ops_page``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import wengert as wg
from tests.cases.base import Make, OpCase
from tests.cases.ops import FAMILIES

PAGE = Path(__file__).with_name("ops.md")

HEAD = """# Ops

Every public op, from the table that its tests run on (`tests/cases/`); `python -m docs.ops_page` writes this page.

- **Op**: the name below `wengert`; `Tensor.` marks methods. Its aliases, methods and in-place forms follow in brackets.
- **Element types**: of the tested inputs, indices and masks included; *integers* are int8 to int64, uint8 and bool.
- **Gradients**: how many times the op is differentiated in its tests. Rules are themselves differentiable, so 2 stands
  for any order; ops with whole numbers, masks or new tensors as results have none.
- **Backends**: `cpu` is NumPy; `cuda` is CuPy, and an op that names it also runs on the strict stand-in for CuPy in the
  tests of machines without a GPU.
"""

SHORT = ("float32", "float16", "bfloat16")
INTEGERS = ("bool", "int8", "int16", "int32", "int64", "uint8")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for family in FAMILIES:
        module = importlib.import_module(f"tests.cases.{family}")
        merged: dict[str, list[OpCase]] = {}
        for case in module.CASES:
            merged.setdefault(case.name, []).append(case)
        rows = [row(name, cases) for name, cases in sorted(merged.items(), key=lambda item: item[0].lower())]
        parts.append(f"## {family.capitalize()}\n\n" + table(rows))
    return "\n".join(parts)


def row(name: str, cases: list[OpCase]) -> tuple[str, ...]:
    """The line of an op, which several rows of the op table may test in different ways."""
    others = sorted({other for case in cases for other in (*case.also, *in_place_forms(case))} - {name})
    op = f"`{name}`" + (f" ({', '.join(f'`{other}`' for other in others)})" if others else "")
    orders = max(case.orders for case in cases)
    backends = "cpu, cuda" if any(case.strict for case in cases) else "cpu"
    return op, ", ".join(element_types(cases)), str(orders) if orders else "none", backends


def in_place_forms(case: OpCase) -> set[str]:
    """The in-place forms that exist of the names of a row; they are tested with it."""
    found = set()
    for name in (case.name, *case.also):
        *path, last = name.split(".")
        space: Any = wg
        for part in path:
            space = getattr(space, part)
        if not last.endswith("_") and hasattr(space, last + "_"):
            found.add(name + "_")
    return found


def element_types(cases: list[OpCase]) -> list[str]:
    """The types of the arrays in the samples, and those that the tests cast floating ones to."""
    given = {dtype for case in cases for sample in case.samples(Make(0)) for dtype in array_types(sample)}
    types = sorted(given, key=lambda name: (not name.startswith("float"), name))
    if "float64" in given:
        tested = {dtype for case in cases for dtype in case.dtypes}
        types[1:1] = [dtype for dtype in SHORT if dtype in tested]
        if any(case.integer for case in cases):
            types = [name for name in types if name not in INTEGERS] + ["integers"]
    return types or ["any"]


def array_types(value: Any) -> set[str]:
    """The names of the element types of the arrays in a sample."""
    if isinstance(value, list | tuple):
        return {name for part in value for name in array_types(part)}
    return {value.dtype.name} if hasattr(value, "dtype") and hasattr(value, "shape") else set()


def table(rows: list[tuple[str, ...]]) -> str:
    """Lines of a Markdown table."""
    lines = ["| Op | Element types | Gradients | Backends |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows)]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
