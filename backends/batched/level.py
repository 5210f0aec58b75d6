"""One level of ``vmap``: its array type, its namespace, its kernels."""

from __future__ import annotations

import operator
import types
from typing import Any

from ..call_site import warn
from ..registry import Backend, Kernels, announce, kernels_of
from . import rules_losses as rules_losses
from . import rules_positions as rules_positions
from . import rules_products as rules_products
from .array import KINDS, BatchedArray, BatchError, deepest, mapped
from .rules import KERNEL_RULES, RULES, Rule

__all__ = ["level_type", "lifted"]


def level_type(like: Any, batch: int) -> type[BatchedArray]:
    """The type of arrays that hold ``batch`` arrays like ``like`` (which may be batched itself).

    Args:
        like: an array of the level around.
        batch: how many examples there are.
    """
    outer = type(like)
    kind = _types.get((outer, batch))
    if kind is None:
        kind = _types[outer, batch] = _level_type(outer, batch)
    return kind


_types: dict[tuple[type, int], type[BatchedArray]] = {}


def _level_type(outer: Any, batch: int) -> type[BatchedArray]:
    depth = outer.depth + 1 if issubclass(outer, BatchedArray) else 1
    members = {"__slots__": (), "batch": batch, "depth": depth, "outer": outer}
    kind: Any = type(f"Batched{depth}x{batch}", (BatchedArray,), members)
    below = kernels_of[outer]
    KINDS.add(kind)
    kind.namespace = Namespace(kind, below.xp)
    backend = BatchedBackend(kind, below)
    kernels_of[kind] = backend.kernels
    announce(backend)
    return kind


def lifted(array: Any, kind: type[BatchedArray]) -> Any:
    """An array of the level around as a batched one that has the same value in every example, without a copy."""
    if issubclass(kind.outer, BatchedArray) and type(array) is not kind.outer:
        array = lifted(array, kind.outer)
    below = kernels_of[type(array)].xp
    made = kind.of(below.broadcast_to(array, (kind.batch, *array.shape)))
    made.shared = array
    return made


def without_level(kind: type[BatchedArray], args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Arguments with shared arrays as what they are at the level around."""

    def plain(a: BatchedArray) -> Any:
        return a.shared if type(a) is kind and a.shared is not None else a

    return mapped(args, plain), mapped(kwargs, plain)


def with_level(kind: type[BatchedArray], result: Any) -> Any:
    """What was computed once, for all examples."""
    if type(result) in (tuple, list) or hasattr(result, "_fields"):
        return tuple([with_level(kind, r) for r in result])
    if hasattr(result, "dtype") and hasattr(result, "shape"):
        return lifted(result if type(result) in kernels_of else result.__array__(), kind)
    return result


class Namespace:
    """The array namespace of one level: each function runs on the physical arrays."""

    def __init__(self, kind: type[BatchedArray], below: Any, prefix: str = "") -> None:
        self.kind, self.below, self.prefix = kind, below, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.below, name)
        if isinstance(found, types.ModuleType):
            made: Any = Namespace(self.kind, found, f"{name}.")
        elif callable(found) and not isinstance(found, type):
            made = Function(self, self.prefix + name, found)
        elif isinstance(found, Namespace):
            made = Namespace(self.kind, found, f"{name}.")
        else:
            return found
        setattr(self, name, made)
        return made

    def shared(self, one: Any) -> Any:
        """An array whose examples are all ``one``."""
        return lifted(one, self.kind)

    def function(self, name: str) -> Any:
        """The function of that name of the namespace below."""
        if name == "__getitem__":
            return operator.getitem
        if name == "__setitem__":
            return operator.setitem
        value: Any = self.below
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def run(self, name: str, args: Any, kwargs: Any) -> Any:
        """A function, on arrays of this level and of those around."""
        return computed(self.kind, name, self.function(name), RULES.get(name), args, kwargs)


class Function:
    """One function of a `Namespace`; ufuncs have methods, too."""

    def __init__(self, space: Namespace, name: str, below: Any) -> None:
        self.space, self.name, self.below = space, name, below
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if deepest((args, kwargs)) is not self.space.kind:
            made = self.below(*args, **kwargs)
            return _new(self.space.kind, self.name, made)
        return self.space.run(self.name, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in ("at", "reduce", "accumulate", "outer", "reduceat"):
            return Function(self.space, f"{self.name}.{name}", getattr(self.below, name))
        return getattr(self.below, name)


# What makes arrays out of nothing: each example gets memory of its own.
MAKERS = frozenset(["zeros", "empty", "ones", "full"])


def _new(kind: type[BatchedArray], name: str, made: Any) -> Any:
    """What a function made of arrays of the level around: memory that may be written becomes batched."""
    if name in MAKERS:
        array = lifted(made, kind)
        return kind.of(array._all.copy())
    return made


class BatchedKernels(Kernels):
    """The kernels of a level: those below, with rules; a fused one without a rule gives way to its formula."""

    direct = False

    def __init__(self, backend: Backend, kind: type[BatchedArray], below: Kernels) -> None:
        super().__init__(backend, (), ())
        self._kind, self._below = kind, below

    def has(self, name: str) -> bool:
        """Whether ops should use that kernel; a fused one is there all the same, for graphs recorded outside."""
        return name not in FUSED and super().has(name)

    def _find(self, name: str) -> Any:
        if not self._below.has(name):
            return None
        below = getattr(self._below, name)
        rule = KERNEL_RULES.get(name)
        if rule is None and name in RULES:
            return getattr(self.xp, name)

        rule = _rule_or_definition(self.xp, name, rule)

        def run(*args: Any, **kwargs: Any) -> Any:
            if deepest((args, kwargs)) is not self._kind:
                return _new(self._kind, name, below(*args, **kwargs))
            return computed(self._kind, name, below, rule, args, kwargs)

        run.__name__ = name
        return run


def _rule_or_definition(xp: Namespace, name: str, rule: Rule | None) -> Rule | None:
    """The rule of a kernel, and where it does not apply the kernel's definition, run on batched arrays.

    Definitions are written in functions of the namespace, which have rules of their own. One that writes in place is
    left out: it may have written when it turns out that it reads values.
    """
    from .. import definitions

    module = next((m for m in definitions.MODULES if name in m.__all__), None)
    if module is None or _writes(name) or name in UNDEFINED:
        return rule
    definition = getattr(module, name)

    def both(kind: type[BatchedArray], function: Any, args: Any, kwargs: Any) -> Any:
        made = NotImplemented if rule is None else rule(kind, function, args, kwargs)
        if made is not NotImplemented:
            return made
        try:
            try:
                return definition(xp, *args, **kwargs)
            except BatchError:  # it may have written to what it made like an operand that all examples share
                return definition(xp, *_of_each(kind, args), **_of_each(kind, kwargs))
        except (BatchError, TypeError, AttributeError):  # it needs values, or arrays of the library itself
            return NotImplemented

    return both


def _of_each(kind: type[BatchedArray], value: Any) -> Any:
    """``value`` with all arrays in it batched, those that all examples share, too."""
    if type(value) in kernels_of:
        array = value if type(value) is kind else lifted(value, kind)
        return kind.of(array._all)
    if type(value) in (list, tuple):
        return type(value)([_of_each(kind, v) for v in value])
    return {k: _of_each(kind, v) for k, v in value.items()} if type(value) is dict else value


# Kernels whose definitions ask an array where it lies.
UNDEFINED = frozenset(("address", "memory", "strided", "is_on"))

# Fused kernels whose formulas, in plain ops, are faster than one run for each example.
FUSED = frozenset(
    {
        "attention",
        "attention_backward",
        "lstm_sequence",
        "lstm_sequence_backward",
        "gru_sequence",
        "gru_sequence_backward",
        "rnn_sequence",
        "rnn_sequence_backward",
        "linear_backward",
    }
)


class BatchedBackend(Backend):
    """The backend of one level; it stands on the one below, and answers for its device."""

    def __init__(self, kind: type[BatchedArray], below: Kernels) -> None:
        self.below = below.backend
        self.name, self.xp, self.seen, self.array_type = self.below.name, kind.namespace, kind.namespace, kind
        self.kernels = BatchedKernels(self, kind, below)

    def device_of(self, array: Any) -> Any:
        """The device of the physical array."""
        return self.below.device_of(array._all)

    def to_numpy(self, array: Any) -> Any:
        """Refused: there are many values."""
        return array.__array__()

    def from_numpy(self, array: Any, device: Any, non_blocking: bool = False) -> Any:
        """An array of the level around, the same for all examples."""
        return self.below.from_numpy(array, device)


WRITES: dict[str, bool] = {}


def _writes(name: str) -> bool:
    """Whether a function writes to its first argument."""
    return (name.endswith(("_", ".at")) and name != "__getitem__") or name == "copyto"


def computed(kind: type[BatchedArray], name: str, function: Any, rule: Rule | None, args: Any, kwargs: Any) -> Any:
    """A function of the level around on arrays of this one: once where all examples share them, by rule, or one by one.

    Args:
        kind: this level's type.
        name: of the function, for messages.
        function: the function, or kernel.
        rule: its batching rule, if it has one.
        args: its arguments.
        kwargs: those by name.
    """
    writes = WRITES.get(name)
    if writes is None:
        writes = WRITES[name] = _writes(name)
    if not writes and kwargs.get("out") is None:
        own, nested, shared = False, bool(kwargs), False
        for a in args:
            t = type(a)
            if t is kind:
                own, shared = own or a.shared is None, shared or a.shared is not None
            elif t is tuple or t is list:
                nested = True
        if shared or nested:
            args, kwargs = without_level(kind, args, kwargs)
        if not own and (not nested or deepest((args, kwargs)) is not kind):
            return with_level(kind, function(*args, **kwargs))
    result = NotImplemented if rule is None else rule(kind, function, args, kwargs)
    return one_by_one(kind, name, function, args, kwargs) if result is NotImplemented else result


def one_by_one(kind: type[BatchedArray], name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """Run ``function`` for each example, and stack what it returns. Right for every function, and slow."""
    if _writes(name) and not isinstance(args[0], kind):
        raise BatchError(
            f"vmap: {name.rstrip('_')} would write values that differ from example to example to a tensor that all of "
            "them share; write to a copy made of a mapped tensor (x.new_zeros(...), x.clone()), or out of place"
        )
    out = kwargs.get("out")
    out = out[0] if type(out) is tuple else out
    if out is not None and type(out) is not kind:
        raise BatchError(
            f"vmap: {name} would write values that differ from example to example to an array that all of them share"
        )
    kwargs = {key: value for key, value in kwargs.items() if key != "out"}

    _say_slow(kind, name)

    def example(i: int) -> Any:
        def pick(a: BatchedArray) -> Any:
            if type(a) is not kind:
                return a
            return a._all[i, ...] if kind.batch else _zero_example(a)

        return function(*mapped(args, pick), **mapped(kwargs, pick))

    made = _stacked(kind, name, [example(i) for i in range(max(kind.batch, 1))])  # an empty batch has a shape, too
    if out is None:
        return made
    out[...] = made
    return out


def _say_slow(kind: type[BatchedArray], name: str) -> None:
    """Say once of each function that it runs once for each example."""
    if name not in _slow and kind.batch > 1:
        _slow.add(name)
        warn(
            f"vmap: There is a performance drop because we have not yet implemented the batching rule for {name}, "
            f"which runs once for each of {kind.batch} examples. (Said once for each function.)"
        )


_slow: set[str] = set()


def _zero_example(array: BatchedArray) -> Any:
    return kernels_of[type(array._all)].xp.zeros(array.shape, dtype=array.dtype)


def _stacked(kind: type[BatchedArray], name: str, results: list[Any]) -> Any:
    first = results[0]
    if first is None:
        return None
    if type(first) in (tuple, list):
        return type(first)([_stacked(kind, name, list(parts)) for parts in zip(*results, strict=True)])
    if hasattr(first, "dtype") and hasattr(first, "shape"):
        if any(r.shape != first.shape for r in results):
            raise BatchError(
                "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over "
                f"{name}, which gives a result of another shape for each example: "
                f"{[list(r.shape) for r in results[:4]]}. Use one whose shape does not depend on values, such as "
                "where(condition, a, b)"
            )
        arrays = [r if type(r) in kernels_of else r.__array__() for r in results]
        whole = kernels_of[type(arrays[0])].xp.stack(arrays)
        return kind.of(whole[: kind.batch])
    if any(r != first for r in results[1:]):
        raise BatchError(f"vmap: {name} gives the host a value that differs from example to example, {results[:4]}")
    return first
