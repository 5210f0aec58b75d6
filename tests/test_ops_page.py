"""The page that lists the ops is the one that the op table gives now."""

from __future__ import annotations

from docs.ops_page import PAGE, page


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m docs.ops_page"
