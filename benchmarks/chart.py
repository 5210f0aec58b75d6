"""A picture of the ratios to PyTorch: a bar for wengert in each workload, marks for what else was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .columns import COLUMNS
from .table import standing
from .workloads import GROUPS

AHEAD, BEHIND, TEXT, FAINT = "#1b9e77", "#d95f02", "#222222", "#8a8a8a"
MARKS = {"compile": ("D", "#e6ab02"), "jax": ("o", "#7570b3")}
WIDTH, DPI = 8.0, 200  # inches; twice the 800 pixels that a README shows
ROW, HEAD = 0.215, 1.45


def rows(results: list[dict[str, Any]]) -> list[dict[str, Any] | str]:
    """What stands in the chart from top to bottom: titles of groups, and workloads."""
    shown = [r for r in results if r["chart"] and "wengert" in r["ratios"]]
    found: list[dict[str, Any] | str] = []
    for group, title in GROUPS.items():
        members = [r for r in shown if r["group"] == group]
        found += [title, *members] if members else []
    return found


def draw(results: list[dict[str, Any]], machine: dict[str, Any], path: Path) -> bool:
    """Write the chart, if there is anything to show."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    entries = rows(results)
    if not entries:
        return False
    height = HEAD + ROW * len(entries)
    figure = Figure((WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.40, 0.45 / height, 0.53, 1 - HEAD / height))
    scale(axes, entries)
    for y, entry in enumerate(entries):
        if isinstance(entry, str):
            axes.text(-0.735, y, entry, transform=axes.get_yaxis_transform(), weight="bold", size=8.5, va="center")
        else:
            bar(axes, y, entry)
    words(figure, height, machine, [e for e in entries if not isinstance(e, str)])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    return True


def scale(axes: Any, entries: list[dict[str, Any] | str]) -> None:
    """A logarithmic axis that holds all bars."""
    values = [e["ratios"]["wengert"] for e in entries if not isinstance(e, str)]
    low, high = min(0.12, *values) / 1.25, max(2.2, *values) * 1.2
    axes.set_xscale("log", base=2)
    axes.set_xlim(low, high)
    axes.set_ylim(len(entries) - 0.4, -0.6)
    ticks = [2.0**n for n in range(-8, 9) if low <= 2.0**n <= high]
    axes.set_xticks(ticks, [f"{t:g}" if t >= 1 else f"1/{1 / t:g}" for t in ticks], size=8, color=TEXT)
    axes.minorticks_off()
    axes.set_yticks([])
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axvline(1, color=TEXT, linewidth=1.1)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#bbbbbb")
    axes.tick_params(length=0)
    axes.text(1, -0.75, "PyTorch eager", size=7.5, ha="center", va="bottom", color=TEXT)
    axes.set_xlabel("time per call over PyTorch eager's (logarithmic)", size=7.5, color=FAINT)


def bar(axes: Any, y: int, result: dict[str, Any]) -> None:
    """One workload. A mark that the axis does not hold is a triangle at its end."""
    low, high = axes.get_xlim()
    value = result["ratios"]["wengert"]
    colour = AHEAD if value <= 1 else BEHIND
    beside = axes.get_yaxis_transform()
    axes.barh(y, value - 1, left=1, height=0.66, color=colour)
    axes.text(-0.012, y, result["name"], transform=beside, size=7.5, ha="right", va="center", color=TEXT)
    axes.text(1.075, y, f"{value:.2f}", transform=beside, size=8, weight="bold", ha="right", va="center", color=colour)
    for column, (mark, fill) in MARKS.items():
        if column in result["ratios"]:
            other = result["ratios"][column]
            place, shape = (low * 1.03, "<") if other < low else (high / 1.03, ">") if other > high else (other, mark)
            axes.plot(place, y, shape, color=fill, markersize=4.6, markeredgecolor="white", markeredgewidth=0.6)


def words(figure: Any, height: float, machine: dict[str, Any], shown: list[dict[str, Any]]) -> None:
    """Title, legend and what it was measured on."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    versions = machine["versions"]
    ahead, count, mean = standing(shown)
    title = f"wengert takes {mean:.2f} of PyTorch eager's time, in the geometric mean"
    figure.text(0.012, 1 - 0.24 / height, title, size=11, weight="bold", color=TEXT)
    told = [f"at least as fast in {ahead} of {count}"]
    told += [f"{COLUMNS[c].title} {versions[c]}" for c in ("wengert", "torch", "jax") if c in versions]
    told += [f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}"]
    figure.text(0.012, 1 - 0.44 / height, "; ".join(told), size=7.5, color=FAINT)
    handles = [Patch(color=AHEAD, label="wengert, faster"), Patch(color=BEHIND, label="wengert, slower")]
    handles += [
        Line2D([], [], linestyle="", marker=mark, color=colour, label=COLUMNS[column].title)
        for column, (mark, colour) in MARKS.items()
        if any(column in result["ratios"] for result in shown)
    ]
    place = {"loc": "upper left", "bbox_to_anchor": (0.0, 1 - 0.48 / height)}
    figure.legend(handles=handles, ncols=4, fontsize=7.5, frameon=False, handletextpad=0.5, **place)
