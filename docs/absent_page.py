"""Writes `absent.md`, what PyTorch has and wengert has not: ``python -m docs.absent_page``. It wants PyTorch."""

from __future__ import annotations

from pathlib import Path

from tests import coverage_of_torch as coverage
from tests.opinfo.excused import EXCUSED

PAGE = Path(__file__).with_name("absent.md")

HEAD = """# What PyTorch has and wengert has not

`python -m docs.absent_page` writes this page: the names from `tests/coverage_of_torch.py`, the results from
`tests/opinfo/excused.py`. [Coming from PyTorch](from_pytorch.md) says what that means for a program.

## Names

The public names of each module of PyTorch 2.13, those that are not here by their reasons.
"""

RESULTS = """
## Results

PyTorch's own samples of its operators run through both libraries (`python -m tests.opinfo`). These differences are
meant; the operators are regular expressions.

| operators | what differs | element types | reason |
|---|---|---|---|
"""


def names() -> str:
    """A section for each module."""
    parts = []
    for path in coverage.SPACES:
        present, missing = coverage.compared(path)
        by_reason: dict[str, list[str]] = {}
        for name in missing:
            by_reason.setdefault(coverage.reason(path, name), []).append(name)
        lines = [f"### {path}", "", f"{len(present)} of {len(present) + len(missing)} names are here.", ""]
        lines += [f"- {why}: {', '.join(f'`{n}`' for n in by_reason[why])}" for why in sorted(by_reason)]
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)


def results() -> str:
    """The table of differences."""
    return RESULTS + "".join(
        f"| {cell(op)} | {cell(kind)}{f' ({form})' if form != '.*' else ''} | {cell(dtype)} | {why} |\n"
        for op, form, dtype, kind, why in EXCUSED
    )


def cell(pattern: str) -> str:
    """A regular expression as a cell of a table: what matches anything is ``any``."""
    return "any" if pattern in (".*", "") else "`" + pattern.replace("|", "\\|") + "`"


def page() -> str:
    """The whole page."""
    return HEAD + "\n" + names() + results()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
