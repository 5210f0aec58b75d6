"""The array of the stand-in for CuPy, and the way into NumPy and out of it. See `tests/strict.py`."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import numpy as np

from . import strict_tables as tables

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {np.dtype(code) for code in "?bBhHiIlLqQefdFD"} | {BFLOAT16}
SCALARS = {bool, int, float, complex} | {dtype.type for dtype in DTYPES}


class StrictError(Exception):
    """What CuPy would do without a word, and differently from NumPy."""


class SyncError(StrictError):
    """A copy between host and device, or a wait, inside `no_sync`."""


_syncs = types.SimpleNamespace(count=0, forbidden=0)
current = types.SimpleNamespace(device=0)  # where new arrays lie, and where all others must be


def sync_count() -> int:
    """How often, so far, the host would have waited for the device or copied to it."""
    return _syncs.count


@contextmanager
def no_sync() -> Iterator[None]:
    """Inside, whatever makes the host wait, or copies between host and device, raises `SyncError`."""
    _syncs.forbidden += 1
    try:
        yield
    finally:
        _syncs.forbidden -= 1


def sync(what: str) -> None:
    if _syncs.forbidden:
        raise SyncError(f"{what} makes the host wait for the device, or copies between them")
    _syncs.count += 1


# Into NumPy and out of it.


class _NoIndex(np.ndarray):
    """The form in which 0-d integers reach NumPy: its own 0-d arrays would pass there as sizes and axes."""

    def __index__(self) -> int:
        raise TypeError("only integer scalar arrays on the host can be converted to a scalar index")


def unwrap(value: Any) -> Any:
    if isinstance(value, StrictArray):
        data = value._data
        return data.view(_NoIndex) if data.ndim == 0 and data.dtype.kind in "iu" else data
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: a host array meets device code")
    if isinstance(value, list | tuple):
        return type(value)(unwrap(item) for item in value)
    if isinstance(value, slice):
        return slice(unwrap(value.start), unwrap(value.stop), unwrap(value.step))
    return value


def new(data: Any, base: StrictArray | None = None) -> StrictArray:
    if data.dtype not in DTYPES:
        raise ValueError(f"Unsupported dtype {data.dtype}")
    array = object.__new__(StrictArray)
    array._data, array.base = data, base
    array._where = current.device if base is None else base._where
    return array


def _root(data: Any) -> Any:
    while getattr(data, "base", None) is not None:
        data = data.base
    return data


def wrap(result: Any, sources: list[StrictArray]) -> Any:
    """The result as device arrays: the source itself where NumPy returned it, a view of it where memory is shared."""
    if isinstance(result, np.generic):
        return new(np.asarray(result))
    if isinstance(result, list | tuple):
        return (list if isinstance(result, list) else tuple)(wrap(item, sources) for item in result)
    if not isinstance(result, np.ndarray):
        return result
    root = _root(result)
    for source in sources:
        if source._data is result:
            return source
    result = result.view(np.ndarray) if isinstance(result, _NoIndex) else result
    for source in sources:
        if _root(source._data) is root:
            if not result.flags.writeable:  # CuPy has no read-only arrays
                result.flags.writeable = True
            return new(result, source if source.base is None else source.base)
    return new(result)


def arrays(value: Any) -> Iterator[StrictArray]:
    if isinstance(value, StrictArray):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from arrays(item)


def call(name: str, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    sources = list(arrays([*args, *kwargs.values()]))
    for source in sources:
        if source._where != current.device:
            raise StrictError(f"{name}: an array of device {source._where} is used on device {current.device}")
    if name in tables.NO_BFLOAT16 and any(source.dtype == BFLOAT16 for source in sources):
        raise TypeError(f"CuPy has no {name} for bfloat16")
    raw, keywords = unwrap(tuple(args)), {key: unwrap(value) for key, value in kwargs.items()}
    with np.errstate(all="ignore"):  # a device reports no floating-point warnings
        result = function(*raw, **keywords)
    if kwargs.get("out") is not None:
        return kwargs["out"]
    if name in tables.RESULT_ARRAYS:
        result = np.asarray(result)
    if name in tables.ELEMENTWISE:
        result = np.asarray(result, order="C")
    return wrap(result, sources)


def check(name: str, args: Any, kwargs: dict[str, Any]) -> None:
    unknown = tables.FORBIDDEN.get(name, frozenset()) & kwargs.keys()
    if unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument {sorted(unknown)[0]!r}")
    if name in tables.SYNCING:
        sync(f"{name}()")
    if name in ("take", "repeat") and len(args) > 1:
        wrong = list | tuple if name == "take" else StrictArray
        if isinstance(args[1], wrong):
            raise TypeError(f"{name}() takes no {type(args[1]).__name__} as its second argument without a copy")
    if name in ("sort", "argsort") and kwargs.get("kind") not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")


def check_cast(data: Any, dtype: Any) -> None:
    """Refuse the conversions to integers whose result is not the same everywhere."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "iu" or not (data.dtype.kind == "f" or data.dtype == BFLOAT16):
        return
    values, limits = np.trunc(data.astype(np.float64)), np.iinfo(dtype)
    if not np.all((values >= limits.min) & (values < float(limits.max) + 1)):
        raise StrictError(f"casting NaN, infinity or numbers out of range from {data.dtype} to {dtype} is undefined")


def poison(data: Any) -> Any:
    kind = data.dtype.kind
    data[...] = True if kind == "b" else np.iinfo(data.dtype).max if kind in "iu" else np.nan
    return data


def host(value: Any) -> Any:
    return value._data if isinstance(value, StrictArray) else np.asarray(value)


# Arrays.


class StrictFlags:
    """The flags that CuPy has."""

    def __init__(self, flags: Any) -> None:
        for name in ("c_contiguous", "f_contiguous", "owndata", "forc", "fnc"):
            setattr(self, name, getattr(flags, name))

    def __getitem__(self, name: str) -> bool:
        return bool(getattr(self, name.lower()))


def index(key: Any) -> tuple[tuple[Any, ...], bool]:
    """The key for NumPy, and whether it holds arrays, so that the result is a copy."""
    parts = key if isinstance(key, tuple) else (key,)
    masks = 0
    for part in parts:
        if isinstance(part, StrictArray):
            masks += part.dtype == np.bool_
        elif isinstance(part, list | tuple | np.ndarray | bool | np.bool_):
            raise TypeError(f"an index of type {type(part).__name__} would be copied to the device by every call")
        elif not (part is None or part is Ellipsis or isinstance(part, slice | int | np.integer)):
            raise IndexError(f"{type(part).__name__} is no index")
    if masks > 1:
        raise NotImplementedError("several boolean masks in one index")
    if masks:
        sync("indexing with a boolean mask")
    advanced = any(isinstance(part, StrictArray) for part in parts)
    return tuple(part._data if isinstance(part, StrictArray) else unwrap(part) for part in parts), advanced


class StrictArray:
    """What stands in for ``cupy.ndarray``: an array that the host cannot look into unnoticed."""

    __slots__ = ("__weakref__", "_data", "_where", "base")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]
    _data: Any
    _where: int
    base: StrictArray | None

    def __init__(self, shape: Any, dtype: Any = float) -> None:
        self._data, self.base = new(poison(np.empty(unwrap(shape), dtype)))._data, None
        self._where = current.device

    shape = property(lambda self: self._data.shape, lambda self, shape: setattr(self._data, "shape", shape))
    flags = property(lambda self: StrictFlags(self._data.flags))
    data = property(lambda self: types.SimpleNamespace(ptr=self._data.__array_interface__["data"][0]))
    device = property(lambda self: types.SimpleNamespace(id=self._where))
    real = property(lambda self: wrap(self._data.real, [self]), lambda self, value: self.real.__setitem__(..., value))
    imag = property(lambda self: wrap(self._data.imag, [self]), lambda self, value: self.imag.__setitem__(..., value))

    def get(self, stream: Any = None, order: str = "C") -> Any:
        sync("get()")
        return np.array(self._data, order=order)  # type: ignore[call-overload]

    def set(self, array: Any, stream: Any = None) -> None:
        sync("set()")
        if not isinstance(array, np.ndarray) or (array.dtype, array.shape) != (self.dtype, self.shape):
            raise TypeError("set() needs a NumPy array of the same dtype and shape")
        self._data[...] = array

    def __format__(self, spec: str) -> str:
        return format(self.get()[()], spec)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __dlpack__(self, **kwargs: Any) -> Any:
        kwargs.pop("stream", None)  # which memory that is really NumPy's has none of
        return self._data.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._data.__dlpack_device__()

    # What NumPy would like to do with it.

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_function__(self, function: Any, *args: Any) -> Any:
        raise TypeError(f"np.{function.__name__} got a device array; call xp.{function.__name__}")

    # Containers.

    def __contains__(self, item: Any) -> bool:
        raise TypeError("`in` would compare one element after the other, with a wait for each")

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[StrictArray]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        key, advanced = index(key)
        if advanced:
            return new(np.array(self._data[key], order="C"))
        if not any(part is Ellipsis for part in key):
            key += (Ellipsis,)  # so that a single element is a 0-d view, too
        return wrap(self._data[key], [self])

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, list | tuple | np.ndarray):
            raise ValueError(f"a {type(value).__name__} on the host cannot be assigned to a device array")
        if not isinstance(value, StrictArray) and type(value) not in SCALARS:
            raise TypeError(f"Unsupported type {type(value)}")
        key, advanced = index(key)
        raw = host(value)
        check_cast(raw, self.dtype)
        if advanced and not isinstance(value, StrictArray):
            sync("assigning a host scalar through an index array")
        if advanced and raw.size > 1:
            places = np.arange(self.size).reshape(self.shape)[key]
            if len(np.unique(places)) < places.size:
                raise StrictError("the index names a place twice: which value ends up there is undefined")
        self._data[key] = raw if isinstance(value, StrictArray) else value

    # Methods and operators that differ from NumPy's; the others are added below.

    def astype(self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = None, copy: Any = True) -> Any:
        check_cast(self._data, dtype)
        return wrap(self._data.astype(dtype, order=order, casting=casting, copy=copy), [self])

    def fill(self, value: Any) -> None:
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None) -> None:
        if not self._data.flags.c_contiguous:
            raise NotImplementedError("Sorting non-contiguous array is not supported.")
        check("sort", (self,), {"kind": kind})
        call("sort", np.ndarray.sort, (self, axis), {})

    def __imatmul__(self, other: Any) -> Any:
        raise TypeError("`@=` does not work in place on CuPy arrays: it makes a new one")
