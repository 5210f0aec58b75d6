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

- **Op**: the name below `wengert`; `Tensor.` marks methods. Aliases, methods and in-place forms of it follow in brackets.
- **Element types**: those whose results are tested; *integers* are int8 to int64, uint8 and bool.
- **Gradients**: how many times the op is differentiated in its tests. Rules are themselves differentiable, so 2 stands
  for any order; ops with whole numbers, masks or new tensors as results have none.
- **Backends**: `cpu` is NumPy; `cuda` is CuPy, and an op that names it also runs on the strict stand-in for CuPy in the
  tests of machines without a GPU.
"""

SHORT = ("float32", "float16", "bfloat16")


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
    tested = {dtype for case in cases for dtype in case.dtypes}
    types = ["float64", *(dtype for dtype in SHORT if dtype in tested)]
    if any(case.integer for case in cases):
        types.append("integers")
    if any(has_complex(sample) for case in cases for sample in case.samples(Make(0))):
        types.append("complex128")
    orders = max(case.orders for case in cases)
    backends = "cpu, cuda" if any(case.strict for case in cases) else "cpu"
    return op, ", ".join(types), str(orders) if orders else "none", backends


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


def has_complex(value: Any) -> bool:
    """Whether there is a complex array in a sample."""
    if isinstance(value, list | tuple):
        return any(has_complex(part) for part in value)
    return getattr(getattr(value, "dtype", None), "kind", "") == "c"


def table(rows: list[tuple[str, ...]]) -> str:
    """Lines of a Markdown table."""
    lines = ["| Op | Element types | Gradients | Backends |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows)]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
