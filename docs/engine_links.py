"""Keeps the links of `docs/engine` on the lines that they name: ``python -m docs.engine_links`` moves them.

A link's text is a name in backticks, and its target a line of the source, as in
``[`apply`](../../autograd/primitive.py#L99)``: that line defines the name. A method's name follows its class's
(``Pass.plan``). Quoted code stands, line for line, in a file that the page links to; ``...`` is what is left out.
"""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("engine")
ROOT = FOLDER.parents[1]
LINK = re.compile(r"\[`([^`\]]+)`\]\(([^()\s#]+\.(?:py|cuh?))#L(\d+)\)")
UNNAMED = re.compile(r"\[(?!`[^`\]]+`\])[^\]]*\]\([^()\s]+#L\d+\)")
BLOCK = re.compile(r"^ *```(?:python|cpp)\n(.*?)^ *```$", re.M | re.S)
CUDA = re.compile(  # kernels, functions, types
    r"^__global__ .*\s+(\w+)\((?!\d)|^__device__ static inline [^(]*?(\w+)\(|^struct (?:alignas\(.*\) )?(\w+)", re.M
)


class Link(NamedTuple):
    """A link to a line: the name that the line is to define, the file, and the line's number."""

    name: str
    file: Path
    line: int


def pages() -> list[Path]:
    """The pages whose links are kept."""
    return sorted(FOLDER.glob("*.md"))


def links(text: str) -> Iterator[Link]:
    """The links to lines of the source."""
    for name, target, line in LINK.findall(text):
        yield Link(name, (FOLDER / target).resolve(), int(line))


@functools.cache
def definitions(file: Path) -> dict[str, list[int]]:
    """For each name that a file defines, the lines where it does."""
    found: dict[str, list[int]] = {}
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        for name, line in _in_body(ast.parse(text).body, ""):
            found.setdefault(name, []).append(line)
    else:
        for match in CUDA.finditer(text):
            group = match.lastindex or 1
            found.setdefault(match[group], []).append(text.count("\n", 0, match.start(group)) + 1)
    return found


def _in_body(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name, node.lineno
            if isinstance(node, ast.ClassDef):
                yield from _in_body(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If):
            yield from _in_body([*node.body, *node.orelse], prefix)
        else:
            for target in getattr(node, "targets", [getattr(node, "target", None)]):
                for name in ast.walk(target) if target is not None else ():
                    if isinstance(name, ast.Name):
                        yield prefix + name.id, name.lineno


def wrong_links(text: str) -> list[str]:
    """What is wrong with the links of a page."""
    wrong = [f"{link}: its text is no name in backticks" for link in UNNAMED.findall(text)]
    for name, file, line in links(text):
        where = file.relative_to(ROOT)
        if not file.is_file():
            wrong.append(f"{where}: there is no such file")
        elif line not in definitions(file).get(name, []):
            wrong.append(f"{where}#L{line} does not define {name}")
    return wrong


def wrong_quotes(text: str) -> list[str]:
    """Quoted pieces of code that do not stand, line for line, in a file that the page links to."""
    sources = [_lines(file.read_text(encoding="utf-8")) for file in {link.file for link in links(text)}]
    return [piece for piece in quotes(text) if not any(_lines(piece) in source for source in sources)]


def quotes(text: str) -> Iterator[str]:
    """The pieces of code that a page quotes; a line ``...`` stands for what is left out between two of them."""
    for block in BLOCK.findall(text):
        if not block.lstrip().startswith(">>>"):
            yield from (
                textwrap.dedent(piece) for piece in re.split(r"^ *\.\.\.\n", block, flags=re.M) if piece.strip()
            )


def _lines(code: str) -> str:
    """Code without indentation and empty lines, which are not a quotation's own: the formatter sets pages, too."""
    return "\n" + "".join(line.strip() + "\n" for line in code.splitlines() if line.strip())


def moved(text: str) -> str:
    """The text of a page with its links on the lines that define their names, the nearest where there are several."""

    def again(match: re.Match[str]) -> str:
        name, target, line = match[1], match[2], int(match[3])
        file = (FOLDER / target).resolve()
        places = definitions(file).get(name, []) if file.is_file() else []
        if not places:
            return match[0]  # nobody can say where it went: the test goes on failing
        return f"[`{name}`]({target}#L{min(places, key=lambda place: abs(place - line))})"

    return LINK.sub(again, text)


def main() -> None:
    """Write every page anew whose lines have moved, and name the links that need a person."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = moved(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: lines moved")
        for problem in [*wrong_links(after), *(f"no such lines:\n{quote}" for quote in wrong_quotes(after))]:
            print(f"{page.relative_to(ROOT)}: {problem}")


if __name__ == "__main__":
    main()
