"""Rows of the op table: indexing."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
