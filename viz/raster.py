"""A graph's SVG as PNG: matplotlib paints the few elements that `svg` writes, so that no other program is needed."""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from typing import Any

from .plotting import new_figure

__all__ = ["to_png"]

LARGEST = 30_000  # pixels of a side
DEFAULTS = {"fill": "#000000", "stroke": "none", "stroke-width": "1"}
TIP = ((-6.7, -3.2), (0.3, 0.0), (-6.7, 3.2))  # the marker of an arrow, seen from the end of its line
TIP_SIZE = 7 * 1.3 / 8  # the marker's width, times that of the line, in the marker's own units


def to_png(svg: str, scale: float = 2.0) -> bytes:
    """An SVG of `wengert.viz.to_svg` as the bytes of a PNG.

    Args:
        svg: the text.
        scale: pixels for each unit of the SVG; fewer where the picture would be too large for a PNG's readers.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    root = ET.fromstring(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    figure = new_figure(width / 72, height / 72)  # a unit of the SVG is a point
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)  # which knows how wide a text is before it is drawn
    figure.set_layout_engine("none")
    figure.set_dpi(72 * min(scale, LARGEST / max(width, height)))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    _Painter(figure, ax, width, height).children(root, 0.0, 0.0, DEFAULTS)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=figure.dpi)
    return file.getvalue()


class _Painter:
    """Walks through the elements; later ones lie above earlier ones."""

    def __init__(self, figure: Any, ax: Any, width: float, height: float) -> None:
        self.figure, self.ax, self.size = figure, ax, (width, height)
        self.order = 0

    def children(self, element: ET.Element, x: float, y: float, style: dict[str, str]) -> None:
        for child in element:
            tag = child.tag.rpartition("}")[2]
            given = {**style, **{k: v for k, v in child.attrib.items() if k in style}}
            if tag == "g":
                moved = re.match(r"translate\((\S+) (\S+)\)", child.get("transform", "translate(0 0)"))
                assert moved is not None
                self.children(child, x + float(moved[1]), y + float(moved[2]), given)
            elif tag in ("rect", "path", "text"):
                self.order += 1
                getattr(self, tag)(child, x, y, given)

    def rect(self, e: ET.Element, x: float, y: float, style: dict[str, str]) -> None:
        from matplotlib.patches import FancyBboxPatch

        width, height = (
            size if e.attrib[side] == "100%" else float(e.attrib[side])
            for side, size in zip(("width", "height"), self.size, strict=True)
        )
        corner = (x + float(e.get("x", 0)), y + float(e.get("y", 0)))
        shape = f"round,pad=0,rounding_size={e.get('rx', '0')}"
        dashes = e.get("stroke-dasharray")
        line = (0, tuple(map(float, dashes.split()))) if dashes else "-"
        self.ax.add_patch(
            FancyBboxPatch(
                *(corner, width, height),
                boxstyle=shape,
                facecolor=style["fill"],
                edgecolor=style["stroke"],
                linewidth=float(style["stroke-width"]),
                linestyle=line,
                zorder=self.order,
            )
        )

    def path(self, e: ET.Element, x: float, y: float, style: dict[str, str]) -> None:
        from matplotlib.patches import PathPatch, Polygon
        from matplotlib.path import Path

        points, codes = _route(e.attrib["d"])
        points = [(x + a, y + b) for a, b in points]
        line = {"facecolor": "none", "edgecolor": style["stroke"], "linewidth": float(style["stroke-width"])}
        self.ax.add_patch(PathPatch(Path(points, codes), zorder=self.order, **line))
        if "marker-end" in e.attrib and len(points) > 1:
            tip = points[-1]
            before = next((p for p in reversed(points) if math.dist(p, tip) > 1e-6), tip)
            turn = math.atan2(tip[1] - before[1], tip[0] - before[0])
            corners = [
                (
                    tip[0] + TIP_SIZE * (a * math.cos(turn) - b * math.sin(turn)),
                    tip[1] + TIP_SIZE * (a * math.sin(turn) + b * math.cos(turn)),
                )
                for a, b in TIP
            ]
            self.ax.add_patch(Polygon(corners, facecolor=style["stroke"], edgecolor="none", zorder=self.order))

    def text(self, e: ET.Element, x: float, y: float, style: dict[str, str]) -> None:
        from matplotlib.patheffects import withStroke

        at, size, weight = x + float(e.attrib["x"]), float(e.attrib["font-size"]), e.get("font-weight", "400")
        side = {"middle": "center", "end": "right"}.get(e.get("text-anchor", "start"), "left")
        halo = [withStroke(linewidth=float(style["stroke-width"]), foreground=style["stroke"])]
        for part, text, own in _parts(e):
            at += float(own.get("dx", 0))
            drawn = self.ax.text(
                *(at, y + float(e.attrib["y"]), text.replace("$", r"\$")),
                fontsize=size,
                fontweight="bold" if own.get("font-weight", weight) == "600" else "normal",
                color=own.get("fill", style["fill"]),
                ha=side,
                va="baseline",
                zorder=self.order,
                path_effects=halo if "paint-order" in e.attrib else None,
            )
            if part:  # the next one begins where this one ends
                box = drawn.get_window_extent(self.figure.canvas.get_renderer())
                at += box.width * 72 / self.figure.dpi


def _parts(e: ET.Element) -> list[tuple[bool, str, dict[str, str]]]:
    """The pieces of a text: whether another follows, the piece, and its own style."""
    pieces: list[tuple[str, dict[str, str]]] = [(e.text or "", {})]
    for span in e:
        pieces += [(span.text or "", dict(span.attrib)), (span.tail or "", {})]
    pieces = [(text, own) for text, own in pieces if text]
    return [(i + 1 < len(pieces), text, own) for i, (text, own) in enumerate(pieces)]


def _route(d: str) -> tuple[list[tuple[float, float]], list[Any]]:
    """The points and codes of ``M x y C ...``, ``M x y H x`` and ``M x y L ...``."""
    from matplotlib.path import Path

    points: list[tuple[float, float]] = []
    codes: list[Any] = []
    for letter, numbers in re.findall(r"([MCHL])([^MCHLz]*)", d):
        values = [float(v) for v in numbers.replace(",", " ").split()]
        if letter == "H":
            values = [values[0], points[-1][1]]
        new = list(zip(values[::2], values[1::2], strict=True))
        points += new
        codes += [{"M": Path.MOVETO, "C": Path.CURVE4}.get(letter, Path.LINETO)] * len(new)
    return points, codes
