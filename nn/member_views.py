"""Live views of a module's members: what ``_parameters``, ``_buffers``, ``_modules`` and their like are."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, MutableSet, ValuesView
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .members import Members

PARAMETER, BUFFER, MODULE = "parameter", "buffer", "module"
TRANSIENT = "transient"  # a buffer that is not part of the state_dict
BUFFERS = (BUFFER, TRANSIENT)


class MembersOfKind(MutableMapping[str, Any]):
    """A live view of a module's members of one kind: ``_parameters``, ``_buffers`` and ``_modules`` are such views."""

    def __init__(self, owner: Members, kinds: tuple[str, ...]) -> None:
        self._owner, self._kinds = owner, kinds

    def __getitem__(self, name: str) -> Any:
        if self._owner._kinds.get(name) not in self._kinds:
            raise KeyError(name)
        return self._owner.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if self._owner._kinds.get(name) not in self._kinds:
            self._owner._kinds[name] = self._kinds[0]
        self._owner.__dict__[name] = value

    def __delitem__(self, name: str) -> None:
        self[name]  # raises for a name that is not here
        self._owner._forget(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, kind in self._owner._kinds.items() if kind in self._kinds)

    def __len__(self) -> int:
        return sum(kind in self._kinds for kind in self._owner._kinds.values())

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self))

    def keys(self) -> KeysView[str]:
        """The names, which can be gone through backwards too."""
        return dict.fromkeys(self).keys()

    def values(self) -> ValuesView[Any]:
        """The members, which can be gone through backwards too."""
        return {name: self._owner.__dict__[name] for name in self}.values()

    def items(self) -> ItemsView[str, Any]:
        """The names with the members, which can be gone through backwards too."""
        return {name: self._owner.__dict__[name] for name in self}.items()

    def __repr__(self) -> str:
        return repr(dict(self))

    def copy(self) -> dict[str, Any]:
        """The members in a dictionary of their own."""
        return dict(self)


class TransientNames(MutableSet[str]):
    """A live view of the names of a module's buffers that its ``state_dict`` leaves out."""

    def __init__(self, owner: Members) -> None:
        self._owner = owner

    def __contains__(self, name: object) -> bool:
        return self._owner._kinds.get(name) == TRANSIENT  # type: ignore[call-overload, no-any-return]

    def __iter__(self) -> Iterator[str]:
        return (name for name, kind in self._owner._kinds.items() if kind == TRANSIENT)

    def __len__(self) -> int:
        return sum(kind == TRANSIENT for kind in self._owner._kinds.values())

    def add(self, name: str) -> None:
        """Leave a buffer out of the ``state_dict``."""
        if self._owner._kinds.get(name) == BUFFER:
            self._owner._kinds[name] = TRANSIENT

    def discard(self, name: str) -> None:
        """Let a buffer be part of the ``state_dict``."""
        if name in self:
            self._owner._kinds[name] = BUFFER

    def __repr__(self) -> str:
        return repr(set(self))
