"""Complex numbers: their parts, their making, their conjugates.

Gradients follow PyTorch's convention: of a real loss L, the gradient of z = x + iy is dL/dx + i dL/dy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DTypeError, ShapeError
from ..admission import need_tensors, scalar_type
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from . import elementwise
from .calling import broadcast_error, in_place, unary
from .elementwise import Conj, quotient, scaled
from .layout import storage_offset, stride
from .trigonometric import cos, sin

if TYPE_CHECKING:
    from ..tensor import Tensor


class Real(Primitive):
    """The real part, a view."""

    view = True

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        return z.real

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g  # the engine makes it complex


class Imag(Primitive):
    """The imaginary part, a view."""

    view = True

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        return z.imag

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 1j


class MakeComplex(Primitive):
    """``x + iy``."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return ctx.k.make_complex(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return real_rule(g), imag_rule(g) if ctx.needs[1] else None


class ViewAsReal(Primitive):
    """(..., ) complex as (..., 2) real, a view; `ViewAsComplex` is its inverse and its adjoint."""

    view = True

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        return z[..., None].view(FROM_NUMPY[z.dtype].to_real().dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(ViewAsComplex, g)


class ViewAsComplex(Primitive):
    """(..., 2) real as (...) complex, a view."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        if x.strides[-1] != x.itemsize:
            x = x.copy()
        return x.view(FROM_NUMPY[x.dtype].to_complex().dtype)[..., 0]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(ViewAsReal, g)


class Angle(Primitive):
    """The angle of a complex number; of a real one 0 or pi."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        if z.dtype.kind == "c":
            ctx.save(z)
        return ctx.k.phase(z)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if not ctx.saved:
            return scaled(g, 0)
        (z,) = ctx.saved
        return quotient(z * (g * 1j), z * elementwise.conj(z))


def real_rule(z: Any) -> Any:
    """The real part for gradient rules."""
    return apply(Real, z)


def imag_rule(z: Any) -> Any:
    """The imaginary part for gradient rules."""
    return apply(Imag, z)


def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor is its own."""
    return apply(Real, input) if _is_complex(input) else input


def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view.

    Raises:
        RuntimeError: ``input`` is real.
    """
    if not _is_complex(input):
        raise DTypeError(f"imag is not implemented for tensors with non-complex dtypes, such as {input.dtype}")
    return apply(Imag, input)


def _is_complex(input: Any) -> bool:
    if not isinstance(input, TensorBase):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    return input._data.dtype.kind == "c"


def set_real(input: Tensor, value: Any) -> None:
    """``input.real = value``."""
    real(input)[...] = value


def set_imag(input: Tensor, value: Any) -> None:
    """``input.imag = value``."""
    imag(input)[...] = value


def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex conjugate, computed at once."""
    if input._data.dtype.kind != "c":
        return input if out is None else write_out(out, input, "conj_physical")
    return unary(Conj, "conj_physical", input, out, floating=False)


def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor is its own."""
    return apply(Conj, input) if _is_complex(input) else input


def resolve_conj(input: Tensor) -> Tensor:
    """``input``: conjugates are computed at once here, so there is nothing to resolve."""
    return input


def is_conj(input: Tensor) -> bool:
    """Whether ``input`` is a conjugate that is still to be computed: never, here."""
    return False


def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle in radians: of a complex number in (-pi, pi], of a real one pi where it is negative, else 0."""
    return unary(Angle, "angle", input, out)


def _check_parts(name: str, first: Tensor, second: Tensor) -> None:
    """Raise unless two tensors can be the parts of a complex one."""
    a, b = scalar_type(first.dtype), scalar_type(second.dtype)
    if first._data.dtype.char not in "efd" or second._data.dtype.char not in "efd":
        raise DTypeError(f"{name}: Expected both inputs to be Half, Float or Double tensors but got {a} and {b}")
    if a != b:
        raise DTypeError(
            f"{name}: Expected object of scalar type {a} but got scalar type {b} for second argument; convert one"
        )


def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``real + i * imag``.

    Args:
        real: float32 or float64.
        imag: the same dtype; the shapes broadcast.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the dtypes differ, or are not floating point.
    """
    need_tensors("complex", real=real, imag=imag)
    _check_parts("complex", real, imag)
    result = real.dtype.to_complex()
    if out is not None and out.dtype is not result:
        raise DTypeError(
            f"complex: Expected object of scalar type {scalar_type(result)} but got scalar type "
            f"{scalar_type(out.dtype)} for argument 'out'"
        )
    try:
        y = apply(MakeComplex, real, imag)
    except ValueError as error:
        raise broadcast_error("complex", real, imag) from error
    return y if out is None else write_out(out, y, "complex")


def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``abs * (cos(angle) + i * sin(angle))``."""
    need_tensors("polar", abs=abs, angle=angle)
    _check_parts("polar", abs, angle)
    return complex(abs * cos(angle), abs * sin(angle), out=out)


def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor (...) as a real one (..., 2) on the same memory."""
    if not _is_complex(input):
        raise DTypeError(f"view_as_real is only supported for complex tensors, not {input.dtype}")
    return apply(ViewAsReal, input)


def view_as_complex(input: Tensor) -> Tensor:
    """A real tensor (..., 2) as a complex one (...) on the same memory.

    Raises:
        RuntimeError: the last dimension is not of size 2 and stride 1, or the type has no complex counterpart.
    """
    x = input._data
    if x.dtype.char not in "fd":
        raise DTypeError(f"view_as_complex is only supported for float32 and float64 tensors, but got {input.dtype}")
    if not x.ndim or x.shape[-1] != 2:
        needs = (
            "Tensor must have a last dimension of size 2" if x.ndim else "Input tensor must have one or more dimensions"
        )
        raise ShapeError(f"view_as_complex: {needs}; the shape is {list(x.shape)}")
    if x.strides[-1] != x.itemsize:
        raise ShapeError("view_as_complex: Tensor must have a last dimension with stride 1; call contiguous() first")
    if any(s % 2 for s in stride(input)[:-1]):
        raise ShapeError(
            "view_as_complex: Tensor must have a stride divisible by 2 for all but last dimension, "
            f"but the strides are {list(stride(input))}; call contiguous() first"
        )
    if storage_offset(input) % 2:
        raise ShapeError(
            "view_as_complex: Tensor must have a storage_offset divisible by 2, "
            f"but it is {storage_offset(input)}; call clone() first"
        )
    return apply(ViewAsComplex, input)


resolve_neg, is_neg = resolve_conj, is_conj
conj_physical_ = in_place(conj_physical)
