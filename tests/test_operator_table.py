"""PyTorch's own samples of its operators: wengert agrees on all of them but those that are excused with a reason."""

from __future__ import annotations

import re

import pytest

try:
    import expecttest  # noqa: F401  # what PyTorch's own test utilities import
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

pytestmark = [
    pytest.mark.parity,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.slow,
    pytest.mark.skipif(torch is None, reason="PyTorch or expecttest is not installed: make parity installs them"),
]


PARTS = 48  # the table is read in a test, not when tests are collected: that takes seconds


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.filterwarnings("ignore")
def test_operators(part: int) -> None:
    from .opinfo.excused import reason
    from .opinfo.run import run_op, table

    failures = [f for i in range(part, len(table()), PARTS) for f in run_op(i).failures]
    lines = [" | ".join(f.values()) for f in failures if reason(f) is None]
    assert not lines, "\n".join([f"{len(lines)} differences from PyTorch:", *lines[:40]])


def test_no_excuse_is_idle() -> None:
    from .opinfo.excused import EXCUSED
    from .opinfo.run import table

    names = {op.name + (f".{op.variant_test_name}" if op.variant_test_name else "") for op in table()}
    idle = [pattern for pattern, *_ in EXCUSED if not any(re.fullmatch(pattern, name) for name in names)]
    assert not idle, f"excuses that name no operator: {idle}"
