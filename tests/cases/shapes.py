"""Rows of the op table: shapes."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
