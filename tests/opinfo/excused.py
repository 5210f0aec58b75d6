"""Differences from PyTorch that are meant, each with its reason."""

from __future__ import annotations

import re

# (op, form, type, kind, reason): regular expressions that must match as a whole.
EXCUSED: tuple[tuple[str, str, str, str, str], ...] = ()


def reason(failure: dict[str, str]) -> str | None:
    """Why a difference is excused, or None."""
    place = [failure[key] for key in ("op", "form", "dtype", "kind")]
    for *patterns, why in EXCUSED:
        if all(re.fullmatch(pattern, value) for pattern, value in zip(patterns, place, strict=True)):
            return why
    return None
