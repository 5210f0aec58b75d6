"""Einstein summation; the products that are special cases of it are in ``tensordot.py``.

Every sum of products of two operands is one primitive, `Contract`. It is closed: where
``y = einsum("left,right->out")``, the gradient of the left operand is ``einsum("out,right->left")``, because each
label of ``left`` is in ``out`` or in ``right``; labels for which that is not so are summed, or made a diagonal, before.
Three operands and more are contracted in pairs.

References:
    S. Laue, M. Mitterreiter, J. Giesen, "A simple and efficient tensor calculus", AAAI 2020.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends.dtypes import int64
from ...backends.errors import ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .cast import cast
from .diagonals import diagonal
from .product import check_pair, conj
from .reduction import sum_rule
from .shape import permute_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

Labels = tuple[int, ...]
DOTS = "\N{HORIZONTAL ELLIPSIS}"


class Contract(Primitive):
    """``einsum("left,right->out")`` of two operands, each label in two of the three at least."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, *, left: Labels, right: Labels, out: Labels) -> Any:
        ctx.save(a if ctx.needs[1] else None, b if ctx.needs[0] else None)
        return ctx.k.contract(a, b, left, right, out)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved
        left, right, out = (ctx.params[name] for name in ("left", "right", "out"))
        return (
            None if b is None else apply(Contract, g, conj(ctx, b), left=out, right=right, out=left),
            None if a is None else apply(Contract, conj(ctx, a), g, left=left, right=out, out=right),
        )


# ---------------------------------------------------------------------- reading the equation


def _label(letter: str) -> int:
    if not ("a" <= letter <= "z" or "A" <= letter <= "Z"):
        raise ShapeError(f"einsum(): invalid subscript given at index, subscripts must be in [a-zA-Z], got {letter!r}")
    return ord(letter)


def _terms(equation: str) -> tuple[list[list[Any]], list[Any] | None]:
    """The labels of the operands and of the output (None if not given); ``...`` stands for itself."""
    left, arrow, right = equation.replace("...", DOTS).replace(" ", "").partition("->")

    def read(term: str, where: str) -> list[Any]:
        pieces = term.split(DOTS)
        if "." in term:
            raise ShapeError(f"einsum(): found '.' for {where} that is not part of any ellipsis (...) in {equation!r}")
        if len(pieces) > 2:
            raise ShapeError(f"einsum(): found '.' for {where} for which an ellipsis was already found: {equation!r}")
        labels: list[Any] = [_label(c) for c in pieces[0]]
        return labels if len(pieces) == 1 else [*labels, ..., *map(_label, pieces[1])]

    terms = [read(term, f"operand {k}") for k, term in enumerate(left.split(","))]
    return terms, read(right, "output") if arrow else None


def _expanded(labels: list[Any], ndim: int, position: int) -> Labels:
    """Labels with the ellipsis written out: its dimensions are -1, -2, ... from the last one on."""
    hidden = ndim - len([i for i in labels if i is not ...])
    if hidden < 0 or (hidden > 0 and ... not in labels):
        raise ShapeError(
            f"einsum(): the number of subscripts in the equation ({len(labels)}) does not match the number of "
            f"dimensions ({ndim}) for operand {position} and no ellipsis was given"
        )
    return tuple(j for i in labels for j in (range(-hidden, 0) if i is ... else (i,)))


def _output(given: list[Any] | None, operands: list[Labels]) -> Labels:
    """The output's labels: as given, or the ellipsis and then what occurs once, in alphabetical order."""
    present = [i for labels in operands for i in labels]
    deepest = min([0, *present])
    if given is None:
        once = sorted(i for i in set(present) if i >= 0 and present.count(i) == 1)
        return (*range(deepest, 0), *once)
    out = tuple(j for i in given for j in (range(deepest, 0) if i is ... else (i,)))
    for i in out:
        name = chr(i) if i > 0 else "..."
        if out.count(i) > 1:
            raise ShapeError(f"einsum(): output subscript {name} appears more than once in the output")
        if i not in present:
            raise ShapeError(f"einsum(): output subscript {name} does not appear in the equation for any input operand")
    return out


# ---------------------------------------------------------------------- computing it


def _diagonals(x: Any, labels: Labels, position: int) -> tuple[Any, Labels]:
    """The operand with each label once: a repeated one walks along a diagonal."""
    while len(set(labels)) < len(labels):
        i = next(i for i in labels if labels.count(i) > 1)
        first, second = [d for d, j in enumerate(labels) if j == i][:2]
        shape = x._data.shape
        if shape[first] != shape[second]:
            raise ShapeError(
                f"einsum(): subscript {chr(i)} is repeated for operand {position} but the sizes don't match, "
                f"{shape[second]} != {shape[first]}"
            )
        x = diagonal(x, 0, first, second)
        labels = (*(j for d, j in enumerate(labels) if d not in (first, second)), i)
    return x, labels


def _sizes(operands: list[tuple[Any, Labels]]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for position, (x, labels) in enumerate(operands):
        for i, n in zip(labels, x._data.shape, strict=True):
            known = sizes.setdefault(i, n)
            if n not in (1, known) and known != 1:
                raise ShapeError(
                    f"einsum(): subscript {chr(i) if i > 0 else '...'} "
                    f"has size {n} for operand {position} which does not broadcast with previously seen size {known}"
                )
            if known == 1:
                sizes[i] = n
    return sizes


def _without(x: Any, labels: Labels, gone: set[int]) -> tuple[Any, Labels]:
    """The operand without dimensions of size 1."""
    if not gone:
        return x, labels
    kept = [d for d, i in enumerate(labels) if i not in gone]
    return reshape_rule(x, tuple(x._data.shape[d] for d in kept)), tuple(labels[d] for d in kept)


def _summed(x: Any, labels: Labels, wanted: set[int]) -> tuple[Any, Labels]:
    """The operand summed over the labels that nobody else wants."""
    gone = tuple(d for d, i in enumerate(labels) if i not in wanted)
    if not gone:
        return x, labels
    if x._data.dtype.kind in "iu":  # as every sum of integers
        x = cast(x, int64.dtype)
    return sum_rule(x, gone), tuple(i for i in labels if i in wanted)


def contract(operands: list[tuple[Any, Labels]], out: Labels) -> Any:
    """The sum of products of labelled operands."""
    operands = [_diagonals(x, labels, k) for k, (x, labels) in enumerate(operands)]
    sizes = _sizes(operands)
    # What broadcasts has size 1 and is left out, so that every label has one size.
    operands = [
        _without(x, labels, {i for i, n in zip(labels, x._data.shape, strict=True) if n == 1 != sizes[i]})
        for x, labels in operands
    ]
    while True:
        operands = [
            _summed(x, labels, set(out).union(*[o[1] for j, o in enumerate(operands) if j != k]))
            for k, (x, labels) in enumerate(operands)
        ]
        if len(operands) == 1:
            break
        first, second = _cheapest(operands, out, sizes)
        (a, left), (b, right) = operands[first], operands[second]
        if a._data.dtype != b._data.dtype:  # one was summed
            a, b = cast(a, int64.dtype), cast(b, int64.dtype)
        rest = [o for k, o in enumerate(operands) if k not in (first, second)]
        kept = set(out).union(*[o[1] for o in rest])
        made = tuple(i for i in dict.fromkeys((*left, *right)) if i in kept)
        if not rest:
            made = tuple(i for i in out if i in made)
        operands = [(apply(Contract, a, b, left=left, right=right, out=made), made), *rest]
    x, labels = operands[0]
    order = tuple(labels.index(i) for i in out)
    return x if order == tuple(range(len(order))) else permute_rule(x, order)


def _cheapest(operands: list[tuple[Any, Labels]], out: Labels, sizes: dict[int, int]) -> tuple[int, int]:
    """The pair that takes the fewest multiplications; the first one among equals."""
    if len(operands) == 2:
        return 0, 1
    return min(
        itertools.combinations(range(len(operands)), 2),
        key=lambda pair: math.prod([sizes[i] for i in {*operands[pair[0]][1], *operands[pair[1]][1]}]),
    )


def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Labels that the output does not name are summed. A repeated label in one operand takes a diagonal, ``...`` stands
    for any number of dimensions, which broadcast; without ``->`` the output has the labels that occur once, sorted.

    Args:
        args: the equation and its operands (or a list of them); or, without an equation, operands and lists of
            numbers in turn, and the list of the output last if there is one.

    Raises:
        RuntimeError: the equation is not well formed, or does not fit the operands' shapes.

    Example:
        >>> import wengert as wg
        >>> a = wg.arange(4.0).reshape(2, 2)
        >>> wg.einsum("ii", a), wg.einsum("ij->j", a)
        (tensor(3.), tensor([2., 4.]))
    """
    equation, operands = _arguments(args)
    terms, given = _terms(equation) if isinstance(equation, str) else equation
    if len(terms) != len(operands):
        raise ShapeError(
            f"einsum(): {'fewer' if len(operands) < len(terms) else 'more'} operands were provided than specified in "
            f"the equation: {len(operands)} for {len(terms)} terms"
        )
    labels = [_expanded(t, x._data.ndim, k) for k, (t, x) in enumerate(zip(terms, operands, strict=True))]
    y: Tensor = contract(list(zip(operands, labels, strict=True)), _output(given, labels))
    return y


NOTHING = (
    "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts "
    "list"
)


def _numbered(labels: Any) -> list[Any]:
    """The labels of a list of numbers, which are from 1 on inside."""
    for i in labels:
        if i is not ... and not 0 <= i < 52:
            raise ValueError(f"einsum(): subscript in subscript list is not within the valid range [0, 52): {i}")
    return [i if i is ... else i + 1 for i in labels]


def _arguments(args: Sequence[Any]) -> tuple[Any, list[Any]]:
    if not args:
        raise ValueError(NOTHING)
    if isinstance(args[0], str):
        equation: Any = args[0]
        found = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
    else:  # operand, sublist, operand, sublist, ..., and maybe the output's sublist
        pairs = len(args) // 2
        found = args[0 : 2 * pairs : 2]
        terms = [_numbered(args[2 * k + 1]) for k in range(pairs)]
        equation = terms, (_numbered(args[-1]) if len(args) % 2 else None)
    operands = list(found)
    if not operands:
        raise ValueError(NOTHING)
    for x in operands:
        if not isinstance(x, TensorBase):
            raise TypeError(f"einsum(): operands must be Tensors, not {type(x).__name__}")
    for x in operands[1:]:
        check_pair("einsum", operands[0], x, "operands")
    return equation, operands
