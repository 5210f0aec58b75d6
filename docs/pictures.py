"""What web pages say of a picture: its width, and, for those of the notebooks, words for who cannot see it.

A notebook has no place for such words, but its code gives titles to what it draws: those, after the section's heading,
are the words. A picture with a width links to its own file, where a reader can enlarge it; and one with a twin whose
name ends in ``-dark`` gives place to that on dark pages.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Functions that take a title, and which argument it is.
TITLED = {"label": 1, "regions": 4, "set_title": 0, "suptitle": 0, "set": -1}
# Functions that take a mapping from titles.
MAPPED = {"curves", "histograms"}
# Functions whose pictures need no title.
PLAIN = {
    "draw": "the graph of a computation",
    "images": "small pictures in rows",
    "confusion_matrix": "how often each class was read as each class",
    "filters": "the filters of a layer",
    "misclassified": "pictures that were read wrongly",
}


def words(code: str, section: str) -> str:
    """What is said of the pictures of a cell.

    Args:
        code: of the cell.
        section: the heading above it.
    """
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    titles = dict.fromkeys(title for call in calls for title in _titles(call))
    plain = dict.fromkeys(PLAIN[name] for call in calls if (name := _name(call)) in PLAIN)
    named = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "label"]
    curves = dict.fromkeys(filter(None, map(_text, named)))
    return f"{section}: {'; '.join(titles or plain or curves) or 'plots'}"


def _name(call: ast.Call) -> str:
    """The last part of the name that is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _titles(call: ast.Call) -> Iterator[str]:
    """The titles that a call gives, as far as the code tells them."""
    name = _name(call)
    if name in MAPPED and call.args and isinstance(call.args[0], ast.Dict):
        yield from filter(None, map(_text, call.args[0].keys))
    if name in TITLED:
        named = [keyword.value for keyword in call.keywords if keyword.arg == "title"]
        placed = call.args[TITLED[name] :][:1] if TITLED[name] >= 0 else []
        yield from filter(None, map(_text, [*named, *placed]))


def _text(node: ast.expr | None) -> str:
    """A text of the code; an ellipsis stands for what is computed. Nothing if all of it is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.Constant) for part in node.values):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def width(file: Path) -> int | None:
    """The width of a PNG or an SVG in pixels."""
    data = file.read_bytes()
    if data.startswith(b"\x89PNG"):
        return int(struct.unpack(">I", data[16:20])[0])
    found = re.search(rb'<svg[^>]*? width="(\d+)', data)
    return int(found[1]) if found else None


def described(app: Any, doctree: Any) -> None:
    """Give widths and dark twins to the pictures of a page, and words to those that cells made."""
    from docutils import nodes

    for image in list(doctree.findall(nodes.image)):
        file = Path(app.srcdir, image["uri"])
        if "width" not in image and file.is_file() and (wide := width(file)):
            image["width"] = str(wide)
        if file.with_stem(f"{file.stem}-dark").is_file():
            _with_twin(app.env, image)
    for cell in doctree.findall(nodes.container):
        if "cell" in cell["classes"]:
            code = next((block.astext() for block in cell.findall(nodes.literal_block)), "")
            for image in cell.findall(nodes.image):
                image.setdefault("alt", words(code, _heading(cell)))


def _with_twin(environment: Any, image: Any) -> None:
    """Put a picture's twin for dark pages, which has its name and ``-dark``, after it."""
    twin = image.deepcopy()
    twin["uri"] = Path(image["uri"]).with_stem(f"{Path(image['uri']).stem}-dark").as_posix()
    twin["candidates"] = {"*": twin["uri"]}
    environment.images.add_file(environment.docname, twin["uri"])
    image["classes"].append("only-light")
    twin["classes"].append("only-dark")
    image.parent.insert(image.parent.index(image) + 1, twin)


def _heading(node: Any) -> str:
    """The title of the section that a node stands in."""
    from docutils import nodes

    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return "" if node is None else node.next_node(nodes.title).astext()
