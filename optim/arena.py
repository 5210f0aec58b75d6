"""Parameters side by side in one buffer, so that a step is one kernel call and not one per parameter."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from ..autograd.base import version_of, wrap
from ..backends import get_backend, kernels_of

Run = tuple[Any, Any, dict[str, Any], int]  # parameter, gradient, state, number of this step


class Arena:
    """Some parameters of one group, of one dtype on one device, with their gradients and optimizer state.

    Each parameter's array becomes a view into ``flat``; its state tensors are views into ``state[name]``. An arena of
    one parameter may also work on the parameter's own array, whatever its shape: kernels are elementwise.

    Attributes:
        params: the parameters.
        arrays: what each parameter's array must still be; if one is another, the arena is out of date.
        steps: how many updates each parameter has had.
    """

    def __init__(self, params: Sequence[Any], names: tuple[str, ...], old: dict[Any, Any], *, move: bool) -> None:
        self.params = list(params)
        self.names = names
        first = params[0]._data
        self.k = k = kernels_of[type(first)]
        self.sizes = [p._data.size for p in params]
        self.ends = list(itertools.accumulate(self.sizes))
        self.grad: Any = None
        if move:
            self.flat = k.concatenate([p._data.reshape(-1) for p in params])
            for i, p in enumerate(params):
                p._data = self._part(self.flat, i)
        else:
            self.flat = first
        self.arrays = [p._data for p in params]
        self.state = {name: k.zeros_like(self.flat) for name in names}
        self.counters = get_backend("cpu").kernels.zeros(len(params), dtype="float32")
        self.steps = [0] * len(params)
        self.bound: list[dict[str, Any]] = [{} for _ in params]
        self.tensors: list[dict[str, Any]] = [{} for _ in params]
        for i, p in enumerate(params):
            if old.get(p):
                self._take_over(i, old[p])

    def _part(self, flat: Any, i: int) -> Any:
        """The piece of parameter ``i`` in a flat buffer, in its shape."""
        shape = self.params[i]._data.shape
        if len(self.params) == 1 and flat.shape == shape:
            return flat[...]
        return flat[self.ends[i] - self.sizes[i] : self.ends[i]].reshape(shape)

    def _take_over(self, i: int, state: dict[str, Any]) -> None:
        """Copy the state that a parameter had before, from a loaded file or from an older arena."""
        present = False
        for name in self.names:
            value = state.get(name)
            if value is not None:
                self._part(self.state[name], i)[...] = value._data
                present = True
        step = state.get("step")
        self.steps[i] = int(step) if step is not None else int(present)
        if self.steps[i]:
            self.counters[i] = self.steps[i]
            self._bind(i, state)

    def _bind(self, i: int, state: dict[str, Any]) -> None:
        """Put views of the flat state into a parameter's state dictionary."""
        tensors = {name: wrap(self._part(self.state[name], i)) for name in self.names}
        if self.counted:
            tensors["step"] = wrap(self.counters[i, ...])
        state.update(tensors)
        self.bound[i], self.tensors[i] = state, tensors

    counted = True  # whether the state shows a step count

    def valid(self, states: dict[Any, Any]) -> bool:
        """Whether every parameter and its state are still the arrays that this arena gave them."""
        for p, array, bound, tensors in zip(self.params, self.arrays, self.bound, self.tensors, strict=True):
            if p._data is not array:
                return False
            if tensors:
                if states.get(p) is not bound:
                    return False
                for name, tensor in tensors.items():
                    if bound.get(name) is not tensor:
                        return False
            elif states.get(p):
                return False
        return True

    def runs(self, states: dict[Any, Any], writer: str) -> Iterator[Run]:
        """The pieces to update now: neighbours that have a gradient and have had equally many steps.

        Usually that is one piece, the whole buffer. Counting the step and the write is done here.
        """
        grads = [p._grad for p in self.params]
        n = len(grads)
        i = 0
        while i < n:
            if grads[i] is None:
                i += 1
                continue
            j, steps = i + 1, self.steps[i]
            while j < n and grads[j] is not None and self.steps[j] == steps:
                j += 1
            self.counters[i:j] += 1
            for m in range(i, j):
                self.steps[m] = steps + 1
                version = version_of(self.params[m])
                version[0] += 1
                version[1] = writer
                if not self.tensors[m]:
                    self._bind(m, states[self.params[m]]) if self.names or self.counted else None
            yield (*self._piece(i, j, grads), steps + 1)
            i = j

    def _piece(self, i: int, j: int, grads: list[Any]) -> tuple[Any, Any, dict[str, Any]]:
        if len(self.params) == 1:
            g = grads[0]._data
            return self.flat, g if g.shape == self.flat.shape else g.reshape(self.flat.shape), self.state
        if self.grad is None:
            self.grad = self.k.empty_like(self.flat)
        if j - i == len(self.params):
            g = self.k.xp.concatenate([t._data.reshape(-1) for t in grads], out=self.grad)
            return self.flat, self.grad, self.state
        a, b = self.ends[i] - self.sizes[i], self.ends[j - 1]
        g = self.grad[a:b]
        self.k.xp.concatenate([t._data.reshape(-1) for t in grads[i:j]], out=g)
        return self.flat[a:b], g, {name: s[a:b] for name, s in self.state.items()}


class UncountedArena(Arena):
    """An arena whose optimizer shows no step count in its state (SGD)."""

    counted = False


def build(kind: type[Arena], params: Sequence[Any], names: tuple[str, ...], old: dict[Any, Any]) -> list[Arena]:
    """Arenas for the parameters of one group: one per dtype and device, and one for each that cannot be moved."""
    groups: dict[Any, list[Any]] = {}
    for p in params:
        backend = kernels_of[type(p._data)].backend
        groups.setdefault((p._data.dtype, backend.device_of(p._data)), []).append(p)
    arenas = []
    for members in groups.values():
        movable = _movable(members)
        if len(movable) > 1:
            arenas.append(kind(movable, names, old, move=True))
            moved = set(movable)
            members = [p for p in members if p not in moved]
        arenas += [kind([p], names, old, move=False) for p in members]
    return arenas


def _movable(params: Sequence[Any]) -> list[Any]:
    """The parameters whose memory nobody else can see: no view, alias or array of the program's would be left behind.

    An array that something else can see is referred to by more than its tensor, and so is its version counter.
    """
    sharing: dict[int, list[Any]] = {}
    for p in params:
        sharing.setdefault(id(_owner(p)), []).append(p)
    movable = {id(p) for members in sharing.values() if _unseen(members) for p in members if _unshared(p)}
    return [p for p in params if id(p) in movable]


def _owner(p: Any) -> Any:
    array = p._data
    return array if array.base is None else array.base


def _unseen(members: list[Any]) -> bool:
    """Whether only these parameters refer to the memory that they share."""
    if len(members) == 1 and members[0]._data.base is None:
        return sys.getrefcount(members[0]._data) == 2  # the parameter, and this call's argument
    if any(p._data.base is None for p in members):
        return False  # one owns what the others are views of
    return sys.getrefcount(members[0]._data.base) == len(members) + 1


def _unshared(p: Any) -> bool:
    return p._view is None and (p._ver is None or sys.getrefcount(p._ver) == 2)
