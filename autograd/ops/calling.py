"""How a public elementwise function calls its primitive: operands made ready, ``out=`` honoured, in-place forms."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from ...backends import kernels_of
from ...backends.dtypes import FROM_NUMPY, float32
from ...backends.errors import DTypeError, ShapeError, SparseOperandError
from ...backends.sparse import SparseArray
from ...backends.strictness import strictness
from .. import grad_mode, primitive
from ..admission import REFUSED, refuse, refuse_array
from ..base import TensorBase, wrap
from ..grad_mode import mode
from ..inplace import inplace, wrote
from ..out import write_out
from ..primitive import apply, apply1, apply2, apply_sparse, in_order
from ..promotion import OperandError, get_default_dtype, operands, result_type
from ..write_checks import check_writable
from .cast import cast
from .layout import refuse_overlap

__all__ = [
    "arithmetic_in_place",
    "binary",
    "binary_operator",
    "broadcast_error",
    "in_place",
    "mask",
    "operator",
    "raw",
    "unary",
    "warn_old_form",
    "write_exactly",
]

F = TypeVar("F", bound=Callable[..., Any])
CHECKED = "?bBhHiIlLqQFD"  # NumPy's type characters: integers may need promotion first, complex types permission
NUMBERS = frozenset((int, float))
ARITHMETIC = frozenset(("add", "div", "mul", "sub"))
FLOAT32 = float32.dtype


def unary(prim: Any, name: str, x: Any, out: Any = None, floating: bool = True, **params: Any) -> Any:
    """``prim`` on one operand. With ``floating``, integers become the default float first."""
    if isinstance(x, TensorBase):
        kind = x._data.dtype.kind
        if kind in "iubc":
            if floating and kind != "c":
                if isinstance(x._data, SparseArray):
                    x = x.coalesce() if x.is_sparse else x  # type: ignore[attr-defined]
                (x,) = operands(name, x, floating=True)
            else:
                refuse(name, FROM_NUMPY[x._data.dtype])
    elif not hasattr(x, "dtype"):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    try:
        y = apply1(prim, x, params) if isinstance(x, TensorBase) else apply(prim, x, **params)
    except TypeError as error:
        refuse_array(name, error, x)
        raise
    return y if out is None else write_out(out, y, name, x)


def binary(prim: Any, name: str, a: Any, b: Any, out: Any = None, floating: bool = False) -> Any:
    """``prim`` on two operands, promoted to one type."""
    try:
        if isinstance(a, TensorBase):
            x = a._data
            dtype = x.dtype
            if isinstance(b, TensorBase):
                if dtype is b._data.dtype and type(x) is type(b._data) and dtype.char not in CHECKED:
                    y = apply2(prim, a, b)
                    return y if out is None else write_out(out, y, name, a, b)
                if dtype.char in "FD" and dtype is b._data.dtype and type(x) is type(b._data):
                    if (name, 3) in REFUSED:
                        refuse(name, FROM_NUMPY[dtype])
                    y = apply2(prim, a, b)
                    return y if out is None else write_out(out, y, name, a, b)
            elif dtype.char in "fd" and type(b) in NUMBERS:  # arrays take real numbers as they are
                y = apply(prim, a, b)
                return y if out is None else write_out(out, y, name, a, b)
        elif type(a) in NUMBERS and isinstance(b, TensorBase) and b._data.dtype.char in "fd":
            y = apply(prim, a, b)
            return y if out is None else write_out(out, y, name, a, b)
        y = _with_fine_number(prim, a, b) if name in ARITHMETIC else None
        if y is None:
            a, b = operands(name, a, b, floating=floating)
            y = apply(prim, a, b)
    except (ValueError, SparseOperandError, TypeError) as error:
        y = _binary_again(error, prim, name, a, b, floating)
    return y if out is None else write_out(out, y, name, a, b)


def _binary_again(error: Any, prim: Any, name: str, a: Any, b: Any, floating: bool) -> Any:
    """What `binary` gives where operands were refused: rules for sparse ones know more; else an error says why."""
    if isinstance(error, SparseOperandError):
        return sparse_binary(prim, name, a, b, floating)
    if isinstance(error, ValueError):
        raise broadcast_error(name, a, b) from error
    refuse_array(name, error, a, b)
    raise error


def _with_fine_number(prim: Any, a: Any, b: Any) -> Any:
    """Arithmetic of a 16-bit tensor and a number that its type does not hold: in float32, rounded once. Else None."""
    x, number = (a, b) if isinstance(a, TensorBase) else (b, a)
    if type(number) not in NUMBERS or not isinstance(x, TensorBase):
        return None
    dtype = x._data.dtype
    if dtype.itemsize > 2 or dtype.kind not in "fV" or (abs(number) < 60000 and dtype.type(number) == number):
        return None
    wide = cast(x, FLOAT32)
    return cast(apply(prim, wide, number) if x is a else apply(prim, number, wide), dtype)


def _alike(values: tuple[Any, ...]) -> bool:
    """Whether kernels take the values as they are: Tensors of one type, and numbers beside float32 or float64."""
    first = values[0]
    if not isinstance(first, TensorBase):
        return False
    x = first._data
    if x.dtype.char in "FD":  # few comparisons take complex numbers
        return False
    for v in values[1:]:
        if isinstance(v, TensorBase):
            if v._data.dtype is not x.dtype or type(v._data) is not type(x):
                return False
        elif type(v) not in NUMBERS or x.dtype.char not in "fd":
            return False
    return True


def mask(kernel: str, name: str, *values: Any, out: Any = None, **params: Any) -> Any:
    """The kernel's result on operands of one type, without a gradient: comparisons, tests, integer functions."""
    ready = values if _alike(values) else operands(name, *values)
    arrays = [v._data if isinstance(v, TensorBase) else v for v in ready]
    if strictness.depth and len(arrays) == 2:
        _refuse_outer(name, arrays)
    k = next(kernels_of[type(a)] for a in arrays if type(a) in kernels_of)
    try:
        y = getattr(k, kernel)(*arrays, **params)
    except ValueError as error:
        raise broadcast_error(name, *ready) from error
    except SparseOperandError:
        from ..sparse.dispatch import masked

        y = masked(kernel, name, tuple(ready), params)
        return y if out is None else write_out(out, y, name)
    except TypeError as error:
        refuse_array(name, error, *ready)
        raise
    y = in_order("operands", k, y if type(y) in kernels_of else k.asarray(y), arrays)
    if not any(isinstance(v, TensorBase) for v in ready):  # a gradient rule asked
        return y
    return wrap(y) if out is None else write_out(out, wrap(y), name, *values)


def _refuse_outer(name: str, arrays: list[Any]) -> None:
    from ..debug.strict import refuse_outer

    if all(hasattr(a, "shape") for a in arrays):
        refuse_outer(name, *arrays)


def raw(x: Any) -> Any:
    """The array of a Tensor; an array as it is."""
    return x._data if isinstance(x, TensorBase) else x


def in_place(function: F) -> F:
    """The in-place form of an op: ``f_(x, ...)`` is ``x = f(x, ...)`` in the memory of ``x``.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([4.0, 9.0])
        >>> x.sqrt_()
        tensor([2., 3.])
    """
    name = function.__name__.removesuffix("_method") + "_"

    @functools.wraps(function)
    def method(input: Any, *args: Any, **kwargs: Any) -> Any:
        version = input._ver
        if version is not None:
            for other in (*args, *kwargs.values()):
                if getattr(other, "_ver", None) is version:
                    refuse_overlap(name, input, other, whole=False)
        return inplace(input, name, lambda t: function(t, *args, **kwargs))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}` in place."
    return method  # type: ignore[return-value]


def arithmetic_in_place(function: F, takes: str, write: Callable[..., None], factor: str = "") -> F:
    """`in_place` for arithmetic that a kernel can do in the tensor's memory, where no graph is to know of it.

    Args:
        function: the op.
        takes: a letter for each operand after the first: a tensor (``t``), a number (``n``), or either (``e``).
        write: ``write(k, array, *operands, factor)`` changes the array; other arrays are of its shape and type.
        factor: the keyword of the number that multiplies, 1 unless given: ``alpha``, ``value``.
    """
    general: Any = in_place(function)
    name = general.__name__

    @functools.wraps(general)
    def method(input: Any, *args: Any, **kwargs: Any) -> Any:
        number = kwargs.get(factor, 1) if kwargs else 1
        if (
            type(number) in NUMBERS
            and len(kwargs) == (factor in kwargs)
            and len(args) == len(takes)
            and _unseen(input, takes, args)
        ):
            check_writable(input, name)
            x = input._data
            write(kernels_of[type(x)], x, *map(raw, args), number)
            wrote(input, name)
            return input
        return general(input, *args, **kwargs)

    return method  # type: ignore[return-value]


def _unseen(input: Any, takes: str, others: tuple[Any, ...]) -> bool:
    """Whether the operands, tensors like the input or numbers, can be worked into its memory without a graph."""
    x = input._data
    dtype, kind, shape = x.dtype, type(x), x.shape
    if dtype.char not in "fd" or not kernels_of[kind].direct or primitive._special or grad_mode.tracing or mode.savers:
        return False
    recording = mode.grad
    if recording and (input._rg or input._view is not None):
        return False
    for letter, other in zip(takes, others, strict=True):
        if isinstance(other, TensorBase):
            y = other._data
            if letter == "n" or type(y) is not kind or y.dtype is not dtype or y.shape != shape:
                return False
            if other._ver is not None and other._ver is input._ver:  # the general form says what may overlap
                return False
            if recording and (other._rg or other._view is not None):
                return False
        elif letter == "t" or type(other) not in NUMBERS:
            return False
    return True


def scaled_product(function: F) -> F:
    """Let a function of ``addmm``'s family take its factors by their old places, among the tensors, with a warning.

    ``addmm(beta, input, alpha, mat1, mat2)`` is ``addmm(input, mat1, mat2, beta=beta, alpha=alpha)``.
    """
    name = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 3:
            factors = [a for a in args if not isinstance(a, TensorBase)]
            args = tuple([a for a in args if isinstance(a, TensorBase)])
            kwargs |= dict(zip(("beta", "alpha"), factors, strict=False))
            warn_old_form(name, "beta= and alpha=", 2)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def warn_old_form(name: str, keywords: str, depth: int = 3) -> None:
    """Warn about factors given by their old places; ``depth`` is how far up the caller to name is."""
    warnings.warn(
        f"This overload of {name} is deprecated: give the tensors first, and then {keywords}", stacklevel=depth + 1
    )


def write_exactly(out: Any, result: Any, op: str) -> Any:
    """`write_out`, for ops that do not cast: matrix products and factorisations.

    Raises:
        RuntimeError: ``out`` is of another type.
    """
    if out._data.dtype != result._data.dtype:
        raise DTypeError(
            f"{op}: Expected out tensor to have dtype {_c_name(result)}, but got {_c_name(out)} instead; there it is "
            f"{result.dtype}"
        )
    return write_out(out, result, op)


def _c_name(x: Any) -> str:
    """The element type as C++ calls it, as PyTorch's message does."""
    names = {"float32": "float", "float64": "double", "int32": "int", "int64": "long int"}
    name = x._data.dtype.name
    return {"complex64": "c10::complex<float>", "complex128": "c10::complex<double>"}.get(name, names.get(name, name))


def operator(function: Callable[[Any, Any], Any], reflected: bool = False) -> Callable[[Any, Any], Any]:
    """The form of an op that a Python operator calls: it leaves operands that it does not know to the other side."""

    def method(self: Any, other: Any) -> Any:
        try:
            return function(other, self) if reflected else function(self, other)
        except OperandError:
            return NotImplemented

    method.__doc__ = function.__doc__
    return method


def binary_operator(
    prim: Any, name: str, reflected: bool = False, floating: bool = False, function: Any = None
) -> Callable[[Any, Any], Any]:
    """`operator` for an op that is `binary` and nothing else, without the call between them.

    With ``function`` the op is more than that where its operands are not tensors of one floating type.
    """

    def method(self: Any, other: Any) -> Any:
        # First what is asked for nearly always, without the call of `binary`.
        if isinstance(other, TensorBase) and not reflected:
            x, y = self._data, other._data
            dtype = x.dtype
            if dtype is y.dtype and type(x) is type(y) and dtype.char in "fd":
                try:
                    return apply2(prim, self, other)
                except (ValueError, SparseOperandError, TypeError) as error:
                    return _binary_again(error, prim, name, self, other, floating)
        try:
            if function is not None:
                return function(self, other)
            if reflected:
                return binary(prim, name, other, self, None, floating)
            return binary(prim, name, self, other, None, floating)
        except OperandError:
            return NotImplemented

    return method


def broadcast_error(name: str, *values: Any) -> Exception:
    """The error for shapes that do not broadcast: names the op, the shapes, the axis and a way out."""
    shapes = [tuple(v._data.shape if isinstance(v, TensorBase) else getattr(v, "shape", ())) for v in values]
    text = " and ".join(str(list(shape)) for shape in shapes)
    rank = max(map(len, shapes))
    for axis in range(1, rank + 1):
        sizes = [shape[-axis] for shape in shapes if len(shape) >= axis and shape[-axis] != 1]
        if len(set(sizes)) > 1:
            other = next(n for n in sizes if n != sizes[0])
            return ShapeError(
                f"{name}: The size of tensor a ({sizes[0]}) must match the size of tensor b ({other}) at non-singleton "
                f"dimension {rank - axis}; the shapes are {text}. Sizes broadcast when they are equal or one of them "
                "is 1: reshape or unsqueeze one operand"
            )
    error = sys.exc_info()[1]  # the shapes are right: a hook's error, or a kernel's own
    return error if isinstance(error, Exception) else ShapeError(f"{name}: cannot combine shapes {text}")


def sparse_binary(prim: Any, name: str, a: Any, b: Any, floating: bool) -> Any:
    """`binary` where an operand is sparse; the rules for sparse operands know what may meet."""
    from .cast import cast

    kind = result_type(a, b)
    dtype = (get_default_dtype() if floating and kind.category < 2 else kind).dtype
    ready = [cast(v, dtype) if isinstance(v, TensorBase) and v._data.dtype != dtype else v for v in (a, b)]
    return apply_sparse(prim, tuple(ready), {})
