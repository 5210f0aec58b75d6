"""Containers of modules, in order or by name."""

from __future__ import annotations

import itertools
import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from ..backends.call_site import warn
from .members import MODULE
from .module import Module, indented

__all__ = [
    "Container",
    "ModuleDict",
    "ModuleList",
    "Sequential",
]

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
        for key, module in pairs_of(modules, "ModuleDict.update"):
            self[key] = module


def pairs_of(source: Any, who: str) -> list[tuple[str, Any]]:
    """The pairs of a mapping, of a container with ``items()``, or of an iterable of pairs."""
    if hasattr(source, "items"):
        return list(source.items())
    if not isinstance(source, Iterable):
        raise TypeError(f"{who} should be called with an iterable of key/value pairs, but got {type(source).__name__}")
    pairs: list[tuple[str, Any]] = []
    for i, pair in enumerate(source):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{who} sequence element #{i} should be Iterable; is {type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{who} sequence element #{i} has length {len(pair)}; 2 is required")
        pairs.append(pair)
    return pairs


class Container(Module):
    """A module with the given parts, as PyTorch had it before `Sequential` and the others.

    Args:
        **kwargs: the parts.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        warn(
            "`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. Subclass that "
            "instead.",
            FutureWarning,
        )
        for key, value in kwargs.items():
            self.add_module(key, value)
