"""The files of the source that the tour links to, as web pages with numbered lines: a link leads to its line there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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


def pages(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """For every file that a page of the tour links to: the name of its web page, what is on it, and the template."""
    texts = [page.read_text(encoding="utf-8") for page in engine_links.pages()]
    for file in sorted({link.file for text in texts for link in engine_links.links(text)}):
        name = file.relative_to(engine_links.ROOT).as_posix()
        language = "python" if file.suffix == ".py" else "cuda"
        code = app.builder.highlighter.highlight_block(
            file.read_text(encoding="utf-8"), language, linenos="inline", lineanchors="L", anchorlinenos=True
        )
        body = f'<h1>{name}</h1>\n<div class="highlight-{language} notranslate">{code}</div>'
        yield f"{FOLDER}/{name}", {"title": name, "parents": [], "body": body}, "page.html"
