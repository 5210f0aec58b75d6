"""The way to Python, NumPy, other types and other devices."""

from __future__ import annotations

from .. import ops
from ..printing import formatted
from ..promotion import is_complex, is_floating_point


class ConversionMethods:
    """The way to Python, NumPy, other types and other devices."""

    __slots__ = ()

    __array__ = ops.array_of
    __array_namespace__ = ops.array_namespace
    __array_wrap__ = ops.wrapped_array
    __bool__ = ops.bool_of
    __complex__ = ops.complex_of
    __contains__ = ops.contains
    __copy__ = ops.copied
    __deepcopy__ = ops.deepcopied
    __dlpack__ = ops.dlpack
    __dlpack_device__ = ops.dlpack_device
    __float__ = ops.float_of
    __format__ = formatted
    __index__ = ops.index_of
    __int__ = ops.int_of
    __reduce_ex__ = ops.reduced
    __cuda_array_interface__ = property(ops.cuda_array_interface)
    __reversed__ = ops.reversed_
    as_subclass = ops.as_subclass
    clone = ops.clone
    cpu = ops.to_cpu
    cuda = ops.to_cuda
    get_device = ops.get_device
    is_complex = is_complex
    is_floating_point = is_floating_point
    is_nonzero = ops.is_nonzero
    is_pinned = ops.is_pinned
    is_shared = ops.is_shared
    is_signed = ops.is_signed
    item = ops.item
    numpy = ops.numpy
    pin_memory = ops.pin_memory
    record_stream = ops.record_stream
    share_memory_ = ops.share_memory_
    to = ops.to
    to_device = ops.to_device
    tolist = ops.tolist
    type_as = ops.type_as
