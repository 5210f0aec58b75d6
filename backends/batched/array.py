"""The array that looks like one example and holds all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ..errors import WengertError

__all__ = [
    "BatchError",
    "BatchedArray",
    "all_in",
    "any_in",
    "arrays_in",
    "deepest",
    "every",
    "give_operators",
    "invoke",
    "mapped",
    "physical",
]


class BatchError(WengertError, RuntimeError):
    """What a function under ``vmap`` may not do: it has one value where the batch has many."""


class Flags:
    """What programs ask of an array's memory: every example is treated as lying in the usual order."""

    c_contiguous = forc = writeable = owndata = True
    f_contiguous = fnc = False

    def __getitem__(self, name: str) -> bool:
        return bool(getattr(self, name.lower()))


class BatchedArray:
    """One example of a batch; all of them are computed at once.

    Each level of ``vmap`` and each batch size has a subclass of its own, made by `level_type`.

    Attributes:
        _all: the physical array, with the batch as first dimension.
        base: the array whose memory it shares, or None.
        shared: where every example is the same: that array, so that functions of nothing else run once.
        batch: how many examples there are.
        depth: how many levels of ``vmap`` are around.
        outer: the type of its physical arrays.
        namespace: its array namespace.
    """

    __slots__ = ("__weakref__", "_all", "base", "shared")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]
    flags = Flags()
    batch: ClassVar[int]
    depth: ClassVar[int] = 0
    outer: ClassVar[type]
    namespace: ClassVar[Any]
    _all: Any
    base: Any
    shared: Any

    @classmethod
    def of(cls, whole: Any, base: Any = None) -> Any:
        """The array whose examples are ``whole[0]``, ``whole[1]``, ..."""
        array = object.__new__(cls)
        array._all, array.base, array.shared = whole, base, None
        return array

    shape = property(lambda self: self._all.shape[1:], doc="Of an example.")
    ndim = property(lambda self: self._all.ndim - 1, doc="Dimensions of an example.")
    dtype = property(lambda self: self._all.dtype, doc="The element type.")
    itemsize = property(lambda self: self._all.dtype.itemsize, doc="Bytes of an element.")
    strides = property(lambda self: self._all.strides[1:], doc="Of an example.")
    nbytes = property(lambda self: self._all.nbytes, doc="Bytes of all examples.")
    T = property(lambda self: self.transpose(), doc="Dimensions reversed.")

    @property
    def size(self) -> int:
        """How many elements an example has."""
        count = 1
        for n in self._all.shape[1:]:
            count *= n
        return count

    @property
    def real(self) -> Any:
        """The real parts, a view."""
        return self.of(self._all.real, self)

    @property
    def imag(self) -> Any:
        """The imaginary parts, a view."""
        return self.of(self._all.imag, self)

    # ------------------------------------------------------------------ what NumPy calls

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise BatchError(
            "vmap: a tensor of the mapped function cannot become a NumPy array, since it stands for a whole batch"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return invoke(name, args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = function.__module__.partition(".")[2]
        return invoke(
            f"{module}.{function.__name__}" if module in ("linalg", "fft") else function.__name__, args, kwargs
        )

    # ------------------------------------------------------------------ one value where there are many

    def _refuse(self, what: str) -> BatchError:
        return BatchError(
            f"vmap: It looks like you're calling {what} on a Tensor. We don't support vmap over calling {what} on a "
            "Tensor, please try to rewrite what you're doing with other operations (where() instead of if)"
        )

    def __bool__(self) -> bool:
        raise BatchError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't "
            "support that yet, please shout over at torch.where: where(condition, a, b) selects for each example"
        )

    def item(self, *args: Any) -> Any:
        """Refused: there is one value for each example."""
        raise self._refuse(".item()")

    def tolist(self) -> Any:
        """Refused, too."""
        raise self._refuse(".tolist()")

    __float__ = __int__ = __complex__ = __index__ = item

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # ------------------------------------------------------------------ memory

    def __getitem__(self, key: Any) -> Any:
        parts = key if type(key) is tuple else (key,)
        if any(_is_array(p) or type(p) is list for p in parts):
            return invoke("__getitem__", (self, key), {})
        ellipsis = () if any(p is Ellipsis for p in parts) else (Ellipsis,)  # a single element is a view, too
        return self.of(self._all[(slice(None), *parts, *ellipsis)], self if self.base is None else self.base)

    def __setitem__(self, key: Any, value: Any) -> None:
        invoke("__setitem__", (self, key, value), {})

    def _alike(self, one: Any) -> Any:
        """An array whose examples are all ``one``."""
        made = self.namespace.shared(one)
        made.base = self if self.base is None else self.base
        return made

    def astype(self, dtype: Any, order: str = "K", copy: bool = True, **kwargs: Any) -> Any:
        """The same in another element type."""
        if self.shared is not None:
            return self.namespace.shared(self.shared.astype(dtype))
        made = self._all.astype(dtype, copy=copy)
        return self if made is self._all else self.of(made)

    def view(self, dtype: Any) -> Any:
        """The same memory read as another element type."""
        if not self.ndim and self.dtype.itemsize != dtype.itemsize:
            raise self._refuse("view(dtype)")
        return self.of(self._all.view(dtype), self)

    def copy(self, order: str = "C") -> Any:
        """A copy."""
        return self.of(self._all.copy())

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def fill(self, value: Any) -> None:
        """Set every element."""
        self[...] = value

    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> Any:
        """In another shape, a view where it can be."""
        sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
        if -1 in sizes and not self._all.size:
            known = 1
            for n in sizes:
                known *= n if n != -1 else 1
            sizes = tuple(self.size // known if n == -1 else n for n in sizes)
        if self.shared is not None:
            return self._alike(self.shared.reshape(sizes))
        whole = self._all.reshape((self.batch, *sizes))
        return self.of(whole, self if self.base is None else self.base)

    def ravel(self, order: str = "C") -> Any:
        """In one dimension."""
        return self.reshape(self.size)

    flatten = ravel

    def transpose(self, *axes: Any) -> Any:
        """Dimensions in another order; reversed unless told."""
        order = tuple(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int) and axes[0] is not None else axes
        if not order or order == (None,):
            order = tuple(reversed(range(self.ndim)))
        if self.shared is not None:
            return self._alike(self.shared.transpose(order))
        return self.of(
            self._all.transpose(0, *[a % self.ndim + 1 for a in order]), self if self.base is None else self.base
        )


METHODS = """all any argmax argmin argsort clip conj cumprod cumsum diagonal dot max mean min nonzero prod repeat round
searchsorted squeeze std sum swapaxes take trace var"""
OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "matmul": "matmul",
}
COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


Run = Callable[[str, Any, Any], Any]


def give_operators(kind: type, run: Run) -> None:
    """Give a class that stands for arrays NumPy's methods and operators: ``run(name, args, kwargs)`` computes them."""

    def method(name: str) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return run(name, (self, *args), kwargs)

        call.__name__, call.__doc__ = name, f"NumPy's ``{name}``."
        return call

    def reflected(name: str) -> Callable[..., Any]:
        return lambda self, other: run(name, (other, self), {})

    def inplace(name: str) -> Callable[..., Any]:
        return lambda self, other: run(name, (self, other), {"out": self})

    for name in METHODS.split():
        setattr(kind, name, method(name))
    for name, function in {**OPERATORS, **COMPARISONS, **UNARY}.items():
        setattr(kind, f"__{name}__", method(function))
    for name, function in OPERATORS.items():
        setattr(kind, f"__r{name}__", reflected(function))
        setattr(kind, f"__i{name}__", inplace(function))


give_operators(BatchedArray, lambda name, args, kwargs: invoke(name, args, kwargs))


# ---------------------------------------------------------------------- which level computes


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "ndim")


KINDS: set[type] = set()  # the types of all levels


def arrays_in(value: Any) -> list[BatchedArray]:
    """The batched arrays in a nest of containers."""
    found, stack = [], [value]
    while stack:
        v = stack.pop()
        kind = type(v)
        if kind in KINDS:
            found.append(v)
        elif kind is tuple or kind is list:
            stack.extend(v)
        elif kind is dict:
            stack.extend(v.values())
        elif isinstance(v, tuple):
            stack.extend(v)
    return found


def deepest(values: Any) -> type[BatchedArray] | None:
    """The type of the innermost level among the batched arrays in ``values``; None where there are none."""
    found: type[BatchedArray] | None = None
    for array in arrays_in(values):
        kind = type(array)
        if kind is not found:
            found = kind if found is None else deeper(found, kind)
    return found


def deeper(a: type[BatchedArray], b: type[BatchedArray]) -> type[BatchedArray]:
    """The inner one of two levels.

    Raises:
        BatchError: they are two levels of the same depth.
    """
    if a.depth == b.depth and a is not b:
        raise BatchError(
            f"vmap: tensors of two calls of vmap meet, with batches of {b.batch} and {a.batch}; a tensor of the mapped "
            "function was kept and used outside of it. (Your tensor may have escaped from inside a function being "
            "vmapped: return it instead)"
        )
    return a if a.depth > b.depth else b


def invoke(name: str, args: Any, kwargs: Any) -> Any:
    """A namespace function by name, on arrays one of which at least is batched."""
    kind: Any = deepest((args, kwargs) if kwargs else args)
    return kind.namespace.run(name, args, kwargs)


def every(array: Any) -> Any:
    """The array with all examples of all levels: for checks of arguments, which refuse all of them or none."""
    while isinstance(array, BatchedArray):
        array = array._all
    return array


def any_in(condition: Any) -> bool:
    """Whether a condition holds anywhere, in any example."""
    return bool(every(condition).any())


def all_in(condition: Any) -> bool:
    """Whether a condition holds everywhere, in every example."""
    return bool(every(condition).all())


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """``value`` with every batched array in it, however deep in containers, replaced."""
    if isinstance(value, BatchedArray):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)([mapped(v, change) for v in value])
    if type(value) is dict:
        return {k: mapped(v, change) for k, v in value.items()}
    return value


def physical(array: BatchedArray) -> Any:
    """The array of all examples, the batch first."""
    return array._all
