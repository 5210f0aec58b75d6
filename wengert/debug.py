"""Finding mistakes: `nan_guard`, `live_graphs`, `saved`, `freeze`, `sync_counter`, `record_lines`, `detect_anomaly`."""

from __future__ import annotations

from .autograd.debug import detect_anomaly as detect_anomaly
from .autograd.debug import freeze as freeze
from .autograd.debug import live_graphs as live_graphs
from .autograd.debug import nan_guard as nan_guard
from .autograd.debug import record_lines as record_lines
from .autograd.debug import saved as saved
from .autograd.debug import sync_counter as sync_counter

__all__ = ["detect_anomaly", "freeze", "live_graphs", "nan_guard", "record_lines", "saved", "sync_counter"]
