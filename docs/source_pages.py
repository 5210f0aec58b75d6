"""The files of the source that the tour links to, as web pages with numbered lines: a link leads to its line there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docs import engine_links

if TYPE_CHECKING:
    import re

FOLDER = "sources"  # of the web pages


def linked(text: str) -> str:
    """The text of a page of the tour with its links to lines leading to the pages that `write` makes."""

    def link(match: re.Match[str]) -> str:
        name, target, line = match.groups()
        file = (engine_links.FOLDER / target).resolve().relative_to(engine_links.ROOT).as_posix()
        address = f"../{FOLDER}/{file}.html#L-{line}"
        return f'<a class="reference internal" href="{address}"><code class="docutils literal">{name}</code></a>'

    return engine_links.LINK.sub(link, text)


def write(folder: Path) -> None:
    """Write a page for every file that a page of the tour links to, into a folder below that of the web pages."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import CudaLexer, PythonLexer

    texts = [page.read_text(encoding="utf-8") for page in engine_links.pages()]
    for file in sorted({link.file for text in texts for link in engine_links.links(text)}):
        name = file.relative_to(engine_links.ROOT).as_posix()
        format_ = HtmlFormatter(full=True, title=name, linenos="inline", lineanchors="L", anchorlinenos=True)
        lexer = PythonLexer() if file.suffix == ".py" else CudaLexer()
        page = folder / FOLDER / f"{name}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(highlight(file.read_text(encoding="utf-8"), lexer, format_), encoding="utf-8")
