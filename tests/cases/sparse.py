"""Rows of the op table: sparse tensors, built and taken apart inside each row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase

ROWS, COLUMNS, SHAPE = np.array([0, 0, 1, 3, 3]), np.array([1, 2, 0, 2, 0]), (4, 3)
SORTED = np.array([[0, 0, 1, 3, 3], [1, 2, 0, 0, 2]])
TWICE = np.array([[1, 0, 1, 3, 0], [0, 2, 0, 2, 1]])
CROW = np.array([0, 2, 3, 3, 5])


def coo(T: Any, indices: Any, values: Any, size: Any = SHAPE) -> Any:
    return T.sparse_coo_tensor(indices, values, size)


def csr(T: Any, values: Any) -> Any:
    return T.sparse_csr_tensor(T.tensor(CROW), T.tensor(SORTED[1]), values, SHAPE)


def values(*more: tuple[int, ...], n: int = 5) -> Any:
    """Samples of values at `SORTED` and `TWICE` places, and further operands of these shapes."""

    def samples(make: Make) -> Iterable[Args]:
        for places in (SORTED, TWICE):
            yield (places, make.away(n), *[make.real(*shape) for shape in more])

    return samples


def row(name: str, fn: Any, samples: Any, **options: Any) -> OpCase:
    return OpCase(name, fn, samples, **{"dtypes": ("float32",), **options})


def compressed(T: Any, layout: str, v: Any) -> Any:
    """A matrix of 4 x 6, of elements or of blocks of 2 x 3, in each compressed layout."""
    make = getattr(T, f"sparse_{layout}_tensor")
    if layout in ("csr", "csc"):
        return make(T.tensor([0, 1, 3]), T.tensor([0, 0, 1]), v, (2, 2))
    return make(T.tensor([0, 1, 2]), T.tensor([1, 0]), v, (4, 6))


def of(*shape: int) -> Any:
    return lambda make: [(make.real(*shape),)]


def twice(name: str, fn: Any, samples: Any, note: str = "", **options: Any) -> list[OpCase]:
    """A row for PyTorch's first derivatives, and one for the second ones, which it leaves out where values meet."""
    second = f"{note}, second order".lstrip(", ")
    return [
        row(name, fn, samples, orders=1, note=note, **options),
        row(name, fn, samples, orders=2, parity=False, note=second, **options),
    ]


CASES = [
    row(
        "sparse_coo_tensor",
        lambda T, i, v: coo(T, i, v).to_dense(),
        values(),
        dtypes=("float32", "float16", "bfloat16"),
        integer=True,
    ),
    row("sparse_coo_tensor", lambda T, i, v: coo(T, i[:1], v, (4, 2)).to_dense(),
        lambda make: [(SORTED, make.real(5, 2))],
        note="hybrid"),
    row("sparse_csr_tensor", lambda T, v: compressed(T, "csr", v).to_dense(), of(3)),
    row("sparse_csc_tensor", lambda T, v: compressed(T, "csc", v).to_dense(), of(3)),
    row("sparse_bsr_tensor", lambda T, v: compressed(T, "bsr", v).to_dense(), of(2, 2, 3)),
    row("sparse_bsc_tensor", lambda T, v: compressed(T, "bsc", v).to_dense(), of(2, 2, 3)),
    row(
        "sparse_compressed_tensor",
        lambda T, v: T.sparse_compressed_tensor(
            T.tensor([0, 1, 3]), T.tensor([0, 0, 1]), v, (2, 2), layout=T.sparse_csc
        ).to_dense(),
        of(3),
    ),
    row("Tensor.coalesce", lambda T, i, v: coo(T, i, v).coalesce().values(), values(), also=("Tensor.values",)),
    row("Tensor.to_sparse", lambda T, x: x.to_sparse().values() * 2, lambda make: [(make.away(3, 4),)],
        also=("Tensor.to_dense",)),
    row("Tensor.to_sparse_csr", lambda T, x: x.to_sparse_csr().to_dense(), lambda make: [(make.away(3, 4),)]),
    row("Tensor.to_sparse_csc", lambda T, x: x.to_sparse_csc().to_dense(), lambda make: [(make.away(3, 4),)]),
    row("Tensor.sparse_mask", lambda T, i, v, d: d.sparse_mask(coo(T, i, v.detach()).coalesce()).to_dense(),
        values(SHAPE)),
    *twice("sparse.mm", lambda T, i, v, d: T.sparse.mm(coo(T, i, v), d), values((3, 2))),
    row("sparse.mm", lambda T, v, d: T.sparse.mm(csr(T, v), d),
        lambda make: [(make.real(5), make.real(3, 2))], note="rows"),
    row(
        "sparse.mm",
        lambda T, v, d: T.sparse.mm(csr(T, v), d, "mean"),
        lambda make: [(make.real(5), make.real(3, 2))],
        orders=1,
        note="mean",
    ),
    row(
        "sparse.mm",
        lambda T, i, v, w: T.sparse.mm(coo(T, i, v), coo(T, i, w).t()).to_dense(),
        values((5,)),
        orders=1,
        note="both sparse",
    ),
    *twice("mm", lambda T, i, v, d: coo(T, i, v) @ d, values((3, 2)), note="sparse"),
    *twice("mv", lambda T, i, v, d: coo(T, i, v) @ d, values((3,)), note="sparse"),
    *twice("matmul", lambda T, i, v, d: d @ coo(T, i, v), values((2, 4)), note="sparse on the right"),
    *twice("spmm", lambda T, i, v, d: T.spmm(coo(T, i, v), d), values((3, 2)), also=("dsmm",)),
    *twice("addmm", lambda T, i, v, b, d: T.addmm(b, coo(T, i, v), d, beta=2), values((4, 2), (3, 2)), note="sparse"),
    *twice("sparse.addmm", lambda T, i, v, b, d: T.sparse.addmm(b, coo(T, i, v), d, alpha=3.0), values((4, 2), (3, 2)),
        also=("saddmm",)),
    row("hspmm", lambda T, i, v, d: T.hspmm(coo(T, i, v).coalesce(), d).to_dense(), values((3, 2)), orders=0,
        also=("hsmm",)),
    row("smm", lambda T, i, v, d: T.smm(coo(T, i, v), d).to_dense(), values((3, 2)), orders=0),
    row("sspaddmm", lambda T, i, v, d: T.sspaddmm(coo(T, i, v), coo(T, i, v), d).to_dense(), values((3, 3)), orders=0),
    row(
        "sparse.sampled_addmm",
        lambda T, v, a, b: T.sparse.sampled_addmm(csr(T, v), a, b, beta=2.0).to_dense(),
        lambda make: [(make.real(5), make.real(4, 2), make.real(2, 3))],
        orders=1,
    ),
    row("sparse.sum", lambda T, i, v: T.sparse.sum(coo(T, i, v)), values()),
    row("sparse.sum", lambda T, i, v: T.sparse.sum(coo(T, i, v), 0).to_dense(), values(), orders=1, note="rows"),
    row("sparse.softmax", lambda T, i, v: T.sparse.softmax(coo(T, i, v), 1).to_dense(), values(), orders=1),
    row("sparse.log_softmax", lambda T, i, v: T.sparse.log_softmax(coo(T, i, v), 0).to_dense(), values(), orders=1),
    row(
        "sparse.spdiags",
        lambda T, d: T.sparse.spdiags(d, T.tensor([0, -1]), (4, 3)).to_dense(),
        lambda make: [(make.real(2, 3),)],
        orders=0,
    ),
    *twice("add", lambda T, i, v, d: d + coo(T, i, v), values(SHAPE), note="dense and sparse"),
    row("add", lambda T, i, v, w: (coo(T, i, v) + coo(T, i, w)).to_dense(), values((5,)), orders=1, note="sparse"),
    row("mul", lambda T, i, v, d: (coo(T, i, v).coalesce() * d).to_dense(), values(SHAPE), orders=1, parity=False,
        note="sparse and dense"),
    row("mul", lambda T, i, v: (coo(T, i, v) * 3).to_dense(), values(), orders=1, note="sparse and number"),
    row("div", lambda T, i, v: (coo(T, i, v) / 3).to_dense(), values(), orders=1, note="sparse"),
    row("neg", lambda T, i, v: (-coo(T, i, v)).to_dense(), values(), orders=1, note="sparse"),
    row("abs", lambda T, i, v: coo(T, i, v).abs().to_dense(), values(), orders=1, note="sparse"),
    row("relu", lambda T, i, v: T.relu(coo(T, i, v).coalesce()).to_dense(), values(), orders=1, note="sparse"),
    row("transpose", lambda T, i, v: coo(T, i, v).transpose(0, 1).to_dense(), values(), orders=1, note="sparse"),
    row("unsqueeze", lambda T, i, v: coo(T, i, v).unsqueeze(1).to_dense(), values(), orders=0, note="sparse"),
    row("select", lambda T, i, v: coo(T, i, v).select(0, 3).to_dense(), values(), orders=0, note="sparse"),
    row(
        "index_select",
        lambda T, i, v: coo(T, i, v).index_select(0, T.tensor([3, 0, 0])).to_dense(),
        values(),
        orders=0,
        note="sparse",
    ),
    row("cat", lambda T, i, v: T.cat([coo(T, i, v), coo(T, i, v)], 1).to_dense(), values(), orders=0, note="sparse"),
    row("stack", lambda T, i, v: T.stack([coo(T, i, v), coo(T, i, v)]).to_dense(), values(), orders=1, note="sparse"),
]  # fmt: skip
