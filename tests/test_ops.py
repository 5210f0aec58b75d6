"""The op table on every backend: values, dtypes, gradients of first and second order."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd.tensor import Tensor

from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import (
    STEP,
    Inputs,
    Renamed,
    cast,
    differentiable,
    dot,
    flat,
    is_float,
    lookup,
    mapped,
    noise,
    public_functions,
    run,
    samples,
    values,
    vjp,
    wg_dtype,
    whole_numbers,
)

# Aliases that take other arguments.
OTHER_ARGUMENTS = {"Tensor.where", "Tensor.bernoulli_", "bernoulli_"}
ONLY_ON_THE_CPU = {"from_numpy", "from_dlpack", "frombuffer", "Tensor.map2_"}
# How far a result in a short type may be from the one in float64, relative to the largest value.
LOOSE = {"float32": 2e-5, "float16": 2e-2, "bfloat16": 1.5e-1}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_op(case: OpCase, backend: str) -> None:
    if backend == "strict" and not case.strict:
        pytest.skip("the row says that it does not run on the stand-in")
    if backend == "cuda" and case.name in ONLY_ON_THE_CPU:
        pytest.skip("it is of main memory")
    found = samples(case)
    assert found, "the row has no samples"
    with wg.device(backend), np.errstate(all="ignore"):
        for number, sample in enumerate(found):
            try:
                result = check_forward(case, sample, backend)
                if number == 0:
                    check_aliases(case, sample, backend, result)
                    check_out(case, sample, backend, result)
                for dtype in case.dtypes:
                    check_dtype(case, sample, backend, dtype)
                if case.integer:
                    check_integers(case, sample, backend)
                if case.orders:
                    check_gradients(case, sample, backend)
            except Exception as error:
                error.add_note(f"sample {number} of {case}: {mapped(sample, lambda a: f'{a.dtype}{list(a.shape)}')}")
                raise


def check_forward(case: OpCase, sample: Any, device: str) -> list[Any]:
    """Non-contiguous inputs give the reference's values, the same as contiguous ones, and are not changed."""
    inputs = Inputs(sample, device, contiguous=False)
    outputs = flat(run(case, inputs))
    if not case.name.endswith("_"):
        assert not inputs.changed(), f"inputs {inputs.changed()} were overwritten"
    for o in outputs:
        assert not isinstance(o, Tensor) or o.device.type == device
    plain = flat(run(case, Inputs(sample, device)))
    assert len(plain) == len(outputs)
    for a, b in zip(outputs, plain, strict=True):
        np.testing.assert_allclose(values(a), values(b), rtol=1e-9, atol=case.atol, err_msg="layout changes values")
    if case.reference is not None:
        expected = flat(case.reference(*mapped(sample, np.copy)))
        assert len(expected) == len(outputs)
        for o, e in zip(outputs, expected, strict=True):
            assert values(o).shape == np.shape(e)
            np.testing.assert_allclose(values(o), e, rtol=1e-7, atol=case.atol)
    return outputs


def check_aliases(case: OpCase, sample: Any, device: str, expected: list[Any]) -> None:
    """The other names that the row covers do the same: aliases, methods, and in-place forms on a copy."""
    for name in sorted({*case.also, *in_place_forms(case)} - OTHER_ARGUMENTS):
        found = lookup(name)
        function = functools.partial(on_a_copy, found, expected[0]) if name.endswith("_") else found
        wg.manual_seed(0)
        try:
            outputs = flat(case.fn(Renamed(wg, case.name, function), *Inputs(sample, device).args))
        except DoesNotFit:
            continue
        for o, e in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(values(o), values(e), rtol=1e-9, atol=case.atol, err_msg=name)


def check_out(case: OpCase, sample: Any, device: str, expected: list[Any]) -> None:
    """``out=``, where the function has it, gets the result, in the shape and type of the result."""
    function = lookup(case.name)
    if len(expected) != 1 or not isinstance(expected[0], Tensor) or "out" not in parameters(function):
        return
    for shape in ((0,), expected[0].shape):
        out = wg.empty(shape, dtype=expected[0].dtype, device=device)
        returned = []

        def given(*args: Any, out: Any = out, returned: list[Any] = returned, **kwargs: Any) -> Any:
            returned.append(function(*args, **kwargs))
            same = returned[-1].dtype == out.dtype and returned[-1].layout == out.layout
            return function(*args, **kwargs, out=out) if same else returned[-1]

        wg.manual_seed(0)
        result = case.fn(Renamed(wg, case.name, given), *Inputs(sample, device).args)
        if result is not out:
            assert not any(result is r for r in returned)
            return  # the row does something else with what the function returns
        np.testing.assert_allclose(values(out), values(returned[-1]), rtol=1e-9, atol=case.atol, err_msg="out=")
        assert out._version == 1


def parameters(function: Callable[..., Any]) -> Any:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # a property, or something built in
        return ()


class DoesNotFit(Exception):
    """The result does not fit into the memory of the first argument."""


def on_a_copy(function: Callable[..., Any], expected: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """An in-place function, on a copy of its first argument, which it must return."""
    if not (isinstance(x, Tensor) and isinstance(expected, Tensor) and same_kind(x, expected)):
        raise DoesNotFit
    copy = x.clone()
    result = function(copy, *args, **kwargs)
    assert result is copy
    return result


def same_kind(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.dtype == b.dtype)


def in_place_forms(case: OpCase) -> set[str]:
    """The in-place forms that exist of the names of a row."""
    found = set()
    for name in (case.name, *case.also):
        space, _, last = name.rpartition(".")
        if not last.endswith("_") and hasattr(lookup(space) if space else wg, last + "_"):
            found.add(name + "_")
    return found


def mapped_tensor(args: Any, old: Any, new: Any) -> Any:
    if args is old:
        return new
    return type(args)(mapped_tensor(a, old, new) for a in args) if isinstance(args, list | tuple) else args


def check_dtype(case: OpCase, sample: Any, device: str, dtype: str) -> None:
    """A short type gives itself where float64 gives float64, and nearly the values of float64."""
    inputs = Inputs(sample, device, dtype)
    outputs = flat(run(case, inputs))
    rounded = mapped(sample, lambda a: cast(a, dtype).astype(a.dtype))
    expected = flat(run(case, Inputs(rounded, device)))
    for o, e in zip(outputs, expected, strict=True):
        if not isinstance(o, Tensor):
            continue
        if e.dtype == wg.float64 and inputs.leaves and "dtype" not in case.note:
            assert o.dtype == wg_dtype(dtype), f"float64 gives float64, {dtype} gives {o.dtype}"
        assert o.shape == e.shape
        x, y = values(o), values(e)
        if not case.smooth:
            continue
        if is_float(y):
            scale = np.abs(y[np.isfinite(y)]).max(initial=1.0)
            x = x.astype(y.dtype)
            np.testing.assert_allclose(x, y, rtol=0, atol=LOOSE[dtype] * scale, err_msg=f"{dtype} against float64")
        elif dtype == "float32":
            np.testing.assert_array_equal(x, y)


def check_integers(case: OpCase, sample: Any, device: str) -> None:
    """Integers give the values that whole floating numbers give, division by zero included."""
    for dtype in ("int64", "int32", "uint8"):
        whole = mapped(sample, lambda a, d=dtype: whole_numbers(a, d))
        outputs = flat(run(case, Inputs(whole, device)))
        floats = mapped(sample, lambda a, d=dtype: whole_numbers(a, d).astype("f8") if a.dtype.kind == "f" else a)
        expected = flat(run(case, Inputs(floats, device)))
        for o, e in zip(outputs, expected, strict=True):
            x, y = values(o), values(e)
            assert x.shape == y.shape
            if x.dtype.kind == "f" or (dtype != "uint8" and np.isfinite(y).all()):  # uint8 wraps around
                np.testing.assert_allclose(x.astype(np.float64), y, rtol=1e-5, atol=1e-5)


def check_gradients(case: OpCase, sample: Any, device: str) -> None:
    """Gradients against finite differences, to the order that the row names, and the same from both readings."""
    rng = np.random.default_rng(1)
    inputs = Inputs(sample, device, contiguous=False, grad=True)
    leaves = inputs.leaves
    outputs = differentiable(run(case, inputs))
    assert outputs, "no output requires grad; the row's orders should be 0"
    vs = [wg.tensor(noise(rng, o), device=device) for o in outputs]
    grads = vjp(outputs, leaves, vs, create_graph=False)
    recorded = vjp(outputs, leaves, vs, create_graph=True)
    for leaf, g, r in zip(leaves, grads, recorded, strict=True):
        assert (g is None) == (r is None), "create_graph decides whether there is a gradient"
        if g is not None:
            assert g.shape == leaf.shape
            assert g.dtype == leaf.dtype
            assert g.device == leaf.device
            assert np.isfinite(values(g)).all()
            np.testing.assert_allclose(values(r), values(g), rtol=1e-9, atol=1e-10, err_msg="create_graph changes it")
    assert not inputs.changed(), "backward overwrote an input"
    directions = [noise(rng, leaf) for leaf in leaves]
    got = [np.zeros(leaf.shape) if g is None else values(g) for leaf, g in zip(leaves, grads, strict=True)]

    def along(step: float) -> list[np.ndarray]:
        inputs.move(step, directions)
        moved = [values(o) for o in differentiable(run(case, inputs))]
        inputs.move(-step, directions)
        return moved

    slope = slope_of(dot([values(v) for v in vs], along(STEP)), dot([values(v) for v in vs], along(-STEP)))
    assert_slope(dot(got, directions), slope, "first")
    if case.orders > 1:
        check_second(case, inputs, outputs, vs, recorded, directions, rng)


def check_second(
    case: OpCase, inputs: Inputs, outputs: list[Any], vs: list[Any], recorded: list[Any], directions: Any, rng: Any
) -> None:
    """The gradient of ``sum(w * gradient)`` with respect to the inputs and to what arrives at the outputs."""
    device = outputs[0].device.type
    for v in vs:
        v.requires_grad_()
    recorded = vjp(outputs, inputs.leaves, vs, create_graph=True)
    which = [i for i, r in enumerate(recorded) if r is not None and r.requires_grad]
    if not which:
        return
    ws = [noise(rng, recorded[i]) for i in which]
    wanted = [*inputs.leaves, *vs]
    second = vjp([recorded[i] for i in which], wanted, [wg.tensor(w, device=device) for w in ws], create_graph=False)
    got = [np.zeros(t.shape) if g is None else values(g) for t, g in zip(wanted, second, strict=True)]
    assert all(np.isfinite(g).all() for g in got)
    turns = [noise(rng, v) for v in vs]

    def along(step: float) -> float:
        inputs.move(step, directions)
        moved = [wg.tensor(values(v) + step * t, device=device) for v, t in zip(vs, turns, strict=True)]
        grads = vjp(differentiable(run(case, inputs)), inputs.leaves, moved, create_graph=False)
        inputs.move(-step, directions)
        chosen = zip(which, ws, strict=True)
        return dot(ws, [np.zeros(w.shape) if grads[i] is None else values(grads[i]) for i, w in chosen])

    assert_slope(dot(got, [*directions, *turns]), slope_of(along(STEP), along(-STEP)), "second")


def slope_of(above: float, below: float) -> float:
    return (above - below) / (2 * STEP)


def assert_slope(analytical: float, numerical: float, order: str) -> None:
    wrong = abs(analytical - numerical) > 1e-5 + 1e-4 * abs(numerical)
    assert not wrong, f"{order} derivative along a random direction: {analytical}, by finite differences {numerical}"


# Public functions that no row names, and why not.
EXCEPTIONS: dict[str, str] = {
    **dict.fromkeys(
        (
            "handle_torch_function",
            "has_torch_function",
            "has_torch_function_unary",
            "has_torch_function_variadic",
        ),
        "no op: see test_subclass",
    ),
    "resize_as_": "the values of new elements are undefined: see test_creation",
    "set_default_tensor_type": "a global setting: see test_creation",
}


def test_every_public_op_has_a_row() -> None:
    covered = {name for case in CASES for name in (case.name, *case.also, *in_place_forms(case))}
    covered |= {name.removeprefix("Tensor.").removeprefix("nn.functional.") for name in covered}
    public = {*public_functions(wg.autograd.ops), *public_functions(wg.nn.functional)}
    missing = sorted(public - covered - set(EXCEPTIONS))
    assert not missing, f"public ops without a row in tests/cases: {', '.join(missing)}"
    assert not covered & set(EXCEPTIONS), "an exception has a row after all"
