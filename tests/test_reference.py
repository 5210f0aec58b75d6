"""The reference in ``docs`` shows every public name, and docstrings become the text that was meant."""

from __future__ import annotations

import importlib
from collections import defaultdict

import pytest

from docs import docstrings, reference_pages

SHOWN: dict[str, list[str]] = defaultdict(list)
for _page in reference_pages.pages():
    for _module, _name in reference_pages.shown(_page.read_text(encoding="utf-8")):
        SHOWN[_module].append(_name)


@pytest.mark.parametrize("module", sorted(SHOWN))
def test_every_public_name_is_shown_once(module: str):
    assert sorted(SHOWN[module]) == sorted(reference_pages.public(module))


def test_blocks_become_directives():
    text = reference_pages.expand("# Title\n\n```{api} wengert.func\nonly: grad vmap\n```\n")
    assert ".. currentmodule:: wengert.func" in text
    assert ".. autofunction:: grad" in text
    assert ":py:obj:`vmap`" in text
    assert "hvp" not in text


def test_second_names_and_in_place_forms_are_lines():
    space = importlib.import_module("wengert")
    names, lines = reference_pages.without_second_names(space, ["abs", "abs_", "absolute", "exp"])
    assert names == ["abs", "exp"]
    assert lines == ["``absolute`` is :py:obj:`abs`.", "In place: ``abs_``."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x (*, D) and ``(*, E)``", r"x (\*, D) and ``(*, E)``"),
        ("See *Departs from it* and **this**.", "See *Departs from it* and **this**."),
        ("(*) and (*, C)", r"(\*) and (\*, C)"),
        ("f(*args, **kwargs)", r"f(\*args, \*\*kwargs)"),
        (">>> f(*args)\n(*)\n\nthen (*)", ">>> f(*args)\n(*)\n\nthen (\\*)"),
        ("A *long\nline* here", "A *long\nline* here"),
        ("    a, b, c,\n        d: numbers", "    a, b, c, d: numbers"),
    ],
)
def test_stars_are_markup_only_where_they_were_meant(text: str, expected: str):
    assert "\n".join(docstrings.tidy(text.split("\n"))) == expected


def test_the_summary_is_a_sentence():
    assert docstrings.summary("``x. y`` of (*, D). More.\n\nMuch more.") == r"``x. y`` of (\*, D)"
    assert docstrings.summary("") == ""


def test_ends_of_names_are_links_where_there_is_one():
    found = docstrings.ends(["a.b.Name", "a.c.Name", "a.Other", "a.b.Other"])
    assert found["Name"] is None
    assert found["b.Name"] == "a.b.Name"
    assert found["Other"] == "a.Other"
