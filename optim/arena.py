"""Parameters side by side in one buffer, so that a step is one kernel call and not one per parameter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase, version_of, wrap
from ..autograd.write_checks import check_writable
from ..backends import backend_of, get_backend, kernels_of
from ..backends.errors import DTypeError, ShapeError
from .master import MASTER, has_master, master_of, taken_from
from .options import number_dtype
from .ownership import dense, memory_order, movable

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["Arena", "GroupArenas", "gradient_of"]

Run = tuple[Any, Any, dict[str, Any], int]  # parameters, gradients, state, number of this step
data_of = attrgetter("_data")


def gradient_of(p: Any) -> Any:
    """The array of a parameter's gradient, or None.

    Raises:
        RuntimeError: it has another shape or dtype than the parameter.
    """
    if p._grad is None:
        return None
    array, data = p._grad._data, p._data
    if array.shape != data.shape:
        raise ShapeError(
            f"the gradient of a parameter of shape {list(data.shape)} has shape {list(array.shape)}: "
            "call zero_grad() after replacing the data of a parameter"
        )
    if array.dtype != data.dtype:
        raise DTypeError(
            f"the gradient of a {data.dtype.name} parameter is {array.dtype.name}: "
            "call zero_grad() after changing the type of a parameter"
        )
    return array


@dataclass(frozen=True)
class Layout:
    """The state that the parameters of a group have.

    Attributes:
        buffers: the names of the state arrays, and what they are filled with.
        scalars: the names of state that is one number a parameter, and its first value.
        counted: whether the state shows the number of steps.
        number: the type of these numbers.
        master: whether parameters of 16 bits have a float32 copy, and their state that type too.
    """

    buffers: dict[str, float]
    scalars: dict[str, float]
    counted: bool
    number: str
    master: bool


class Arena:
    """Parameters of one dtype on one device, with their optimizer state; kernels see arrays of one dimension.

    The parameters' arrays become views of ``flat``, and their state tensors views of ``state[name]``. A parameter
    that may not be moved has an arena to itself, whose ``flat`` is a view of the parameter, or a copy that every step
    brings up to date and writes back, where its elements do not lie side by side.

    Where there are master weights, ``main`` is their buffer, which is updated, and ``flat`` is it, rounded.

    Args:
        params: the parameters.
        layout: what state they have.
        old: the state that they have already.
        move: whether they may be moved.
    """

    def __init__(self, params: Sequence[Any], layout: Layout, old: dict[Any, dict[str, Any]], *, move: bool) -> None:
        self.params, self.counted = list(params), layout.counted
        self.k = k = kernels_of[type(params[0]._data)]
        self.axes = [memory_order(p._data) for p in params]
        self.shapes = [p._data.shape for p in params]
        self.dtype, self.device = params[0]._data.dtype, params[0].device
        self.straight = self.dtype.kind != "c" and not any(self.axes)  # gradients lie as rules want them
        self.ends = [0, *itertools.accumulate([p._data.size for p in params])]
        lines = [self._line(i, p._data) for i, p in enumerate(params)]
        self.copied = not move and not dense(params[0]._data)
        self.flat = k.concatenate(lines) if move else lines[0].copy() if self.copied else lines[0]
        if move:
            for i, p in enumerate(params):
                p._data = self._part(self.flat, i)
        self.arrays = [p._data for p in params]
        self.main = master_of(k, self.flat) if layout.master else self.flat
        self.state = {name: k.zeros_like(self.main) for name in layout.buffers}
        for name, value in layout.buffers.items():
            if value:
                self._real(self.state[name])[...] = value
        if layout.master:
            self.state[MASTER] = self.main
        self.whole = {name: self._real(array) for name, array in self.state.items()}
        self._number(layout, old)
        self.bound: list[Any] = [None] * len(params)  # the state dictionaries that hold views of this arena
        self.shown: list[tuple[dict[str, Any], str, Any, Any]] = []  # and what they hold: tensor and array
        for i, p in enumerate(params):
            if old.get(p):
                self._take_over(i, old[p])

    def _number(self, layout: Layout, old: dict[Any, dict[str, Any]]) -> None:
        """Make the numbers of the state; a count that was kept in float64 stays so."""
        steps = [old[p]["step"] for p in self.params if isinstance(old.get(p, {}).get("step"), TensorBase)]
        dtype = "float64" if any(step._data.dtype == "float64" for step in steps) else layout.number
        self.scalars = tuple(layout.scalars)
        self.numbers = get_backend("cpu").kernels.zeros((1 + len(self.scalars), len(self.params)), dtype=dtype)
        for row, value in enumerate(layout.scalars.values(), 1):
            self.numbers[row] = value

    # ------------------------------------------------------------------ between one dimension and many

    def _line(self, i: int, array: Any) -> Any:
        """The elements of an array like parameter ``i``, in the parameter's order in memory."""
        axes = self.axes[i]
        return (array if axes is None else array.transpose(axes)).reshape(-1)

    def _part(self, flat: Any, i: int) -> Any:
        """The piece of parameter ``i`` in a flat buffer, in its shape."""
        axes, shape, piece = self.axes[i], self.shapes[i], flat[self.ends[i] : self.ends[i + 1]]
        if axes is None:
            return piece.reshape(shape)
        inverse = sorted(range(len(axes)), key=axes.__getitem__)
        return piece.reshape([shape[axis] for axis in axes]).transpose(inverse)

    def _real(self, flat: Any) -> Any:
        """Complex numbers as twice as many real ones: that is how the rules see them."""
        return self.k.ascontiguousarray(flat).view(flat.real.dtype) if self.dtype.kind == "c" else flat

    # ------------------------------------------------------------------ state

    def _take_over(self, i: int, state: dict[str, Any]) -> None:
        """Copy the state that a parameter had before, from a loaded file or from an older arena."""
        present = [name for name in self.state if isinstance(state.get(name), TensorBase)]
        for name in present:
            array = state[name]._data
            if array.shape != self.shapes[i]:
                raise ValueError(
                    f"the state {name} of parameter {i} has shape {list(array.shape)}, "
                    f"the parameter {list(self.shapes[i])}: the state belongs to another parameter"
                )
            self._part(self.state[name], i)[...] = array
        step = state.get("step") if self.counted else bool(present)
        for row, value in enumerate([step, *[state.get(name) for name in self.scalars]]):
            if value is not None:
                self.numbers[row, i] = float(value)
        self._bind(i, state)

    def _bind(self, i: int, state: dict[str, Any]) -> None:
        """Put views of the flat state into a parameter's state dictionary."""
        views = {"step": self.numbers[0, i, ...]} if self.counted else {}
        views |= {name: self.numbers[row, i, ...] for row, name in enumerate(self.scalars, 1)}
        views |= {name: self._part(self.state[name], i) for name in self.state}
        for name, array in views.items():
            tensor: Any = state.get(name)
            if isinstance(tensor, TensorBase) and tensor._data.shape == array.shape:
                tensor._data = array  # whoever holds the tensor goes on seeing the state
            else:
                state[name] = tensor = wrap(array)
            self.shown.append((state, name, tensor, array))
        self.bound[i] = state

    def valid(self, states: dict[Any, Any]) -> bool:
        """Whether every parameter and its state are still the arrays that this arena gave them."""
        if not all(map(is_, map(data_of, self.params), self.arrays)):
            return False
        for p, bound in zip(self.params, self.bound, strict=True):
            if bound is None:
                if states.get(p):
                    return False
            elif states.get(p) is not bound:
                return False
        for state, name, tensor, array in self.shown:
            if tensor._data is not array or state.get(name) is not tensor:
                return False
        return True

    # ------------------------------------------------------------------ the step

    def runs(self, grads: list[Any], states: dict[Any, Any], writer: str) -> Iterator[Run]:
        """The pieces to update now: neighbours that have a gradient, and equally many steps behind them.

        Usually that is one piece, the whole buffer. Steps and writes are counted when the piece has been updated.
        """
        if self.copied:
            self.flat[...] = self._line(0, self.arrays[0])
        if self.main is not self.flat:
            taken_from(self.k, self.main, self.flat)
        numbers = list(zip(*self.numbers.tolist(), strict=True))
        n, i = len(grads), 0
        while i < n:
            if grads[i] is None:
                i += 1
                continue
            j = i + 1
            while j < n and grads[j] is not None and numbers[j] == numbers[i]:
                j += 1
            p, g, state = self._piece(i, j, grads)
            if self.scalars:
                state |= zip(self.scalars, numbers[i][1:], strict=True)
            yield p, g, state, int(numbers[i][0]) + 1
            self.numbers[0, i:j] += 1
            for row, name in enumerate(self.scalars, 1):
                self.numbers[row, i:j] = state[name]
            self._wrote(i, j, states, writer)
            i = j

    def _piece(self, i: int, j: int, grads: list[Any]) -> tuple[Any, Any, dict[str, Any]]:
        """The parameters from ``i`` to ``j``, their gradients and their state, each in one dimension."""
        if self.straight:
            lines = [g.reshape(-1) for g in grads[i:j]]
        else:
            lines = [self._real(self._line(m, grads[m])) for m in range(i, j)]
        if self.main is not self.flat:
            lines = [master_of(self.k, line) for line in lines]
        g = self.k.gather_gradients(lines)
        if j - i == len(self.params):
            return self._real(self.main), g, dict(self.whole)
        cut = slice(self.ends[i], self.ends[j])
        return self._real(self.main[cut]), g, {name: self._real(s[cut]) for name, s in self.state.items()}

    def _wrote(self, i: int, j: int, states: dict[Any, Any], writer: str) -> None:
        """Count a write to the parameters from ``i`` to ``j``, and show the state that they now have."""
        if self.main is not self.flat:
            cut = slice(self.ends[i], self.ends[j])
            self.flat[cut] = self.k.astype(self.main[cut], self.dtype)
        if self.copied:
            self.arrays[0][...] = self._part(self.flat, 0)
        for p in self.params[i:j]:
            version = p._ver or version_of(p)
            version[0] += 1
            version[1] = writer
        if self.state or self.counted:
            for m in range(i, j):
                if self.bound[m] is None:
                    self._bind(m, states[self.params[m]])


class GroupArenas:
    """The arenas of one parameter group: one per dtype and device, and one for each parameter that cannot be moved.

    A parameter that has had no gradient yet is in none, so that frozen ones cost no memory.
    """

    def __init__(self, group: dict[str, Any]) -> None:
        self.group = group
        self.params: list[Any] = []
        self.names: tuple[str, ...] = ()
        self.arenas: list[Arena] = []
        self.waiting: list[Any] = []
        self.scattered = False
        self.age, self.again = 0, 2

    def current(self, optimizer: Optimizer) -> list[Arena]:
        """The arenas as they should be now: made anew where parameters, state or options have been replaced."""
        buffers, states = optimizer.buffers(self.group), optimizer.state
        names = (*buffers, *([MASTER] if self.group.get("master_weights") else ()))
        params = self.group["params"]
        self.age += 1
        # What kept parameters from being moved may be gone: look again, ever more rarely.
        again = self.scattered and self.age >= self.again
        if (
            again
            or self.names != names
            or len(params) != len(self.params)
            or not all(map(is_, params, self.params))
            or not all(arena.valid(states) for arena in self.arenas)
        ):
            self.arenas.clear()
            self.params, self.names = list(params), names
            self.waiting = list(params)
            if again:
                self.again *= 4
        ready = [p for p in self.waiting if p._grad is not None or states.get(p)] if self.waiting else ()
        if ready:
            chosen = set(ready)
            self.waiting = [p for p in self.waiting if p not in chosen]
            self._build(ready, buffers, optimizer)
        return self.arenas

    def _build(self, params: list[Any], buffers: dict[str, float], optimizer: Optimizer) -> None:
        scalars, number = optimizer.scalars(self.group), number_dtype(self.group)
        alike: dict[Any, list[Any]] = {}
        for p in params:
            check_writable(p, f"{type(optimizer).__name__}.step")
            alike.setdefault((p._data.dtype, p.device), []).append(p)
        for (_, device), members in alike.items():
            layout = Layout(buffers, scalars, optimizer.counted, number, has_master(self.group, members[0]))
            moving = movable(members)
            with backend_of(members[0]._data).on(device):
                if len(moving) > 1:
                    self.arenas.append(Arena(moving, layout, optimizer.state, move=True))
                    moved = set(moving)
                    members = [p for p in members if p not in moved]
                self.arenas += [Arena([p], layout, optimizer.state, move=False) for p in members]
        self.scattered = len(self.arenas) > len({(arena.dtype, arena.device) for arena in self.arenas})
