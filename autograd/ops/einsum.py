"""Einstein summation, and the products that are special cases of it.

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
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import TensorBase
from ..inplace import write_out
from ..primitive import Primitive, apply
from .arithmetic import mul
from .calling import write_exactly
from .cast import cast
from .diagonals import diagonal
from .dims import canonical_dim
from .product import check_pair, conj, mm_rule
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


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Tensor:
    """The sum of products over some dimensions of ``a`` and as many of ``b``.

    Args:
        a: Tensors of one dtype.
        b: likewise.
        dims: how many of the last dimensions of ``a`` meet the first ones of ``b``; or two lists of dimensions.
        out: a tensor to write the result to.

    Returns:
        The other dimensions of ``a``, then those of ``b``.

    Raises:
        RuntimeError: the dimensions' sizes differ.
    """
    x, y = check_pair("tensordot", a, b)
    if isinstance(dims, TensorBase):
        dims = dims._data.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise ShapeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise ShapeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = list(range(x.ndim - dims, x.ndim)), list(range(dims))
    if not isinstance(dims, tuple | list) or len(dims) != 2:
        raise ArgumentError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, "
            f"but got dims={dims}"
        )
    over_a, over_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    over_a = [canonical_dim(d, x.ndim, "tensordot") for d in over_a]
    over_b = [canonical_dim(d, y.ndim, "tensordot") for d in over_b]
    for over in (over_a, over_b):
        if len(set(over)) < len(over):
            raise ShapeError(f"tensordot: dim {over[0]} appears multiple times in the list of dims {over}")
    left, right = list(range(1, x.ndim + 1)), list(range(x.ndim + 1, x.ndim + y.ndim + 1))
    if len(over_a) != len(over_b):
        raise ShapeError(f"tensordot: both dimension lists should have same length, got {over_a} and {over_b}")
    for i, j in zip(over_a, over_b, strict=True):
        n, m = a._data.shape[i], b._data.shape[j]
        if n == 1 != m:  # broadcasts, which is to say that the other one is summed
            b = sum_rule(b, (j,), True)
        elif m == 1 != n:
            a = sum_rule(a, (i,), True)
        elif n != m:
            raise ShapeError(
                f"tensordot: contracted dimensions need to match, but first has size {x.shape[i]} in dim {i} and "
                f"second has size {y.shape[j]} in dim {j}; the shapes are {list(x.shape)} and {list(y.shape)}"
            )
        right[j] = left[i]
    out_labels = [i for i in left if i not in right] + [i for i in right if i not in left]
    result = apply(Contract, a, b, left=tuple(left), right=tuple(right), out=tuple(out_labels))
    return result if out is None else write_exactly(out, result, "tensordot")


def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The sum of products over the last dimension of both; a plain product if one has no dimensions.

    Raises:
        RuntimeError: the last dimensions differ.
    """
    x, y = check_pair("inner", input, other)
    if not x.ndim or not y.ndim:
        result = mul(input, other)
    else:
        if x.shape[-1] != y.shape[-1]:
            raise ShapeError(
                f"inner() the last dimension must match on both input tensors but got shapes {list(x.shape)} and "
                f"{list(y.shape)}"
            )
        rows = reshape_rule(other, (math.prod(y.shape[:-1]), y.shape[-1]))
        result = reshape_rule(mm_rule(input, rows, True), (*x.shape[:-1], *y.shape[:-1]))
    return result if out is None else write_exactly(out, result, "inner")


def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The Kronecker product: every element of ``input`` times the whole of ``other``, in blocks.

    Example:
        >>> import wengert as wg
        >>> wg.kron(wg.eye(2), wg.tensor([[1.0, 2.0]]))
        tensor([[1., 2., 0., 0.],
                [0., 0., 1., 2.]])
    """
    for value in (input, other):
        if not isinstance(value, TensorBase):
            raise TypeError(f"kron(): argument must be Tensor, not {type(value).__name__}")
    n = max(input._data.ndim, other._data.ndim)
    a, b = ((1,) * (n - t._data.ndim) + t._data.shape for t in (input, other))
    blocks = mul(
        reshape_rule(input, tuple(s for m in a for s in (m, 1))),
        reshape_rule(other, tuple(s for m in b for s in (1, m))),
    )
    result = reshape_rule(blocks, tuple(p * q for p, q in zip(a, b, strict=True)))
    return result if out is None else write_out(out, result, "kron")


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[..., k] = sum over i, j of input1[..., i] weight[k, i, j] input2[..., j] + bias[k]``.

    Args:
        input1: (..., I).
        input2: (..., J), with the same leading dimensions.
        weight: (K, I, J).
        bias: (K) or None.

    Raises:
        RuntimeError: the shapes do not fit.
    """
    a, b, w = input1._data, input2._data, weight._data
    if a.shape[:-1] != b.shape[:-1]:
        dim = next((i for i, (n, m) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=False)) if n != m), 0)
        raise ShapeError(
            f"bilinear(): input batch dimensions do not match at dim {dim}: got {a.shape[dim]} and {b.shape[dim]} of "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    if w.ndim != 3:
        raise ShapeError(f"bilinear(): weight {list(w.shape)} must be (out, {a.shape[-1]}, {b.shape[-1]})")
    for i, x in ((1, a), (2, b)):
        if x.shape[-1] != w.shape[i]:
            raise ShapeError(
                f"bilinear(): input{i} size does not match weight size: got {x.shape[-1]} but expected {w.shape[i]}"
            )
    if bias is not None and bias._data.shape != w.shape[:1]:
        raise ShapeError(
            f"bilinear(): bias size does not match weight size: got {bias._data.size} but expected {w.shape[0]} for a "
            f"bias of shape {list(bias._data.shape)}"
        )
    if a.dtype != w.dtype:
        raise DTypeError(f"bilinear(): input1 is {a.dtype.name} but weight {w.dtype.name}; convert one of them")
    y = einsum("...i,kij,...j->...k", input1, weight, input2)
    return y if bias is None else y + bias
