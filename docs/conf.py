"""How `make docs` turns this folder into web pages."""

from __future__ import annotations

from pathlib import Path

project = "wengert"
author = "wengert developers"
copyright = "wengert developers"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
nb_execution_mode = "off"

html_theme = "furo"
# The pages of the gallery, where `make docs` has written them.
html_extra_path = [str(p) for p in [Path(__file__).parents[1] / "build" / "extra"] if p.is_dir()]
html_title = "wengert"
