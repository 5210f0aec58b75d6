"""``to_html``: a graph as one page that needs nothing else: to explore, to search, and to play step by step."""

from __future__ import annotations

import functools
import json
import os
import re
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..autograd.graph import Graph
from .page_data import page_data

if TYPE_CHECKING:
    from ..nn import Module

__all__ = ["Page", "show", "to_html", "view"]

SCRIPTS = ("layout.js", "placing.js", "tree.js", "picture.js", "panel.js", "playback.js", "main.js")


def to_html(graph: Graph, title: str = "", backward: bool = True, most: int = 40) -> str:
    """A graph as a page: everything in one file, no requests to anywhere.

    The page shows the graph folded as `wengert.viz.draw` does, opens modules on a click, finds operations by name, and
    plays the forward and the backward pass: for each operation the gradient that comes in, the local derivative, and
    their product, with the formula. Values and times of the forward pass are there as far as `wengert.viz.record` noted
    them; without it, what leaves, outputs and saved arrays tell.

    Args:
        graph: what to show.
        title: of the page; the name of the output unless told.
        backward: work out the gradients for the page, starting with ones at every output. No ``.grad`` changes, and
            the graph is kept. Hooks on tensors run.
        most: about how many boxes are seen at first.

    Returns:
        The text of an HTML file.
    """
    data = page_data(graph, title, backward, most)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    parts = {
        "TITLE": escape(data["title"]),
        "STYLE": _part("viewer.css"),
        "DATA": text.replace("<", "\\u003c"),  # so that no text in it ends the element
        "SCRIPT": "\n".join(map(_part, SCRIPTS)),
    }
    return re.sub("@@([A-Z]+)@@", lambda found: parts[found[1]], _part("viewer.html"))


def view(output: Any, params: Module | Any = None, path: str | os.PathLike[str] = "graph.html", **options: Any) -> Path:
    """Write the page of what was recorded on the way to some tensors.

    Args:
        output: a tensor, a nest of them, or a `Graph`.
        params: names for the leaves: a module, or a mapping of names to tensors.
        path: the file.
        options: as for `to_html`.

    Returns:
        The path, to be opened in a browser.

    Example:
        >>> import tempfile, wengert as wg
        >>> from wengert import viz
        >>> x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
        >>> path = viz.view({"f": (x + y) * z}, {"x": x, "y": y, "z": z}, tempfile.mkdtemp() + "/circuit.html")
        >>> "<title>f</title>" in path.read_text()
        True
    """
    graph = output if isinstance(output, Graph) else Graph(output)
    if params is not None:
        graph = graph.named(params)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(to_html(graph, **options), encoding="utf-8")
    return target


class Page:
    """A page within a notebook.

    Attributes:
        html: its text.
        height: of the frame that it is shown in, in pixels.
    """

    def __init__(self, html: str, height: int) -> None:
        self.html, self.height = html, height

    def _repr_html_(self) -> str:
        style = f"box-sizing:border-box;width:100%;height:{self.height}px;border:1px solid #8f9bab;border-radius:10px"
        return f'<iframe srcdoc="{escape(self.html)}" style="{style}" title="computation graph"></iframe>'

    def __repr__(self) -> str:
        return f"<Page of {len(self.html):,} characters, to be shown in a notebook>"


def show(output: Any, params: Module | Any = None, height: int = 620, **options: Any) -> Page:
    """`view` within a notebook.

    Args:
        output: as for `view`.
        params: as for `view`.
        height: in pixels.
        options: as for `to_html`.

    Returns:
        What a notebook shows as a frame with the page in it.
    """
    graph = output if isinstance(output, Graph) else Graph(output)
    return Page(to_html(graph if params is None else graph.named(params), **options), height)


@functools.cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")
