"""Where a primitive that met a sparse operand finds out what that means.

A rule in ``RULES`` says it, with the primitive's own arguments. A function of one operand that gives 0 for 0 needs no
rule: it acts on the stored values. Everything else is refused with PyTorch's words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from ...backends import kernels_of
from ...backends.errors import UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..ops.elementwise import Unary
from ..primitive import apply
from .core import array_of, assemble, coalesced, is_sparse, pattern_of, values_of

__all__ = ["RULES", "on_values", "rule", "run"]

F = TypeVar("F", bound=Callable[..., Any])
RULES: dict[Any, Callable[..., Any]] = {}
_loaded: list[Any] = []


class SparseBackendError(UnsupportedDTypeError):
    """An op that has no meaning for sparse operands here."""


def rule(*prims: Any) -> Callable[[F], F]:
    """Make a function what ``prims`` mean when one of their operands is sparse."""

    def register(function: F) -> F:
        for prim in prims:
            RULES[prim] = function
        return function

    return register


def run(prim: Any, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The result of a primitive, one of whose operands is sparse."""
    try:
        return _run(prim, values, params)
    except Exception as error:
        error.__suppress_context__ = True  # that a dense kernel refused the operands is no news
        raise


def _run(prim: Any, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
    load()
    known = RULES.get(prim)
    if known is not None:
        return known(*values, **params)
    if len(values) == 1 and issubclass(prim, Unary) and keeps_zero(prim, values[0], params):
        return on_values(prim, coalesced(values[0]), params)
    if prim.formula is not None:
        return prim.formula(*values, **params)
    unsupported(prim.__name__, *values)


def load() -> None:
    """Import the rules, when the first sparse operand appears."""
    if not _loaded:
        from . import rules, rules_math

        _loaded.extend((rules, rules_math))


def on_values(prim: Any, s: Any, params: dict[str, Any]) -> Any:
    """``prim`` on the values of ``s``, in the pattern of ``s``."""
    return assemble(apply(prim, values_of(s), **params), pattern_of(s))


def keeps_zero(prim: Any, s: Any, params: dict[str, Any]) -> bool:
    """Whether a function of one operand gives 0 for 0."""
    values = array_of(s).values
    k = kernels_of[type(values)]
    zero = k.zeros((1,), dtype=values.dtype)
    return not bool(prim.forward(k.nocontext, zero, **params).any())


def unsupported(name: str, *values: Any) -> NoReturn:
    """Raise PyTorch's error for an op that sparse operands do not have."""
    first = next((v for v in values if is_sparse(v)), None)
    coordinates = first is None or pattern_of(first).layout == "sparse_coo"
    text = "".join(["_" * (c.isupper() and i > 0) + c.lower() for i, c in enumerate(name)])
    raise SparseBackendError(
        f"Could not run 'aten::{text}' with arguments from the '{'Sparse' if coordinates else 'SparseCsr'}CPU' "
        "backend: there is no such operation on sparse tensors. to_dense() gives a tensor that has every operation"
    )


def masked(kernel: str, name: str, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """A test or integer function of one sparse operand: what it says of the stored values, if it says 0 of 0."""
    load()
    if len(values) != 1:
        unsupported(name, *values)
    s = coalesced(values[0])
    x = array_of(s).values
    k = kernels_of[type(x)]
    function = getattr(k, kernel)
    if bool(function(k.zeros((1,), dtype=x.dtype), **params).any()):
        unsupported(name, s)
    result = assemble(function(x, **params), pattern_of(s))
    return wrap(result) if isinstance(values[0], TensorBase) else result
