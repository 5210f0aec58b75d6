"""Rows of the op table: linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .products import row, shaped

SHORT = ("float32",)
SQUARE = ((3, 3), (2, 4, 4), (1, 1), (0, 2, 2))
ANY = ((4, 3), (3, 4), (2, 3, 3), (2, 5, 2))


def regular(*shapes: tuple[int, ...], imaginary: bool = False) -> Callable[[Make], list[Args]]:
    """Square matrices far from singular ones."""

    def matrix(make: Make, shape: tuple[int, ...]) -> np.ndarray:
        x = make.real(*shape) + 4.0 * np.eye(shape[-1])
        return x + 1j * make.real(*shape) if imaginary else x

    return lambda make: [(matrix(make, shape),) for shape in shapes]


def spread(*shapes: tuple[int, ...]) -> Callable[[Make], list[Args]]:
    """Matrices whose singular values are positive and far from one another."""

    def matrix(make: Make, shape: tuple[int, ...]) -> np.ndarray:
        u, _, vh = np.linalg.svd(make.real(*shape), full_matrices=False)
        return (u * np.arange(vh.shape[-2], 0, -1.0)) @ vh

    return lambda make: [(matrix(make, shape),) for shape in shapes]


def systems(*pairs: tuple[Any, ...]) -> Callable[[Make], Iterable[Args]]:
    """Regular matrices with right sides."""

    def samples(make: Make) -> list[Args]:
        return [(regular(a)(make)[0][0], make.real(*b), *rest) for a, b, *rest in pairs]

    return samples


def hermitian(x: Any) -> Any:
    return x + x.mH


def positive(x: Any) -> Any:
    """A positive-definite matrix made of any."""
    return x @ x.mH


def sizes(parts: Iterable[Any]) -> list[Any]:
    """Of vectors that are determined up to a sign, what is determined: the sizes of their elements."""
    return [p.abs() for p in parts]


def lopsided(*shapes: tuple[int, ...]) -> Callable[[Make], list[Args]]:
    """Square matrices with eigenvalues far from one another."""
    return lambda make: [
        (make.real(*shape, low=-0.3, high=0.3) + np.diag(np.arange(1.0, shape[-1] + 1)),) for shape in shapes
    ]


def by_size(w: Any) -> Any:
    """Eigenvalues, which come in any order, from small to large."""
    return w.gather(-1, w.real.argsort(-1))


def by_size_all(parts: Any) -> Any:
    """Of eigenvalues and vectors, what does not depend on order and phases."""
    return [by_size(parts[0]), parts[1].abs().sum(-1)]


def of(name: str, change: Callable[[Any], Any], pick: Callable[[Any], Any] = lambda y: y, **options: Any) -> Any:
    """``fn`` that calls a function of ``linalg`` on a changed input."""
    return lambda T, x, *rest: pick(getattr(T.linalg, name)(change(x), *rest, **options))


def lu_solved(T: Any, a: Any, b: Any, left: bool = True, adjoint: bool = False) -> Any:
    return T.linalg.lu_solve(*T.linalg.lu_factor(a), b, left=left, adjoint=adjoint)


SYSTEMS = [
    ((3, 3), (3, 2)),
    ((3, 3), (3,)),
    ((2, 3, 3), (2, 3)),
    ((2, 3, 3), (3, 4)),
    ((3, 3), (2, 3, 1)),
]
PAIRS = [((3, 3), (3, 2)), ((2, 4, 4), (4, 3)), ((4, 4), (2, 4, 1))]

CASES: list[OpCase] = [
    row("linalg.inv", regular(*SQUARE), reference=np.linalg.inv, dtypes=SHORT, also=("inverse",)),
    row("linalg.inv", regular((3, 3), (2, 2, 2), imaginary=True), dtypes=SHORT, note="complex"),
    row("linalg.solve", systems(*SYSTEMS), dtypes=SHORT),
    OpCase(
        "linalg.solve",
        lambda T, a, b: T.linalg.solve(a, b, left=False),
        systems(((3, 3), (2, 3)), ((2, 3, 3), (4, 3))),
        dtypes=SHORT,
        note="right",
    ),
    row("linalg.det", regular(*SQUARE), reference=np.linalg.det, dtypes=SHORT, also=("det",)),
    row("linalg.det", regular((3, 3), imaginary=True), dtypes=SHORT, note="complex"),
    row(
        "linalg.det",
        lambda m: [(np.outer([1.0, 2.0], [3.0, -1.0]),), (np.ones((3, 3)),)],
        orders=1,
        dtypes=(),
        parity=False,
        note="singular",
    ),
    row("linalg.slogdet", regular(*SQUARE), dtypes=SHORT, also=("slogdet",)),
    row("linalg.slogdet", regular((3, 3), imaginary=True), dtypes=SHORT, note="complex"),
    row("logdet", regular((3, 3), (2, 2, 2)), dtypes=SHORT),
    OpCase("linalg.cholesky", of("cholesky", positive), regular((3, 3), (2, 4, 4)), dtypes=SHORT),
    OpCase("linalg.cholesky", of("cholesky", positive), regular((3, 3), imaginary=True), dtypes=SHORT, note="complex"),
    OpCase("cholesky", lambda T, x: T.cholesky(positive(x), upper=True), regular((3, 3)), dtypes=SHORT),
    OpCase(
        "cholesky_solve",
        lambda T, b, x, up=False: T.cholesky_solve(b, x.triu() if up else x.tril(), up),
        lambda m: [(m.real(3, 2), *regular((3, 3))(m)[0]), (m.real(3, 2), *regular((2, 3, 3))(m)[0], True)],
        dtypes=SHORT,
    ),
    OpCase(
        "cholesky_inverse",
        lambda T, x, up=False: T.cholesky_inverse(x.triu() if up else x.tril(), up),
        lambda m: [(*regular((3, 3))(m)[0],), (*regular((2, 3, 3))(m)[0], True)],
        dtypes=SHORT,
    ),
    OpCase(
        "linalg.solve_triangular",
        lambda T, a, b, **k: [
            T.linalg.solve_triangular(a, b, upper=True),
            T.linalg.solve_triangular(a, b, upper=False),
            T.linalg.solve_triangular(a, b.mT, upper=True, left=False),
            T.linalg.solve_triangular(a * 0.1, b, upper=False, unitriangular=True),
        ],
        systems(*PAIRS),
        dtypes=SHORT,
    ),
    OpCase(
        "triangular_solve",
        lambda T, a, b: [T.triangular_solve(b, a), T.triangular_solve(b, a, upper=False, transpose=True)],
        systems(*PAIRS),
        dtypes=SHORT,
        strict=True,
    ),
    OpCase(
        "linalg.inv_ex",
        lambda T, x, *rest: T.linalg.inv_ex(x, *rest),
        lambda m: regular(*SQUARE)(m),
        dtypes=SHORT,
    ),
    OpCase(
        "linalg.inv_ex",
        lambda T, x: [T.linalg.inv_ex(x).info] * 2,
        lambda m: [(np.ones((2, 2)),), (np.stack([np.eye(2), np.ones((2, 2))]),)],
        orders=0,
        dtypes=SHORT,
        note="singular",
    ),
    OpCase("linalg.solve_ex", lambda T, a, b: T.linalg.solve_ex(a, b), systems(*SYSTEMS), dtypes=SHORT),
    OpCase("linalg.cholesky_ex", of("cholesky_ex", positive), regular((3, 3), (2, 4, 4)), dtypes=SHORT),
    OpCase(
        "linalg.cholesky_ex",
        lambda T, x: [T.linalg.cholesky_ex(x, upper=True).info] * 2,
        lambda m: [(np.array([[4.0, 2, 2], [2, 2, 9], [2, 9, 3]]),), (np.stack([np.eye(2), np.ones((2, 2))]),)],
        orders=0,
        dtypes=SHORT,
        note="not positive",
    ),
    row("linalg.lu_factor_ex", spread((4, 4), (2, 3, 3), (3, 5)), dtypes=SHORT),
    OpCase("linalg.eigvals", of("eigvals", lambda x: x, by_size), lopsided((3, 3), (2, 4, 4)), dtypes=SHORT),
    OpCase(
        "linalg.eigvals",
        of("eigvals", lambda x: x, by_size),
        lambda m: [(x + 0.2j * m.real(*x.shape),) for (x,) in lopsided((3, 3))(m)],
        dtypes=SHORT,
        note="complex",
    ),
    OpCase("linalg.eig", of("eig", lambda x: x, by_size_all), lopsided((3, 3), (2, 3, 3)), dtypes=SHORT),
    OpCase("geqrf", lambda T, x: T.geqrf(x), shaped(*[(s,) for s in ANY]), orders=0, dtypes=SHORT),
    OpCase(
        "linalg.householder_product",
        lambda T, a, tau: T.linalg.householder_product(a, tau),
        shaped(((4, 3), (3,)), ((3, 3), (2,)), ((2, 4, 2), (2, 2))),
        dtypes=SHORT,
        also=("orgqr",),
    ),
    OpCase(
        "ormqr",
        lambda T, a, tau, b, **k: [
            T.ormqr(a, tau, b),
            T.ormqr(a, tau, b, transpose=True),
            T.ormqr(a, tau, b.mT, left=False),
            T.ormqr(a, tau, b.mT, left=False, transpose=True),
        ],
        shaped(((4, 3), (3,), (4, 2)), ((2, 3, 3), (2, 3), (2, 3, 2))),
        dtypes=SHORT,
    ),
    OpCase(
        "linalg.ldl_factor",
        of("ldl_factor", hermitian),
        shaped(((3, 3),), ((2, 6, 6),)),
        orders=0,
        dtypes=SHORT,
    ),
    OpCase(
        "linalg.ldl_factor_ex",
        of("ldl_factor_ex", lambda x: x, hermitian=True),
        lambda m: [(m.real(6, 6) + 1j * m.real(6, 6),), (np.zeros((2, 2)),)],
        orders=0,
        dtypes=SHORT,
    ),
    OpCase(
        "linalg.ldl_solve",
        lambda T, a, b, h=False: T.linalg.ldl_solve(*T.linalg.ldl_factor(hermitian(a), hermitian=h), b, hermitian=h),
        lambda m: [
            (m.real(6, 6), m.real(6, 2)),
            (m.real(2, 3, 3), m.real(3, 1)),
            (m.real(5, 5) + 1j * m.real(5, 5), m.real(5, 2) + 1j * m.real(5, 2), True),
        ],
        orders=0,
        dtypes=SHORT,
    ),
    OpCase(
        "svd_lowrank",
        lambda T, x: [part.abs() for part in T.svd_lowrank(x, 3, 8)],
        spread((7, 3), (3, 6), (2, 4, 3)),
        dtypes=(),
        strict=False,
        atol=1e-7,
    ),
    OpCase(
        "pca_lowrank",
        lambda T, x: T.pca_lowrank(x, 3, niter=8)[1],
        spread((7, 3), (2, 5, 3)),
        dtypes=(),
        strict=False,
        atol=1e-7,
    ),
    OpCase(
        "lobpcg",
        lambda T, x: T.lobpcg(positive(x), 2, niter=500, tol=1e-13)[0],
        spread((9, 9)),
        dtypes=(),
        strict=False,
        atol=1e-4,
    ),
    OpCase(
        "lobpcg",
        lambda T, x, b: T.lobpcg(positive(x), 2, positive(b), largest=False, niter=200)[0],
        lambda m: [(spread((9, 9))(m)[0][0], regular((9, 9))(m)[0][0])],
        orders=0,
        dtypes=(),
        strict=False,
        atol=1e-4,
        note="two matrices",
    ),
    row(
        "frobenius_norm",
        lambda m: [(m.away(3, 4), (0, 1)), (m.away(3, 4), 1, True)],
        dtypes=SHORT,
    ),
    row("norm_except_dim", lambda m: [(m.away(3, 4),), (m.away(3, 4, 2), 2, 1), (m.away(3, 4), 2, -1)], dtypes=SHORT),
    row(
        "nuclear_norm",
        lambda m: [(*spread((3, 4))(m)[0],), (*spread((2, 3, 4))(m)[0], (0, 2), True)],
        dtypes=SHORT,
    ),
    row("linalg.qr", shaped(*[(s,) for s in ANY]), dtypes=SHORT),
    row("linalg.qr", shaped(((4, 3), "complete"), ((4, 3), "r")), orders=0, dtypes=SHORT, note="modes"),
    row("qr", shaped(((4, 3),), ((3, 3), False)), dtypes=SHORT),
    OpCase("linalg.svd", of("svd", lambda x: x, sizes, full_matrices=False), spread(*ANY), dtypes=SHORT),
    OpCase(
        "linalg.svd",
        of("svd", lambda x: x, lambda y: [y[0][..., :3].abs(), y[1], y[2].abs()]),
        spread((4, 3)),
        dtypes=SHORT,
        note="full",
    ),
    OpCase("svd", lambda T, x: sizes(T.svd(x)), spread(*ANY), dtypes=SHORT),
    row("linalg.svdvals", spread(*ANY), dtypes=SHORT),
    row("linalg.svdvals", regular((3, 3), imaginary=True), dtypes=SHORT, note="complex"),
    OpCase("linalg.eigh", of("eigh", hermitian, sizes), shaped(((3, 3),), ((2, 4, 4),)), dtypes=SHORT),
    OpCase("linalg.eigvalsh", of("eigvalsh", hermitian), shaped(((3, 3),), ((2, 4, 4), "U")), dtypes=SHORT),
    OpCase("linalg.eigvalsh", of("eigvalsh", hermitian), regular((3, 3), imaginary=True), dtypes=SHORT, note="complex"),
    row("linalg.lu_factor", spread((4, 4), (2, 3, 3), (4, 3), (3, 5)), dtypes=SHORT, also=("lu",)),
    row("linalg.lu", spread((4, 4), (2, 3, 3), (4, 3), (3, 5)), dtypes=SHORT),
    OpCase("lu", lambda T, x: T.lu(x), spread((4, 4), (2, 3, 3)), dtypes=SHORT),
    OpCase("lu_unpack", lambda T, x: T.lu_unpack(*T.lu(x)), spread((4, 4), (3, 5)), dtypes=SHORT),
    OpCase(
        "linalg.lu_solve",
        lu_solved,
        systems(*PAIRS, ((3, 3), (3, 2), True, True), ((3, 3), (2, 3), False)),
        dtypes=SHORT,
    ),
    OpCase("lu_solve", lambda T, a, b: T.lu_solve(b, *T.linalg.lu_factor(a)), systems(((3, 3), (3, 2))), dtypes=SHORT),
    row("linalg.pinv", spread(*ANY), reference=np.linalg.pinv, dtypes=SHORT, also=("pinverse",)),
    OpCase(
        "linalg.pinv",
        lambda T, x: T.linalg.pinv(hermitian(x), hermitian=True),
        regular((3, 3)),
        dtypes=SHORT,
        note="hermitian",
    ),
    OpCase(
        "linalg.lstsq",
        lambda T, a, b: [T.linalg.lstsq(a, b).solution, T.linalg.lstsq(a, b, driver="gels").residuals],
        lambda m: [
            (spread(s)(m)[0][0], m.real(*b)) for s, b in (((4, 3), (4, 2)), ((2, 5, 2), (2, 5, 1)), ((3, 3), (3, 2)))
        ],
        dtypes=SHORT,
    ),
    row("linalg.matrix_exp", shaped(((3, 3),), ((2, 2, 2),), ((0, 2, 2),)), dtypes=SHORT, also=("matrix_exp",)),
    OpCase(
        "linalg.matrix_exp",
        lambda T, x: T.linalg.matrix_exp(x * 4) / 1e3,
        shaped(((3, 3),)),
        dtypes=SHORT,
        note="large",
    ),
    row(
        "linalg.matrix_power",
        lambda m: [(*regular((3, 3))(m)[0], n) for n in (1, 2, 3, 5, -1, -2)],
        dtypes=SHORT,
        also=("matrix_power",),
    ),
    row("linalg.matrix_power", shaped(((2, 3, 3), 0)), orders=0, dtypes=SHORT, note="zero"),
    row(
        "linalg.matrix_rank",
        lambda m: [(m.real(3, 4),), (np.ones((2, 3, 3)),), (np.zeros((2, 3)),)],
        orders=0,
        dtypes=SHORT,
    ),
    row(
        "linalg.cond",
        lambda m: [(*spread((3, 3))(m)[0], p) for p in (None, 2, -2, 1, -1, "fro", "nuc", float("inf"))],
        dtypes=SHORT,
    ),
    row(
        "linalg.cond",
        lambda m: [(np.ones((2, 2)), 1), (np.stack([np.eye(2) * 2, np.ones((2, 2))]), "fro")],
        orders=0,
        dtypes=SHORT,
        note="singular",
    ),
    row(
        "linalg.vector_norm",
        lambda m: [
            (m.away(3, 4), *a)
            for a in ((), (1,), (3,), (0.5,), (float("inf"), 1), (float("-inf"), 0, True), (2, (0, 1), True), (0, 1))
        ],
    ),
    row(
        "linalg.matrix_norm",
        lambda m: (
            [(*spread((2, 3, 4))(m)[0], p) for p in ("fro", "nuc", 1, -1, 2, -2, float("inf"), float("-inf"))]
            + [(m.real(2, 3, 4), 1, (2, 0), True)]
        ),
        dtypes=SHORT,
    ),
    row(
        "linalg.norm",
        lambda m: [
            (m.away(3, 4), *a)
            for a in ((), (None, 1), ("fro",), (1,), (2, 1), (float("inf"), (0, 1)), (None, None, True), (3, 0, True))
        ],
        dtypes=SHORT,
    ),
    row(
        "linalg.multi_dot",
        lambda m: [([m.real(2, 3), m.real(3, 4), m.real(4, 2)],), ([m.real(3), m.real(3, 4), m.real(4)],)],
        dtypes=SHORT,
    ),
    row(
        "linalg.tensorinv",
        lambda m: [(regular((6, 6))(m)[0][0].reshape(2, 3, 6), 2), (regular((4, 4))(m)[0][0].reshape(4, 2, 2), 1)],
        dtypes=SHORT,
    ),
    row("linalg.tensorsolve", lambda m: [(regular((6, 6))(m)[0][0].reshape(2, 3, 3, 2), m.real(2, 3))], dtypes=SHORT),
    row("linalg.cross", shaped(((2, 3), (2, 3)), ((4, 3), (1, 3))), dtypes=SHORT),
    row("linalg.vecdot", shaped(((2, 3), (2, 3)), ((4, 3), (1, 3))), dtypes=SHORT),
    row("linalg.vander", shaped(((4,),), ((2, 3), 4)), dtypes=SHORT),
    row("linalg.diagonal", shaped(((3, 4),), ((2, 3, 3),)), dtypes=SHORT),
    row(
        "linalg.matmul",
        shaped(
            ((3, 4), (4, 2)),
        ),
        dtypes=SHORT,
    ),
]
