"""How a public elementwise function calls its primitive: operands made ready, ``out=`` honoured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..inplace import inplace, write_out
from ..primitive import apply, apply2
from ..promotion import operands

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["binary", "binary_", "broadcast_error", "unary", "unary_"]

INTEGERS = "?bBhHiIlLqQ"  # NumPy's type characters: these may need promotion first
NUMBERS = frozenset((int, float))


def unary(prim: Any, name: str, x: Any, out: Any = None, floating: bool = True) -> Any:
    """``prim`` on one operand. With ``floating``, integers become the default float first."""
    if isinstance(x, TensorBase):
        if floating and x._data.dtype.kind in "iub":
            (x,) = operands(name, x, floating=True)
    elif not hasattr(x, "dtype"):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    y = apply(prim, x)
    return y if out is None else write_out(out, y, name)


def unary_(prim: Any, name: str, x: Tensor, floating: bool = True) -> Tensor:
    """``prim`` in place."""
    return inplace(x, name + "_", lambda t: unary(prim, name, t, None, floating))  # type: ignore[no-any-return]


def binary(prim: Any, name: str, a: Any, b: Any, out: Any = None, floating: bool = False) -> Any:
    """``prim`` on two operands, promoted to one type."""
    try:
        if isinstance(a, TensorBase) and a._data.dtype.char not in INTEGERS:
            x = a._data
            if isinstance(b, TensorBase):
                if x.dtype is b._data.dtype and type(x) is type(b._data):
                    y = apply2(prim, a, b)
                    return y if out is None else write_out(out, y, name)
            elif x.dtype.char in "fd" and type(b) in NUMBERS:  # arrays take real numbers as they are
                y = apply(prim, a, b)
                return y if out is None else write_out(out, y, name)
        a, b = operands(name, a, b, floating=floating)
        y = apply(prim, a, b)
    except ValueError as error:
        raise broadcast_error(name, a, b) from error
    return y if out is None else write_out(out, y, name)


def binary_(prim: Any, name: str, a: Tensor, b: Any, floating: bool = False) -> Tensor:
    """``prim`` in place on ``a``."""
    return inplace(a, name + "_", lambda t: binary(prim, name, t, b, None, floating))  # type: ignore[no-any-return]


def broadcast_error(name: str, *values: Any) -> Exception:
    """The error for shapes that do not broadcast: names the op, the shapes, the axis and a way out."""
    from ...backends.errors import ShapeError

    shapes = [list(v._data.shape if isinstance(v, TensorBase) else getattr(v, "shape", ())) for v in values]
    text = " and ".join(map(str, shapes))
    for axis in range(1, max(map(len, shapes)) + 1):
        sizes = {s[-axis] for s in shapes if len(s) >= axis} - {1}
        if len(sizes) > 1:
            a, b = [next((s[-axis] for s in (shape,) if len(s) >= axis), 1) for shape in shapes[:2]]
            position = max(map(len, shapes)) - axis
            return ShapeError(
                f"{name}: The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension "
                f"{position}; the shapes are {text}. Sizes broadcast when they are equal or one of them is 1: "
                "reshape or unsqueeze one operand"
            )
    return ShapeError(f"{name}: cannot combine shapes {text}")
