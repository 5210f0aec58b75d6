"""Rows of the op table: shapes, joining and splitting, elements in other places."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Make, OpCase
from .elementwise import function


def of(*shapes: tuple[int, ...], rest: tuple[tuple[Any, ...], ...] = ((),)) -> Any:
    """Samples: a tensor of each shape, with each of the further arguments in turn."""
    return lambda make: [(make.real(*shape), *more) for shape, more in zip(shapes, rest, strict=True)]


def on(shape: tuple[int, ...], *rest: tuple[Any, ...]) -> Any:
    """Samples: a tensor of one shape, with each of several further arguments."""
    return lambda make: [(make.real(*shape), *more) for more in rest]


def both(*samples: Any) -> Any:
    """The samples of several sources."""
    return lambda make: [s for source in samples for s in source(make)]


def row(name: str, samples: Any, reference: Any = None, *also: str, **options: Any) -> OpCase:
    """A row for the function of that name, its method and its further names."""
    method = () if name.startswith(("Tensor.", "nn.")) else (f"Tensor.{name}",)
    return OpCase(name, function(name), samples, reference, also=(*method, *also), **{"integer": True, **options})


def lists(*shapes: tuple[int, ...]) -> Any:
    """One sample: a list of tensors."""
    return lambda make: [make.real(*shape) for shape in shapes]


def joined(
    name: str, lists_of_shapes: Any, reference: Any = None, *also: str, dims: Any = (), **options: Any
) -> OpCase:
    """A row for a function of a list of tensors."""

    def samples(make: Make) -> Any:
        found = [([make.real(*shape) for shape in shapes],) for shapes in lists_of_shapes]
        return [*found, *[(found[0][0], dim) for dim in dims]]

    return OpCase(name, function(name), samples, reference, also=also, **{"integer": True, **options})


def tensor_split_reference(x: Any, cuts: Any, dim: int = 0) -> Any:
    return np.array_split(x, cuts, dim)


def halves(name: str, rank: int) -> OpCase:
    return row(name, on((4, 4, 4)[:rank], (2,), ([1, 3],)), getattr(np, name))


def expanded(x: Any, shape: Any) -> Any:
    lead = len(shape) - x.ndim
    return np.broadcast_to(x, [x.shape[i - lead] if n == -1 else n for i, n in enumerate(shape)])


VIEWS = [
    row(
        "reshape",
        both(on((3, 4), ((4, 3),), ((2, -1),), ((-1,),)), on((), ((1, 1),)), on((0, 2), ((2, 0),))),
        np.reshape,
    ),
    OpCase(
        "Tensor.view",
        lambda T, x, *shape: T.Tensor.view(x.clone(memory_format=T.contiguous_format), *shape),
        both(on((3, 4), (4, 3), ((2, -1),), (-1,)), on((), (1, 1)), on((0, 2), (2, 0))),
        lambda x, *shape: x.reshape(shape[0] if isinstance(shape[0], tuple) else shape),
        integer=True,
    ),
    OpCase(
        "Tensor.view_as",
        lambda T, x, y: T.Tensor.view_as(x.clone(memory_format=T.contiguous_format), y),
        lambda make: [(make.real(3, 4), make.integers(2, 6))],
    ),
    row("Tensor.reshape_as", lambda make: [(make.real(3, 4), make.integers(2, 6))]),
    row("flatten", both(on((2, 3, 4), (), (1,), (0, 1), (1, 1)), on((), ())), None),
    row("ravel", both(on((2, 3), ()), on((), ())), np.ravel),
    row("unflatten", on((2, 12), (1, (3, -1)), (-1, (2, 2, 3)), (0, (2, 1))), None),
    row("squeeze", both(on((1, 3, 1), (), (0,), (1,), ((0, 2),)), on((), ())), None, "Tensor.squeeze_"),
    row("unsqueeze", both(on((2, 3), (0,), (-1,), (1,)), on((), (0,))), np.expand_dims, "Tensor.unsqueeze_"),
    row("permute", both(on((2, 3, 4), ((2, 0, 1),), ((0, -1, 1),)), on((), ((),))), np.transpose),
    row(
        "transpose",
        both(on((2, 3, 4), (0, 2), (-1, 1), (1, 1)), on((), (0, -1))),
        lambda x, a, b: x if x.ndim == 0 else np.swapaxes(x, a, b),
        *("swapaxes", "swapdims", "Tensor.swapaxes", "Tensor.swapdims"),
        *("Tensor.transpose_", "Tensor.swapaxes_", "Tensor.swapdims_"),
    ),
    row("t", both(on((2, 3), ()), on((3,), ()), on((), ())), np.transpose, "Tensor.t_"),
    OpCase("Tensor.T", lambda T, x: x.T, on((2, 3), ()), np.transpose, integer=True),
    OpCase(
        "Tensor.mT",
        lambda T, x: x.mT,
        on((2, 3, 4), ()),
        lambda x: np.swapaxes(x, -1, -2),
        also=("Tensor.mH",),
        integer=True,
    ),
    OpCase(
        "adjoint",
        function("adjoint"),
        lambda make: [(make.real(2, 3, 4),), (make.real(2, 3) + 1j * make.real(2, 3),)],
        lambda x: np.swapaxes(x, -1, -2).conj(),
        dtypes=("float32",),
        also=("Tensor.adjoint",),
    ),
    OpCase(
        "Tensor.H", lambda T, x: x.H, lambda make: [(make.real(2, 3) + 1j * make.real(2, 3),)], lambda x: x.conj().T
    ),
    row(
        "movedim",
        on((2, 3, 4), (0, 2), (-1, 0), ((0, 1), (1, 2))),
        np.moveaxis,
        "moveaxis",
        "Tensor.moveaxis",
    ),
    row(
        "Tensor.expand",
        both(on((3, 1), (3, 4), ((2, 3, 4),), (2, -1, 5)), on((), (2,))),
        lambda x, *shape: expanded(x, shape[0] if isinstance(shape[0], tuple) else shape),
    ),
    row("Tensor.expand_as", lambda make: [(make.real(3, 1), make.integers(2, 3, 4))]),
    OpCase(
        "broadcast_shapes",
        lambda T, *shapes: T.tensor(T.broadcast_shapes(*shapes)),
        lambda make: [((2, 1), (3,)), ((), (1,), (4, 1)), ((0,), (1,)), (2, (3, 2))],
        orders=0,
    ),
    row("broadcast_to", both(on((3, 1), ((2, 3, 4),)), on((), ((2,),))), np.broadcast_to),
    OpCase(
        "broadcast_tensors",
        function("broadcast_tensors"),
        lambda make: [(make.real(3, 1), make.real(4), make.real())],
        lambda *xs: np.broadcast_arrays(*xs),
        integer=True,
    ),
    *[
        OpCase(
            f"atleast_{n}d",
            function(f"atleast_{n}d"),
            both(on((), ()), on((3,), ()), on((2, 3), ()), lambda make: [((make.real(), make.real(2)),)]),
            integer=True,
        )
        for n in (1, 2, 3)
    ],
    row("Tensor.contiguous", both(on((2, 3), ()), on((0, 3), ())), lambda x: x),
    row("clone", both(on((2, 3), ()), on((), ()), on((0, 3), ())), lambda x: x),
    row("diagonal", both(on((3, 4), (), (1,), (-2,)), on((2, 3, 3), (0, 1, 2), (1, 2, 0))), np.diagonal),
    row("Tensor.unfold", on((5, 4), (0, 2, 1), (1, 3, 1), (0, 2, 2), (0, 5, 1))),
    OpCase(
        "as_strided",
        lambda T, x, *rest: T.as_strided(x.contiguous(), *rest),
        on((3, 4), ((2, 2), (1, 2)), ((2, 2), (4, 1), 3), ((3,), (0,), 1), ((), (), 5)),
        also=("Tensor.as_strided",),
        integer=True,
    ),
    OpCase(
        "as_strided_scatter",
        lambda T, x, src, *rest: T.as_strided_scatter(x.contiguous(), src, *rest),
        lambda make: [(make.real(3, 4), make.real(2, 2), (2, 2), (1, 4), 1)],
        also=("Tensor.as_strided_scatter",),
        parity=False,  # PyTorch 2.13 keeps the gradient where src was written and drops it elsewhere
    ),
    row("select", on((3, 4), (0, 1), (1, -1)), None),
    row("narrow_copy", on((3, 4), (0, 1, 2)), lambda x, d, a, n: x[1:3]),
    row("narrow", on((3, 4), (0, 1, 2), (1, -2, 2), (0, 3, 0)), None),
]

JOINING = [
    joined(
        "cat",
        [[(2, 3), (2, 3)], [(2, 3), (1, 3), (0, 3)], [(2,), (0,)], [(0,)]],
        lambda xs, dim=0: np.concatenate(xs, dim),
        "concat",
        "concatenate",
        dims=(1, -1),
    ),
    joined("stack", [[(2, 3), (2, 3)], [(), ()], [(0,), (0,)]], lambda xs, d=0: np.stack(xs, d), dims=(1, -1)),
    joined("hstack", [[(2, 3), (2, 1)], [(2,), (3,)], [(), ()]], np.hstack),
    joined("vstack", [[(2, 3), (1, 3)], [(3,), (3,)], [(), ()]], np.vstack, "row_stack"),
    joined("dstack", [[(2, 3), (2, 3)], [(3,), (3,)], [(), ()]], np.dstack),
    joined("column_stack", [[(2, 3), (2,)], [(2,), (2,)], [(), ()]], np.column_stack),
    OpCase(
        "block_diag",
        function("block_diag"),
        lambda make: [(make.real(2, 3), make.real(2), make.real())],
        integer=True,
    ),
    row("split", on((5, 4), (2,), (3, 1), ([1, 4],), ([4, 0], 1)), None, "Tensor.split_with_sizes", "unsafe_split"),
    row("unsafe_split_with_sizes", on((5, 4), ([1, 4],), ([4, 0], 1)), None),
    row("chunk", on((5, 4), (2,), (3, 1), (9,)), None, "unsafe_chunk"),
    row("tensor_split", on((5, 4), (2,), (3, 1), ([1, 3],), ([3, 9], 1)), tensor_split_reference),
    row("unbind", both(on((3, 2), (), (1,)), on((0, 2), (1,))), None),
    *[halves(name, rank) for name, rank in (("hsplit", 1), ("hsplit", 2), ("vsplit", 2), ("dsplit", 3))],
]
JOINING[-4] = OpCase(**{**JOINING[-4].__dict__, "note": "1d"})

MOVED = [
    row("flip", on((3, 4), ((0,),), ((0, 1),), ((-1,),)), np.flip),
    row("fliplr", on((3, 4), ()), np.fliplr),
    row("flipud", both(on((3, 4), ()), on((3,), ())), np.flipud),
    row("roll", both(on((3, 4), (1,), (-5, 1), ((1, 2), (0, 1))), on((0,), (1,))), np.roll),
    row("rot90", on((3, 4), (), (2,), (3, (1, 0)), (-1,), (4,)), np.rot90),
    row("Tensor.repeat", both(on((2, 3), (2, 1), (2, 1, 3), ((1, 2),), (0, 1)), on((), (3,)))),
    row("tile", both(on((2, 3), ((2,),), ((2, 1, 3),)), on((), ((2,),))), np.tile),
    row(
        "repeat_interleave",
        lambda make: [
            (make.real(2, 3), 2),
            (make.real(2, 3), 2, 1),
            (make.real(2, 3), np.array([1, 0, 2]), 1),
            (make.real(2), np.array([2, 1])),
        ],
        np.repeat,
    ),
    OpCase(
        "meshgrid",
        lambda T, *xs: [*T.meshgrid(*xs, indexing="ij"), *T.meshgrid(*xs, indexing="xy")],
        lambda make: [(make.real(2), make.real(3)), (make.real(2), make.real(1), make.real(3)), (make.real(3),)],
        lambda *xs: [*np.meshgrid(*xs, indexing="ij"), *np.meshgrid(*xs, indexing="xy")],
        integer=True,
    ),
    OpCase("cartesian_prod", function("cartesian_prod"), lambda make: [(make.real(2), make.real(3)), (make.real(2),)]),
    OpCase("combinations", function("combinations"), on((4,), (), (3,), (2, True))),
    row("tril", on((3, 4), (), (1,), (-1,)), np.tril, "Tensor.tril_"),
    row("triu", both(on((3, 4), (), (1,), (-1,)), on((2, 2, 3), (1,))), np.triu, "Tensor.triu_"),
    row("diag", both(on((3,), (), (1,)), on((3, 4), (), (-1,))), np.diag),
    row("diagflat", both(on((2, 2), (), (1,)), on((), ())), np.diagflat),
    row("diag_embed", on((2, 3), (), (1,), (-1, 0, 2), (0, 1, 0))),
    row("select_scatter", lambda make: [(make.real(3, 4), make.real(4), 0, 1), (make.real(3, 4), make.real(3), 1, -1)]),
    row(
        "slice_scatter",
        lambda make: [(make.real(3, 4), make.real(2, 4), 0, 1), (make.real(3, 4), make.real(3, 2), 1, 0, 4, 2)],
    ),
    row("diagonal_scatter", lambda make: [(make.real(3, 4), make.real(3)), (make.real(3, 4), make.real(2), 2)]),
]

PADDING = [
    row(
        "nn.functional.pad",
        both(
            on((3, 4), ((1, 2),), ((1, 2, 3, 0),), ((-1, 2, 1, -2),), ((1, 1), "constant", 1.5)),
            *[on((2, 4, 3), ((1, 2), mode)) for mode in ("reflect", "replicate", "circular")],
            *[on((1, 2, 4, 3), ((2, 1, 3, 0), mode)) for mode in ("reflect", "replicate", "circular")],
            on((1, 0), ((1, 1),)),
        ),
        integer=False,
    )
]

PADDING.append(OpCase("constant_pad_nd", function("constant_pad_nd"), on((3, 4), ((1, 2),), ((1, 2, 3, 0), 1.5))))

CASES: list[OpCase] = [*VIEWS, *JOINING, *MOVED, *PADDING]
