"""From tensors to tensors of another type or device, and to Python and NumPy."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ...backends import Device, DType, dtypes, get_backend, kernels_of, to_dtype
from ...backends.errors import DTypeError, GraphError, ShapeError
from ..base import TensorBase, alias, new, version_of
from ..inplace import check_writable
from ..primitive import Primitive, apply
from .cast import Cast, cast
from .indexing import fitted
from .layout import MemoryFormat, apart, clone, contiguous_format, is_contiguous, preserve_format
from .scalar import number_for
from .writing import writable, write_into

if TYPE_CHECKING:
    from ..tensor import Tensor


class ToCopy(Primitive):
    """``x`` on another device. The gradient travels back."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, device: Device) -> Any:
        ctx.info = kernels_of[type(x)].backend.device_of(x)
        return transfer(x, device)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(ToCopy, g, device=ctx.info)


Cast.node_type.__name__ = "ToCopyBackward0"  # PyTorch has one op for both


def transfer(x: Any, device: Device) -> Any:
    """A copy of an array on ``device``, by way of main memory."""
    backend = get_backend(device.type)
    backend.check(device)
    return backend.from_numpy(kernels_of[type(x)].backend.to_numpy(x), device)


def same_device(a: Device, b: Device) -> bool:
    """Whether ``a``, which may leave its index open, means the device ``b``."""
    return a.type == b.type and (a.index is None or b.index is None or a.index == b.index)


class Overwrite(Primitive):
    """``value`` broadcast to the shape of ``x``, which has no say in it; in the memory of ``x`` if ``own``."""

    @staticmethod
    def forward(ctx: Any, x: Any, value: Any, *, own: bool) -> Any:
        y = writable(x, own)
        y[...] = value
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return zeros_rule(g) if ctx.needs[0] else None, g


class Fill(Overwrite):
    """One number everywhere."""


class Zero(Overwrite):
    """Zero everywhere."""


Overwrite.node_type.__name__ = "CopyBackwards"


def zeros_rule(x: Any) -> Any:
    """Zeros like ``x``, Tensor or array."""
    return apply(Zero, x, 0, own=False)


# ---------------------------------------------------------------------- writing all of it


def copy_(input: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write ``src``, broadcast, converted and moved as needed, to ``input``.

    Args:
        input: any shape.
        src: a Tensor that broadcasts to it, or a number.
        non_blocking: for PyTorch's sake.

    Raises:
        RuntimeError: the shapes do not fit, or ``input`` may not be written.
    """
    if not isinstance(src, TensorBase):
        return write_into(Overwrite, input, "copy_", number_for(src, input._data.dtype))  # type: ignore[no-any-return]
    check_writable(input, "copy_")
    if src is input:
        return input
    value = fitted(
        src,
        input._data.shape,
        "copy_: The size of tensor a must match the size of tensor b: cannot broadcast the source, {value}, to the "
        "target, {target}",
    )
    value = to(apart("copy_", input._data, input, value), input.device, input.dtype)
    return write_into(Overwrite, input, "copy_", value)  # type: ignore[no-any-return]


def fill_(input: Tensor, value: Any) -> Tensor:
    """Write one number, or a 0-d tensor, everywhere.

    Raises:
        RuntimeError: ``value`` has dimensions, or does not fit the dtype.
    """
    if not isinstance(value, TensorBase):
        return write_into(Fill, input, "fill_", number_for(value, input._data.dtype))  # type: ignore[no-any-return]
    if value._data.ndim:
        raise ShapeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._data.ndim} dimensions."
        )
    return write_into(Fill, input, "fill_", to(value, input.device, input.dtype))  # type: ignore[no-any-return, arg-type]


def zero_(input: Tensor) -> Tensor:
    """Write zero everywhere."""
    return write_into(Zero, input, "zero_", 0)  # type: ignore[no-any-return]


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
    device, dtype, copy, memory_format = to_arguments(args, options)
    y = input
    if device is not None and not same_device(device, input.device):
        y = apply(ToCopy, y, device=device)
    if dtype is not None and dtype != y._data.dtype:
        y = cast(y, dtype)
    if memory_format.order is not None or memory_format is contiguous_format:
        return y if is_contiguous(y, memory_format) and not copy else clone(y, memory_format=memory_format)
    return clone(y) if copy and y is input else y


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


def cpu(input: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """``input.to("cpu")``."""
    return to(input, "cpu", memory_format=memory_format)


def cuda(
    input: Tensor, device: Any = None, non_blocking: bool = False, memory_format: MemoryFormat = preserve_format
) -> Tensor:
    """``input.to("cuda")``, or to the CUDA device named.

    Raises:
        RuntimeError: there is no such device, or CuPy is missing.
    """
    return to(input, "cuda" if device is None else device, memory_format=memory_format)


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` with the dtype and on the device of ``other``."""
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
        name = next(name for name, kind in LEGACY_NAMES.items() if kind is input.dtype)
        return f"{module}.{name}"
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        *module_parts, name = dtype.split(".")
        device = "cuda" if "cuda" in module_parts else "cpu"
        return to(input, device, dtypes.float32 if name == "Tensor" else LEGACY_NAMES[name])
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


# ---------------------------------------------------------------------- Python's numbers and lists


def item(input: Tensor) -> Any:
    """The only element, as a Python number.

    Raises:
        RuntimeError: there are more elements, or none.
    """
    x = input._data
    if x.size != 1:
        raise ShapeError(
            f"a Tensor with {x.size} elements cannot be converted to Scalar: the shape is {list(x.shape)}; "
            "use tolist(), or reduce or index it first"
        )
    value = x.item()
    return float(value) if x.dtype.kind == "V" else value


def tolist(input: Tensor) -> Any:
    """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
    x = input._data
    if x.dtype.kind == "V":
        x = kernels_of[type(x)].astype(x, "float32")
    return x.tolist()


def bool_of(input: Tensor) -> bool:
    """``bool(x)``: whether the only element is not zero.

    Raises:
        RuntimeError: there are more elements, or none.
    """
    x = input._data
    if x.size != 1:
        many = "more than one value" if x.size else "no values"
        raise ShapeError(
            f"Boolean value of Tensor with {many} is ambiguous: the shape is {list(x.shape)}; use any() or all()"
        )
    return bool(x.reshape(()))


def float_of(input: Tensor) -> float:
    """``float(x)`` of the only element."""
    return float(item(input))


def int_of(input: Tensor) -> int:
    """``int(x)`` of the only element."""
    return int(item(input))


def complex_of(input: Tensor) -> complex:
    """``complex(x)`` of the only element."""
    return complex(item(input))


def index_of(input: Tensor) -> int:
    """``operator.index(x)`` of the only element.

    Raises:
        TypeError: the tensor is not of an integer type, or has several elements.
    """
    if input._data.size != 1 or input._data.dtype.kind not in "iub":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return operator.index(item(input))


def contains(input: Tensor, element: Any) -> bool:
    """``element in x``: whether any element equals it.

    Raises:
        RuntimeError: ``element`` is neither a tensor nor a number.
    """
    if not isinstance(element, TensorBase | bool | int | float | complex):
        raise DTypeError(
            f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element).__name__}."
        )
    return bool((input._data == (element._data if isinstance(element, TensorBase) else element)).any())


# ---------------------------------------------------------------------- arrays of others


def numpy(input: Tensor, *, force: bool = False) -> Any:
    """A NumPy array on the same memory.

    Args:
        input: on the CPU, without ``requires_grad``.
        force: detach and move it first, so that any tensor will do.

    Raises:
        RuntimeError: it requires grad. TypeError: it is on another device.
    """
    if input.requires_grad and not force:
        raise GraphError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    backend = kernels_of[type(input._data)].backend
    if backend.name != "cpu" and not force:
        raise TypeError(
            f"can't convert {input.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            "memory first."
        )
    version_of(input)
    return backend.to_numpy(input._data)[...]


def array_of(input: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """``np.asarray(x)``: see `numpy`."""
    array = numpy(input)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"a {array.dtype} tensor cannot become a {dtype} array without a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


def dlpack(input: Tensor, **options: Any) -> Any:
    """The DLPack capsule of the tensor's memory.

    Raises:
        BufferError: it requires grad, or the other side cannot take it.
    """
    if input.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return input._data.__dlpack__(**options)


def dlpack_device(input: Tensor) -> Any:
    """The tensor's device in DLPack's numbers."""
    return input._data.__dlpack_device__()


# ---------------------------------------------------------------------- copies and pickles


def copied(input: Tensor) -> Tensor:
    """``copy.copy(x)``: another Tensor on the same memory, with the same gradient and attributes."""
    t = _bare(type(input), input._data[...], input._rg if input.is_leaf else False)
    t._ver = version_of(input)
    t._grad = input._grad
    if not input.is_leaf:
        return alias(input) if not input.requires_grad else clone(input)  # type: ignore[no-any-return]
    t.__dict__.update(input.__dict__)
    return t


def deepcopied(input: Tensor, memo: dict[int, Any]) -> Tensor:
    """``copy.deepcopy(x)``: a Tensor with memory, gradient and attributes of its own.

    Raises:
        RuntimeError: it is not a leaf, so that a copy would have no place in the graph.
    """
    import copy

    if id(input) in memo:
        return memo[id(input)]  # type: ignore[no-any-return]
    if not input.is_leaf:
        raise GraphError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment; "
            "this one was made by an operation: use x.detach().clone()"
        )
    t = memo[id(input)] = _bare(type(input), input._data.copy("K"), input._rg)
    if input._grad is not None:
        t._grad = copy.deepcopy(input._grad, memo)
    t.__dict__.update(copy.deepcopy(input.__dict__, memo))
    return t


def _bare(cls: type, array: Any, requires_grad: bool) -> Any:
    """A leaf of class ``cls`` on ``array``, made past the class's constructor."""
    t = new(cls)
    t._data = array
    t._grad = t._edge = t._view = t._hooks = t._ver = None
    t._rg = requires_grad
    return t


def rebuild(cls: type, array: Any, device: str, requires_grad: bool, state: dict[str, Any]) -> Any:
    """What a pickle calls: a leaf of class ``cls`` with the values of a NumPy array, on ``device`` if that is here."""
    where = Device(device)
    t = _bare(cls, get_backend(where.type).from_numpy(array, where), requires_grad)
    t.__dict__.update(state)
    return t


def reduced(input: Tensor, protocol: Any) -> Any:
    """What pickle keeps of a tensor: class, values, device, ``requires_grad`` and attributes.

    Raises:
        RuntimeError: it is not a leaf and requires grad.
    """
    if input.requires_grad and not input.is_leaf:
        raise GraphError("a tensor that was made by a recorded operation cannot be pickled; detach() it first")
    array = kernels_of[type(input._data)].backend.to_numpy(input._data)
    return rebuild, (type(input), array, str(input.device), input._rg, dict(input.__dict__))


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, TensorBase)
