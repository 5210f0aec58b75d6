"""More of what `test_array_api` tries: shapes, axes and values that Hypothesis draws from the namespace itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert.array_api as xp

strict = pytest.importorskip("array_api_strict")
hypothesis = pytest.importorskip("hypothesis")

from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra.array_api import make_strategies_namespace  # noqa: E402
from hypothesis.extra.numpy import mutually_broadcastable_shapes  # noqa: E402

from .test_array_api import (  # noqa: E402
    ALL,
    COMPLEX,
    FLOATING,
    INTEGERS,
    NUMBERS,
    NUMERIC,
    ONE,
    REAL,
    TWO,
    found,
    quietly,
    same,
)

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
xps = make_strategies_namespace(xp, api_version="2024.12")
given = hypothesis.given
SETTINGS = hypothesis.settings(max_examples=60, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
SHAPES = xps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def arrays(draw: Any, dtype: str, shape: Any, small: bool = False) -> Any:
    """An array of the namespace, as NumPy's; of moderate numbers if ``small``, so that sums agree in every order."""
    kind = getattr(xp, dtype)
    elements = xps.from_dtype(kind)
    if small and dtype in REAL:
        elements = xps.from_dtype(kind, min_value=-100.0, max_value=100.0)
    elif small and dtype in COMPLEX:
        elements = st.complex_numbers(max_magnitude=100, width=64)
    array = draw(xps.arrays(kind, shape, elements=elements))
    return array.numpy().copy()


def compare(name: str, *args: Any, **options: Any) -> None:
    what = f"{name}{args} {options}"
    same(found(xp, name, args, options), found(strict, name, args, options), what, digits=3)


def axes(draw: Any, ndim: int, several: bool = True) -> Any:
    one = st.integers(-ndim, ndim - 1) if ndim else st.none()
    if not several or not ndim:
        return draw(st.none() | one)
    many = st.lists(one, max_size=ndim, unique_by=lambda a: a % ndim).map(tuple)
    return draw(st.none() | one | many)


@pytest.mark.parametrize("name", ONE)
def test_functions_of_each_element(name: str):
    @SETTINGS
    @given(st.data())
    def run(data: Any) -> None:
        # Complex infinities and the last digits of tangents near poles are each library's own.
        dtype = data.draw(st.sampled_from(ONE[name]))
        x = arrays(data.draw, dtype, SHAPES, small=dtype in COMPLEX or name in ("sin", "cos", "tan"))
        compare(name, x)

    run()


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_elements(name: str):
    @SETTINGS
    @given(st.data())
    def run(data: Any) -> None:
        dtype = data.draw(st.sampled_from(TWO[name]))
        one, other = data.draw(xps.mutually_broadcastable_shapes(2, max_dims=3, max_side=4)).input_shapes
        a, b = (arrays(data.draw, dtype, s, small=name == "pow" or dtype in COMPLEX) for s in (one, other))
        if dtype in INTEGERS and name in ("floor_divide", "remainder"):
            b[b == 0] = 3
        if name.endswith("_shift"):
            b = np.asarray(b & (8 * b.itemsize - 1))
        if name == "pow":
            b = np.asarray(np.abs(b) % 3).astype(dtype)
        compare(name, a, b)

    run()


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "any", "all", "count_nonzero", "var", "std"])
def test_reductions(name: str):
    kinds = {"sum": NUMERIC, "prod": NUMERIC, "max": NUMBERS, "min": NUMBERS}.get(name, REAL)

    @SETTINGS
    @given(st.data())
    def run(data: Any) -> None:
        dtype = data.draw(st.sampled_from(ALL if name in ("any", "all", "count_nonzero") else kinds))
        side = 1 if name in ("max", "min", "mean", "var", "std") else 0
        x = arrays(data.draw, dtype, xps.array_shapes(min_dims=0, max_dims=4, min_side=side, max_side=4), small=True)
        if dtype in FLOATING:
            x[x == 0] = 0  # the sign of a zero that is left of many is not said
        if name == "prod":
            x = np.asarray(np.sign(x.real) * (1 + np.abs(x) % 2)).astype(dtype) if dtype in FLOATING else x
        compare(name, x, axis=axes(data.draw, x.ndim), keepdims=data.draw(st.booleans()))

    run()


@pytest.mark.parametrize("name", ["sort", "argsort", "argmax", "argmin", "cumulative_sum", "cumulative_prod", "diff"])
def test_along_an_axis(name: str):
    @SETTINGS
    @given(st.data())
    def run(data: Any) -> None:
        dtype = data.draw(st.sampled_from(NUMBERS))
        x = arrays(data.draw, dtype, xps.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5), small=True)
        if name == "cumulative_prod" and dtype in FLOATING:
            x = np.asarray(1 + np.abs(x) % 2).astype(dtype)
        options: dict[str, Any] = {"axis": data.draw(st.integers(-x.ndim, x.ndim - 1))}
        if "sort" in name:
            options["descending"] = data.draw(st.booleans())
        compare(name, x, **options)

    run()


@pytest.mark.parametrize(
    "name",
    ["flip", "roll", "reshape", "permute_dims", "squeeze", "expand_dims", "tile", "repeat", "tril", "broadcast_to"],
)
def test_arrangements(name: str):
    @SETTINGS
    @given(st.data())
    def run(data: Any) -> None:
        draw = data.draw
        x = arrays(draw, draw(st.sampled_from(ALL)), xps.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3))
        n = x.ndim
        if name == "flip":
            compare(name, x, axis=axes(draw, n))
        elif name == "roll":
            axis = axes(draw, n)
            shift = (
                draw(st.integers(-9, 9))
                if not isinstance(axis, tuple)
                else tuple(draw(st.integers(-5, 5)) for _ in axis)
            )
            compare(name, x, shift, axis=axis)
        elif name == "reshape":
            sizes = draw(st.permutations(x.shape))
            compare(name, x, tuple(sizes), copy=draw(st.sampled_from([None, True])))
        elif name == "permute_dims":
            compare(name, x, tuple(draw(st.permutations(range(n)))))
        elif name == "squeeze":
            compare(name, x, tuple(i for i, s in enumerate(x.shape) if s == 1))
        elif name == "expand_dims":
            compare(name, x, axis=draw(st.integers(-n - 1, n)))
        elif name == "tile":
            compare(name, x, tuple(draw(st.lists(st.integers(0, 3), max_size=4))))
        elif name == "repeat":
            compare(name, x, draw(st.integers(0, 3)), axis=axes(draw, n, several=False))
        elif name == "tril" and n > 1:
            compare(draw(st.sampled_from(["tril", "triu"])), x, k=draw(st.integers(-4, 4)))
        elif name == "broadcast_to":
            compare(name, x, (draw(st.integers(0, 3)), *[draw(st.integers(0, 3)) if s == 1 else s for s in x.shape]))

    run()


@SETTINGS
@given(st.data())
def test_indexing(data: Any):
    x = arrays(data.draw, data.draw(st.sampled_from(ALL)), xps.array_shapes(min_dims=1, max_dims=3, min_side=1))
    key = data.draw(xps.indices(x.shape))
    parts = key if isinstance(key, tuple) else (key,)
    hypothesis.assume(not any(isinstance(k, slice) and k.step is not None and k.step < 0 for k in parts))
    ours, theirs = xp.asarray(x), strict.asarray(x)
    same(ours[key], quietly(theirs.__getitem__, key), f"{x!r}[{key}]")
    ours, theirs = xp.asarray(x, copy=True), strict.asarray(x, copy=True)
    value = data.draw(xps.from_dtype(getattr(xp, str(x.dtype))))
    hypothesis.assume(not isinstance(value, int) or value < 2**63)
    ours[key] = value
    theirs[key] = value
    same(ours, theirs, f"{x!r}[{key}] = {value}")


@SETTINGS
@given(st.data())
def test_masks_and_sets(data: Any):
    dtype = data.draw(st.sampled_from(ALL))
    x = arrays(data.draw, dtype, SHAPES, small=dtype in COMPLEX)
    mask = arrays(data.draw, "bool", x.shape)
    same(xp.asarray(x)[xp.asarray(mask)], strict.asarray(x)[strict.asarray(mask)], f"{x!r}[{mask}]")
    if np.isnan(x).any() if dtype in FLOATING else False:
        return
    for name in ("unique_values", "unique_counts", "unique_inverse", "unique_all"):
        if not (x == 0).any():  # which of 0.0 and -0.0 stands for both is each library's own
            compare(name, x)


@SETTINGS
@given(st.data())
def test_products(data: Any):
    dtype = data.draw(st.sampled_from(NUMERIC))
    one, other = data.draw(mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", max_dims=3)).input_shapes
    a, b = (arrays(data.draw, dtype, s, small=True) for s in (one, other))
    if dtype in FLOATING:
        a, b = np.round(a).astype(dtype), np.round(b).astype(dtype)
    compare("matmul", a, b)
    if a.shape == b.shape:
        compare("vecdot", a, b)
