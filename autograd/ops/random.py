"""Random tensors, and tensors filled with random numbers in place. None of them has a gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import get_backend, kernels_of, to_dtype
from ...backends.definitions.random import blocks_used
from ...backends.errors import DTypeError, ShapeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..inplace import check_writable
from ..random import Generator, default_generator
from .conversion import Overwrite
from .creation import check_layout, dtype_of, finished, memory_order, place_of, shape_of
from .layout import MemoryFormat, preserve_format
from .writing import write_into

if TYPE_CHECKING:
    from ..tensor import Tensor


def draw(kernel: str, generator: Generator | None, device: Any, shape: tuple[int, ...], dtype: Any, *args: Any) -> Any:
    """An array of random numbers from ``kernel``, whose draw moves the generator on.

    Args:
        kernel: the name of a ``random_*`` kernel.
        generator: where the numbers come from; the default generator unless told.
        device: where to put them.
        shape: of the array.
        dtype: NumPy dtype.
        args: what the kernel takes between offset and shape.
    """
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(f"generator must be a Generator, not {type(generator).__name__}")
    if kernel in ("random_uniform", "random_normal", "random_exponential") and dtype.kind not in "fcV":
        raise UnsupportedDTypeError(f"{kernel} draws floating-point numbers, not {to_dtype(dtype)}; use randint")
    where = place_of(device)
    backend = get_backend(where.type)
    source = default_generator if generator is None else generator
    key, offset = source.take(blocks_used(kernel, math.prod(shape), dtype))
    with backend.on(where):
        return getattr(backend.kernels, kernel)(key, offset, *args, shape, dtype)


# ---------------------------------------------------------------------- new tensors


def _factory(name: str, kernel: str, what: str) -> Any:
    def create(
        *size: Any,
        generator: Generator | None = None,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        check_layout(layout)
        d = dtype_of(out.dtype if dtype is None and out is not None else dtype)
        return finished(draw(kernel, generator, device, shape_of(name, size), d), requires_grad, out, name)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = (
        f"{what}\n\nArgs:\n    size: the sizes.\n    generator: where the numbers come from; the default generator "
        "unless told.\n    out, dtype, layout, device, requires_grad, pin_memory: as for `zeros`.\n"
    )
    return create


rand = _factory("rand", "random_uniform", "Uniform numbers in [0, 1).")
randn = _factory("randn", "random_normal", "Numbers of the standard normal distribution.")


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from ``low`` (0 if there is one bound) to ``high - 1``.

    Args:
        low: the least, or the upper bound when ``high`` is left out.
        high: the upper bound, which is never drawn.
        size: the sizes, as one sequence.
        generator: where the numbers come from; the default generator unless told.
        out: a tensor to write the result to.
        dtype: int64 unless told.
        layout: ``wengert.strided``.
        device: where to put it.
        requires_grad: whether gradients are wanted.

    Raises:
        RuntimeError: ``high`` is not above ``low``, or does not fit the dtype.
    """
    check_layout(layout)
    if size is None or isinstance(high, tuple | list):
        low, high, size = 0, low, high if size is None else size
    d = to_dtype(("int64" if out is None else out.dtype) if dtype is None else dtype).dtype
    return finished(
        _integers("randint", low, high, shape_of("randint", size), d, device, generator), requires_grad, out, "randint"
    )


def _integers(name: str, low: Any, high: Any, shape: Any, dtype: Any, device: Any, generator: Any) -> Any:
    low, high = int(low), int(high)
    if low >= high:
        raise ShapeError(f"{name} expects 'from' to be less than 'to', but got from={low} >= to={high}")
    _check_bounds(name, low, high, dtype)
    return draw("random_integers", generator, device, shape, dtype, low, high)


def _check_bounds(name: str, low: int, high: int, dtype: Any) -> None:
    kind = to_dtype(dtype)
    least, most = _integer_range(kind)
    if low < least or high - 1 > most:
        raise DTypeError(f"{name}: from={low} or to - 1={high - 1} is out of bounds for {kind}")


def _integer_range(kind: Any) -> tuple[int, int]:
    """The integers that a type holds exactly, from the least to the greatest."""
    if kind.is_floating_point:
        most = 2 ** {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[kind.name]
        return -most, most
    if kind.category == 0:
        return 0, 1
    bits = 8 * kind.itemsize
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind.is_signed else (0, 2**bits - 1)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The integers below ``n`` in random order, int64 unless told."""
    check_layout(layout)
    if n < 0:
        raise ShapeError(f"randperm: n must be non-negative, got {n}")
    d = to_dtype("int64" if dtype is None else dtype).dtype
    where = place_of(device)
    backend = get_backend(where.type)
    source = default_generator if generator is None else generator
    key, offset = source.take(blocks_used("random_permutation", n))
    with backend.on(where):
        array = backend.kernels.random_permutation(key, offset, n, d)
    return finished(array, requires_grad, out, "randperm")


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
    from .shape import broadcast_shapes

    tensors = [v for v in (mean, std) if isinstance(v, TensorBase)]
    if isinstance(std, TensorBase):
        if bool((std._data < 0).any()):
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
        d = dtype_of(out.dtype if dtype is None and out is not None else dtype)
    raw = [v._data if isinstance(v, TensorBase) else v for v in (mean, std)]
    array = draw("random_normal", generator, device, shape, d) * raw[1] + raw[0]
    return finished(array.astype(d), requires_grad, out, "normal")


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
        if x.size and not bool(((p >= 0) & (p <= 1)).all()):
            raise ShapeError("Expected p_in >= 0 && p_in <= 1 to be true: a probability is not within [0, 1]")
    array = draw("random_bernoulli", generator, input.device, x.shape, x.dtype, _probability("bernoulli", p))
    return finished(array, False, out, "bernoulli")


def _probability(name: str, p: Any) -> Any:
    if isinstance(p, int | float) and not 0 <= p <= 1:
        raise ShapeError(f"{name} expects p to be in [0, 1], but got p={p}")
    return p


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Integers of the Poisson distribution with the rates that ``input`` holds.

    Every rate is counted down by exponential waiting times, in as many rounds as the largest count needs.
    """
    x = input._data
    k = kernels_of[type(x)]
    rates = k.astype(x, "float64")
    if x.size and not bool((rates >= 0).all()):
        raise ShapeError("invalid Poisson rate, expected rate to be non-negative")
    counts = k.zeros(x.shape, dtype="float64")
    left = rates
    d = rates.dtype
    while x.size:
        left = left - draw("random_exponential", generator, input.device, x.shape, d)
        if not bool((left > 0).any()):
            break
        counts = counts + (left > 0)
    return finished(counts.astype(x.dtype), False)


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
    _check_weights(x, num_samples, replacement)
    weights = k.astype(x, "float64")
    if not bool(((weights >= 0) & (weights < float("inf"))).all()):
        raise ShapeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not bool((weights > 0).any(-1).all()):
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


# ---------------------------------------------------------------------- like another


def _like(name: str, kernel: str, what: str) -> Any:
    def create(
        input: Tensor,
        *,
        generator: Generator | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        memory_format: MemoryFormat = preserve_format,
    ) -> Tensor:
        check_layout(layout)
        x = input._data
        d = x.dtype if dtype is None else to_dtype(dtype).dtype
        array = draw(kernel, generator, input.device if device is None else device, x.shape, d)
        order = memory_order(x, memory_format)
        if order is not None:
            array = array.transpose(order).copy().transpose([order.index(i) for i in range(len(order))])
        return finished(array, requires_grad)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"{what} In the shape and dtype of ``input`` and on its device, unless told."
    return create


rand_like = _like("rand_like", "random_uniform", "Uniform numbers in [0, 1).")
randn_like = _like("randn_like", "random_normal", "Numbers of the standard normal distribution.")


def randint_like(input: Tensor, low: int, high: int | None = None, **options: Any) -> Tensor:
    """`randint` in the shape and dtype of ``input`` and on its device, unless told."""
    if high is None:
        low, high = 0, low
    options.setdefault("dtype", input.dtype)
    options.setdefault("device", input.device)
    options.pop("memory_format", None)
    return randint(low, high, input._data.shape, **options)


# ---------------------------------------------------------------------- in place


def _fill(tensor: Any, name: str, array: Any) -> Any:
    return write_into(Overwrite, tensor, name, wrap(array.astype(tensor._data.dtype, copy=False)))


def _draw_for(tensor: Any, kernel: str, generator: Any, name: str, *args: Any) -> Any:
    check_writable(tensor, name)
    x = tensor._data
    if x.dtype.kind not in "fcV":
        raise UnsupportedDTypeError(
            f"{name}: not implemented for {tensor.dtype}; use a floating-point tensor, or random_()"
        )
    return draw(kernel, generator, tensor.device, x.shape, x.dtype, *args)


def uniform_(input: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with uniform numbers in [``a``, ``b``).

    Raises:
        RuntimeError: ``a`` is above ``b``.
    """
    if a > b:
        raise ShapeError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
    u = _draw_for(input, "random_uniform", generator, "uniform_")
    return _fill(input, "uniform_", u * (b - a) + a)  # type: ignore[no-any-return]


def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with normal numbers.

    Raises:
        RuntimeError: ``std`` is negative.
    """
    if std < 0:
        raise ShapeError(f"normal_ expects std >= 0.0, but found std={std}")
    z = _draw_for(input, "random_normal", generator, "normal_")
    return _fill(input, "normal_", z * std + mean)  # type: ignore[no-any-return]


def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with numbers of the exponential distribution with rate ``lambd``.

    Raises:
        RuntimeError: ``lambd`` is not positive.
    """
    if lambd <= 0:
        raise ShapeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _fill(input, "exponential_", _draw_for(input, "random_exponential", generator, "exponential_") / lambd)  # type: ignore[no-any-return]


def log_normal_(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with ``exp`` of normal numbers.

    Raises:
        RuntimeError: ``std`` is not positive.
    """
    if std <= 0:
        raise ShapeError(f"log_normal_ expects std > 0.0, but found std={std}")
    z = _draw_for(input, "random_normal", generator, "log_normal_")
    return _fill(input, "log_normal_", kernels_of[type(z)].exp(z * std + mean))  # type: ignore[no-any-return]


def cauchy_(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with numbers of the Cauchy distribution: the quotient of two normal numbers."""
    z = _draw_for(input, "random_normal", generator, "cauchy_") / _draw_for(
        input, "random_normal", generator, "cauchy_"
    )
    return _fill(input, "cauchy_", z * sigma + median)  # type: ignore[no-any-return]


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with the number of trials up to the first success, each of which has probability ``p``.

    Raises:
        RuntimeError: ``p`` is not within (0, 1).
    """
    if not 0 < p < 1:
        raise ShapeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    check_writable(input, "geometric_")
    waits = draw("random_exponential", generator, input.device, input._data.shape, to_dtype("float64").dtype)
    return _fill(input, "geometric_", kernels_of[type(waits)].ceil(waits / -math.log1p(-p)))  # type: ignore[no-any-return]


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 with probability ``p`` (a number, or a tensor that broadcasts), else 0."""
    check_writable(input, "bernoulli_")
    x = input._data
    q = kernels_of[type(x)].astype(p._data, "float64") if isinstance(p, TensorBase) else _probability("bernoulli_", p)
    return _fill(input, "bernoulli_", draw("random_bernoulli", generator, input.device, x.shape, x.dtype, q))  # type: ignore[no-any-return]


def random_(input: Tensor, *bounds: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Overwrite with integers: ``random_()``, ``random_(to)`` or ``random_(from, to)``, without ``to`` itself.

    Raises:
        RuntimeError: the bounds are in the wrong order, or do not fit the dtype.
    """
    check_writable(input, "random_")
    low, high = named.get("from"), named.get("to")
    if len(bounds) == 1:
        high = bounds[0]
    elif bounds:
        low, high = bounds
    _, most = _integer_range(input.dtype)
    high = most + 1 if high is None else high
    x = input._data
    array = _integers("random_", low or 0, high, x.shape, x.dtype, input.device, generator)
    return _fill(input, "random_", array)  # type: ignore[no-any-return]
