"""The page of the examples is the one that their docstrings give now."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")  # some of the examples import it

from docs import examples_page


def test_the_page_is_up_to_date():
    written = examples_page.PAGE.read_text(encoding="utf-8")
    assert written == examples_page.page(), "write it anew: python -m docs.examples_page"


@pytest.mark.parametrize("name", examples_page.names())
def test_an_example_says_how_it_is_run(name: str):
    said = examples_page.example(name)
    assert said.shows.endswith((".", "?"))
    assert said.commands
    assert all(command.startswith(f"python examples/{name}.py") for command in said.commands)
