"""The op table against PyTorch: values, dtypes, shapes, and gradients of first and second order."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.errors import InplaceError

from .backends import to_backend
from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import (
    Inputs,
    cast,
    differentiable,
    flat,
    is_float,
    mapped,
    noise,
    run,
    samples,
    values,
    vjp,
    whole_numbers,
)
from .view_programs import Program

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

pytestmark = [
    pytest.mark.parity,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it"),
]

TOLERANCE = {"float64": 1e-9, "float32": 3e-5, "float16": 2e-2, "bfloat16": 1.5e-1}


def to_torch(array: np.ndarray) -> Any:
    """A torch tensor with the values and the type of a NumPy array, bfloat16 included."""
    if array.dtype.name == "bfloat16":
        return torch.tensor(array.astype(np.float32)).bfloat16()
    return torch.tensor(array)


def of_torch(tensor: Any) -> np.ndarray:
    """The values of a torch tensor, bfloat16 as float32."""
    if not isinstance(tensor, torch.Tensor):
        return np.asarray(tensor)
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy(force=True)


def same_type(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, torch.Tensor):
        assert str(ours.dtype).removeprefix("wengert.") == str(theirs.dtype).removeprefix("torch.")
        assert tuple(ours.shape) == tuple(theirs.shape)
    else:
        assert type(ours).__name__ in (type(theirs).__name__, "Size")


def compare(ours: list[Any], theirs: list[Any], tolerance: float, exact: bool = True) -> None:
    """The same number of results, of the same types, shapes and (nearly) values."""
    assert len(ours) == len(theirs)
    for o, t in zip(ours, theirs, strict=True):
        same_type(o, t)
        y = of_torch(t)
        if y.dtype.kind in "fc":
            x = values(o)
            scale = np.abs(y[np.isfinite(y)]).max(initial=1.0)
            np.testing.assert_allclose(x.astype(y.dtype), y, rtol=0, atol=tolerance * scale)
        elif exact:
            np.testing.assert_array_equal(values(o), y)


class Theirs:
    """A sample's arguments as torch tensors, and what the op makes of them."""

    def __init__(self, case: OpCase, sample: Any, dtype: str | None, grad: bool = False) -> None:
        self.leaves: list[Any] = []

        def make(array: np.ndarray) -> Any:
            array = cast(array, dtype)
            tensor = to_torch(array)
            if is_float(array):
                tensor.requires_grad_(grad)
                self.leaves.append(tensor)
            return tensor

        self.args = mapped(sample, make)
        with asking_torch():
            self.outputs = flat_torch(case.fn(torch, *self.args))


def flat_torch(result: Any) -> list[Any]:
    if isinstance(result, torch.Size) or not isinstance(result, list | tuple | dict):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [leaf for part in parts for leaf in flat_torch(part)]


class Unsupported(Exception):
    """PyTorch cannot do this: it has no kernel for the type, no rule for the gradient, or refuses the arguments."""


@contextlib.contextmanager
def asking_torch() -> Iterator[None]:
    """What PyTorch refuses is not asked of us; what it warns of is its own business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (RuntimeError, NotImplementedError, IndexError, TypeError) as error:
            raise Unsupported(str(error)) from error


@pytest.mark.parametrize("case", [c for c in CASES if c.parity], ids=str)
def test_like_torch(case: OpCase) -> None:
    found = samples(case)
    refused: list[str] = []
    for number, sample in enumerate(found):
        try:
            with np.errstate(all="ignore"):
                check_sample(case, sample, refused)
        except Exception as error:
            error.add_note(f"sample {number} of {case}: {mapped(sample, lambda a: f'{a.dtype}{list(a.shape)}')}")
            raise
    assert len(refused) < len(found), f"PyTorch refuses every sample, so parity should be False: {refused}"


def check_sample(case: OpCase, sample: Any, refused: list[str]) -> None:
    try:
        check_values(case, sample, "float64")
    except Unsupported as error:
        refused.append(str(error))
        return
    checks = [functools.partial(check_values, case, sample, dtype) for dtype in case.dtypes]
    if case.integer:
        checks += [
            functools.partial(check_integers, case, sample, dtype) for dtype in ("int64", "int32", "uint8", "bool")
        ]
    if case.orders:
        dtypes = ["float64", *{"float32"}.intersection(case.dtypes)]
        checks += [functools.partial(check_gradients, case, sample, dtype) for dtype in dtypes]
    for check in checks:
        with contextlib.suppress(Unsupported):
            check()


def check_values(case: OpCase, sample: Any, dtype: str) -> None:
    theirs = Theirs(case, sample, dtype)
    ours = flat(run(case, Inputs(sample, "cpu", dtype)))
    short = dtype in ("float16", "bfloat16")
    compare(ours, theirs.outputs, TOLERANCE[dtype] if case.smooth or not short else np.inf, exact=not short)


def check_integers(case: OpCase, sample: Any, dtype: str) -> None:
    whole = mapped(sample, lambda a: whole_numbers(a, dtype))
    theirs = Theirs(case, whole, None)
    ours = flat(run(case, Inputs(whole, "cpu")))
    for o, t in zip(ours, theirs.outputs, strict=True):
        same_type(o, t)
        y = of_torch(t)
        if y.dtype.kind in "fc":
            np.testing.assert_allclose(values(o).astype(y.dtype), y, rtol=1e-4, atol=1e-4)
        else:
            np.testing.assert_array_equal(values(o), y)


def check_gradients(case: OpCase, sample: Any, dtype: str) -> None:
    rng = np.random.default_rng(1)
    ours = Inputs(sample, "cpu", dtype, grad=True)
    theirs = Theirs(case, sample, dtype, grad=True)
    outs = differentiable(run(case, ours))
    their_outs = [o for o in theirs.outputs if isinstance(o, torch.Tensor) and o.requires_grad]
    assert len(outs) == len(their_outs)
    vs = [noise(rng, o) for o in outs]
    ours_v = [tensor(v) for v in vs]
    theirs_v = [to_torch(v).requires_grad_() for v in vs]
    for v in ours_v:
        v.requires_grad_()
    second = case.orders > 1
    grads = vjp(outs, ours.leaves, ours_v, create_graph=second)
    their_grads = torch_vjp(their_outs, theirs.leaves, theirs_v, second)
    compare_gradients(grads, their_grads, dtype)
    if not second:
        return
    ws = [None if g is None else noise(rng, g) for g in grads]
    pairs = [(g, tensor(w)) for g, w in zip(grads, ws, strict=True) if g is not None and g.requires_grad]
    both = [(g, w) for g, w in zip(their_grads, ws, strict=True) if g is not None and w is not None]
    their_pairs = [(g, to_torch(w)) for g, w in both if g.requires_grad]
    if not pairs or not their_pairs:
        return
    again = vjp([g for g, _ in pairs], [*ours.leaves, *ours_v], [w for _, w in pairs], create_graph=False)
    their_again = torch_vjp(
        [g for g, _ in their_pairs], [*theirs.leaves, *theirs_v], [w for _, w in their_pairs], False
    )
    compare_gradients(again, their_again, dtype)


def tensor(array: np.ndarray) -> Any:
    return wg.autograd.base.wrap(to_backend(array.copy(), "cpu"))


def torch_vjp(outputs: list[Any], inputs: list[Any], vs: list[Any], create_graph: bool) -> list[Any]:
    with asking_torch():
        return list(
            torch.autograd.grad(outputs, inputs, vs, create_graph=create_graph, retain_graph=True, allow_unused=True)
        )


def compare_gradients(ours: list[Any], theirs: list[Any], dtype: str) -> None:
    """Nearly the same; a gradient of zero and none at all are the same."""
    for o, t in zip(ours, theirs, strict=True):
        x = np.zeros(()) if o is None else values(o)
        y = np.zeros(()) if t is None else of_torch(t)
        if o is not None and t is not None:
            same_type(o, t)
        scale = max(np.abs(y).max(initial=1.0), 1.0)
        np.testing.assert_allclose(
            x, np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)), rtol=0, atol=10 * TOLERANCE[dtype] * scale
        )


@pytest.mark.parametrize("block", range(5))
def test_random_programs_of_views_and_writes(block: int) -> None:
    """What PyTorch computes through views and in-place writes, we compute; where it raises, we may."""
    compared = 0
    for seed in range(block * 40, block * 40 + 40):
        program = Program(seed, unrecorded=True)
        (theirs, their_leaves), (ours, our_leaves) = program.start(torch), program.start(wg)
        try:
            with asking_torch():
                for number in range(len(program.steps)):
                    program.step(torch, theirs, their_leaves, number)
                expected = gradients(torch, program.loss(torch, theirs), their_leaves)
        except Unsupported:
            continue
        try:
            for number in range(len(program.steps)):
                program.step(wg, ours, our_leaves, number)
        except InplaceError as error:
            if "single memory location" not in str(error):
                raise
            continue  # PyTorch lets one write a constant to an expanded tensor
        for a, b in zip(ours, theirs, strict=True):
            assert a.requires_grad == b.requires_grad, seed
        compare(ours, theirs, 1e-9)
        compare_gradients(gradients(wg, program.loss(wg, ours), our_leaves), expected, "float64")
        compared += 1
    assert compared > 20


def gradients(T: Any, loss: Any, leaves: list[Any]) -> list[Any]:
    """The first gradients and those of their squares."""
    if not loss.requires_grad:
        return []
    first = T.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
    again = sum((g * g).sum() for g in first if g is not None and g.requires_grad)
    second = T.autograd.grad(again, leaves, allow_unused=True) if not isinstance(again, int) else ()
    return [*first, *second]
