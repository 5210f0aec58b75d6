"""``Parameter`` and ``Buffer``: the tensors that a `Module` registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from ..autograd.base import TensorBase, version_of
from ..autograd.subclass import disabled
from ..autograd.tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]  # noqa: F822  (see the end)


def tensor_on(cls: type[Tensor], data: Any, requires_grad: bool) -> Any:
    """A ``cls`` on the memory of ``data``, a leaf of its own."""
    if data is None:
        data = Tensor(0)
    if not isinstance(data, TensorBase):
        raise TypeError(f"{cls.__name__}() takes a Tensor, not {type(data).__name__}; wrap it with wengert.tensor(...)")
    self: Any = TensorBase.__new__(cls)
    self._data = data._data[...]
    self._grad = self._edge = self._view = self._hooks = None
    self._ver = version_of(data)
    self._rg = False
    if requires_grad:
        self.requires_grad_(True)
    return self


class Parameter(Tensor):
    """A tensor that a `Module` trains: assigned to an attribute, it appears in ``module.parameters()``.

    Args:
        data: the values; the parameter shares their memory. An empty tensor when left out.
        requires_grad: whether gradients are wanted.

    Raises:
        RuntimeError: ``data`` is neither floating nor complex, and ``requires_grad`` is True.

    Example:
        >>> import wengert as wg
        >>> wg.nn.Parameter(wg.ones(2))
        Parameter containing:
        tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()
    _printed_as = "tensor"
    __torch_function__ = staticmethod(disabled)  # what is computed from one is a plain tensor

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        return tensor_on(cls, data, requires_grad)

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        """`__new__` has made it; a subclass may take more arguments."""

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            copy = type(self)(_clone(self), self._rg)
            copy.__dict__.update(self.__dict__)
            memo[id(self)] = copy
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return rebuilt, (type(self), _plain(self), self._rg, dict(self.__dict__))


class Buffer(Tensor):
    """A tensor that belongs to a `Module`'s state but is not trained, such as a running mean.

    Args:
        data: the values; the buffer shares their memory. An empty tensor when left out.
        persistent: whether it is part of the module's ``state_dict``.

    Example:
        >>> import wengert as wg
        >>> module = wg.nn.Module()
        >>> module.mean = wg.nn.Buffer(wg.zeros(2))
        >>> list(module.state_dict())
        ['mean']
    """

    __slots__ = ()
    _printed_as = "tensor"
    __torch_function__ = staticmethod(disabled)  # what is computed from one is a plain tensor
    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        self = tensor_on(cls, data, data is not None and data.requires_grad)
        self.persistent = persistent
        return self

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        """`__new__` has made it."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(_clone(self), persistent=self.persistent)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return rebuilt, (type(self), _plain(self), self._rg, dict(self.__dict__))


def _plain(tensor: Any) -> Any:
    """The values of ``tensor`` as a plain `Tensor`, which knows how to be pickled."""
    return tensor.detach()


def _clone(tensor: Any) -> Any:
    return tensor.detach().clone()


def rebuilt(cls: type[Any], data: Any, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    """What unpickling calls."""
    tensor = tensor_on(cls, data, requires_grad)
    tensor.__dict__.update(attributes)
    return tensor


def __getattr__(name: str) -> Any:
    # PyTorch has these here too; they are built on what stands above.
    if name in ("UninitializedParameter", "UninitializedBuffer", "UninitializedTensorMixin", "is_lazy"):
        from . import uninitialized

        return getattr(uninitialized, "Uninitialized" if name == "UninitializedTensorMixin" else name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
