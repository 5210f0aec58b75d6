"""``draw``: a picture of a recorded graph, in a file or on the screen of a notebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..autograd.graph import Graph
from .dot_layout import available, by_dot
from .nesting import nested
from .raster import to_png
from .scene import MOST_BOXES, scene_of
from .svg import paint

__all__ = ["draw", "to_svg"]

DOT_LIMIT = 300  # boxes
FORMATS = ("svg", "png", "html", "dot", "json", "txt")


def draw(
    output: Any,
    params: Any = None,
    path: str | os.PathLike[str] | None = None,
    format: str | None = None,
    engine: str = "auto",
    most: int = MOST_BOXES,
) -> Graph:
    """Draw what was recorded on the way to a tensor.

    Args:
        output: a tensor, a mapping or sequence of tensors (keys become names), or a `Graph`.
        params: names for the leaves: a module, or a mapping of names to tensors.
        path: a file to write; folders on the way are made.
        format: ``svg``, ``png``, ``html``, ``dot``, ``json`` or ``txt``; by the ending of ``path`` unless told.
            A PNG needs matplotlib.
        engine: who finds the places: ``"dot"`` is Graphviz, ``"builtin"`` needs nothing, ``"auto"`` takes Graphviz
            where it is installed and no frames are drawn, at which it is worse. The picture is painted alike.
        most: about how many boxes an SVG or PNG shows. Of larger graphs it shows modules (where `record` noted them),
            repeated blocks as one, and stretches of the program.

    Returns:
        The graph. A notebook shows it as this picture; ``to_svg()``, ``to_html()``, ``to_dot()``, ``to_json()`` and
        ``to_text()`` give it as text.

    Raises:
        ValueError: the format or the engine is unknown.

    Example:
        >>> import wengert as wg
        >>> from wengert.viz import draw
        >>> x, y = wg.tensor(3.0, requires_grad=True), wg.tensor(4.0, requires_grad=True)
        >>> draw({"f": (x + y) * y}, {"x": x, "y": y})
        <Graph: 2 operations, 2 inputs, 4 bytes saved>
    """
    graph = output if isinstance(output, Graph) else Graph(output)
    if params is not None:
        graph = graph.named(params)
    graph.picture = {"engine": engine, "most": most}
    if format is None:
        format = Path(path).suffix[1:].lower() if path is not None else "svg"
    if format not in FORMATS:
        raise ValueError(f"draw: unknown format {format!r}; it is one of {', '.join(FORMATS)}")
    if path is not None:
        if format in ("svg", "png"):
            text = to_svg(graph, engine, most)
        else:
            formats = {"html": graph.to_html, "dot": graph.to_dot, "json": graph.to_json, "txt": graph.to_text}
            text = formats[format]()
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(to_png(text) if format == "png" else text.encode())
    return graph


def to_svg(graph: Graph, engine: str = "auto", most: int = MOST_BOXES) -> str:
    """A graph as SVG; ``engine`` and ``most`` as for `draw`."""
    if engine not in ("auto", "dot", "builtin"):
        raise ValueError(f"draw: unknown engine {engine!r}; it is 'auto', 'dot' or 'builtin'")
    if engine == "dot" and not available():
        raise RuntimeError("draw: engine 'dot' needs Graphviz: pip install wengert[viz], and `dot` on the PATH")
    scene = scene_of(graph, most)
    # Graphviz crosses fewer lines, but takes minutes for what the built-in layout does in a second, and it runs lines
    # through the titles of frames.
    suits = len(scene.boxes) <= DOT_LIMIT and len(scene.frames) == 1
    dot = engine == "dot" or (engine == "auto" and suits and available())
    return paint(scene, by_dot if dot else nested)
