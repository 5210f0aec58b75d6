"""Containers of parameters, in order or by name."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

from ..autograd.base import TensorBase
from .containers import pairs_of
from .module import Module, indented
from .parameter import Parameter

__all__ = [
    "ParameterDict",
    "ParameterList",
]


class ParameterList(Module):
    """Parameters in a list. Tensors that are put in become parameters; other values are kept as they are.

    Args:
        values: what it starts with.

    Example:
        >>> import wengert as wg
        >>> weights = wg.nn.ParameterList(wg.ones(2) for _ in range(3))
        >>> len(list(weights.parameters()))
        3
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name_at(self, index: Any) -> str:
        position = operator.index(index)
        if not -self._size <= position < self._size:
            raise IndexError(f"index {position} is out of range: the {type(self).__name__} has {self._size} values")
        return str(position % self._size)

    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...
    @overload
    def __getitem__(self, index: int) -> Any: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name_at(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self.__dict__[str(i)] for i in range(self._size)])

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Add a value at the end."""
        setattr(self, str(self._size), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add several values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, TensorBase):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join(f"  ({i}): {_described(value, False)}" for i, value in enumerate(self))

    def __repr__(self) -> str:
        return _shown(self._get_name(), self.extra_repr())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A list computes nothing."""
        raise RuntimeError(f"{type(self).__name__} should not be called.")


class ParameterDict(Module):
    """Parameters by name. Tensors that are put in become parameters; other values are kept as they are.

    Args:
        parameters: a mapping, or pairs of name and value.

    Example:
        >>> import wengert as wg
        >>> scales = wg.nn.ParameterDict({"left": wg.ones(2), "right": wg.ones(3)})
        >>> scales["left"].requires_grad
        True
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._order: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _checked(self, key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(f"Index given to ParameterDict cannot be used as a key as it is not a string ({type(key)})")
        return key

    def __getitem__(self, key: str) -> Any:
        if self._checked(key) not in self._order:
            raise KeyError(key)
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if self._checked(key) not in self._order and hasattr(self, key):
            raise KeyError(f"attribute '{key}' already exists")
        self._order[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._order[self._checked(key)]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        return iter(self._order)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._order)

    def __contains__(self, key: object) -> bool:
        return key in self._order

    def __or__(self, other: Any) -> ParameterDict:
        return ParameterDict([*self.items(), *pairs_of(other, "ParameterDict.__or__")])

    def __ror__(self, other: Any) -> ParameterDict:
        return ParameterDict([*pairs_of(other, "ParameterDict.__or__"), *self.items()])

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """A new dict of the same parameters."""
        return ParameterDict(self.items())

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, which becomes ``default`` if it has none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all values."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove a value and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the value that was put in last and return its name and itself."""
        key = next(reversed(self._order))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, or ``default``."""
        return self[key] if key in self else default  # noqa: SIM401  (this is the `get` it would call)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with one value for all of ``keys``."""
        return ParameterDict([(key, default) for key in keys])

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._order.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names and values."""
        return [(key, self[key]) for key in self._order]

    def values(self) -> Iterable[Any]:
        """The values."""
        return [self[key] for key in self._order]

    def update(self, parameters: Any) -> None:
        """Add or replace values: those of a plain dict in the order of their names, others in which they come."""
        pairs = pairs_of(parameters, "ParametersDict.update")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs)
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join(f"  ({key}): {_described(value, True)}" for key, value in self.items())

    def __repr__(self) -> str:
        return _shown(self._get_name(), self.extra_repr())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A dict computes nothing."""
        raise RuntimeError(f"{type(self).__name__} should not be called.")


def _shown(name: str, extra: str) -> str:
    """The text of a container, as PyTorch's: a single value stands in the line of the name."""
    return f"{name}(\n{indented('  ' + extra)}\n)" if "\n" in extra else f"{name}({extra})"


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, TensorBase) and not isinstance(value, Parameter) else value


def _described(value: Any, names_type: bool) -> str:
    """A line on a value; PyTorch names the type of tensor in one container, and the dtype in the other."""
    if not isinstance(value, TensorBase):
        return f"Object of type: {type(value).__name__}"
    tensor: Any = value
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, tensor.shape))
    place = "" if tensor.device.type == "cpu" else f" ({tensor.device})"
    name = tensor.type() if names_type else tensor.dtype
    return f"{kind} containing: [{name} of size {size}{place}]"
