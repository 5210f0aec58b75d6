"""Forward mode with PyTorch's names: tensors with a tangent, inside of a level.

Example:
    >>> import wengert as wg
    >>> import wengert.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(wg.tensor([1.0, 2.0]), wg.tensor([1.0, 0.0]))
    ...     fwAD.unpack_dual(x * x).tangent
    tensor([2., 0.])
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..backends.errors import GraphError, ShapeError
from .forward_mode import Level, carry, state, tangent_of
from .grad_mode import ModeContext
from .ops.shape import view_as

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_levels: list[Level] = []


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns.

    Attributes:
        primal: the value.
        tangent: the derivative along the direction, or None.
    """

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Begin a level; `dual_level` is the block that ends it, too.

    Raises:
        RuntimeError: there is one already. (`wengert.func.jvp` can be nested.)
    """
    if _levels:
        raise GraphError("Nested forward mode AD is not supported at the moment; wengert.func.jvp can be nested")
    level = Level()
    level.begin()
    _levels.append(level)
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End a level; its tangents are forgotten.

    Raises:
        RuntimeError: there is none, or ``level`` is not its number.
    """
    if not _levels:
        raise GraphError("Dual level must be a positive number: no level was entered")
    if level not in (None, 0):
        raise GraphError(f"Trying to exit a forward AD level that was not the last one that was created: {level}")
    _levels.pop().end()


class dual_level(ModeContext):
    """A block (or a decorated function) in which tensors may carry tangents."""

    def __enter__(self) -> Any:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


class _set_fwd_grad_enabled(ModeContext):
    """A block in which tangents are passed on or not; a level that begins inside passes them on again."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = state.seen

    def __enter__(self) -> None:
        self._before = state.seen
        state.seen = len(state.levels) if self.mode else 0

    def __exit__(self, *exc: object) -> None:
        state.seen = self._before

    def clone(self) -> ModeContext:
        return _set_fwd_grad_enabled(self.mode)


def _is_fwd_grad_enabled() -> bool:
    return state.seen == len(state.levels)


def _running(level: int | None) -> Level:
    if not _levels or (level is not None and level < 0):
        raise GraphError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    return _levels[-1]


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """A view of ``tensor`` that carries ``tangent``.

    Args:
        tensor: floating or complex.
        tangent: the direction, of the same shape and dtype.
        level: of its number; there is only one, 0.

    Raises:
        RuntimeError: no level was entered, the shapes differ, or the tensor carries one already. ValueError: the tensor
            or the tangent is not floating.
    """
    running = _running(level)
    for what, value in (("primal", tensor), ("tangent", tangent)):
        if not (value.is_floating_point() or value.is_complex()):
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {value.dtype}")
    if tangent.shape != tensor.shape:
        raise ShapeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(tensor.shape)} while the given forward gradient is of size "
            f"{list(tangent.shape)}."
        )
    if tangent_of(tensor, running) is not None:
        raise GraphError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
            "supported."
        )
    dual = view_as(tensor, tensor)
    carry(dual, running, tangent if tangent.dtype == tensor.dtype else tangent.to(tensor.dtype))
    return dual


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of a tensor without its tangent, and the tangent: None where it carries none, or no level is on."""
    if not _levels or (level is not None and level < 0):
        return UnpackedDualTensor(tensor, None)
    tangent = tangent_of(tensor, _levels[-1])
    if tangent is None:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(without_tangent(tensor, _levels[-1]), tangent)


def without_tangent(tensor: Any, level: Level) -> Any:
    """The same value in the same place of the graph, without its tangent at a level."""
    primal = view_as(tensor, tensor)
    primal.__dict__.get("_tangents", {}).pop(level, None)
    return primal
