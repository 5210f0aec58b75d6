"""What this library computes with, as text."""

from __future__ import annotations

import contextlib
import io

from .backends.config import show_config as _show_config
from .backends.cpu.threads import get_num_threads as _get_num_threads


def show() -> str:
    """What `wengert.show_config` prints."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        _show_config()
    return text.getvalue()


def parallel_info() -> str:
    """How many threads ops use."""
    return f"threads of BLAS and of compiled loops: {_get_num_threads()}"
