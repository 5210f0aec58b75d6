"""What `tests/test_cuda_kernels.py` calls kernels with: odd sizes, one row and none, NaN, infinities, all layouts."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.backends import definitions
from wengert.backends.definitions.conv import out_size

CLOSE = {"float32": 2e-5, "float64": 1e-12, "float16": 2e-3, "bfloat16": 1.6e-2}  # a unit in the last place or two


def rounded(value: Any, dtype: Any) -> Any:
    """NumPy arrays of float64 in another type; the rest as it is."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype == np.float64 else value
    return type(value)(rounded(v, dtype) for v in value) if isinstance(value, list | tuple) else value


def compare(found: Any, expected: Any, dtype: str, call: str) -> None:
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e, dtype, call)
        return
    if expected is None:
        assert found is None
        return
    expected = np.asarray(expected)
    assert found.shape == expected.shape, call
    if expected.dtype.kind not in "fV":
        np.testing.assert_array_equal(found, expected, err_msg=call)
        return
    x, y = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    scale = max(1.0, float(np.abs(y[np.isfinite(y)]).max(initial=0)))
    np.testing.assert_allclose(x, y, rtol=CLOSE[dtype], atol=CLOSE[dtype] * scale, err_msg=call)


class Draw:
    """Numbers of a fixed seed, as float64."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> np.ndarray:
        return self.rng.normal(size=shape)

    def positive(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(0.2, 2, shape)

    def integers(self, high: int, *shape: int) -> np.ndarray:
        return self.rng.integers(0, high, shape)

    def last(self, *shape: int) -> np.ndarray:
        """Images with their channels last in memory."""
        n, c, *size = shape
        return np.moveaxis(self(n, *size, c), -1, 1)


@dataclass
class Call:
    """A kernel, and what it is called with."""

    name: str
    arguments: Callable[[Draw], Any]
    in_place: bool = False
    seen: Callable[[Any], Any] = lambda result: result  # what of the result is compared
    launches: Callable[[Any], bool] = lambda arguments: True
    note: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name + (f"[{self.note}]" if self.note else "")

    def kernel(self, kernels: Any) -> Callable[..., Any]:
        return functools.partial(getattr(kernels, self.name), **self.options)

    def expected(self, *arguments: Any) -> Any:
        for module in definitions.MODULES:
            if self.name in module.__all__:
                return getattr(module, self.name)(np, *arguments, **self.options)
        return getattr(np, self.name)(*arguments, **self.options)


def floats(arguments: Any) -> bool:
    return bool(arguments[0].size)


def short(arguments: Any) -> bool:
    """For kernels that only 16-bit types have."""
    return bool(arguments[0].dtype.itemsize == 2 and arguments[0].size and arguments[0].ndim)


def odd(d: Draw) -> np.ndarray:
    """Rows with what is not finite in them."""
    x = d(5, 33)
    x[0, 3], x[1, 7], x[2, 9], x[3] = np.nan, np.inf, -np.inf, -np.inf
    return x


ROWS = ((0, 5), (1, 1), (3, 1), (5, 33), (2, 300), (9, 64), (2, 3, 37))
LONG = ((2, 5001), (1, 4096))


def softmax_cases(d: Draw, inputs: int) -> Iterator[Any]:
    for shape in (*ROWS, *LONG):
        yield (*[d(*shape) for _ in range(inputs)], -1)
    for shape, axis in (((2, 7, 3), 1), ((4, 5), 0), ((2, 3, 4, 5), 1), ((3, 1, 2), 0)):
        yield (*[d(*shape) for _ in range(inputs)], axis)
    yield (*[d(4, 6).T for _ in range(inputs)], 1)
    yield (*[odd(d) for _ in range(inputs)], 1)


def cross_entropy_cases(d: Draw, tail: bool) -> Iterator[Any]:
    shapes: tuple[Any, ...] = ((1, 1), (5, 7), (3, 300), (4, 3, 2, 5), (2, 3, 4))
    for shape in shapes:
        for weighted in (False, True):
            for ignore, smoothing in ((-100, 0.0), (1, 0.0), (-100, 0.1), (0, 0.3)):
                x, places = d(*shape), (shape[0], *shape[2:])
                target = d.integers(shape[1], *places)
                weight = d.positive(shape[1]) if weighted else None
                if not tail:
                    yield x, target, weight, ignore, smoothing
                else:
                    yield x, target, weight, ignore, smoothing, d(*places)
    x = d.last(2, 3, 4, 5)
    given = (x, d.integers(3, 2, 4, 5), d.positive(3), 1, 0.1)
    yield (*given, d(2, 4, 5)) if tail else given


def norm_layouts(d: Draw) -> Iterator[tuple[Any, Any, Any, Any]]:
    """x, the axes, and the shape of the affine part."""
    for rows, columns in ((1, 1), (5, 33), (2, 300), (3, 4099)):
        yield d(rows, columns), (1,), (1, columns)
    yield d(3, 2, 5, 7), (2, 3), (1, 2, 5, 1)
    yield d(130, 3, 1, 4), (2, 3), (1, 3, 1, 1)
    yield d(300, 5), (0,), (1, 5)
    yield d(33, 70), (0,), (1, 70)
    yield d(4, 3, 35), (0, 2), (1, 3, 1)
    yield d(2, 5, 600), (0, 2), (1, 5, 1)
    yield d.last(3, 5, 14), (0, 2), (1, 5, 1)
    yield np.moveaxis(d(2, 3, 4, 6), -1, 1), (0, 2, 3), (1, 6, 1, 1)


def norm_cases(d: Draw) -> Iterator[Any]:
    for x, axes, affine in norm_layouts(d):
        yield x * 2 + 3, None, None, axes, 1e-5
        yield x, d(*affine), d(*affine), axes, 1e-3
        if axes == tuple(range(x.ndim - len(axes), x.ndim)):
            yield x, d(*affine), None, axes, 1e-5, False
    yield odd(d), None, None, (1,), 1e-5


def norm_backward_cases(d: Draw) -> Iterator[Any]:
    for x, axes, affine in norm_layouts(d):
        for scaled in (True, False):
            mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
            w = d.positive(*affine) if scaled else None
            yield d(*x.shape), x, w, mean, var, axes, 1e-3, (True, scaled, scaled)
        if axes == tuple(range(x.ndim - len(axes), x.ndim)):
            square = (x * x).mean(axes, keepdims=True)
            yield d(*x.shape), x, d.positive(*affine), None, square, axes, 1e-3, (True, True, False)


def summed_affine(result: Any) -> Any:
    """The gradients of `normalise_backward`, those of scale and shift summed over all but the channels they have."""
    gx, gw, gb = result
    return gx, *(None if g is None else np.asarray(g, np.float64).sum() for g in (gw, gb))


GEOMETRY = (
    # size, kernel, stride, padding, dilation
    ((7,), (3,), (2,), ((1, 1),), (1,)),
    ((6, 5), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((7, 8), (3, 3), (2, 1), ((1, 1), (1, 1)), (1, 2)),
    ((5, 6), (3, 2), (1, 2), ((0, 1), (1, 0)), (2, 1)),
    ((4, 5, 6), (2, 3, 2), (2, 1, 2), ((1, 0), (1, 1), (0, 0)), (1, 1, 2)),
    ((20, 20), (17, 17), (1, 1), ((8, 8), (8, 8)), (1, 1)),
)


def images(d: Draw, c: int, size: tuple[int, ...]) -> list[np.ndarray]:
    return [d(2, c, *size), d.last(2, c, *size)] if len(size) > 1 else [d(2, c, *size)]


def windows(d: Draw) -> Iterator[Any]:
    for size, kernel, stride, padding, dilation in GEOMETRY:
        out = out_size(size, kernel, stride, padding, dilation)
        for x in images(d, 3, size):
            yield x, size, kernel, out, stride, padding, dilation


def max_pool_cases(d: Draw) -> Iterator[Any]:
    for x, _, *rest in windows(d):
        yield (x, *rest)
        y = x.copy(order="K")
        y[0, 0].flat[::5], y[1, 1].flat[::3], y[1, 2] = np.nan, -np.inf, -np.inf
        yield (y, *rest)


def code_cases(d: Draw, scatter: bool) -> Iterator[Any]:
    from wengert.backends.definitions.pool import max_pool

    for x, size, *rest in windows(d):
        y, code = max_pool(np, x, *rest)
        code = code if x.flags.c_contiguous else np.moveaxis(np.ascontiguousarray(np.moveaxis(code, 1, -1)), -1, 1)
        yield (d(*y.shape), code, size, *rest) if scatter else (x, code, *rest)


def depthwise_cases(d: Draw, kind: str) -> Iterator[Any]:
    for size, kernel, stride, padding, dilation in GEOMETRY[:5]:
        out = out_size(size, kernel, stride, padding, dilation)
        for many in (1, 2):
            for x, g in zip(images(d, 3, size), images(d, 3 * many, out), strict=True):
                w, ends = d(3 * many, 1, *kernel), (stride, padding, dilation, 3)
                if kind == "conv":
                    yield x, w, d(3 * many) if many == 1 else None, *ends
                elif kind == "input":
                    yield g, w, size, *ends
                else:
                    yield x, g, kernel, *ends


def average_cases(d: Draw, adjoint: bool) -> Iterator[Any]:
    for size, kernel, stride, padding, dilation in GEOMETRY:
        if set(dilation) != {1}:
            continue
        out = out_size(size, kernel, stride, padding, dilation)
        for include, divisor in ((True, None), (False, None), (True, 5)):
            for x in images(d, 3, out if adjoint else size):
                extra = (size,) if adjoint else ()
                yield (x, *extra, kernel, out, stride, padding, include, divisor)


def adaptive_cases(d: Draw, adjoint: bool = False) -> Iterator[Any]:
    for size, out in (((7,), (3,)), ((7, 5), (3, 5)), ((4, 6), (1, 1)), ((3, 2), (5, 4)), ((4, 5, 6), (2, 3, 4))):
        for x in images(d, 3, out if adjoint else size):
            yield x, size if adjoint else out


def reduction_cases(d: Draw) -> Iterator[Any]:
    for shape, axis in (
        *(((5, 33), a) for a in (0, 1, None, (0, 1))),
        *(((2, 3, 4, 5), a) for a in (0, 2, (0, 2), (1, 2), (0, 2, 3), (1, 3))),
        ((1,), 0),
        ((), None),
        ((3, 9000), 1),
        ((200, 40), 0),
    ):
        for keep in (False, True):
            yield np.asarray(d(*shape)), axis, keep
    yield d.last(2, 3, 4, 5), (0, 2, 3), False
    yield odd(d), 1, False


def place_cases(d: Draw) -> Iterator[Any]:
    for x, axis, keep in reduction_cases(d):
        if axis is None or isinstance(axis, int):
            yield np.round(x), axis, keep


def recurrent_cases(d: Draw, gates: int) -> Iterator[Any]:
    for sizes, reverse in (((3, 3, 3), False), ((4, 2, 1), False), ((4, 2, 1), True), ((1,), False)):
        m, n, h = sum(sizes), max(sizes), 5
        state = (d(n, h), d(n, h)) if gates == 4 else (d(n, h),)
        tail = (None,) if gates == 4 else (d(3 * h),)
        yield d(m, gates * h), *state, d(gates * h, h), *tail, sizes, reverse
        if gates == 4:
            yield d(m, 4 * h), d(n, 3), d(n, h), d(4 * h, 3), d(3, h), sizes, reverse
        else:
            yield d(m, 3 * h), *state, d(3 * h, h), None, sizes, reverse


def optimizer_cases(d: Draw, states: int, width: int, options: Any) -> Iterator[Any]:
    for size in (1, 33, 1000):
        for some in options:
            state = [d.positive(size) for _ in range(states)]
            yield d(size), d(size), *state, *[None] * (width - states), some


ADAM = {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0, "decoupled": False,
        "maximize": False, "step": 3}  # fmt: skip
SGD = {"lr": 0.1, "momentum": 0.9, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "maximize": False,
       "first": False}  # fmt: skip


@dataclass
class Step(Call):
    """An optimizer's rule, whose last argument is its options."""

    in_place: bool = True

    def kernel(self, kernels: Any) -> Callable[..., Any]:
        return lambda *arguments: getattr(kernels, self.name)(*arguments[:-1], **arguments[-1])

    def expected(self, *arguments: Any) -> Any:
        return getattr(definitions.optim, self.name)(np, *arguments[:-1], **arguments[-1])


def steps(name: str, states: int, width: int, *options: dict[str, Any]) -> Step:
    return Step(
        name,
        lambda d: optimizer_cases(d, states, width, options),
        seen=lambda result: result[:-1],
        note=f"{states} states",
    )


@dataclass
class CrossEntropyBackward(Call):
    """`cross_entropy_backward` of what `cross_entropy` keeps, which is each version's own."""

    def kernel(self, kernels: Any) -> Callable[..., Any]:
        return functools.partial(self.both, kernels.cross_entropy, kernels.cross_entropy_backward)

    def expected(self, *arguments: Any) -> Any:
        loss = definitions.loss
        run = functools.partial(
            self.both, *(functools.partial(f, np) for f in (loss.cross_entropy, loss.cross_entropy_backward))
        )
        return run(*arguments)

    @staticmethod
    def both(
        forward: Any, backward: Any, x: Any, target: Any, weight: Any, ignore: int, smoothing: float, g: Any
    ) -> Any:
        losses, each, kept = forward(x, target, weight, ignore, smoothing)
        g = g.astype(losses.dtype)
        single = g.reshape(-1)[0]
        return [backward(some, x, kept, target, each, weight, ignore, smoothing) for some in (g, single.reshape(()))]


@dataclass
class RecurrentBackward(Call):
    """A sequence and its backward pass."""

    gates: int = 4

    def both(self, forward: Any, backward: Any, *arguments: Any) -> Any:
        *given, sizes, reverse = arguments
        output, h, *kept = forward(*given, sizes, reverse)
        ends = [h]
        if self.gates == 4:
            ends, kept = [h, kept[0]], kept[1:]
        found = []
        for g, last in ((output, ends), (None, ends), (output, [None] * len(ends))):
            found.append(backward(g, *last, *given[-2:], tuple(kept), sizes, reverse))
        return found

    def kernel(self, kernels: Any) -> Callable[..., Any]:
        return functools.partial(
            self.both, getattr(kernels, self.name.removesuffix("_backward")), getattr(kernels, self.name)
        )

    def expected(self, *arguments: Any) -> Any:
        module = definitions.recurrent
        names = (self.name.removesuffix("_backward"), self.name)
        return self.both(*(functools.partial(getattr(module, name), np) for name in names), *arguments)


def elementwise(d: Draw) -> Iterator[np.ndarray]:
    yield from (d(1), d(5, 33), np.asarray(d()), d(2, 3, 4).transpose(2, 0, 1), d.last(2, 3, 4, 5), d(40)[::2], odd(d))
    yield d(70, 333)


def pairs(*numbers: Any) -> Callable[[Draw], Any]:
    """Gradients and inputs of one shape; the gradients contiguous or not."""
    return lambda d: [(d(*x.shape), x, *numbers) for x in elementwise(d)]


def ones(*numbers: Any) -> Callable[[Draw], Any]:
    return lambda d: [(x, *numbers) for x in elementwise(d)]


CURVES = ("log_sigmoid", "mish", "relu", "sigmoid", "silu")
SLOPES = ("mish_backward", "sigmoid_backward", "silu_backward")
CALLS: list[Call] = [
    Call("softmax", lambda d: softmax_cases(d, 1), launches=floats),
    Call("log_softmax", lambda d: softmax_cases(d, 1), launches=floats),
    Call("softmax_backward", lambda d: softmax_cases(d, 2), launches=floats),
    Call("log_softmax_backward", lambda d: softmax_cases(d, 2), launches=floats),
    Call("cross_entropy", lambda d: cross_entropy_cases(d, False), seen=lambda result: result[:2]),
    CrossEntropyBackward("cross_entropy_backward", lambda d: cross_entropy_cases(d, True)),
    Call("normalise", norm_cases),
    *(Call(name, ones()) for name in CURVES),
    *(Call(name, pairs()) for name in SLOPES),
    *(Call("gelu", ones(way), note=way) for way in ("none", "tanh")),
    *(Call("gelu_backward", pairs(way), note=way) for way in ("none", "tanh")),
    Call("elu", ones(1.5, 1.1, 0.7)),
    Call("elu_backward", pairs(1.5, 1.1, 0.7)),
    Call("leaky_relu", ones(0.1)),
    Call("softplus", ones(2.0, 3.0)),
    Call("softplus_backward", pairs(2.0, 3.0)),
    Call("masked_scale", lambda d: [(x, d.integers(2, *x.shape).astype(bool), 1.25) for x in elementwise(d)]),
    Call(
        "embedding",
        lambda d: [
            (d(7, n), np.array(i)) for n in (1, 8, 33) for i in ([[0, 6, 3], [2, 7, -1]], np.zeros((0, 2), int), 5)
        ],
        launches=lambda arguments: bool(arguments[1].size),
    ),
    Call(
        "embedding_grad",
        lambda d: [
            (d(4, 6, n), d.integers(7, 4, 6), 9, padding, by)
            for n in (1, 8, 33)
            for padding in (-1, 3)
            for by in (False, True)
        ],
    ),
    Call("max_pool", max_pool_cases),
    Call("pool_scatter", lambda d: code_cases(d, True)),
    Call("pool_gather", lambda d: code_cases(d, False)),
    Call("conv", lambda d: depthwise_cases(d, "conv"), note="depthwise"),
    Call("conv_input", lambda d: depthwise_cases(d, "input"), note="depthwise"),
    Call("conv_weight", lambda d: depthwise_cases(d, "weight"), note="depthwise"),
    Call("avg_pool", lambda d: average_cases(d, False)),
    Call("avg_pool_input", lambda d: average_cases(d, True)),
    Call("adaptive_avg_pool", adaptive_cases),
    Call("adaptive_avg_pool_input", lambda d: adaptive_cases(d, True)),
    Call("adaptive_max_positions", adaptive_cases),
    *(Call(name, reduction_cases, launches=short) for name in ("sum", "mean")),
    Call("sum_rows", lambda d: [(d(5, 33),), (d(2, 3, 4),), (d(300, 70),)], launches=short),
    Call("sum_channels", lambda d: [(d(5, 33),), (d(2, 3, 4, 5),), (d.last(2, 3, 4, 5),)], launches=short),
    Call("lstm_sequence", lambda d: recurrent_cases(d, 4)),
    Call("gru_sequence", lambda d: recurrent_cases(d, 3)),
    RecurrentBackward("lstm_sequence_backward", lambda d: recurrent_cases(d, 4)),
    RecurrentBackward("gru_sequence_backward", lambda d: recurrent_cases(d, 3), gates=3),
    steps("adam_step_", 2, 3, ADAM, {**ADAM, "weight_decay": 0.1}, {**ADAM, "weight_decay": 0.1, "decoupled": True}),
    steps("adam_step_", 3, 3, {**ADAM, "maximize": True, "step": 1}),
    steps("sgd_step_", 1, 1, SGD, {**SGD, "first": True, "dampening": 0.5}, {**SGD, "nesterov": True}),
    steps("sgd_step_", 0, 1, {**SGD, "momentum": 0.0, "weight_decay": 0.1, "maximize": True}),
    Call(
        "total_norm",
        lambda d: [([d(3, 4), d(7), d(5000)], order) for order in (1.0, 2.0, 3.0, math.inf)] + [([d(5)] * 130, 2.0)],
    ),
    Call(
        "scale_to_norm_",
        lambda d: [([d(3, 4), d(700)], np.array(n), 1.0) for n in (0.5, 4.0)],
        in_place=True,
        seen=lambda result: result[0],
    ),
    Call("compact", lambda d: [(d(3, 5).T,), (d(2, 33, 40).swapaxes(1, 2),), (d.last(2, 3, 4, 5),)]),
]


# Kernels that do in one pass what several do; nothing in the op table calls them with all their arguments.


@dataclass
class Fused:
    """A function of a module of ``backends/cuda``, and the values of its result."""

    path: str
    values: Callable[..., Any]
    shape: Callable[[Any], Any] = lambda result: result

    def kernel(self, package: Any) -> Callable[..., Any]:
        module, _, name = self.path.partition(".")
        function = getattr(importlib.import_module(f"{package.__name__}.{module}"), name)
        return lambda *arguments: self.shape(function(*arguments))


def masked_softmax(d: Draw, dtype: Any) -> Iterator[Any]:
    def values(x: Any, scale: float, causal: bool) -> Any:
        x = x.astype(np.float64) * scale
        if causal:
            x = np.where(np.tri(*x.shape[-2:], dtype=bool), x, -np.inf)
        return definitions.activation.softmax(np, x, -1)

    for shape in ((5, 5), (2, 3, 33), (2, 40, 7), (2, 1, 1)):
        for causal in (False, True):
            yield (d(*shape).astype(dtype), 0.5, causal), Fused("softmax.masked_softmax", values)


def masked_softmax_backward(d: Draw, dtype: Any) -> Iterator[Any]:
    def values(g: Any, y: Any, scale: float, causal: bool) -> Any:
        g, y = g.astype(np.float64), y.astype(np.float64)
        return definitions.activation.softmax_backward(np, g, y, -1) * scale

    for shape in ((5, 5), (2, 3, 33)):
        y = definitions.activation.softmax(np, np.where(np.tri(*shape[-2:], dtype=bool), d(*shape), -np.inf), -1)
        yield (d(*shape).astype(dtype), y.astype(dtype), 0.5, True), Fused("softmax.masked_softmax_backward", values)


def loss_and_gradient(d: Draw, dtype: Any) -> Iterator[Any]:
    def values(x: Any, target: Any, weight: Any, ignore: int, smoothing: float, factor: Any) -> Any:
        loss = definitions.loss
        losses, each, kept = loss.cross_entropy(np, x, target, weight, ignore, smoothing)
        g = np.broadcast_to(np.asarray(factor, losses.dtype), losses.shape)
        return losses, each, loss.cross_entropy_backward(np, g, x, kept, target, each, weight, ignore, smoothing)

    wide = np.float64 if dtype is np.float64 else np.float32
    for columns in (1, 7, 300):
        x, weight = d(5, columns).astype(dtype), d.positive(columns).astype(dtype)
        given = (x, d.integers(columns, 5), weight, -100, 0.1, np.array(0.25, wide))
        yield given, Fused("loss.cross_entropy_and_gradient", values)


def residual_rows(d: Draw, dtype: Any) -> Iterator[Any]:
    def values(x: Any, w: Any, b: Any, axes: Any, eps: float, centre: bool, added: Any, rectify: bool) -> Any:
        total = x + added
        y, mean, var = definitions.norm.normalise(np, total, w, b, axes, eps, centre)
        return np.maximum(y, 0) if rectify else y, mean, var, total

    for columns in (33, 300):
        for centre, rectify in ((True, True), (False, False)):
            x, added = d(5, columns).astype(dtype), d(5, columns).astype(dtype)
            w, b = d(1, columns).astype(dtype), d(1, columns).astype(dtype)
            yield (x, w, b, (1,), 1e-3, centre, added, rectify), Fused("norm.normalise_rows", values)


def residual_channels(d: Draw, dtype: Any) -> Iterator[Any]:
    def values(x: Any, mean: Any, var: Any, w: Any, b: Any, eps: float, residual: Any, rectify: bool) -> Any:
        shape = (1, -1, *[1] * (x.ndim - 2))
        mean, var, w, b = (v.astype(np.float64).reshape(shape) for v in (mean, var, w, b))
        y = (x.astype(np.float64) - mean) / np.sqrt(var + eps) * w + b + residual.astype(np.float64)
        return np.maximum(y, 0) if rectify else y

    wide = np.float64 if dtype is np.float64 else np.float32
    for make in (d, d.last):
        for affine in (dtype, wide):
            x, residual = make(2, 5, 3, 7).astype(dtype, order="K"), make(2, 5, 3, 7).astype(dtype, order="K")
            statistics = d(5).astype(wide), d.positive(5).astype(wide)
            given = (x, *statistics, d(5).astype(affine), d(5).astype(affine), 1e-3, residual, True)
            yield given, Fused("norm.apply_channels", values)


FUSED: dict[str, Callable[[Draw, Any], Iterator[Any]]] = {
    "masked_softmax": masked_softmax,
    "masked_softmax_backward": masked_softmax_backward,
    "cross_entropy_and_gradient": loss_and_gradient,
    "normalise_rows": residual_rows,
    "apply_channels": residual_channels,
}
