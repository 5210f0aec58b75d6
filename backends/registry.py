"""The registry of backends, and ``Backend`` itself: an array type, an array namespace, a table of kernels.

``kernels_of[type(array)]`` is how an op finds its kernels: one dictionary look-up by the array's type. Nothing
above this package asks which backend it is talking to.
"""

from __future__ import annotations

import contextlib
import functools
import os
import types
from collections.abc import Callable, Sequence
from typing import Any

from .capsules import exported, imported
from .device import Device
from .errors import BackendUnavailableError, DeviceError

__all__ = [
    "Backend",
    "announce",
    "assign",
    "backend_of",
    "default_device",
    "get_backend",
    "kernels_of",
    "names",
    "register",
    "set_default_device",
    "unregister",
    "worth_a_kernel",
]


class Kernels:
    """The kernels of one backend, by name.

    A name is looked for, in this order, in the backend's own modules (its fast versions), among the plain
    definitions of ``backends/definitions`` (bound to the backend's namespace), and in the array namespace
    itself. What is found is kept, so that the second look-up is a plain attribute.

    >>> from wengert.backends import get_backend
    >>> k = get_backend("cpu").kernels
    >>> k.has("exp"), k.has("no_such_kernel")
    (True, False)

    Attributes:
        direct: the arrays are memory that kernels write to, so that one may do for large arrays what an operator or an
            assignment does; those of a level of ``vmap``, of a program that is written down, and sparse ones are not.
    """

    direct = True

    def __init__(self, backend: Backend, own: Sequence[types.ModuleType], definitions: Sequence[types.ModuleType]):
        self.backend = backend
        self.xp = backend.xp
        self.nocontext: Any = None  # the context that ops get when nothing is recorded; set by wengert.autograd
        self.complete: set[Any] = set()  # the fused ops all of whose kernels are known to be here
        self._absent: set[str] = set()  # names that were looked for in vain
        self._own = tuple(own)
        self._definitions = tuple(definitions)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kernel = self._find(name)
        if kernel is None:
            raise AttributeError(f"the {self.backend.name} backend has no kernel named {name!r}")
        setattr(self, name, kernel)
        return kernel

    def _find(self, name: str) -> Any:
        for module in self._own:
            if name in module.__all__:
                return getattr(module, name)
        for module in self._definitions:
            if name in module.__all__:
                return functools.partial(getattr(module, name), self.backend.seen)
        return getattr(self.xp, name, None)

    def has(self, name: str) -> bool:
        """Whether this backend has a kernel of that name (own, defined, or in its namespace)."""
        if name in self._absent:
            return name in self.__dict__  # someone may have put it there since
        try:
            getattr(self, name)
        except AttributeError:
            self._absent.add(name)
            return False
        return True


MANY = 1 << 16  # elements from which on a kernel may be worth more than an operator, as it may have several threads


def worth_a_kernel(x: Any) -> bool:
    """Whether an array is large enough, and plain enough, that a kernel does better than an operator."""
    return x.size >= MANY and kernels_of[type(x)].direct


def assign(x: Any, value: Any) -> None:
    """``x[...] = value``, by a kernel where there may be one."""
    k = kernels_of[type(x)]
    if k.direct:
        k.copy_into(x, value)
    else:
        x[...] = value


_ANYWHERE: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()


class Backend:
    """One kind of array and what computes on it.

    Args:
        name: the device's kind, as in ``device="cpu"``.
        xp: the array namespace (NumPy, CuPy, ...).
        array_type: the type of its arrays.
        own: modules with kernels of its own; each lists them in ``__all__``.
        definitions: modules of plain definitions whose first parameter is the namespace;
            all of ``backends/definitions`` unless told otherwise.
        seen: the namespace that the definitions get, where it is not ``xp`` itself but one with faster functions.

    A subclass overrides the methods below where its arrays differ from NumPy's.
    """

    def __init__(
        self,
        name: str,
        xp: Any,
        array_type: type,
        own: Sequence[types.ModuleType] = (),
        definitions: Sequence[types.ModuleType] | None = None,
        seen: Any = None,
    ) -> None:
        from . import definitions as plain

        self.name = name
        self.xp = xp
        self.seen = xp if seen is None else seen
        self.array_type = array_type
        self.kernels = Kernels(self, own, plain.MODULES if definitions is None else definitions)

    def device_of(self, array: Any) -> Device:
        """The device that ``array`` is on."""
        return Device(self.name)

    def device_count(self) -> int:
        """How many devices of this kind there are."""
        return 1

    def check(self, device: Device) -> None:
        """Raise `DeviceError` unless ``device`` exists."""
        if device.index is not None and device.index >= self.device_count():
            raise DeviceError(
                f"there is no device {device}: the number of {self.name} devices is {self.device_count()}"
            )

    def on(self, device: Device) -> contextlib.AbstractContextManager[Any]:
        """A context in which new arrays are made on ``device``."""
        return _ANYWHERE

    def to_numpy(self, array: Any) -> Any:
        """A NumPy array with the values of ``array``, sharing memory where that is possible."""
        raise NotImplementedError

    def from_numpy(self, array: Any, device: Device, non_blocking: bool = False) -> Any:
        """An array of this backend with the values of a NumPy array, on ``device``; perhaps before it is all there."""
        raise NotImplementedError

    def moved(self, array: Any, device: Device) -> Any:
        """A copy of an array of this backend on another of its devices."""
        return self.from_numpy(self.to_numpy(array), device)

    def pinned(self, array: Any) -> Any:
        """A NumPy array's values in memory that a device reads by itself; the array where there is no such memory."""
        return array

    def share(self, array: Any) -> Any:
        """A copy of ``array`` in memory that other processes see too, or itself where there is no such memory."""
        return array

    def is_shared(self, array: Any) -> bool:
        """Whether other processes see the memory of ``array``."""
        return False

    def shared_parts(self, array: Any) -> Any:
        """What `from_shared` makes the array of in a process that is starting; None where its values must be sent."""
        return None

    def from_shared(self, parts: Any) -> Any:
        """The array of another process that ``parts`` stand for."""
        raise NotImplementedError

    def to_dlpack(self, array: Any, **options: Any) -> Any:
        """The DLPack capsule of an array's memory; ``options`` are those of the standard's ``__dlpack__``."""
        return exported(array, **options)

    def from_dlpack(self, source: Any) -> Any:
        """An array on the memory of what exports DLPack capsules, or of a capsule of main memory."""
        return imported(self.xp, source)

    def synchronize(self) -> None:
        """Wait until everything that was asked of the device is done."""

    def empty_cache(self) -> None:
        """Give back memory that is kept for reuse."""


kernels_of: dict[type, Kernels] = {}
_loaders: dict[str, Callable[[], Backend]] = {}
_loaded: dict[str, Backend] = {}
_default: list[Device] = []


def register(name: str, loader: Callable[[], Backend]) -> None:
    """Make a backend known under ``name``. ``loader`` is called once, when it is first used.

    Args:
        name: the device kind, lower-case letters.
        loader: returns the `Backend`; raises `BackendUnavailableError` with the way out if it cannot.

    Example:
        >>> import wengert as wg
        >>> wg.backends.register("mine", lambda: my_backend)      # doctest: +SKIP
        >>> wg.ones(3, device="mine")                             # doctest: +SKIP
    """
    _loaders[name] = loader


def unregister(name: str) -> None:
    """Forget a backend. Its arrays stay usable as plain arrays, but no op takes them any more."""
    _loaders.pop(name)
    backend = _loaded.pop(name, None)
    if backend is not None:
        kernels_of.pop(backend.array_type, None)


def names() -> tuple[str, ...]:
    """The names of all registered backends."""
    return tuple(_loaders)


def loaded() -> list[Backend]:
    """All backends that have been used."""
    return list(_loaded.values())


def get_backend(name: str) -> Backend:
    """The backend called ``name``, loaded if it was not.

    Raises:
        RuntimeError: it is not registered, or its package or driver is missing.
    """
    backend = _loaded.get(name)
    if backend is None:
        if name not in _loaders:
            raise DeviceError(f"unknown device {name!r}; the registered kinds are {', '.join(names())}")
        backend = _loaders[name]()
        _loaded[name] = backend
        kernels_of[backend.array_type] = backend.kernels
        announce(backend)
    return backend


def device_count(name: str) -> int:
    """The number of devices of a backend; 0 where its library or driver is missing."""
    try:
        return get_backend(name).device_count()
    except BackendUnavailableError:
        return 0


def when_loaded(listener: Callable[[Backend], None]) -> None:
    """Call ``listener`` with every backend: now with those that are loaded, later with each one that is."""
    _listeners.append(listener)
    for backend in _loaded.values():
        listener(backend)


def announce(backend: Backend) -> None:
    """Tell the listeners of a backend that is not reached by its name: one for each level of ``vmap``."""
    for listener in _listeners:
        listener(backend)


_listeners: list[Callable[[Backend], None]] = []


class Follower:
    """How the backward pass gets onto the device of a gradient, where a backend has several devices.

    Attributes:
        start: returns what `end` needs to put things back; None where every backend has one device.
        follow: makes the device of an array the current one.
        end: makes the device current that was before.
    """

    start: Callable[[], Any] | None = None
    follow: Callable[[Any], None]
    end: Callable[[Any], None]


follower = Follower()


def backend_of(array: Any) -> Backend:
    """The backend whose array this is.

    Raises:
        TypeError: no loaded backend has arrays of this type.
    """
    kernels = kernels_of.get(type(array))
    if kernels is None:
        raise TypeError(f"{type(array).__name__} is not an array of any loaded backend ({', '.join(_loaded)})")
    return kernels.backend


def default_device() -> Device:
    """The device that factories use when none is named; ``WENGERT_DEVICE`` sets it from outside."""
    if not _default:
        _default.append(Device(os.environ.get("WENGERT_DEVICE", "cpu")))
    return _default[0]


def set_default_device(device: str | int | Device | None) -> None:
    """Make factories such as ``zeros`` put their tensors on ``device`` unless told otherwise.

    Raises:
        RuntimeError: the device is unknown, or its package or driver is missing; the default stays as it was.
    """
    chosen = Device("cpu" if device is None else device)
    get_backend(chosen.type).check(chosen)
    _default[:] = [chosen]
