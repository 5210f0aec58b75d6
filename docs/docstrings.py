"""How docstrings become reStructuredText: a star is a shape's letter, and a name in backticks is a link.

Docstrings are written to be read in the source. ``(*, D)`` means any number of dimensions there, where reStructuredText
would begin emphasis; and `Optimizer` means the class, wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What keeps its stars: literals, names, strong and emphasised words, and stars that are escaped already.
KEPT = re.compile(r"``.+?``|`[^`]+`|\*\*[^*\s][^*]*\*\*|(?<![^\s(])\*[A-Za-z][^*]*[^*\s(,]\*(?![\w)])|\\.", re.DOTALL)


def tidy(lines: list[str]) -> list[str]:
    """The lines of a docstring, as reStructuredText."""
    joined = "\n".join(one_line_of_names(lines))
    return "".join(part if example else escaped(part) for example, part in parts(joined)).split("\n")


def one_line_of_names(lines: list[str]) -> Iterator[str]:
    """The lines, with names of arguments that go on in the next line (``a, b, c,``) put into one."""
    held = ""
    for line in lines:
        names = re.fullmatch(r"\s*(\w+, ){2,}.*\w,", line)
        if held:
            line, held = held + " " + line.strip(), ""
        if names:
            held = line
        else:
            yield line
    if held:
        yield held


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is an example: from ``>>>`` to an empty line."""
    begun = 0
    for found in re.finditer(r"^[ \t]*>>>.*?(?=\n[ \t]*\n|\Z)", text, re.MULTILINE | re.DOTALL):
        yield False, text[begun : found.start()]
        yield True, found[0]
        begun = found.end()
    yield False, text[begun:]


def escaped(text: str) -> str:
    """The text with a backslash before the stars that are no markup."""
    begun, pieces = 0, []
    for found in KEPT.finditer(text):
        pieces += [text[begun : found.start()].replace("*", r"\*"), found[0]]
        begun = found.end()
    return "".join(pieces) + text[begun:].replace("*", r"\*")


def summary(text: str) -> str:
    """The first sentence, for a table."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    ends = (
        found.end() for found in re.finditer(r"\.(?= |$)", paragraph) if paragraph[: found.end()].count("``") % 2 == 0
    )
    return escaped(paragraph[: next(ends, len(paragraph))].rstrip(":."))


def linked(app: Any, env: Any, node: Any, contnode: Any) -> Any:
    """A link to the only thing that has a name in backticks, whatever module it is in; no link where there are more."""
    if node.get("refdomain") != "py" or node.get("reftype") != "obj":
        return None
    domain = env.get_domain("py")
    by_end = getattr(env, "wengert_names", None)
    if by_end is None or by_end[0] != len(domain.objects):
        by_end = env.wengert_names = (len(domain.objects), ends(domain.objects))
    name = by_end[1].get(node["reftarget"])
    if name is None:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)


def ends(names: Any) -> dict[str, str | None]:
    """The full name for each end of one, ``Optimizer`` or ``optim.Optimizer``: the shortest, None if there are two."""
    found: dict[str, str | None] = {}
    for full in sorted(names, key=lambda name: (name.count("."), name)):
        path = full.split(".")
        for begin in range(1, len(path)):
            end = ".".join(path[begin:])
            other = found.setdefault(end, full)
            if other != full and other is not None and other.count(".") == full.count("."):
                found[end] = None
    return found
