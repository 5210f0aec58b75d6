r"""Formulas as MathML, which browsers show by themselves: no script runs, and nothing is fetched.

The pages are to be read without a network, and Sphinx's own way asks one for MathJax. ``latex2mathml`` writes MathML
when the pages are made, in Python alone. A command that it does not know is left in the text, with its backslash: that
is a warning, which `make docs` does not let pass. Brackets and roots grow only in a font made for mathematics, which
not every system has: the pages bring STIX Two Math, from the package ``ziamath``.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util import logging

NAME = "mathml"
logger = logging.getLogger(__name__)


def markup(latex: str, display: bool) -> str:
    """The MathML of a formula; on a line of its own if ``display``."""
    from latex2mathml.converter import convert

    lines = [part.strip() for part in re.split(r"\n\s*\n", latex) if part.strip()]
    text = r"\\".join(lines) if len(lines) > 1 else latex.strip()
    text = re.sub(r"(begin|end)\{aligned\}", r"\1{split}", text)  # the name that the converter knows
    if r"\\" in text and r"\begin" not in text:
        text = rf"\begin{{split}}{text}\end{{split}}"
    return str(convert(text, display="block" if display else "inline"))


def unknown(mathml: str) -> list[str]:
    """Commands that were not understood, and columns without a table: an environment that was not."""
    return re.findall(r"\\[A-Za-z]+|<mi>&(?:amp;)?</mi>", mathml)


def font() -> Path:
    """The font that the pages bring."""
    spec = importlib.util.find_spec("ziamath")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError('the font for formulas comes with ziamath: pip install "wengert[docs]"')
    return Path(spec.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"


def _written(node: Any, display: bool) -> str:
    mathml = markup(node.astext(), display)
    if left := unknown(mathml):
        logger.warning("%s: no MathML for %s", node.astext(), ", ".join(left), location=node)
    return mathml


def inline(self: Any, node: Any) -> None:
    """Write a formula within a line."""
    self.body.append(_written(node, False))
    raise nodes.SkipNode


def block(self: Any, node: Any) -> None:
    """Write a formula on a line of its own."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    self.body.append(_written(node, True) + "</div>\n")
    raise nodes.SkipNode


def set_up(app: Any) -> None:
    """Make this the way in which Sphinx writes formulas."""
    app.add_html_math_renderer(NAME, inline_renderers=(inline, None), block_renderers=(block, None))
