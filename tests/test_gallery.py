"""The gallery of the documentation is the one that its script writes now, and its programs run."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from docs import gallery_page
from docs.gallery_page import ENTRIES, PAGE, PICTURES, Entry
from wengert import viz


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == gallery_page.page(), "write it anew: python -m docs.gallery_page"
    assert {p.stem for p in PICTURES.iterdir()} == {entry.name for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_pictures_are_those_of_the_programs(entry: Entry):
    text = (PICTURES / f"{entry.name}.svg").read_text(encoding="utf-8")
    assert "/home/" not in text
    assert " µs" not in text
    kept, now = ET.fromstring(text), ET.fromstring(viz.to_svg(gallery_page.run(entry), engine="builtin"))
    titles = [[e.text for e in picture.iter("{http://www.w3.org/2000/svg}text")] for picture in (kept, now)]
    # Numbers may differ in the last digit, and compiled kernels keep other arrays than NumPy's.
    words = [[t for t in found if t and not t[-1].isdigit() and not t.startswith("keeps")] for found in titles]
    assert words[0] == words[1], "draw them anew: python -m docs.gallery_page"
