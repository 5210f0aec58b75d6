"""Rows of the op table: convolution."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
