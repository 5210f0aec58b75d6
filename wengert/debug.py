"""Finding mistakes: NaN guards, strict mode, what graphs keep alive, writes behind autograd's back."""

from __future__ import annotations

from .autograd.debug import detect_anomaly as detect_anomaly
from .autograd.debug import freeze as freeze
from .autograd.debug import live_graphs as live_graphs
from .autograd.debug import nan_guard as nan_guard
from .autograd.debug import record_lines as record_lines
from .autograd.debug import saved as saved
from .autograd.debug import set_strict as set_strict
from .autograd.debug import strict as strict
from .autograd.debug import sync_counter as sync_counter

__all__ = [
    "detect_anomaly",
    "freeze",
    "live_graphs",
    "nan_guard",
    "record_lines",
    "saved",
    "set_strict",
    "strict",
    "sync_counter",
]
