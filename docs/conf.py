"""How `make docs` turns this folder into web pages."""

from __future__ import annotations

project = "wengert"
author = "wengert developers"
copyright = "wengert developers"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
nb_execution_mode = "off"

html_theme = "furo"
html_title = "wengert"
