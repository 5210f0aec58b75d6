"""Random numbers with tensors of parameters: means, rates, probabilities, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import all_in, any_in, every
from ...backends.errors import DTypeError, InvalidValueError, ShapeError
from ..admission import scalar_type, unsupported
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from .creation import dtype_beside, dtype_of, finished, shape_of
from .elementwise import scaled
from .random import draw, wide

if TYPE_CHECKING:
    from ..random import Generator
    from ..tensor import Tensor


class Drawn(Primitive):
    """Random numbers: what they are does not vary smoothly with their parameters, which get a gradient of zero."""

    @staticmethod
    def forward(ctx: Any, *parameters: Any, array: Any) -> Any:
        return array

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        zero = scaled(g, 0)
        return zero if len(ctx.needs) == 1 else (zero,) * len(ctx.needs)


def _drawn(name: str, array: Any, out: Any, *parameters: Any) -> Any:
    y = apply(Drawn, *parameters, array=array)
    return y if out is None else write_out(out, y, name)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Normal numbers with the given means and standard deviations, each a number or a tensor.

    Args:
        mean: numbers go with ``size``; tensors give the shape themselves.
        std: likewise; not negative.
        size: the sizes, when both are numbers.
        generator: where the numbers come from; the default generator unless told.
        out: a tensor to write the result to.
        dtype: the default float unless told; that of the tensor if there is one.
        device: where to put it.
        requires_grad: whether gradients are wanted.
        options: ``layout`` and ``pin_memory``, for PyTorch's sake.

    Raises:
        RuntimeError: a standard deviation is negative.
    """
    from .expansion import broadcast_shapes

    tensors = [v for v in (mean, std) if isinstance(v, TensorBase)]
    if isinstance(std, TensorBase):
        if any_in(std._data < 0):
            raise ShapeError("normal expects all elements of std >= 0.0")
    elif std < 0:
        raise ShapeError(f"normal expects std >= 0.0, but found std {std}")
    if tensors:
        first: Any = tensors[0]
        shape = tuple(broadcast_shapes(*[v._data.shape for v in tensors]))
        device = first.device
        d = first._data.dtype
    else:
        shape = shape_of("normal", () if size is None else size)
        d = dtype_of(dtype_beside(out, dtype))
    raw = [wide(v._data) if isinstance(v, TensorBase) else v for v in (mean, std)]
    array = wide(draw("random_normal", generator, device, shape, d)) * raw[1] + raw[0]
    if not tensors:
        return finished(array.astype(d), requires_grad, out, "normal")
    return _drawn("normal", array.astype(d), out, *tensors)


def bernoulli(input: Tensor, p: Any = None, *, generator: Generator | None = None, out: Tensor | None = None) -> Tensor:
    """1 with the probability that ``input`` holds (or with probability ``p``), else 0.

    Args:
        input: probabilities, floating.
        p: one probability for all instead.
        generator: where the numbers come from; the default generator unless told.
        out: a tensor to write the result to.

    Returns:
        Shape and dtype of ``input``.

    Raises:
        RuntimeError: a probability is not within [0, 1].
    """
    x = input._data
    if p is None:
        if x.dtype.kind not in "fV":
            raise DTypeError(f"bernoulli needs floating-point probabilities, got {input.dtype}")
        p = kernels_of[type(x)].astype(x, "float64")
        if x.size and not all_in((p >= 0) & (p <= 1)):
            raise ShapeError("Expected p_in >= 0 && p_in <= 1 to be true: a probability is not within [0, 1]")
    kind = x.dtype if out is None else out._data.dtype  # zeros and ones are written as any type
    array = draw("random_bernoulli", generator, input.device, x.shape, kind, probability("bernoulli", p))
    return _drawn("bernoulli", array, out, input)


def probability(name: str, p: Any) -> Any:
    """``p``, if it is a tensor or within [0, 1]; else a RuntimeError."""
    if isinstance(p, int | float) and not 0 <= p <= 1:
        raise ShapeError(f"{name} expects p to be in [0, 1], but got p={p}")
    return p


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Integers of the Poisson distribution with the rates that ``input`` holds.

    Every rate is counted down by exponential waiting times, in as many rounds as the largest count needs.
    """
    x = input._data
    if x.dtype.kind not in "fV":
        raise unsupported("poisson", input.dtype, "floating-point rates")
    k = kernels_of[type(x)]
    rates = k.astype(x, "float64")
    if x.size and not all_in(rates >= 0):
        raise ShapeError("invalid Poisson rate, expected rate to be non-negative")
    counts = k.zeros(x.shape, dtype="float64")
    left = rates
    d = rates.dtype
    while x.size:
        left = left - draw("random_exponential", generator, input.device, x.shape, d)
        if not any_in(left > 0):
            break
        counts = counts + (left > 0)
    return _drawn("poisson", counts.astype(x.dtype), None, input)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` trials succeed, each with probability ``prob``; in as many rounds as the largest count."""
    from .expansion import broadcast_tensors

    for which, v in (("count", count), ("prob", prob)):
        if v.dtype.category != 2:
            raise InvalidValueError(
                f"binomial only supports floating-point dtypes for {which}, got: {scalar_type(v.dtype)}"
            )
    n, p = broadcast_tensors(count, prob)
    k = kernels_of[type(n._data)]
    trials, chance = k.astype(n._data, "float64"), k.astype(p._data, "float64")
    if trials.size and not all_in((chance >= 0) & (chance <= 1)):
        raise ShapeError("binomial: a probability is not within [0, 1]")
    if trials.size and not all_in(trials >= 0):
        raise ShapeError("binomial: a count is negative")
    total = k.zeros(trials.shape, dtype="float64")
    for i in range(int(every(k.max(trials)).max()) if trials.size else 0):
        hit = draw("random_bernoulli", generator, count.device, trials.shape, total.dtype, chance)
        total = total + hit * (trials > i)
    return _drawn("binomial", total.astype(n._data.dtype), None, prob)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Tensor:
    """Positions drawn from each row, with the weights that the row holds.

    Without replacement, the positions with the largest ``weight / exponential number`` are taken: that is the order in
    which independent clocks with these rates ring.

    Args:
        input: weights, not negative; shape (n,) or (rows, n), floating.
        num_samples: how many to draw per row.
        replacement: whether a position may be drawn again.
        generator: where the numbers come from; the default generator unless told.
        out: a tensor to write the result to.

    Returns:
        int64, shape (num_samples,) or (rows, num_samples).

    Raises:
        RuntimeError: weights are negative, not finite or all zero, or fewer than the samples.

    References:
        P. S. Efraimidis, P. G. Spirakis, "Weighted random sampling with a reservoir", 2006.
    """
    x = input._data
    k = kernels_of[type(x)]
    if out is not None and out.dtype.name != "int64":
        raise DTypeError(f"multinomial expects Long tensor out, got: {scalar_type(out.dtype)}")
    _check_weights(x, num_samples, replacement)
    weights = k.astype(x, "float64")
    if not all_in((weights >= 0) & (weights < float("inf"))):
        raise ShapeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not all_in((weights > 0).any(-1)):
        raise ShapeError("invalid multinomial distribution (sum of probabilities <= 0)")
    d = weights.dtype
    if replacement:
        total = k.cumsum(weights, axis=-1)
        u = draw("random_uniform", generator, input.device, (*x.shape[:-1], num_samples), d) * total[..., -1:]
        below = total[..., None, :] <= u[..., :, None]
        picked = k.sum(below.astype("int64"), axis=-1)
    else:
        clocks = draw("random_exponential", generator, input.device, x.shape, d)
        picked = k.argsort(-(weights / clocks), axis=-1)[..., :num_samples]
    return finished(picked.astype("int64"), False, out, "multinomial")


def _check_weights(x: Any, num_samples: int, replacement: bool) -> None:
    if x.dtype.kind not in "fV":
        raise DTypeError(f"multinomial only supports floating-point dtypes for input, got: {x.dtype.name}")
    if x.ndim not in (1, 2):
        raise ShapeError(f"multinomial: prob_dist must be 1 or 2 dim, got shape {list(x.shape)}")
    if num_samples <= 0:
        raise ShapeError(f"multinomial: cannot sample n_sample <= 0 samples, got {num_samples}")
    if not replacement and num_samples > x.shape[-1]:
        raise ShapeError(
            f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: {num_samples} > {x.shape[-1]}"
        )
