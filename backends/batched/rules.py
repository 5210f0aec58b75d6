"""Batching rules: what a function on examples is on the physical array, where the batch is the first dimension.

A rule gets the level's array type, the function of the level around, and the arguments. It returns NotImplemented
where it does not apply; then the function runs once for each example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .array import BatchedArray

__all__ = ["KERNEL_RULES", "RULES"]

Kind = type[BatchedArray]
Rule = Callable[[Kind, Any, Any, Any], Any]
RULES: dict[str, Rule] = {}  # functions of the namespace
KERNEL_RULES: dict[str, Rule] = {}  # kernels of the table


def rule(names: str, *tables: dict[str, Rule]) -> Callable[[Rule], Rule]:
    """The rule of several functions."""

    def keep(function: Rule) -> Rule:
        for table in tables or (RULES,):
            table.update(dict.fromkeys(names.split(), function))
        return function

    return keep


# ---------------------------------------------------------------------- helpers


def lift(array: Any, kind: Kind) -> Any:
    """An array that all examples share as a batched one."""
    from .level import lifted

    return lifted(array, kind)


def is_array(value: Any) -> bool:
    """Whether it is an array of any level."""
    return hasattr(value, "dtype") and hasattr(value, "ndim")


def given(args: Any, kwargs: Any) -> tuple[Any, ...]:
    """All arguments, in the order in which they stand."""
    return (*args, *kwargs.values())


def wrapped(kind: Kind, result: Any) -> Any:
    """Physical results as arrays of the level."""
    if type(result) in (tuple, list):
        return type(result)([wrapped(kind, r) for r in result])
    if hasattr(result, "_fields"):  # what NumPy's linalg returns
        return tuple([wrapped(kind, r) for r in result])
    return kind.of(result)


def aligned(kind: Kind, array: Any, ndim: int) -> Any:
    """A physical array whose examples have ``ndim`` dimensions, for broadcasting; others as they are."""
    if type(array) is not kind:
        return array
    whole = array._all
    missing = ndim - (whole.ndim - 1)
    return whole if missing <= 0 else whole.reshape((kind.batch, *(1,) * missing, *whole.shape[1:]))


def expanded(kind: Kind, array: Any) -> Any:
    """The physical array; of one that all examples share a view that repeats it."""
    return array._all if type(array) is kind else lift(array, kind)._all


def array_namespace(array: Any) -> Any:
    """The namespace of an array."""
    from ..registry import kernels_of

    return kernels_of[type(array)].xp


def ndim_of(value: Any) -> int:
    """Dimensions of an example; 0 for numbers."""
    return int(value.ndim) if is_array(value) else 0


def moved(axis: Any, ndim: int) -> Any:
    """Axes of an example as axes of the physical array: all but the batch for None."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple(moved(a, ndim) for a in axis)
    return int(axis) % max(ndim, 1) + 1


# ---------------------------------------------------------------------- element by element

UFUNCS = """absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_invert bitwise_not
bitwise_or bitwise_xor cbrt ceil conj conjugate copysign cos cosh deg2rad divide divmod equal exp exp2 expm1 fabs
float_power floor floor_divide fmax fmin fmod frexp gcd greater greater_equal heaviside hypot invert isfinite isinf
isnan lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
logical_xor maximum minimum mod modf multiply negative nextafter not_equal positive power rad2deg reciprocal remainder
right_shift rint sign signbit sin sinh spacing sqrt square subtract tan tanh true_divide trunc abs pow acos asin atan
atan2 acosh asinh atanh bitwise_left_shift bitwise_right_shift"""
POINTWISE = """where clip nan_to_num round around real imag angle isclose sinc i0 real_if_close fix isneginf isposinf
isreal iscomplex"""
POINTWISE_KERNELS = """elu elu_backward gelu gelu_backward hardshrink hardsigmoid hardswish leaky_relu log_sigmoid mish
mish_backward relu relu_backward sigmoid sigmoid_backward silu silu_backward softplus softplus_backward softshrink
softsign threshold airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 i0e i1 i1e k0 k0e k1 k1e spherical_bessel_j0
masked_scale clamp frac logaddexp make_complex phase power power_of_two product quotient round_to rsqrt scale_by_power
sgn sign_bit split_exponent tanh_backward trunc_divide digamma gammainc gammaincc lgamma polygamma zeta bce bce_backward
bce_logits bce_logits_backward astype entr erf erfc erfcx erfinv log_ndtr logit ndtr ndtri xlog1py xlogy isclose
nan_to_num prelu clamp_backward div_backward hardsigmoid_backward hardswish_backward hardtanh_backward
leaky_relu_backward shrink_backward threshold_backward"""


@rule(UFUNCS)
@rule(POINTWISE)
def pointwise(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Elementwise functions: examples line up at their last dimensions, the batch in front."""
    if getattr(function, "__name__", "") == "where" and len(args) == 1:
        return NotImplemented
    out = kwargs.get("out")
    out = out[0] if type(out) is tuple else out
    ndim = max(map(ndim_of, given(args, kwargs)))
    plain = [aligned(kind, a, ndim) for a in args]
    settings = {k: aligned(kind, v, ndim) for k, v in kwargs.items() if k != "out"}
    if out is None:
        return wrapped(kind, function(*plain, **settings))
    if type(out) is not kind:
        return NotImplemented
    result = function(*plain, **settings)
    out._all[...] = result if result.shape[1:] == out.shape else aligned(kind, kind.of(result), out.ndim)
    return out


@rule(UFUNCS, KERNEL_RULES)
@rule(POINTWISE, KERNEL_RULES)
@rule(POINTWISE_KERNELS, KERNEL_RULES)
def pointwise_kernel(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The same for kernels, some of which take arrays of equal shapes only: all arrays get the batch."""
    whole = [lift(a, kind) if is_array(a) and a.ndim and type(a) is not kind else a for a in args]
    return pointwise(kind, function, whole, kwargs)


# ---------------------------------------------------------------------- along axes


@rule(
    "sum prod mean max min amax amin any all std var nansum nanmean count_nonzero median logsumexp", RULES, KERNEL_RULES
)
@rule("nanmedian count_true prod_backward", KERNEL_RULES)
def reduction(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Reductions: the axes move up by one, and all of them are all but the batch."""
    x, *rest = args
    if type(x) is not kind or kwargs.get("out") is not None or any(type(v) is kind for v in kwargs.values()):
        return NotImplemented
    arrays = [a for a in rest if is_array(a)]
    if any(ndim_of(a) != x.ndim for a in arrays):
        return NotImplemented
    settings = dict(kwargs)
    if not x.ndim:  # an example is one number
        if arrays or settings.get("axis") not in (None, (), 0, -1):
            return NotImplemented
        x, settings["axis"] = x.reshape(1), 0
        keep = settings.pop("keepdims", False)
        y = function(x._all, axis=1, **{k: v for k, v in settings.items() if k != "axis"}) if not rest else None
        return NotImplemented if y is None or keep else wrapped(kind, y)
    positional = [expanded(kind, a) if is_array(a) else a for a in rest]
    where = len(arrays)
    if len(rest) > where:
        positional[where] = moved(rest[where], x.ndim)
    else:
        settings["axis"] = moved(settings.get("axis"), x.ndim)
    return wrapped(kind, function(x._all, *positional, **settings))


@rule("argmax argmin", RULES, KERNEL_RULES)
def position(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Positions of extremes; over all elements in the flattened example."""
    x, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if not x.ndim:
        return NotImplemented
    settings = {k: v for k, v in kwargs.items() if k != "axis"}
    if axis is None:
        if settings.get("keepdims"):
            return NotImplemented
        return kind.of(function(x._all.reshape(kind.batch, -1), axis=1, **settings))
    return kind.of(function(x._all, axis=moved(axis, x.ndim), **settings))


ALONG = """cumsum cumprod cummax cummin sort argsort fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft diff"""
# Kernels with an axis, and the position of it among their arguments.
ALONG_KERNELS = {
    "softmax": 1,
    "log_softmax": 1,
    "softmax_backward": 2,
    "log_softmax_backward": 2,
    "cumsum": 1,
    "cumprod": 1,
    "cumprod_backward": 3,
    "logcumsumexp": 1,
    "logcumsumexp_backward": 3,
    "sort_positions": 1,
    "top_positions": 2,
    "cumulative_extreme": 1,
    "gather_elements": 2,
    "fft_r2c": 1,
    "fft_c2r": 2,
    "mode": 1,
    "tally": 1,
    "place_along": 3,
    "take_along_axis": 2,
}
AXIS_NAMES = ("axis", "dim", "axes")


def along(kind: Kind, function: Any, args: Any, kwargs: Any, place: int | None = None) -> Any:
    """Functions along one axis of arrays of equal dimensions: the axis moves up by one."""
    arrays = [a for a in args if is_array(a)]
    ndim = arrays[0].ndim
    if not ndim or any(a.ndim != ndim for a in arrays) or any(type(v) is kind for v in kwargs.values()):
        return NotImplemented
    plain = [expanded(kind, a) if is_array(a) else a for a in args]
    settings = dict(kwargs)
    name = next((n for n in AXIS_NAMES if n in settings), None)
    if name is not None:
        if settings[name] is None:
            return NotImplemented
        settings[name] = moved(settings[name], ndim)
    elif place is not None and len(plain) > place and isinstance(plain[place], (int, tuple)):
        plain[place] = moved(plain[place], ndim)
    else:
        return NotImplemented
    return wrapped(kind, function(*plain, **settings))


def _along_kernel(place: int) -> Rule:
    return lambda kind, function, args, kwargs: along(kind, function, args, kwargs, place)


rule(ALONG)(along)
for _name, _place in {
    "take_along_axis": 2,
    "roll": 2,
    "flip": 1,
    "fft.fftn": 2,
    "fft.ifftn": 2,
    "put_along_axis": 3,
}.items():
    RULES[_name] = _along_kernel(_place)
for _name, _place in ALONG_KERNELS.items():
    KERNEL_RULES[_name] = _along_kernel(_place)


@rule("sort argsort")
def sorting(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Sorts along the last axis unless told otherwise."""
    if len(args) == 1 and "axis" not in kwargs:
        kwargs = {**kwargs, "axis": -1}
    return along(kind, function, args, kwargs, 1)


@rule("var", KERNEL_RULES)
def variance(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Variance and mean."""
    return reduction(kind, function, args, kwargs)


# ---------------------------------------------------------------------- shapes


@rule("reshape")
def reshaped(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Another shape for each example."""
    x, *shape = args
    shape = shape or [kwargs.get("shape", kwargs.get("newshape"))]
    return x.reshape(*shape) if type(x) is kind else NotImplemented


@rule("transpose permute_dims")
def transposed(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Dimensions in another order."""
    x, *axes = args
    return x.transpose(*axes, *kwargs.values())


@rule("swapaxes moveaxis")
def exchanged(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Two axes, or two lists of them."""
    x, a, b = given(args, kwargs)
    return kind.of(function(x._all, moved(a, x.ndim), moved(b, x.ndim)), x)


@rule("expand_dims")
def with_axes(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """New axes of size 1."""
    x, axis = given(args, kwargs)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    ndim = x.ndim + len(axes)
    return kind.of(function(x._all, tuple(a % ndim + 1 for a in axes)), x)


@rule("squeeze")
def without_axes(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Axes of size 1 taken away."""
    x, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if axis is None:
        axis = tuple(i for i, n in enumerate(x.shape) if n == 1)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return kind.of(function(x._all, tuple(moved(a, x.ndim) for a in axes)), x) if axes else x[...]


@rule("broadcast_to", RULES, KERNEL_RULES)
def broadcast(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Repeated without a copy."""
    x, shape = args[0], tuple(args[1] if len(args) > 1 else kwargs["shape"])
    return kind.of(function(aligned(kind, x, len(shape)), (kind.batch, *shape)), x)


@rule("concatenate concat stack")
def joined(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Joined along an axis."""
    arrays, *rest = args
    axis = rest[0] if rest else kwargs.get("axis", 0)
    if axis is None or kwargs.get("out") is not None:
        return NotImplemented
    new = function.__name__.rpartition(".")[2] == "stack"
    ndim = max(a.ndim for a in arrays) + new
    settings = {k: v for k, v in kwargs.items() if k != "axis"}
    return kind.of(function([expanded(kind, a) for a in arrays], axis=moved(axis, ndim), **settings))


@rule("ascontiguousarray asarray asanyarray copy array positive compact", RULES, KERNEL_RULES)
def copied(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Copies and conversions."""
    if type(args[0]) is not kind:
        return NotImplemented
    return kind.of(function(args[0]._all, *args[1:], **kwargs))


@rule("with_strides", KERNEL_RULES)
def unmoved(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Other strides for dimensions of size 1, which examples need not have."""
    return args[0]


@rule("memory_order", KERNEL_RULES)
def order_in_memory(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """How an example's dimensions lie in memory."""
    return function(args[0]._all[0], *args[1:], **kwargs) if kind.batch else NotImplemented


@rule("fft_c2c", KERNEL_RULES)
def transform(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The Fourier transform over several dimensions; the last argument is the order of the result in memory."""
    x, dims, inverse, norm, *order = given(args, kwargs)
    if not x.ndim:
        return NotImplemented
    laid = [(0, *moved(o, x.ndim)) if o is not None else None for o in order]
    return kind.of(function(x._all, moved(dims, x.ndim), inverse, norm, *laid))


@rule("tile")
def tiled(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Repeated along all dimensions."""
    x, times = given(args, kwargs)
    times = (times,) if isinstance(times, int) else tuple(times)
    ndim = max(len(times), x.ndim)
    return kind.of(function(aligned(kind, x, ndim), (1,) * (ndim + 1 - len(times)) + times))


@rule("is_among", KERNEL_RULES)
def among(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Whether elements are among values that all examples share."""
    x, values, *rest = given(args, kwargs)
    return kind.of(function(x._all, values, *rest)) if type(x) is kind and type(values) is not kind else NotImplemented


@rule("zeros_like ones_like empty_like full_like")
def alike(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """New arrays like a batched one."""
    x, *rest = args
    if type(x) is not kind:
        return NotImplemented
    settings = dict(kwargs)
    if settings.get("shape") is not None:
        settings["shape"] = (kind.batch, *settings["shape"])
    rest = [aligned(kind, v, x.ndim) for v in rest]
    return kind.of(function(x._all, *rest, **{k: aligned(kind, v, x.ndim) for k, v in settings.items()}))


@rule("diagonal trace", RULES, KERNEL_RULES)
def diagonals(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Diagonals; the two axes move up by one."""
    x = args[0]
    names = ("offset", "axis1", "axis2")
    given = dict(zip(names, args[1:], strict=False)) | kwargs
    a, b = (moved(given.get(n, d), x.ndim) for n, d in (("axis1", 0), ("axis2", 1)))
    made = function(x._all, given.get("offset", 0), a, b)
    return kind.of(made, x)


@rule("tril triu", RULES)
@rule("triangle column_major permutation first_true", KERNEL_RULES)
def last_two(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """What works on the last dimension, or the last two, of any stack."""
    return NotImplemented if args[0].ndim < 1 else kind.of(function(args[0]._all, *args[1:], **kwargs))


@rule("repeat")
def repeated(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Every element so many times."""
    x, count, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if type(x) is not kind or is_array(count):
        return NotImplemented
    if axis is None:
        x, axis = x.reshape(x.size), 0
    return kind.of(function(x._all, count, moved(axis, x.ndim)))
