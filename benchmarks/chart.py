"""A picture of the ratios to PyTorch: a bar for wengert in each workload, marks for what else was measured."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .columns import COLUMNS
from .table import standing
from .workloads import GROUPS

MARKS = {"compile": "D", "jax": "o"}
WIDTH, DPI, COLOURS = 8.0, 200, 128  # inches; twice the 800 pixels that a README shows
ROW, HEAD = 0.215, 1.45


@dataclass(frozen=True)
class Palette:
    """The colours of a chart. Words stand out from the paper by 4.5 to 1 or more, and shapes by 3 to 1."""

    paper: str
    text: str
    faint: str
    grid: str
    edge: str
    ahead: str
    behind: str
    compile: str
    jax: str


LIGHT = Palette(
    paper="#ffffff", text="#222222", faint="#656565", grid="#e4e4e4", edge="#bbbbbb",
    ahead="#14795a", behind="#b84e00", compile="#b08500", jax="#7570b3",
)  # fmt: skip
DARK = Palette(
    paper="#0d1117", text="#e6edf3", faint="#9198a1", grid="#262c36", edge="#4a525c",
    ahead="#3fb68b", behind="#f0883e", compile="#e3b341", jax="#a5a0e8",
)  # fmt: skip


def rows(results: list[dict[str, Any]]) -> list[dict[str, Any] | str]:
    """What stands in the chart from top to bottom: titles of groups, and workloads."""
    shown = [r for r in results if r["chart"] and "wengert" in r["ratios"]]
    found: list[dict[str, Any] | str] = []
    for group, title in GROUPS.items():
        members = [r for r in shown if r["group"] == group]
        found += [title, *members] if members else []
    return found


def draw(results: list[dict[str, Any]], machine: dict[str, Any], path: Path) -> bool:
    """Write the chart, if there is anything to show: once for light pages, and as ``...-dark.png`` for dark ones."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    entries = rows(results)
    if not entries:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    height = HEAD + ROW * len(entries)
    for file, colours in ((path, LIGHT), (dark(path), DARK)):
        figure = Figure((WIDTH, height), dpi=DPI, facecolor=colours.paper)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.40, 0.45 / height, 0.53, 1 - HEAD / height), facecolor=colours.paper)
        scale(axes, entries, colours)
        for y, entry in enumerate(entries):
            if isinstance(entry, str):
                heading(axes, y, entry, colours)
            else:
                bar(axes, y, entry, colours)
        words(figure, height, machine, [e for e in entries if not isinstance(e, str)], results, colours)
        save(figure, file)
    return True


def save(figure: Any, path: Path) -> None:
    """Write a chart. It has few colours, and takes a third of the room when they are numbered."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    Image.open(buffer).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def dark(path: Path) -> Path:
    """The file of the chart for dark pages."""
    return path.with_stem(f"{path.stem}-dark")


def heading(axes: Any, y: int, text: str, colours: Palette) -> None:
    """The title of a group."""
    beside = axes.get_yaxis_transform()
    axes.text(-0.735, y, text, transform=beside, weight="bold", size=8.5, va="center", color=colours.text)


def scale(axes: Any, entries: list[dict[str, Any] | str], colours: Palette) -> None:
    """A logarithmic axis that holds all bars."""
    values = [e["ratios"]["wengert"] for e in entries if not isinstance(e, str)]
    low, high = min(0.12, *values) / 1.25, max(2.2, *values) * 1.2
    axes.set_xscale("log", base=2)
    axes.set_xlim(low, high)
    axes.set_ylim(len(entries) - 0.4, -0.6)
    ticks = [2.0**n for n in range(-8, 9) if low <= 2.0**n <= high]
    axes.set_xticks(ticks, [f"{t:g}" if t >= 1 else f"1/{1 / t:g}" for t in ticks], size=8, color=colours.text)
    axes.minorticks_off()
    axes.set_yticks([])
    axes.grid(axis="x", color=colours.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axvline(1, color=colours.text, linewidth=1.1)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.edge)
    axes.tick_params(length=0)
    axes.text(1, -0.75, "PyTorch eager", size=7.5, ha="center", va="bottom", color=colours.text)
    axes.set_xlabel(
        "time per call over PyTorch eager's (logarithmic); ◂ and ▸: beyond the axis", size=7.5, color=colours.faint
    )


def bar(axes: Any, y: int, result: dict[str, Any], colours: Palette) -> None:
    """One workload. A mark that the axis does not hold is a triangle at its end."""
    low, high = axes.get_xlim()
    value = result["ratios"]["wengert"]
    colour = colours.ahead if value <= 1 else colours.behind
    beside = axes.get_yaxis_transform()
    axes.barh(y, value - 1, left=1, height=0.66, color=colour)
    axes.text(-0.012, y, result["name"], transform=beside, size=7.5, ha="right", va="center", color=colours.text)
    axes.text(1.075, y, f"{value:.2f}", transform=beside, size=8, weight="bold", ha="right", va="center", color=colour)
    for column, mark in MARKS.items():
        if column in result["ratios"]:
            other = result["ratios"][column]
            place, shape = (low * 1.03, "<") if other < low else (high / 1.03, ">") if other > high else (other, mark)
            look = {"color": getattr(colours, column), "markeredgecolor": colours.paper, "markeredgewidth": 0.6}
            axes.plot(place, y, shape, markersize=4.6, clip_on=False, **look)


def words(
    figure: Any,
    height: float,
    machine: dict[str, Any],
    shown: list[dict[str, Any]],
    results: list[dict[str, Any]],
    colours: Palette,
) -> None:
    """Title, legend and what it was measured on; the mean is of all results, of which some are shown."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    versions = machine["versions"]
    ahead, count, mean = standing(results)
    title = f"wengert takes {mean:.2f} of PyTorch eager's time, in the geometric mean"
    figure.text(0.012, 1 - 0.24 / height, title, size=11, weight="bold", color=colours.text)
    told = [
        f"at least as fast in {ahead} of {count}"
        + (f" workloads, of which {len(shown)} are here" * (len(shown) < count))
    ]
    told += [f"{COLUMNS[c].title} {versions[c]}" for c in ("wengert", "torch", "jax") if c in versions]
    told += [f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}"]
    figure.text(0.012, 1 - 0.44 / height, "; ".join(told), size=7.5, color=colours.faint)
    handles = [
        Patch(color=colours.ahead, label="wengert, faster"),
        Patch(color=colours.behind, label="wengert, slower"),
    ]
    handles += [
        Line2D([], [], linestyle="", marker=mark, color=getattr(colours, column), label=COLUMNS[column].title)
        for column, mark in MARKS.items()
        if any(column in result["ratios"] for result in shown)
    ]
    place = {"loc": "upper left", "bbox_to_anchor": (0.0, 1 - 0.48 / height)}
    look = {"fontsize": 7.5, "frameon": False, "handletextpad": 0.5, "labelcolor": colours.text}
    figure.legend(handles=handles, ncols=4, **look, **place)
