"""How `make docs` turns this folder into web pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

project = "wengert"
author = "wengert developers"
copyright = "wengert developers"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"

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
    """Links between the two folders are written for where the files lie; pages link to the copy."""

    def to_the_copy(app: Any, name: str, source: list[str]) -> None:
        inside = name.startswith("notebooks/")
        source[0] = source[0].replace(*("](../docs/", "](../") if inside else ("](../notebooks/", "](notebooks/"))

    app.connect("source-read", to_the_copy)
