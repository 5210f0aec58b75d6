"""Rows of the op table: products."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
