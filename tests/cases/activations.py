"""Rows of the op table: activations."""

from __future__ import annotations

from .base import OpCase

CASES: list[OpCase] = []
