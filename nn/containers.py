"""Containers: modules that hold modules or parameters, in order or by name."""

from __future__ import annotations

import itertools
import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from ..autograd.base import TensorBase
from .members import MODULE
from .module import Module, indented
from .parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

S = TypeVar("S", bound="Listed")


class Listed(Module):
    """What `Sequential` and `ModuleList` share: child modules in order, reached by position."""

    def _values(self) -> list[Module]:
        return [module for _, module in self._own(MODULE)]

    def _names(self) -> list[str]:
        return [name for name, _ in self._own(MODULE)]

    def _name_at(self, index: Any) -> str:
        position = operator.index(index)
        names = self._names()
        if not -len(names) <= position < len(names):
            raise IndexError(f"index {position} is out of range: the {type(self).__name__} has {len(names)} modules")
        return names[position]

    def _replace(self, modules: Iterable[Module]) -> None:
        """Hold these modules instead, numbered from 0."""
        modules = list(modules)
        for name in self._names():
            self._forget(name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    @overload
    def __getitem__(self: S, index: slice) -> S: ...
    @overload
    def __getitem__(self, index: int) -> Module: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._sliced(index)
        return self.__dict__[self._name_at(index)]

    def _sliced(self, index: slice) -> Any:
        return type(self)(*self._values()[index])

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = self._names()
        for name in names[index] if isinstance(index, slice) else [self._name_at(index)]:
            self._forget(name)
        self._replace(self._values())

    def __len__(self) -> int:
        return len(self._own(MODULE))

    def __iter__(self) -> Iterator[Module]:
        return iter(self._values())

    def __contains__(self, module: object) -> bool:
        return any(module is mine for mine in self._values())

    def append(self: S, module: Module) -> S:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: S, modules: Iterable[Module]) -> S:
        """Add several modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__}.extend should be called with an iterable, but got {type(modules)}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before position ``index``; the names of those after it move up by one.

        Raises:
            AssertionError: not a `Module`. IndexError: there is no such position.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}, got {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}, the {type(self).__name__} has {len(self)} modules")
        modules = self._values()
        modules.insert(index, module)
        self._replace(modules)
        return self

    def pop(self, index: int = -1) -> Module:
        """Remove the module at a position and return it."""
        module: Module = self[index]
        del self[index]
        return module


class Sequential(Listed):
    """Modules that run one after the other.

    Args:
        args: the modules, or one ``OrderedDict`` of names to modules.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(4, 8), wg.nn.ReLU(), wg.nn.Linear(8, 2))
        >>> model(wg.ones(3, 4)).shape
        wengert.Size([3, 2])
        >>> model[0]
        Linear(in_features=4, out_features=8, bias=True)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Any) -> Any:
        """The output of the last module."""
        modules = self.__dict__
        for name, kind in self._kinds.items():
            if kind == MODULE:
                input = modules[name](input)
        return input

    def _sliced(self, index: slice) -> Any:
        return type(self)(OrderedDict(self._own(MODULE)[index]))

    def _require_sequential(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")

    def __add__(self, other: Sequential) -> Sequential:
        self._require_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        self._require_sequential(other)
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        self._require_times(times)
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        self._require_times(times)
        return self.extend(list(self) * (times - 1))

    @staticmethod
    def _require_times(times: Any) -> None:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {Sequential} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {Sequential}")


class ModuleList(Listed):
    """Modules in a list; ``forward`` is left to the module that holds it.

    Args:
        modules: what it starts with.

    Example:
        >>> import wengert as wg
        >>> layers = wg.nn.ModuleList(wg.nn.Linear(4, 4) for _ in range(3))
        >>> layers
        ModuleList(
          (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _sliced(self, index: slice) -> Any:
        return type(self)(self._values()[index])

    def insert(self, index: int, module: Module) -> None:
        """Put a module before position ``index``, as ``list.insert`` does."""
        modules = self._values()
        modules.insert(index, module)
        self._replace(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> ModuleList:
        return self.extend(other)

    def __repr__(self) -> str:
        texts = [repr(module) for module in self]
        if not texts:
            return f"{self._get_name()}()"
        lines, start = [], 0
        for text, group in itertools.groupby(texts):  # equal neighbours share a line
            end = start + len(list(group))
            name = f"({start})" if end == start + 1 else f"({start}-{end - 1})"
            times = "" if end == start + 1 else f"{end - start} x "
            lines.append(f"{name}: {times}{indented(text)}")
            start = end
        return "\n  ".join([f"{self._get_name()}(", *lines]) + "\n)"


class ModuleDict(Module):
    """Modules by name; ``forward`` is left to the module that holds it.

    Args:
        modules: a mapping, or pairs of name and module.

    Example:
        >>> import wengert as wg
        >>> choices = wg.nn.ModuleDict({"relu": wg.nn.ReLU(), "none": wg.nn.Identity()})
        >>> choices["none"]
        Identity()
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]  # type: ignore[no-any-return]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Module:
        """Remove a module and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> Iterable[tuple[str, Module]]:
        """The names and modules."""
        return self._modules.items()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace modules, in the order in which they come."""
        for key, module in _pairs(modules, "ModuleDict.update"):
            self[key] = module


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
        return "\n".join(f"  ({i}): {_described(value)}" for i, value in enumerate(self))

    def __repr__(self) -> str:
        extra = self.extra_repr()
        return f"{self._get_name()}(\n{indented('  ' + extra)}\n)" if extra else f"{self._get_name()}()"

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
        return ParameterDict([*self.items(), *_pairs(other, "ParameterDict.__or__")])

    def __ror__(self, other: Any) -> ParameterDict:
        return ParameterDict([*_pairs(other, "ParameterDict.__or__"), *self.items()])

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
        """Add or replace values, in the order in which they come."""
        for key, value in _pairs(parameters, "ParametersDict.update"):
            self[key] = value

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join(f"  ({key}): {_described(value)}" for key, value in self.items())

    def __repr__(self) -> str:
        extra = self.extra_repr()
        return f"{self._get_name()}(\n{indented('  ' + extra)}\n)" if extra else f"{self._get_name()}()"

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A dict computes nothing."""
        raise RuntimeError(f"{type(self).__name__} should not be called.")


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, TensorBase) and not isinstance(value, Parameter) else value


def _described(value: Any) -> str:
    if not isinstance(value, TensorBase):
        return f"Object of type: {type(value).__name__}"
    tensor: Any = value
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, tensor.shape))
    place = "" if tensor.device.type == "cpu" else f" ({tensor.device})"
    return f"{kind} containing: [{tensor.dtype} of size {size}{place}]"


def _pairs(source: Any, who: str) -> list[tuple[str, Any]]:
    """The pairs of a mapping, of one of the containers here, or of an iterable of pairs."""
    if isinstance(source, (Mapping, ModuleDict, ParameterDict)):
        return list(source.items())
    if not isinstance(source, Iterable):
        raise TypeError(f"{who} should be called with an iterable of key/value pairs, but got {type(source).__name__}")
    pairs: list[tuple[str, Any]] = []
    for i, pair in enumerate(source):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{who}: element {i} should be Iterable; is {type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{who}: element {i} has length {len(pair)}; 2 is required")
        pairs.append(pair)
    return pairs
