"""Rows of the op table: losses."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
