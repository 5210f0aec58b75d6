"""The command ``wengert``: train an example, draw a model's graph, print its table, and more; see `main`."""

from __future__ import annotations

from .line import main as main
