"""Random tensors of given sizes. With tensors of parameters: ``sampling.py``; in place: ``random_fill.py``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import get_backend, kernels_of, to_dtype
from ...backends.definitions.random import blocks_used
from ...backends.errors import DTypeError, ShapeError, UnsupportedDTypeError
from ..batching import drawn
from ..grad_mode import mode
from ..random import Generator, default_generator
from .creation import check_layout, dtype_beside, dtype_of, finished, place_of, shape_of, size_argument
from .creation_like import in_order_of
from .layout import MemoryFormat, preserve_format
from .scalar import number_for

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
    source = default_generator if generator is None else generator

    def numbers(shape: tuple[int, ...], *args: Any) -> Any:
        kernels = next((kernels_of[type(a)] for a in args if type(a) in kernels_of), get_backend(where.type).kernels)
        key, offset = source.take(blocks_used(kernel, math.prod(shape), dtype))
        with kernels.backend.on(where):
            return getattr(kernels, kernel)(key, offset, *args, shape, dtype)

    return drawn(numbers, shape, args) if mode.levels else numbers(shape, *args)


def wide(x: Any) -> Any:
    """``x`` in float32 if it is a 16-bit float, so that arithmetic on it is rounded once."""
    return kernels_of[type(x)].astype(x, "float32") if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


# ---------------------------------------------------------------------- new tensors


def _factory(name: str, kernel: str, what: str) -> Any:
    def create(
        *sizes: Any,
        size: Any = None,
        generator: Generator | None = None,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        check_layout(layout)
        d = dtype_of(dtype_beside(out, dtype))
        shape = shape_of(name, size_argument(name, sizes, size))
        return finished(draw(kernel, generator, device, shape, d), requires_grad, out, name)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = (
        f"{what}\n\nArgs:\n    sizes: the sizes.\n    size: the same, by keyword.\n    generator: where the numbers "
        "come from; the default generator unless told.\n    out, dtype, layout, device, requires_grad, pin_memory: as "
        "for `zeros`.\n"
    )
    return create


rand = _factory("rand", "random_uniform", "Uniform numbers in [0, 1).")
randn = _factory("randn", "random_normal", "Numbers of the standard normal distribution.")


def randint(
    low: Any = None,
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
    if low is None:
        low = 0
    elif high is None or size is None or isinstance(high, tuple | list):
        low, high, size = 0, low, high if size is None else size
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    d = to_dtype(("int64" if out is None else out.dtype) if dtype is None else dtype).dtype
    return finished(
        integers("randint", low, high, shape_of("randint", size), d, device, generator), requires_grad, out, "randint"
    )


def integers(name: str, low: Any, high: Any, shape: Any, dtype: Any, device: Any, generator: Any) -> Any:
    """An array of integers from ``low`` to ``high - 1``, which must fit the dtype."""
    for which, bound in (("low", low), ("high", high)):
        if not hasattr(bound, "__index__"):
            raise TypeError(f"{name}(): argument '{which}' must be int, not {type(bound).__name__}")
    low, high = int(low), int(high)
    if dtype.kind == "c":
        raise DTypeError(f"{name}: check_random_bounds handles only integral, floating-point and boolean types")
    if low >= high:
        raise ShapeError(f"{name} expects 'from' to be less than 'to', but got from={low} >= to={high}")
    _check_bounds(name, low, high, dtype)
    return draw("random_integers", generator, device, shape, dtype, low, high)


def _check_bounds(name: str, low: int, high: int, dtype: Any) -> None:
    kind = to_dtype(dtype)
    least, most = integer_range(kind)
    for what, n in (("from", low), ("to - 1", high - 1)):
        if not least <= n <= most:
            raise DTypeError(f"{name}: {what} is out of bounds for {kind}, which holds {least} to {most}: it is {n}")


def integer_range(kind: Any) -> tuple[int, int]:
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
    dtype = dtype_beside(out, dtype)
    d = to_dtype("int64" if dtype is None else dtype).dtype
    number_for(max(n - 1, 0), d)  # the largest must fit
    where = place_of(device)
    backend = get_backend(where.type)
    source = default_generator if generator is None else generator

    def permutations(shape: tuple[int, ...]) -> Any:
        """One permutation for each place of the leading dimensions."""
        rows = []
        for _ in range(math.prod(shape[:-1])):
            key, offset = source.take(blocks_used("random_permutation", n))
            with backend.on(where):
                rows.append(backend.kernels.random_permutation(key, offset, n, d))
        return rows[0] if len(shape) == 1 else backend.xp.stack(rows).reshape(shape)

    array = drawn(permutations, (n,), ()) if mode.levels else permutations((n,))
    return finished(array, requires_grad, out, "randperm")


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
        return finished(in_order_of(array, x, memory_format), requires_grad)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"{what} In the shape and dtype of ``input`` and on its device, unless told."
    return create


rand_like = _like("rand_like", "random_uniform", "Uniform numbers in [0, 1).")
randn_like = _like("randn_like", "random_normal", "Numbers of the standard normal distribution.")


def randint_like(input: Tensor, low: int = 0, high: int | None = None, **options: Any) -> Tensor:
    """`randint` in the shape and dtype of ``input`` and on its device, unless told."""
    if high is None:
        low, high = 0, low
    options.setdefault("dtype", input.dtype)
    options.setdefault("device", input.device)
    memory_format = options.pop("memory_format", preserve_format)
    t = randint(low, high, input._data.shape, **options)
    t._data = in_order_of(t._data, input._data, memory_format)
    return t
