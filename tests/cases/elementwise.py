"""Rows of the op table: elementwise."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
