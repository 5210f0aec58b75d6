"""PyTorch's path to branches, loops and scans as functions."""

from __future__ import annotations

from .backends.paths import add_path as _add_path
from .func.control_flow import associative_scan as _associative_scan
from .func.control_flow import cond as cond
from .func.control_flow import scan as _scan
from .func.control_flow import while_loop as while_loop

__path__: list[str] = []  # a package, since it has something below it

associative_scan = _add_path(f"{__name__}.associative_scan", {"associative_scan": _associative_scan})
scan = _add_path(f"{__name__}.scan", {"scan": _scan})
