"""Each program of ``tests/programs.py`` does with wengert what it does with torch: same values, same kind of error."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import wengert as wg

from . import programs_distributions as programs_distributions
from . import programs_nn as programs_nn
from . import programs_whole as programs_whole
from .programs import PROGRAMS

torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make parity` installs it")
pytestmark = pytest.mark.parity


def outcome(function: Any, T: Any) -> Any:
    """What the program returned, as nested lists of plain values, or the exception that it raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(function(T), T)
        except Exception as error:
            return error


def plain(value: Any, T: Any) -> Any:
    if isinstance(value, T.Tensor):
        dtype = str(value.dtype).rpartition(".")[2]
        return {"dtype": dtype, "shape": list(value.shape), "values": value.detach().double().tolist()}
    if isinstance(value, (list, tuple)):
        return [plain(v, T) for v in value]
    return value


def close(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True)
    return bool(a == b)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_program_does_the_same_as_with_torch(program: Any) -> None:
    ours, theirs = outcome(program, wg), outcome(program, torch)
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"torch raises {theirs!r}, wengert returned {ours}"
        assert isinstance(ours, builtin_type(theirs)), f"torch raises {theirs!r}, wengert {ours!r}"
    else:
        if isinstance(ours, Exception):
            raise ours
        assert close(ours, theirs), f"\nwengert {ours}\ntorch   {theirs}"


def builtin_type(error: Exception) -> type:
    """The first type of an exception's family that is Python's own."""
    return next(t for t in type(error).__mro__ if t.__module__ == "builtins")
