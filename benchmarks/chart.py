"""A picture of the ratios to PyTorch: a bar for wengert in each workload, marks for what else was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .columns import COLUMNS
from .workloads import GROUPS

AHEAD, BEHIND, TEXT, FAINT = "#1b9e77", "#d95f02", "#222222", "#8a8a8a"
MARKS = {"compile": ("D", "#e6ab02"), "jax": ("o", "#7570b3")}
WIDTH, DPI = 8.0, 200  # inches; twice the 800 pixels that a README shows
ROW, HEAD = 0.215, 1.35


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
    axes = figure.add_axes((0.40, 0.50 / height, 0.57, 1 - HEAD / height))
    scale(axes, entries)
    for y, entry in enumerate(entries):
        if isinstance(entry, str):
            axes.text(-0.695, y, entry, transform=axes.get_yaxis_transform(), weight="bold", size=8.5, va="center")
        else:
            bar(axes, y, entry)
    words(figure, axes, height, machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    return True


def scale(axes: Any, entries: list[dict[str, Any] | str]) -> None:
    """A logarithmic axis with PyTorch in it."""
    values = [v for e in entries if not isinstance(e, str) for c, v in e["ratios"].items() if c in ("wengert", *MARKS)]
    low, high = min(0.24, *values) / 1.25, max(2.1, *values) * 1.4
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


def bar(axes: Any, y: int, result: dict[str, Any]) -> None:
    """One workload."""
    value = result["ratios"]["wengert"]
    axes.barh(y, value - 1, left=1, height=0.66, color=AHEAD if value <= 1 else BEHIND)
    axes.text(-0.012, y, result["name"], transform=axes.get_yaxis_transform(), size=7.5, ha="right", va="center")
    for column, (mark, colour) in MARKS.items():
        if column in result["ratios"]:
            other = result["ratios"][column]
            axes.plot(other, y, mark, color=colour, markersize=4.4, markeredgecolor="white", markeredgewidth=0.6)
    axes.annotate(
        f"{value:.2f}",
        (1, y),
        xytext=(-3 if value > 1 else 3, 0),
        textcoords="offset points",
        size=7,
        ha="right" if value > 1 else "left",
        va="center",
        color=TEXT,
    )


def words(figure: Any, axes: Any, height: float, machine: dict[str, Any]) -> None:
    """Title, legend and what it was measured on."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    versions = machine["versions"]
    figure.text(
        0.015, 1 - 0.22 / height, "Time per call over PyTorch eager's: to the left is faster", size=11, weight="bold"
    )
    told = [f"{COLUMNS[c].title} {versions[c]}" for c in ("wengert", "torch", "jax") if c in versions]
    told += [f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}"]
    figure.text(0.015, 1 - 0.42 / height, "; ".join(told), size=7.5, color=FAINT)
    handles = [Patch(color=AHEAD, label="wengert, faster"), Patch(color=BEHIND, label="wengert, slower")]
    handles += [
        Line2D([], [], linestyle="", marker=mark, color=colour, label=COLUMNS[column].title)
        for column, (mark, colour) in MARKS.items()
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.005, 1 - 0.47 / height),
        ncols=4,
        fontsize=7.5,
        frameon=False,
        handletextpad=0.5,
    )
    axes.set_xlabel("ratio (logarithmic)", size=7.5, color=FAINT)
