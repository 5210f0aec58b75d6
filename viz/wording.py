"""Small parts of sentences and formulas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..autograd.graph_formats import times
from .values import measure

__all__ = [
    "bracketed",
    "described",
    "factor",
    "filled",
    "is_number",
    "joined",
    "minus",
    "number_of",
    "tex_bracketed",
    "tex_name",
]


def filled(text: str, names: Mapping[str, str], tex: bool = False) -> str:
    """A formula with its letters replaced; words and LaTeX's commands stay as they are."""
    pieces = re.split(r"(\\(?:text|operatorname|mathtt)\{[^}]*\}|\\[A-Za-z]+)", text) if tex else [text]

    def put(match: re.Match[str]) -> str:
        name = names.get(match[1], match[1])
        scripted = text_after(match) in ("_", "^") or (match.start() <= 1 and before.endswith(("bar", "hat")))
        return f"{{{name}}}" if tex and len(name) > 1 and scripted and not name.startswith("\\left") else name

    pattern, before, done = r"(?<![^\W\d_])([A-Za-z])(?![A-Za-z])", "", []
    for i, piece in enumerate(pieces):
        done.append(piece if i % 2 else re.sub(pattern, put, piece))
        before = piece
    return "".join(done)


def text_after(match: re.Match[str]) -> str:
    """The character behind a match."""
    return match.string[match.end() : match.end() + 1]


def tex_name(name: str) -> str:
    """A name as LaTeX has it: upright if it is a word."""
    if re.fullmatch("u[0-9]+", name):
        return f"u_{{{name[1:]}}}"
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"


def described(g: Any) -> str:
    """A gradient in a few words."""
    if g is None:
        return "nothing"
    v = measure(g)
    if not v.shape and v.numbers is not None:
        return minus(str(v))
    if v.numbers is not None and len(v.shape) == 1 and v.shape[0] <= 8:
        return "(" + ", ".join(minus(x if isinstance(x, str) else f"{x:.4g}") for x in v.numbers) + ")"
    return f"of shape {times(v.shape)}, " + minus(str(v))


def number_of(g: Any) -> float | None:
    """A gradient that is one number."""
    v = None if g is None else measure(g)
    return v.numbers if v is not None and v.shape == () and isinstance(v.numbers, float) else None


def joined(names: list[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    return bool(re.fullmatch(r"\(?[−-]?[\d.]+(e[−+-]?\d+)?\)?", text))


def minus(text: str) -> str:
    """With minus signs as they are printed."""
    return text.replace("-", "−")


def bracketed(number: str) -> str:
    """A number as a factor."""
    return f"({number})" if number.startswith("−") else number


def factor(text: str) -> str:
    """A formula as a factor."""
    return f"({text})" if re.search(r"\s[+−]|^−|where", text) else text


def tex_bracketed(number: float) -> str:
    """A number as a factor, in LaTeX."""
    return f"({number:g})" if number < 0 else f"{number:g}"
