"""Writes `examples.md`, a table of ``examples/``, from the docstrings there: ``python -m docs.examples_page``."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

PAGE = Path(__file__).with_name("examples.md")
FOLDER = PAGE.parents[1] / "examples"

HEAD = """# Examples

Each is one file that reads like a program of PyTorch; [models](../examples/models/__init__.py) has the models that they
share. All take `--device`, `--epochs` or `--steps`, `--lr`, `--seed`, `--data`, `--out` and `--quick`, and `--help`
says what else; [`wengert train NAME`](command_line.md) is the same as `python examples/NAME.py`. This page is written
by `python -m docs.examples_page` from what the programs say of themselves.
"""


class AskedError(Exception):
    """Ends a program where it has said what its data is."""


@dataclass(frozen=True)
class Example:
    """What a program says of itself."""

    name: str
    shows: str
    data: str
    measured: str
    commands: tuple[str, ...]

    @property
    def row(self) -> str:
        """Its line of the table."""
        return f"| [{self.name}](../examples/{self.name}.py) | {self.shows} | {self.data} | {self.measured} |"


def names() -> list[str]:
    """The programs that have the shared options."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}
    return sorted(name for name, text in texts.items() if "\nimport options\n" in text)


def example(name: str) -> Example:
    """A program's first line, its commands, and what it says from "Measured" on."""
    module = importlib.import_module(f"examples.{name}")
    text = inspect.getdoc(module) or ""
    lines = [line.strip() for line in text.splitlines()]
    _, _, measured = " ".join(lines).partition("Measured ")
    commands = tuple(line for line in lines if line.startswith("python examples/"))
    return Example(name, lines[0], data_of(module), measured[:1].upper() + measured[1:], commands)


def data_of(module: object) -> str:
    """What its parser says of ``--data``."""
    options = importlib.import_module("options")

    def asked(doc: str, data: str = options.NO_DATA, **defaults: object) -> None:
        raise AskedError(data)

    with mock.patch.object(options, "parser", asked):
        try:
            module.main([])
        except AskedError as answer:
            return str(answer).removeprefix("not used: ")
    raise ValueError(f"{module} does not ask for its options")


def page() -> str:
    """The whole page."""
    examples = [example(name) for name in names()]
    rows = ["| program | shows | data | measured |", "|---|---|---|---|", *(e.row for e in examples)]
    commands = ["## Commands", "", "```", *(command for e in examples for command in e.commands), "```"]
    return "\n".join([HEAD, *rows, "", *commands, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
