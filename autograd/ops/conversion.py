"""From tensors to tensors of another type or device, and to Python and NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import Device, DType, assign, dtypes, get_backend, kernels_of, to_dtype
from ...backends.errors import InvalidValueError, ShapeError, SparseOperandError
from ...backends.registry import follower
from ...backends.sparse import SparseArray
from ..admission import need_tensors
from ..base import TensorBase
from ..inplace import inplace
from ..primitive import Primitive, apply
from ..promotion import get_default_dtype
from ..write_checks import check_writable
from .cast import Cast, cast
from .index_put import fitted
from .layout import MemoryFormat, apart, clone, contiguous_format, has_format, is_contiguous, preserve_format
from .scalar import number_for, refuse_fractions
from .writing import without_repeats, writable, write_into

if TYPE_CHECKING:
    from ..tensor import Tensor


class ToCopy(Primitive):
    """``x`` on another device. The gradient travels back."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, device: Device, non_blocking: bool = False) -> Any:
        ctx.info = kernels_of[type(x)].backend.device_of(x)
        return transfer(x, device, non_blocking)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        g = apply(ToCopy, g, device=ctx.info)
        if follower.start is not None:  # the engine adds it to others there
            follower.follow(g._data if isinstance(g, TensorBase) else g)
        return g


Cast.node_type.__name__ = "ToCopyBackward0"  # PyTorch has one op for both


def transfer(x: Any, device: Device, non_blocking: bool = False) -> Any:
    """A copy of an array on ``device``, by way of main memory if it comes from a device of another kind."""
    backend, source = get_backend(device.type), kernels_of[type(x)].backend
    backend.check(device)
    if source is backend:
        return backend.moved(x, device)
    return backend.from_numpy(source.to_numpy(x), device, non_blocking)


def same_device(a: Device, b: Device) -> bool:
    """Whether ``a``, which may leave its index open, means the device ``b``."""
    return a.type == b.type and (a.index is None or b.index is None or a.index == b.index)


class Overwrite(Primitive):
    """``value`` broadcast to the shape of ``x``, which has no say in it; in the memory of ``x`` if ``own``."""

    @staticmethod
    def forward(ctx: Any, x: Any, value: Any, *, own: bool) -> Any:
        y = writable(x, own)
        assign(y, value)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return zeros_rule(g) if ctx.needs[0] else None, g


class Fill(Overwrite):
    """One number everywhere."""


class Zero(Overwrite):
    """Zero everywhere."""


Overwrite.node_type.__name__ = "CopyBackwards"
Overwrite.node_type.name = lambda self: "torch::autograd::CopyBackwards"  # type: ignore[method-assign]


def zeros_rule(x: Any) -> Any:
    """Zeros like ``x``, Tensor or array."""
    return apply(Zero, x, 0, own=False)


# ---------------------------------------------------------------------- writing all of it


def copy_(input: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write ``src``, broadcast, converted and moved as needed, to ``input``.

    Args:
        input: any shape.
        src: a Tensor that broadcasts to it, or a number.
        non_blocking: return before it is done, where ``src`` is in page-locked memory and ``input`` on a GPU.

    Raises:
        RuntimeError: the shapes do not fit, or ``input`` may not be written.
    """
    if not isinstance(src, TensorBase):
        return write_into(Overwrite, input, "copy_", number_for(src, input._data.dtype))
    check_writable(input, "copy_")
    if src is input:
        return input
    if isinstance(input._data, SparseArray) or isinstance(src._data, SparseArray):
        from ..sparse.methods import sparse_copy_

        return sparse_copy_(input, src)
    value = fitted(
        src,
        input._data.shape,
        "copy_: The size of tensor a must match the size of tensor b: cannot broadcast the source, {value}, to the "
        "target, {target}",
    )
    refuse_fractions(value._data, input._data.dtype)
    value = to(apart("copy_", input._data, input, value), input.device, input.dtype, non_blocking=non_blocking)
    return write_into(Overwrite, input, "copy_", value)


def fill_(input: Tensor, value: Any) -> Tensor:
    """Write one number, or a 0-d tensor, everywhere.

    Raises:
        RuntimeError: ``value`` has dimensions, or does not fit the dtype.
    """
    if not isinstance(value, TensorBase):
        number = number_for(value, input._data.dtype)
    elif value._data.ndim:
        raise ShapeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._data.ndim} dimensions."
        )
    else:
        number = to(value, input.device, input.dtype)  # type: ignore[arg-type]
    write_into(Fill, without_repeats(input), "fill_", number)
    return input


def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor like ``input`` with one number, or a 0-d tensor, everywhere."""
    return fill_(clone(input), value)


def zero_(input: Tensor) -> Tensor:
    """Write zero everywhere."""
    try:
        write_into(Zero, without_repeats(input), "zero_", 0)
        return input
    except SparseOperandError:
        return inplace(input, "zero_", zeros_rule)


# ---------------------------------------------------------------------- another type or device


def to(input: Tensor, *args: Any, **options: Any) -> Tensor:
    """``input`` with another dtype, on another device, or in another memory format; itself if nothing changes.

    Args:
        input: any shape.
        args: a dtype; a device and perhaps a dtype; or a Tensor to be like.
        options: ``device, dtype, non_blocking, copy, memory_format`` by name.

    Returns:
        The same shape. Gradients flow back through the change.

    Raises:
        RuntimeError: the device is unknown or missing. TypeError: an argument is none of these.

    Example:
        >>> import wengert as wg
        >>> wg.ones(2).to(wg.int64)
        tensor([1, 1])
    """
    soon = options.get("non_blocking")
    device, dtype, copy, memory_format = to_arguments(args, options)
    y = input
    if device is not None and not same_device(device, input.device):
        soon = _third(args) if soon is None else soon
        y = apply(ToCopy, y, device=device, **({"non_blocking": True} if soon else {}))
    if dtype is not None and dtype != y._data.dtype:
        y = cast(y, dtype)
    if memory_format.order is not None or memory_format is contiguous_format:
        keeps = has_format(y, memory_format) if y is input else is_contiguous(y, memory_format)
        return y if keeps and not (copy and y is input) else clone(y, memory_format=memory_format)
    return clone(y) if copy and y is input else y


def _third(args: tuple[Any, ...]) -> Any:
    """The argument ``non_blocking`` among those that `to` was given by position: the first bool after a dtype."""
    return next((value for value in args[1:3] if type(value) is bool), None)


def to_arguments(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Device | None, Any, bool, MemoryFormat]:
    """What the arguments of `to` ask for: device, NumPy dtype, copy, memory format."""
    device, dtype = options.pop("device", None), options.pop("dtype", None)
    copy = options.pop("copy", False)
    options.pop("non_blocking", None)
    memory_format = options.pop("memory_format", None) or preserve_format
    like = options.pop("other", None)
    if options:
        raise TypeError(f"to() got an unexpected keyword argument {next(iter(options))!r}")
    rest = list(args)
    if rest and isinstance(rest[0], TensorBase):
        like = rest.pop(0)
    elif rest and (isinstance(rest[0], Device) or type(rest[0]) in (str, int)):
        device = rest.pop(0)
        dtype = rest.pop(0) if rest and not isinstance(rest[0], bool) else dtype
    elif rest and rest[0] is None:
        rest.pop(0)
        dtype = rest.pop(0) if rest and not isinstance(rest[0], bool) else dtype
    elif rest:
        dtype = rest.pop(0)
    if like is not None:
        device, dtype = like.device, like.dtype
    copy = bool(rest[1]) if len(rest) > 1 else copy  # rest: non_blocking, copy
    return (
        None if device is None else Device(device),
        None if dtype is None else to_dtype(dtype).dtype,
        copy,
        memory_format,
    )


def _caster(dtype: DType) -> Any:
    def convert(input: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
        return to(input, dtype, memory_format=memory_format)

    convert.__name__ = convert.__qualname__ = dtype.name
    convert.__doc__ = f"``input.to(wengert.{dtype.name})``."
    return convert


half = _caster(dtypes.float16)
bfloat16 = _caster(dtypes.bfloat16)
float_ = _caster(dtypes.float32)
double = _caster(dtypes.float64)
cfloat = _caster(dtypes.complex64)
cdouble = _caster(dtypes.complex128)
bool_ = _caster(dtypes.bool_)
byte = _caster(dtypes.uint8)
char = _caster(dtypes.int8)
short = _caster(dtypes.int16)
int_ = _caster(dtypes.int32)
long = _caster(dtypes.int64)


def to_cpu(input: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """``input.to("cpu")``."""
    return to(input, "cpu", memory_format=memory_format)


def to_cuda(
    input: Tensor, device: Any = None, non_blocking: bool = False, memory_format: MemoryFormat = preserve_format
) -> Tensor:
    """``input.to("cuda")``, or to the CUDA device named.

    Raises:
        RuntimeError: there is no such device, or CuPy is missing.
    """
    device = "cuda" if device is None else device
    return to(input, device, non_blocking=non_blocking, memory_format=memory_format)


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` with the dtype and on the device of ``other``."""
    need_tensors("type_as", input=input, other=other)
    return to(input, other)


LEGACY_NAMES = {
    "FloatTensor": dtypes.float32,
    "DoubleTensor": dtypes.float64,
    "HalfTensor": dtypes.float16,
    "BFloat16Tensor": dtypes.bfloat16,
    "ByteTensor": dtypes.uint8,
    "CharTensor": dtypes.int8,
    "ShortTensor": dtypes.int16,
    "IntTensor": dtypes.int32,
    "LongTensor": dtypes.int64,
    "BoolTensor": dtypes.bool_,
    "ComplexFloatTensor": dtypes.complex64,
    "ComplexDoubleTensor": dtypes.complex128,
}


def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, such as ``"wengert.FloatTensor"``; or the tensor converted to ``dtype``."""
    if dtype is None:
        module = "wengert" if input.device.type == "cpu" else f"wengert.{input.device.type}"
        if isinstance(input._data, SparseArray):
            module += ".sparse" if input._data.pattern.layout == "sparse_coo" else ".sparse_csr"
        name = next(name for name, kind in LEGACY_NAMES.items() if kind is input.dtype)
        return f"{module}.{name}"
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        *module_parts, name = dtype.split(".")
        device = "cuda" if "cuda" in module_parts else "cpu"
        return to(input, device, dtypes.float32 if name == "Tensor" else LEGACY_NAMES[name])
    if isinstance(dtype, type) and issubclass(dtype, TensorBase):  # the class stands for the type that tensors have
        return to(input, get_default_dtype())
    if isinstance(dtype, str | type):
        raise InvalidValueError(f"invalid type: {dtype!r}; use a dtype, or the name of a tensor type")
    return to(input, getattr(dtype, "dtype", dtype))


class Casts:
    """The Tensor methods that are named like Python's types.

    They are inherited, so that inside the class body of Tensor ``int`` and ``bool`` still mean Python's.
    """

    __slots__ = ()
    bfloat16 = bfloat16
    bool = bool_
    byte = byte
    cdouble = cdouble
    cfloat = cfloat
    char = char
    double = double
    float = float_
    half = half
    int = int_
    long = long
    short = short
    type = type_
