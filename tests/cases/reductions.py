"""Rows of the op table: reductions."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
