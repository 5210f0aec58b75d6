"""Whether the web pages can be read without a network: what in them a browser would fetch from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# Links that a reader may follow are no matter; these a browser follows by itself.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=["']((?:https?:)?//[^"']+)"""
    r"""|<link\b(?=[^>]*\brel=["'](?:stylesheet|preload|modulepreload|icon|preconnect|dns-prefetch))"""
    r"""[^>]*?\bhref=["']((?:https?:)?//[^"']+)""",
    re.IGNORECASE,
)
IN_STYLES = re.compile(r"""@import\s+(?:url\()?["']?((?:https?:)?//[^"')]+)|url\(["']?((?:https?:)?//[^"')]+)""")


def fetched(text: str, style: bool = False) -> list[str]:
    """The addresses that a page, or a style sheet, makes a browser ask a network for."""
    return [first or second for first, second in (IN_STYLES if style else FETCHED).findall(text)]


def problems(folder: Path) -> Iterator[tuple[str, str]]:
    """The files below a folder of web pages that need a network, and for what."""
    for file in sorted([*folder.rglob("*.html"), *folder.rglob("*.css")]):
        for address in fetched(file.read_text(encoding="utf-8"), file.suffix == ".css"):
            yield file.relative_to(folder).as_posix(), address
