"""Rows of the op table: norms."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
