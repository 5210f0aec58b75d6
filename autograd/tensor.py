"""``Tensor``: an array with a gradient and a place in a graph.

The class holds state, properties and the gradient. Operators and methods come from ``methods/``, by family.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from ..backends import Device, DType, kernels_of
from ..backends.dtypes import FROM_NUMPY
from ..backends.errors import GraphError
from . import hooks as _hooks
from . import methods, ops, subclass
from .api import backward
from .base import TensorBase, alias, bind, edge_of, version_of
from .grad_mode import INFERENCE, mode
from .node import OUTPUT
from .printing import tensor_repr
from .sparse import methods as sparse
from .transforms import refuse_inside

_Size, _new_size = ops.Size, tuple.__new__


class Tensor(
    methods.ArithmeticMethods,
    methods.ComparisonMethods,
    methods.ElementwiseMethods,
    methods.ReductionMethods,
    methods.ShapeMethods,
    methods.IndexingMethods,
    methods.LinalgMethods,
    methods.FillingMethods,
    methods.SparseMethods,
    methods.ConversionMethods,
    methods.ViewMethods,
    ops.Casts,
    TensorBase,
):
    """An n-dimensional array that records what is done to it.

    Args:
        data: sizes (``Tensor(2, 3)`` is uninitialised) or nested sequences, as PyTorch's legacy constructor takes them.
            `wengert.tensor` is the constructor to use.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])
    """

    __slots__ = ()
    _printed_as = "tensor"  # a subclass without this prints its own name
    __array_priority__ = 1000  # an array on the left of an operator leaves the operation to the tensor

    __torch_function__: Any = classmethod(subclass.default)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        subclass.prepared(cls, Tensor)

    def __new__(cls, *data: Any, dtype: Any = None, device: Any = None) -> Any:
        made = ops.legacy_tensor(*data, dtype=dtype, device=device)
        if cls is Tensor:
            return made
        self = TensorBase.__new__(cls)
        self._data, self._grad, self._edge, self._view, self._hooks = made._data, None, None, None, None
        self._rg, self._ver = False, None
        return self

    @staticmethod
    def _make_subclass(cls: type[Any], data: Tensor, require_grad: bool = False) -> Any:
        """A leaf of class ``cls`` on the memory of ``data``."""
        return data.detach().as_subclass(cls).requires_grad_(require_grad)

    # ------------------------------------------------------------------ what it is

    @property
    def shape(self) -> ops.Size:
        """The size of each dimension."""
        return _new_size(_Size, self._data.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return FROM_NUMPY[self._data.dtype]

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return kernels_of[type(self._data)].backend.device_of(self._data)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._data.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._data.nbytes  # type: ignore[no-any-return]

    @property
    def is_cpu(self) -> bool:
        """Whether the memory is main memory."""
        return self.device.type == "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is on a CUDA device."""
        return self.device.type == "cuda"

    def __len__(self) -> int:
        if self._data.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if self._data.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __repr__(self) -> str:
        return tensor_repr(self)

    layout = property(sparse.layout_of)
    is_sparse = property(sparse.has_coordinates)
    is_sparse_csr = property(sparse.has_rows)
    is_meta = is_mkldnn = is_mps = is_nested = is_quantized = is_xla = is_xpu = False
    is_ipu = is_maia = is_mtia = is_vulkan = False

    __hash__ = object.__hash__  # by identity, although == compares elements

    # ------------------------------------------------------------------ its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for this tensor."""
        return self._rg or (self._view is not None and self._view.joined(self))

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for gradients of this tensor, or stop asking, in place.

        Raises:
            RuntimeError: the type is not floating or complex; the tensor is not a leaf and ``requires_grad`` is False;
                it was made under inference_mode.
        """
        if not isinstance(requires_grad, bool):
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        if requires_grad:
            if mode.transforms and _asked_by_a_program():
                refuse_inside(
                    "Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs)",
                    "Use the transforms of wengert.func (grad, vjp, jacrev, jacfwd, hessian), or call requires_grad_() "
                    "outside of the function",
                )
            if self._data.dtype.kind not in "fcV":
                raise GraphError(
                    f"only Tensors of floating point dtype can require gradients, not {self.dtype}; convert it first: "
                    "x.float(). (Only Tensors of floating point and complex dtype can require gradients)"
                )
            if self._ver is INFERENCE and mode.fresh is not INFERENCE:
                raise GraphError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; clone() it"
                )
        elif self._edge is not None:
            raise GraphError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        self._rg = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        if self._view is None:
            return self._edge is None
        edge = edge_of(self)
        return edge is None or edge is self

    @property
    def grad_fn(self) -> Any:
        """The node of the operation that made this tensor, or None."""
        edge = edge_of(self)
        if edge is None or edge is self:
            return None
        return edge.node if edge.edge_kind == OUTPUT else edge

    _grad_fn = grad_fn

    @property
    def _backward_hooks(self) -> Any:
        """What a program has set; hooks are kept elsewhere."""
        return self.__dict__.get("_backward_hooks")

    @_backward_hooks.setter
    def _backward_hooks(self, value: Any) -> None:
        self.__dict__["_backward_hooks"] = value

    @property
    def output_nr(self) -> int:
        """Which output of its node this tensor is."""
        edge = edge_of(self)
        return edge.index if edge is not None and edge.edge_kind == OUTPUT else 0

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient of a leaf (or of a tensor that retains it), or None."""
        if self._grad is None and self._edge is not None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor "
                "by mistake, make sure you access the leaf Tensor instead.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._data.shape != self._data.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._data.shape)}' to a tensor of size "
                    f"'{list(self._data.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if value._data.dtype != self._data.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with grad_dtype "
                    f"'{self.dtype}'. The gradient must match the tensor's dtype"
                )
            if value.device != self.device:
                raise RuntimeError(
                    f"attempting to assign a gradient located on device with type '{value.device}' to a tensor located "
                    f"on '{self.device}'. Please ensure that the gradient and the tensor are on the same device"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
    ) -> None:
        """Accumulate into ``.grad`` of every leaf the gradient of this tensor.

        Args:
            gradient: what arrives from outside, of this tensor's shape; 1 when this tensor is a scalar.
            retain_graph: keep what was saved, so that backward can run again; ``create_graph`` unless told.
            create_graph: record the backward itself, for derivatives of higher order.
            inputs: accumulate into these only.

        Raises:
            RuntimeError: nothing was recorded, the graph was freed, or this is no scalar and ``gradient`` is missing.
        """
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        return alias(self)  # type: ignore[no-any-return]

    def detach_(self) -> Tensor:
        """Leave the graph, in place."""
        if self._view is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients."
            )
        self._edge, self._rg = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph and unseen by its checks; ``detach()`` is the safe way."""
        t: Tensor = alias(self)
        t._ver = None
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._rg and value._data.dtype.kind not in "fcV":
            raise GraphError(
                "data set to a tensor that requires gradients must be floating point or complex dtype, not "
                f"{value.dtype}; convert it first: value.float()"
            )
        self._data = value._data[...]
        self._view = None

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``.grad`` although it is no leaf."""
        refuse_inside("Tensor.retain_grad()", "Make the tensor an argument of the function, and differentiate by it")
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if edge is not self:
            node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
            _hooks.hooks_of(node).retain[index] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this non-leaf."""
        edge = edge_of(self)
        if edge is None or edge is self:
            return False
        node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
        owner = node.hooks.retain.get(index) if node.hooks is not None else None
        return owner is not None and owner() is self

    def register_hook(self, hook: Any) -> _hooks.RemovableHandle:
        """Call ``hook(grad)`` when this tensor's gradient is computed; what it returns replaces the gradient."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return _hooks.register_tensor_hook(self, edge, hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> _hooks.RemovableHandle:
        """Call ``hook(tensor)`` after a leaf's gradient was accumulated."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if edge is not self:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return _hooks.leaf_hooks_of(self).post.add(hook)

    @property
    def _version(self) -> int:
        """How often the memory was written in place."""
        if self._ver is INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return version_of(self)[0]  # type: ignore[no-any-return]

    @property
    def _base(self) -> Tensor | None:
        """The tensor that this one is a view of, or None."""
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    def is_inference(self) -> bool:
        """Whether this tensor was made under inference_mode."""
        return self._ver is INFERENCE


def _asked_by_a_program() -> bool:
    """Whether the library's own code is not who calls a method of a tensor now."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return frame is None or not str(frame.f_globals.get("__name__", "")).startswith("wengert.")


def _lasting(name: str, member: property) -> property:
    """The property, which cannot be deleted from a tensor."""

    def refuse(self: Any) -> None:
        raise RuntimeError(f"can't delete {name}: it is part of every Tensor")

    return member.deleter(refuse)


# Not a `__delattr__`: a class that has one stores attributes more slowly, and every result is made by storing some.
for _owner in Tensor.__mro__[:-1]:
    for _name, _member in list(vars(_owner).items()):
        if isinstance(_member, property) and _member.fdel is None:
            setattr(_owner, _name, _lasting(_name, _member))

bind(Tensor)
