"""The README's pictures of a graph's page: `python -m docs.page_picture` takes them with a Chromium and Playwright."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import wengert as wg
from wengert import viz
from wengert.autograd.graph import Graph

FOLDER = Path(__file__).parent / "images"
PICTURES = {"light": FOLDER / "page.png", "dark": FOLDER / "page-dark.png"}
STEPS = 4  # forward twice, then backward: the second step of it shows a product


def page() -> str:
    """The page of ``f = (x + y) z`` at (-2, 5, -4)."""
    x, y, z = (wg.tensor(value, requires_grad=True) for value in (-2.0, 5.0, -4.0))
    with viz.record():
        f = (x + y) * z
    return Graph({"f": f}, {"x": x, "y": y, "z": z}).to_html()


def main() -> None:
    """Open the page, play it to a step of the backward pass, and keep what is seen."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as browsers:
        file = Path(folder) / "page.html"
        file.write_text(page(), encoding="utf-8")
        path = shutil.which("chromium")
        browser = browsers.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for scheme, picture in PICTURES.items():
            window = browser.new_page(viewport={"width": 1100, "height": 620}, color_scheme=scheme)
            window.goto(file.as_uri())
            window.wait_for_timeout(500)
            window.keyboard.press("Home")
            for _ in range(STEPS):
                window.keyboard.press("ArrowRight")
                window.wait_for_timeout(400)
            window.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
