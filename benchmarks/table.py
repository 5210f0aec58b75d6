"""Results as lines of text, and as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from .columns import COLUMNS, REFERENCE
from .workloads import GROUPS

NAME = 52
UNITS = ((1.0, "s"), (1e3, "ms"), (1e6, "us"))


def duration(seconds: float | None) -> str:
    """Three digits and a unit; ``n/a`` for None."""
    if seconds is None:
        return "n/a"
    factor, unit = next(((f, u) for f, u in UNITS if abs(seconds) * f >= 0.9995), UNITS[-1])
    value = seconds * factor
    return f"{value:.0f} {unit}" if abs(value) >= 99.95 else f"{value:#.3g} {unit}"


def megabytes(value: float | None) -> str:
    """A number of MB without its unit."""
    return "n/a" if value is None else f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}"


def measured(result: dict[str, Any], column: str) -> str:
    """The median of a column."""
    median = result["columns"].get(column, {}).get("median")
    if result["unit"] == "MB":
        return "n/a" if median is None else f"{median:.3g} MB"
    return duration(median)


def ratio(result: dict[str, Any], column: str) -> str:
    """A column's median over PyTorch's."""
    value = result["ratios"].get(column)
    return "" if value is None else f"{value:.2f}"


def memory(result: dict[str, Any], column: str) -> str:
    """A column's peak memory in MB."""
    return megabytes(value) if (value := result["columns"].get(column, {}).get("memory")) is not None else ""


def verdict(result: dict[str, Any]) -> str:
    """Whether wengert is within what the workload asks of it; empty where it asks nothing."""
    value, bound = result["ratios"].get("wengert"), result["target"]
    text = "" if bound is None else f"{bound:g} x"
    if result["limit"] is not None:
        value, bound = result["columns"].get("wengert", {}).get("median"), result["limit"]
        text = f"{bound:g} {result['unit']}"
    if bound is None or value is None:
        return ""
    return f"{'within' if value <= bound else 'OVER'} {text}"


def head(columns: list[str]) -> str:
    """The heads of the columns of `line`."""
    compared = [c for c in columns if c != REFERENCE]
    cells = [COLUMNS[c].title for c in columns] + [f"{COLUMNS[c].title} x" for c in compared] + ["MB", "PyTorch's"]
    return spread("workload (medians; x: over PyTorch's; MB: peak)", cells)


def line(result: dict[str, Any], columns: list[str]) -> str:
    """A workload in one line, and one more for each column that failed."""
    compared = [c for c in columns if c != REFERENCE]
    cells = [measured(result, c) for c in columns] + [ratio(result, c) for c in compared]
    cells += [memory(result, c) for c in ("wengert", REFERENCE)]
    return f"{spread(result['name'], cells)}  {verdict(result)}".rstrip()


def spread(first: str, cells: Iterable[str]) -> str:
    """Cells in columns."""
    return "  ".join([first.ljust(NAME), *(cell.rjust(10) for cell in cells)])


def reasons(results: list[dict[str, Any]]) -> list[str]:
    """What failed, and why."""
    return [
        f"{result['name']}: {COLUMNS[column].title}: {found['error']}"
        for result in results
        for column, found in result["columns"].items()
        if "error" in found
    ]


def markdown(results: list[dict[str, Any]]) -> str:
    """Tables by group."""
    columns = [c for c in COLUMNS if any(c in result["columns"] for result in results)]
    compared = [c for c in columns if c not in (REFERENCE, "numpy")]
    parts = []
    for group, title in GROUPS.items():
        rows = [result for result in results if result["group"] == group]
        if rows:
            parts.append(f"### {title}\n\n" + "\n".join(grid(rows, columns, compared)) + "\n")
    return "\n".join(parts)


def grid(rows: list[dict[str, Any]], columns: list[str], compared: list[str]) -> list[str]:
    """The lines of one table, without columns that nothing was measured for."""
    columns = [c for c in columns if any("median" in row["columns"].get(c, {}) for row in rows)]
    compared = [c for c in compared if any(c in row["ratios"] for row in rows)]
    sized = any(memory(row, "wengert") for row in rows)
    titles = [COLUMNS[c].title for c in columns] + [f"{COLUMNS[c].title} / PyTorch" for c in compared]
    titles += ["MB", "PyTorch's MB"] if sized else []
    lines = ["| | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(titles)]
    for row in rows:
        cells = [measured(row, c) for c in columns]
        cells += [f"**{ratio(row, c)}**" if c == "wengert" and ratio(row, c) else ratio(row, c) for c in compared]
        cells += [memory(row, "wengert"), memory(row, REFERENCE)] if sized else []
        lines.append("| " + " | ".join([row["name"], *cells]) + " |")
    return lines


def geometric_mean(values: list[float]) -> float:
    """Of positive numbers."""
    product = 1.0
    for value in values:
        product *= value ** (1 / len(values))
    return product


def noise(results: list[dict[str, Any]]) -> float | None:
    """How many cores' work other programs did, in the median, while something was measured."""
    found = [f["others"] for r in results for f in r["columns"].values() if f.get("others") is not None]
    return round(statistics.median(found), 2) if found else None


def standing(results: list[dict[str, Any]]) -> tuple[int, int, float]:
    """In how many workloads wengert is at least as fast as PyTorch eager, of how many, and the mean of the ratios."""
    values = [r["ratios"]["wengert"] for r in results if "wengert" in r["ratios"] and r["group"] != "start"]
    return sum(value <= 1 for value in values), len(values), geometric_mean(values)


def summary(results: list[dict[str, Any]]) -> str:
    """One sentence."""
    ahead, count, mean = standing(results)
    if not count:
        return "nothing was compared with PyTorch"
    return (
        f"wengert takes {mean:.2f} of PyTorch eager's time, in the geometric mean, "
        f"and is at least as fast in {ahead} of {count} workloads"
    )
