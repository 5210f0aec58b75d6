"""Rows of the op table: comparison."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
