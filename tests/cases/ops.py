"""The op table: the rows of every family, in one list."""

from __future__ import annotations

import importlib

from .base import OpCase

FAMILIES = (
    "elementwise",
    "comparison",
    "special",
    "reductions",
    "statistics",
    "activations",
    "shapes",
    "indexing",
    "creation",
    "products",
    "convolution",
    "norms",
    "losses",
    "fft",
    "linalg",
    "aliases",
    "sparse",
    "recurrent",
)

CASES: list[OpCase] = []
for family in FAMILIES:
    CASES += importlib.import_module(f"{__package__}.{family}").CASES
