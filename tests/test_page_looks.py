"""The web pages that `make docs` made, in a real browser: wide and narrow, light and dark, and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]

BUILD = Path(__file__).resolve().parents[1] / "build" / "docs"
CHECKS = Path(__file__).with_name("page_looks_checks.js").read_text(encoding="utf-8")
# The pages of the theme; those of graphs have tests of their own, and the reference's are alike.
OTHERS = {"pages", "_static", "sources", "reference"}
PAGES = [page for page in sorted(BUILD.rglob("*.html")) if page.relative_to(BUILD).parts[0] not in OTHERS]
PAGES += [BUILD / "reference" / "index.html", BUILD / "sources" / "autograd" / "engine.py.html"] if PAGES else []
THEME = "theme => { document.body.dataset.theme = theme; }"


@pytest.mark.skipif(not PAGES, reason="`make docs` makes the pages")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)], ids=["desktop", "phone"])
def test_pages_can_be_read(browser: Any, width: int, height: int):
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=width < 500)
    context.set_offline(True)
    faults: list[tuple[str, ...]] = []
    for path in PAGES:
        name, page = path.relative_to(BUILD).as_posix(), context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("pageerror", lambda error, asked=asked: asked.append(str(error)))
        page.goto(path.as_uri())
        for theme in ("light", "dark"):
            page.evaluate(THEME, theme)
            page.wait_for_timeout(50)
            faults += [(name, theme, fault) for fault in page.evaluate(CHECKS + "faint()")]
        faults += [(name, fault) for check in ("sticksOut()", "pictures()") for fault in page.evaluate(CHECKS + check)]
        faults += [(name, what) for what in asked if not what.startswith(("file:", "data:", "about:"))]
        page.close()
    context.close()
    assert not faults
