"""Tensors into Python's numbers and lists, copies and pickles; `interop` has the way to other libraries' arrays."""

from __future__ import annotations

import copy
import operator
from typing import TYPE_CHECKING, Any

from ...backends import Device, get_backend, kernels_of
from ...backends.errors import DTypeError, GraphError, InvalidValueError, ShapeError
from ...backends.settings import warn_once
from ...backends.sparse import SparseArray
from ..base import TensorBase, new, version_of
from ..grad_mode import mode
from .layout import clone, storage_offset
from .storage import copied_memory, memory_key

if TYPE_CHECKING:
    from ..tensor import Tensor


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
    if isinstance(x, SparseArray):
        raise DTypeError("Cannot access data pointer of Tensor that doesn't have storage; tolist() its to_dense()")
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
    return bool(x.item())


def _only(input: Tensor, kind: str = "") -> Any:
    """The only element for a conversion; as a real number for one to a real ``kind``."""
    if input._data.size != 1:
        raise InvalidValueError(
            f"only one element tensors can be converted to Python scalars, and the shape is {list(input._data.shape)}; "
            "use tolist(), or reduce or index it first"
        )
    value = item(input)
    if kind and isinstance(value, complex):
        if value.imag:
            raise DTypeError(f"value cannot be converted to type {kind} without overflow: {value} is complex")
        return value.real
    return value


def float_of(input: Tensor) -> float:
    """``float(x)`` of the only element.

    Raises:
        ValueError: there are more elements, or none. RuntimeError: it has an imaginary part.
    """
    if input.requires_grad and mode.grad:
        warn_once(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior. Consider using "
            "tensor.detach() first."
        )
    return float(_only(input, "double"))


def int_of(input: Tensor) -> int:
    """``int(x)`` of the only element.

    Raises:
        ValueError: there are more elements, or none. RuntimeError: it has an imaginary part.
    """
    return int(_only(input, "int64_t"))


def complex_of(input: Tensor) -> complex:
    """``complex(x)`` of the only element.

    Raises:
        ValueError: there are more elements, or none.
    """
    return complex(_only(input))


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
    return bool((input == element).any())


# ---------------------------------------------------------------------- copies and pickles


def copied(input: Tensor) -> Tensor:
    """``copy.copy(x)``: another Tensor on the same memory, with the same gradient and attributes.

    Of what an operation made it is a clone, through which gradients flow back.
    """
    if not input.is_leaf:
        return clone(input)
    t = _bare(type(input), input._data[...], input._rg)
    t._ver, t._grad = version_of(input), input._grad
    t.__dict__.update(input.__dict__)
    return t


def deepcopied(input: Tensor, memo: dict[int, Any]) -> Tensor:
    """``copy.deepcopy(x)``: a Tensor with memory, gradient and attributes of its own.

    Raises:
        RuntimeError: it is not a leaf, so that a copy would have no place in the graph.
    """
    if id(input) in memo:
        return memo[id(input)]
    if not input.is_leaf:
        raise GraphError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment; "
            "this one was made by an operation: use x.detach().clone()"
        )
    t: Any = _bare(type(input), _deepcopied_array(input, memo), input._rg)
    memo[id(input)] = t
    if input._grad is not None:
        t._grad = copy.deepcopy(input._grad, memo)
    t.__dict__.update(copy.deepcopy(input.__dict__, memo))
    return t


def _deepcopied_array(input: Tensor, memo: dict[Any, Any]) -> Any:
    """A copy of the tensor's array; tensors that share memory share its copy, unless they are small parts of it."""
    x = input._data
    if isinstance(x, SparseArray):
        return x.copy("K")
    k = kernels_of[type(x)]
    memory = k.memory(x)
    if memory.nbytes == x.nbytes and memory_key(memory) not in memo:
        y = x.copy("K")
        memo[memory_key(memory)] = k.memory(y)
        return y
    if memory.nbytes > 2 * x.nbytes and memory_key(memory) not in memo:
        return x.copy("K")
    whole = copied_memory(memory, memo).view(x.dtype)
    return k.strided(whole, x.shape, tuple([s // x.itemsize for s in x.strides]), storage_offset(input))


def _bare(cls: type, array: Any, requires_grad: bool) -> Any:
    """A leaf of class ``cls`` on ``array``, made past the class's constructor."""
    t: Any = new(cls)
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


def rebuild_sparse(cls: type, parts: Any, device: str, requires_grad: bool, state: dict[str, Any]) -> Any:
    """What the pickle of a sparse tensor calls; see `rebuild`."""
    from ..sparse.creation import unpacked

    where = Device(device)
    layout, arrays, *rest = parts
    moved = [get_backend(where.type).from_numpy(a, where) for a in arrays]
    t = _bare(cls, unpacked(layout, moved, *rest), requires_grad)
    t.__dict__.update(state)
    return t


def rebuild_shared(cls: type, kind: str, parts: Any, requires_grad: bool, state: dict[str, Any]) -> Any:
    """What a new process calls for a tensor in memory that it sees too; see `rebuild`."""
    t = _bare(cls, get_backend(kind).from_shared(parts), requires_grad)
    t.__dict__.update(state)
    return t


def reduced(input: Tensor, protocol: Any) -> Any:
    """What pickle keeps of a tensor: class, values, device, ``requires_grad`` and attributes; a leaf comes back."""
    if isinstance(input._data, SparseArray):
        parts = input._data.packed()
        return rebuild_sparse, (type(input), parts, str(input.device), input.requires_grad, dict(input.__dict__))
    backend = kernels_of[type(input._data)].backend
    parts = backend.shared_parts(input._data)
    if parts is not None:
        return rebuild_shared, (type(input), input.device.type, parts, input.requires_grad, dict(input.__dict__))
    array = backend.to_numpy(input._data)
    return rebuild, (type(input), array, str(input.device), input.requires_grad, dict(input.__dict__))


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, TensorBase)
