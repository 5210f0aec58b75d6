"""Rows of the op table: creation."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
