"""The tables of the stand-in against CuPy itself, which can be imported and looked at without a GPU."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from . import strict_tables as tables
from .strict import StrictArray


@pytest.fixture(scope="module")
def cupy() -> Any:
    return pytest.importorskip(
        "cupy", minversion="14.2", reason="CuPy 14.2 is not installed to compare the tables with"
    )


def public(module: Any) -> Iterator[str]:
    return (
        name for name in dir(module) if not name.startswith("_") and not isinstance(getattr(module, name), ModuleType)
    )


def parameters(function: Any) -> Any:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("", tables.MISSING),
        ("linalg", tables.MISSING_LINALG),
        ("fft", frozenset()),
        ("ndarray", tables.MISSING_METHODS),
    ],
)
def test_missing_names_are_those_that_cupy_lacks(cupy: Any, path: str, missing: frozenset[str]):
    ours, theirs = (getattr(module, path) if path else module for module in (np, cupy))
    lacking = {name for name in public(ours) if not hasattr(theirs, name)} - {"test"}
    assert lacking <= missing | {"emath"}
    assert not {name for name in missing if hasattr(theirs, name)}


def test_forbidden_keywords_are_those_that_cupy_lacks(cupy: Any):
    files = {"array2string", "array_str", "load", "show_config"}  # work on the host
    pairs = [(np, cupy), (np.linalg, cupy.linalg), (np.fft, cupy.fft)]
    for ours, theirs in pairs:
        for name in sorted(set(public(ours)) & set(dir(theirs)) - files):
            function = getattr(ours, name)
            if not callable(function) or isinstance(function, type | np.ufunc):
                continue
            known = parameters(getattr(theirs, name))
            if not known or any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
                continue
            named = {key for key, parameter in parameters(function).items() if parameter.kind.name.endswith("KEYWORD")}
            named -= {key for key, parameter in parameters(function).items() if parameter.kind.name.startswith("VAR")}
            assert named - set(known) - {"object", "ndmax"} <= tables.FORBIDDEN.get(name, frozenset()), name
            assert not tables.FORBIDDEN.get(name, frozenset()) & set(known), name


def test_ufuncs_without_bfloat16_are_those_of_cupy(cupy: Any):
    ufuncs = {name for name in public(np) if isinstance(getattr(np, name), np.ufunc) and hasattr(cupy, name)} - {
        "matmul"
    }
    without = {name for name in ufuncs if not any("E" in types for types in getattr(cupy, name).types)}
    assert without == tables.NO_BFLOAT16 & ufuncs


def test_operators_are_those_of_cupy(cupy: Any):
    ours = {name for name in dir(StrictArray) if name.startswith("__")}
    lacking = {name for name in dir(np.ndarray) if name.startswith("__") and not hasattr(cupy.ndarray, name)}
    refusing = {"__contains__", "__imatmul__"}  # there in order to say why not
    assert ours & lacking == refusing
