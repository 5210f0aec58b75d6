"""The files that the tour and the curriculum link to, as web pages with numbered lines: a link leads to its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs import curriculum_page, engine_links

FOLDER = "sources"  # of the web pages
TEST = re.compile(r"\[([\w ]+)\]\(\.\./(tests/test_\w+\.py)\)")  # as `curriculum_page` writes it


def linked(text: str) -> str:
    """The text of a page of the tour with its links to lines leading to the pages that `write` makes."""

    def link(match: re.Match[str]) -> str:
        name, target, line = match.groups()
        file = (engine_links.FOLDER / target).resolve().relative_to(engine_links.ROOT).as_posix()
        address = f"../{FOLDER}/{file}.html#L-{line}"
        return f'<a class="reference internal" href="{address}"><code class="docutils literal">{name}</code></a>'

    return engine_links.LINK.sub(link, text)


def linked_tests(text: str) -> str:
    """The text of the curriculum with each test's name leading to its line, which the page itself leaves open."""

    def link(match: re.Match[str]) -> str:
        title, file = match.groups()
        line = engine_links.definitions(engine_links.ROOT / file)["test_" + title.replace(" ", "_")][0]
        return f'<a class="reference internal" href="{FOLDER}/{file}.html#L-{line}">{title}</a>'

    return TEST.sub(link, text)


def files() -> list[Path]:
    """The files that the tour and the curriculum link to."""
    texts = [page.read_text(encoding="utf-8") for page in engine_links.pages()]
    tests = TEST.findall(curriculum_page.page())
    return sorted(
        {link.file for text in texts for link in engine_links.links(text)}
        | {engine_links.ROOT / file for _, file in tests}
    )


def pages(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """For every file that a page links to: the name of its web page, what is on it, and the template."""
    for file in files():
        name = file.relative_to(engine_links.ROOT).as_posix()
        language = "python" if file.suffix == ".py" else "cuda"
        code = app.builder.highlighter.highlight_block(
            file.read_text(encoding="utf-8"), language, linenos="inline", lineanchors="L", anchorlinenos=True
        )
        body = f'<h1>{name}</h1>\n<div class="highlight-{language} notranslate">{code}</div>'
        yield f"{FOLDER}/{name}", {"title": name, "parents": [], "body": body}, "page.html"
