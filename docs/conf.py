"""How `make docs` turns this folder into web pages."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.util import logging

HERE = Path(__file__).parent
OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./(?:README|CONTRIBUTING)\.md\)")  # links to pages that are not web pages
sys.path.insert(0, str(HERE.parent))

from docs import docstrings, formulas, offline, pictures, reference_pages, source_pages  # noqa: E402

project = "wengert"
author = "wengert developers"
copyright = "wengert developers"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # of outputs: `viz.explain` writes formulas

# Nothing is fetched: no inventories of other projects' pages, formulas are MathML, and the search runs in the reader's
# browser. `finished` looks whether it is so.
html_math_renderer = formulas.NAME
html_static_path = ["static", str(formulas.font())]
html_css_files = ["formulas.css", "docs.css"]
html_js_files = ["docs.js"]
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
autodoc_member_order = "bysource"
autodoc_mock_imports = [name for name in ("sklearn",) if importlib.util.find_spec(name) is None]
napoleon_use_rtype = False
napoleon_use_ivar = True
default_role = "py:obj"
suppress_warnings = ["ref.python"]  # two modules have an error of the same name; the first is linked

html_theme = "furo"
# The pages of the gallery, where `make docs` has written them.
html_extra_path = [str(p) for p in [HERE.parent / "build" / "extra"] if p.is_dir()]
html_title = "wengert"

# Sphinx reads one folder, and the notebooks have a folder of their own: a copy of them comes into this one.
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
shutil.copytree(
    HERE.parent / "notebooks", HERE / "notebooks", ignore=shutil.ignore_patterns("*.py", "__pycache__", ".*")
)


def setup(app: Any) -> None:
    """Links between the two folders are written for where the files lie; and the reference is filled in."""

    def prepared(app: Any, name: str, source: list[str]) -> None:
        inside = name.startswith("notebooks/")
        source[0] = source[0].replace(*("](../docs/", "](../") if inside else ("](../notebooks/", "](notebooks/"))
        source[0] = OUTSIDE.sub(r"\1", source[0])
        if name.startswith("reference/"):
            source[0] = reference_pages.expand(source[0])
        if name.startswith("engine/"):
            source[0] = source_pages.linked(source[0])
        if name == "curriculum":
            source[0] = source_pages.linked_tests(source[0])

    def tidied(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
        lines[:] = docstrings.tidy(lines)

    def finished(app: Any, error: Exception | None) -> None:
        if error is None and app.builder.format == "html":
            for page, address in offline.problems(Path(app.outdir)):
                logging.getLogger(__name__).warning("%s needs a network: %s", page, address)

    formulas.set_up(app)
    app.connect("source-read", prepared)
    app.connect("doctree-read", pictures.described)
    app.connect("html-collect-pages", source_pages.pages)
    app.connect("build-finished", finished)
    app.connect("autodoc-process-docstring", tidied, priority=400)  # before napoleon, whose sections have stars
    app.connect("missing-reference", docstrings.linked)
