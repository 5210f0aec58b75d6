"""Forward mode: tensors that carry a tangent, which every operation passes on.

While a level is on, `apply` asks here whether an operand has a tangent at it. The tangent of a result follows, in this
order:

* for a linear operation from running it on the tangents;
* for a product from the product rule;
* for an elementwise function from its derivative, with the tangent in the place of the gradient;
* for everything else from differentiating its gradient: that is linear in the gradient that arrives, so its own
  gradient is the derivative along a direction.

References:
    R. E. Wengert, "A simple automatic derivative evaluation program", 1964.
    J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
"""

from __future__ import annotations

import threading
from typing import Any

from ..backends import kernels_of
from ..backends.errors import GraphError
from .base import TensorBase, wrap
from .grad_mode import enable_grad, followed, mode
from .primitive import Identity, apply, bind_forward
from .saved import use_savers
from .transforms import check_capture

__all__ = ["Level", "carry", "keep_tangents", "move_tangents", "running", "tangent_of"]


class _State(threading.local):
    def __init__(self) -> None:
        self.levels: list[Level] = []  # those that are on, the outermost first
        self.seen = 0  # how many of them operations look at now: a level's own arithmetic does not see it


state = _State()
followed.append(state)


class Level:
    """One level of forward mode, on from `begin` to `end`."""

    seen_before = 0  # how many levels operations looked at when it began

    def begin(self) -> None:
        """Let operations pass tangents of this level on."""
        with _count_lock:
            _count[0] += 1
            bind_forward(intercept)
        state.levels.append(self)
        self.seen_before, state.seen = state.seen, len(state.levels)
        # What is saved for backward is kept with its tangents: rules compute with them, when they run within the level.
        use_savers()
        mode.savers = (*mode.savers, KEEP)

    def end(self) -> None:
        """Stop; the tangents of this level are forgotten."""
        state.levels.remove(self)
        state.seen = min(self.seen_before, len(state.levels))
        i = max(i for i, pair in enumerate(mode.savers) if pair is KEEP)
        mode.savers = mode.savers[:i] + mode.savers[i + 1 :]
        with _count_lock:
            _count[0] -= 1
            if not _count[0]:
                bind_forward(None)


KEEP = (lambda tensor: tensor, lambda tensor: tensor)  # hooks on saved tensors
_count, _count_lock = [0], threading.Lock()  # levels that are on, in all threads


def running() -> bool:
    """Whether a level is on in this thread."""
    return state.seen > 0


def keep_tangents(new: Any, old: Any) -> Any:
    """``new`` with the tangents of ``old``, whose value it has."""
    found = old.__dict__.get("_tangents")
    if found:
        new.__dict__["_tangents"] = dict(found)
    return new


def tangent_of(tensor: Any, level: Level) -> Any:
    """The tangent that a tensor carries at a level, or None."""
    return tensor.__dict__.get("_tangents", {}).get(level)


def carry(tensor: Any, level: Level, tangent: Any) -> None:
    """Let a tensor carry a tangent."""
    tensor.__dict__.setdefault("_tangents", {})[level] = tangent


def intercept(prim: Any, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The result of an op some operand of which has a tangent, with its own; NotImplemented where none has."""
    seen = state.seen
    while seen:
        level = state.levels[seen - 1]
        dots = [tangent_of(v, level) if isinstance(v, TensorBase) else None for v in values]
        if any(d is not None for d in dots):
            break
        seen -= 1
    else:
        return NotImplemented
    if prim.formula is not None:  # plain operations, each of which passes its tangent on
        return prim.formula(*values, **params)
    before, state.seen = state.seen, seen - 1
    try:
        y = apply(prim, *values, **params)
        results = tangents(prim, values, params, dots, y)
    finally:
        state.seen = before
    many = isinstance(y, tuple)
    for output, dot in zip(y if many else (y,), results, strict=True):
        if dot is not None and output._data.dtype.kind in "fcV":
            carry(output, level, dot)
    return y


def tangents(prim: Any, values: tuple[Any, ...], params: dict[str, Any], dots: list[Any], y: Any) -> tuple[Any, ...]:
    """The tangents of an op's outputs, given those of its operands."""
    from .ops.elementwise import Binary, Unary

    outputs = y if isinstance(y, tuple) else (y,)
    name = prim.__name__
    if name in LINEAR:
        found = apply(prim, *[_direction(v, d) for v, d in zip(values, dots, strict=True)], **params)
    elif name in PRODUCTS:
        found = _product_rule(prim, values, params, dots)
    elif name in ("Linear", "Convolution"):
        found = _with_bias(prim, values, params, dots)
    elif name in ALONG_A_DIM:
        found = ALONG_A_DIM[name](dots[0], y, params["dim"])
    elif issubclass(prim, Unary) and _plain(values, outputs):
        saved = {"x": (values[0],), "y": (y,)}.get(prim.saves, ())
        found = prim.derivative(dots[0], *saved, **params)
    elif issubclass(prim, Binary) and _plain(values, outputs):
        found = _of_two(prim, values, dots)
    else:
        return _by_double_backward(prim, values, params, dots, len(outputs))
    if isinstance(found, tuple):
        return found
    return (_shaped(found, y),)


def _plain(values: tuple[Any, ...], outputs: tuple[Any, ...]) -> bool:
    """Whether derivatives can be taken as they are written: for real numbers of at least 32 bits."""
    arrays = [v._data for v in (*values, *outputs) if isinstance(v, TensorBase)]
    return all(a.dtype.kind != "c" and a.dtype.itemsize > 2 for a in arrays)


def _softmax(dot: Any, y: Any, dim: int) -> Any:
    t = dot * y
    return t - y * t.sum(dim, True)


def _log_softmax(dot: Any, y: Any, dim: int) -> Any:
    return dot - (dot * y.exp()).sum(dim, True)


ALONG_A_DIM = {"Softmax": _softmax, "LogSoftmax": _log_softmax}


def _direction(value: Any, dot: Any) -> Any:
    """What a linear op runs on: the tangent, zeros for an operand without one, and indices as they are."""
    if dot is not None:
        return dot
    if isinstance(value, int | float | complex):  # added to the operand
        return 0
    if not isinstance(value, TensorBase) or value._data.dtype.kind not in "fcV":
        return value
    return wrap(kernels_of[type(value._data)].zeros_like(value._data))


def _product_rule(prim: Any, values: tuple[Any, ...], params: dict[str, Any], dots: list[Any]) -> Any:
    total = None
    for i, dot in enumerate(dots):
        if dot is not None:
            term = apply(prim, *values[:i], dot, *values[i + 1 :], **params)
            total = term if total is None else total + term
    return total


def _with_bias(prim: Any, values: tuple[Any, ...], params: dict[str, Any], dots: list[Any]) -> Any:
    """A product of the first two operands, and a bias."""
    x, w, *bias = values
    total = _product_rule(prim, (x, w, *[None for _ in bias]), params, [*dots[:2], *[None for _ in bias]])
    if len(dots) > 2 and dots[2] is not None:
        db = dots[2]
        if prim.__name__ == "Convolution":
            db = db.reshape(-1, *[1] * (x._data.ndim - 2))
        total = db if total is None else total + db
    return total


def _of_two(prim: Any, values: tuple[Any, ...], dots: list[Any]) -> Any:
    total = None
    operands = [v if isinstance(v, TensorBase) else wrap(_like_number(v, values)) for v in values]
    for f, dot in zip(prim.derivatives, dots, strict=True):
        if f is not None and dot is not None:
            term = f(dot, *operands)
            total = term if total is None else total + term
    return total


def _like_number(number: Any, values: tuple[Any, ...]) -> Any:
    x = next(v._data for v in values if isinstance(v, TensorBase))
    return kernels_of[type(x)].full((), number, dtype=x.dtype)


def _shaped(dot: Any, y: Any) -> Any:
    """A tangent in the shape and type of its tensor: derivatives need not broadcast."""
    from .ops.cast import cast
    from .ops.expansion import expand_rule

    if dot is None:
        return None
    if dot._data.shape != y._data.shape:
        dot = expand_rule(dot, y._data.shape)
    return dot if dot._data.dtype == y._data.dtype else cast(dot, y._data.dtype)


def _by_double_backward(
    prim: Any, values: tuple[Any, ...], params: dict[str, Any], dots: list[Any], count: int
) -> tuple[Any, ...]:
    """The gradient is linear in the gradient that arrives: its own gradient is the derivative along a direction."""
    from .entries import gradients_of

    recorded = mode.grad and any(
        isinstance(v, TensorBase) and v._rg for v in (*values, *[d for d in dots if d is not None])
    )
    with enable_grad():
        operands = [v if d is None else apply(Identity, v) for v, d in zip(values, dots, strict=True)]
        for i, d in enumerate(dots):
            if d is not None and not operands[i]._rg:
                operands[i] = keep_tangents(wrap(operands[i]._data), operands[i])
                operands[i]._rg = True
        result = apply(prim, *operands, **params)
        outputs = list(result) if isinstance(result, tuple) else [result]
        moving = [o for o in outputs if o._rg]
        arriving = []
        for o in moving:
            v = wrap(kernels_of[type(o._data)].zeros_like(o._data))
            v._rg = True
            arriving.append(v)
        sources = [o for o, d in zip(operands, dots, strict=True) if d is not None]
        directions = [d for d in dots if d is not None]
        firsts = gradients_of(moving, arriving, sources, True, True) if moving else [None] * len(sources)
        pairs = [(g, d) for g, d in zip(firsts, directions, strict=True) if g is not None and g._rg]
    found: list[Any] = [None] * len(moving)
    if pairs:
        conforming = [_shaped(d, g) for g, d in pairs]
        found = gradients_of([g for g, _ in pairs], conforming, arriving, True, recorded)
    of = {id(o): g for o, g in zip(moving, found, strict=True)}
    dotted = []
    for o in outputs:
        g = of.get(id(o))
        if g is None and o._data.dtype.kind in "fcV":
            g = wrap(kernels_of[type(o._data)].zeros_like(o._data))
        dotted.append(g)
    return tuple(dotted)


def move_tangents(tensor: Any, result: Any) -> None:
    """After a write in place: ``tensor`` carries what ``result`` does; its base, where it is a view, too."""
    if not state.seen:
        return
    ours, theirs = (t.__dict__.get("_tangents", {}) for t in (tensor, result))
    for level in state.levels[: state.seen]:
        dot, old = theirs.get(level), ours.get(level)
        if dot is None and old is None:
            continue
        if dot is None:
            dot = wrap(kernels_of[type(tensor._data)].zeros_like(tensor._data))
        elif old is None and mode.transforms:
            check_capture(tensor, "a write in place")
        if tensor._view is None and (old is None or type(old._data) is not type(dot._data)):
            carry(tensor, level, dot)
            continue
        state.seen, before = 0, state.seen
        try:
            _place(tensor, level, old, dot)
        finally:
            state.seen = before


def _place(tensor: Any, level: Level, old: Any, dot: Any) -> None:
    """Write a tangent into the memory of the one that is there, which views share."""
    from .inplace import retake
    from .ops.conversion import copy_

    if old is None:
        base = tensor._view.base
        whole = tangent_of(base, level)
        if whole is None or type(whole._data) is not type(dot._data):
            # Tangents may be of a level of ``vmap`` that their tensors are not of: memory for each example.
            zeros = kernels_of[type(dot._data)].zeros(base._data.shape, base._data.dtype)
            whole = wrap(zeros) if whole is None else whole + wrap(zeros)
            carry(base, level, whole)
        if tensor._view.steps is None:
            raise GraphError("forward mode: a view made by a user's Function cannot be written in place")
        old = retake(whole, tensor._view.steps)
        carry(tensor, level, old)
    copy_(old, dot)


# Linear in all their floating operands.
_NAMES = """
AdaptiveAvgPool AdaptiveAvgPoolInput Add Alias AsStrided AvgPool AvgPoolInput Cast Cat Clone ColumnMajor Conj Cumsum
DiagEmbed Diagonal EmbeddingGrad Enter Expand FftC2C FftC2R FftR2C FlatAdd FlatGather Flip Fold Gather GatherAdjoint
Identity Imag Index IndexAdjoint IndexSelect IndexSelectAdjoint Leave Lift Mean OverlapAdd Permute Pick Place PoolGather
PoolScatter Real Repeat Restride Roll Select Slice Split Squeeze Stack Sub Sum SumChannels SumOfAll SumRows SumTo T
ToCopy Total Transpose Tril Triu Unbind Unfold Unsqueeze Unsqueezed View ViewAsComplex ViewAsReal
"""
LINEAR = frozenset(_NAMES.split())
PRODUCTS = frozenset(("Bmm", "Contract", "ConvolutionInput", "ConvolutionWeight", "Gram", "Mm", "Mul"))
