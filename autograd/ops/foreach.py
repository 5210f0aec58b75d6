"""Operations on lists of tensors, with PyTorch's private names: ``_foreach_add_(params, 1.0)``.

PyTorch has them so that an optimizer launches few kernels. Here each is a loop over the tensors.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from .. import ops
from .linalg_norms import vector_norm

__all__ = ["function_named"]

PREFIX = "_foreach_"
UNARY = {
    "abs",
    "acos",
    "asin",
    "atan",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "frac",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "reciprocal",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
}
BINARY = {"add", "sub", "mul", "div", "pow", "maximum", "minimum", "clamp_min", "clamp_max", "lerp", "copy"}
TERNARY = frozenset(("addcmul", "addcdiv"))
OF_NUMBERS = {"maximum": "clamp_min", "minimum": "clamp_max"}
SAME = {"clamp_min": "maximum", "clamp_max": "minimum"}


def function_named(name: str) -> Callable[..., Any] | None:
    """The function of this name, such as ``_foreach_add_``, or None if there is none."""
    kind = name.removeprefix(PREFIX)
    plain = kind.removesuffix("_")
    if kind == "norm":
        return norms
    if kind == "zero_":
        return zero_
    if plain not in UNARY | BINARY | TERNARY or kind == "copy":
        return None

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        tensors = list(self)
        if not tensors:
            raise RuntimeError("Tensor list must have at least one tensor.")
        pairs = zip(tensors, _each(plain, tensors, args, kwargs), strict=True)
        results = [_one(plain, tensor, *each) for tensor, each in pairs]
        if not kind.endswith("_"):
            return tuple(results)
        for tensor, result in zip(tensors, results, strict=True):
            tensor.copy_(result)
        return tensors

    run.__name__ = run.__qualname__ = name
    return run


def _each(plain: str, tensors: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The further arguments of each tensor: the elements of lists, and everything else for all."""
    given = [*args, *kwargs.values()]
    if plain in TERNARY and len(given) == 3 and hasattr(given[2], "tolist"):
        given[2] = given[2].tolist()
    for value in given:
        if isinstance(value, (list, tuple)) and len(value) != len(tensors):
            of_tensors = bool(value) and hasattr(value[0], "shape")
            what = "Tensor lists must have the same number of tensors"
            if not of_tensors:
                what = "Tensor list must have same number of elements as scalar list"
            raise RuntimeError(f"{what}, got {len(tensors)} and {len(value)}")
    return [
        tuple(value[i] if isinstance(value, (list, tuple)) else value for value in given) for i in range(len(tensors))
    ]


def _one(plain: str, tensor: Any, *args: Any) -> Any:
    if plain == "copy":
        return args[0]
    if plain in TERNARY:
        return getattr(ops, plain)(tensor, args[0], args[1], value=args[2] if len(args) > 2 else 1)
    number = bool(args) and isinstance(args[0], numbers.Number)
    name = OF_NUMBERS.get(plain, plain) if number else SAME.get(plain, plain)
    if name in ("add", "sub") and len(args) > 1:
        return getattr(ops, name)(tensor, args[0], alpha=args[1])
    return getattr(ops, name)(tensor, *args)


def norms(tensors: Any, ord: Any = 2, dtype: Any = None) -> tuple[Any, ...]:
    """The norm of each tensor."""
    return tuple(vector_norm(t, ord, dtype=dtype) for t in tensors)


def zero_(tensors: Any) -> Any:
    """Zeros in each tensor."""
    for t in tensors:
        t.zero_()
    return tensors
