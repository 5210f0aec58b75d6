"""Rows of the op table: special functions, complex parts, functions of several operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Make, OpCase
from .elementwise import away, binary, forms, function, pairs, positive, unary, within

NAN, INF = np.nan, np.inf


def special(name: str, draw: Any, *aliases: str, **options: Any) -> OpCase:
    """A function of ``special`` on one operand."""
    case = unary(f"special.{name}", draw, **{"integer": False, **options})
    return OpCase(**{**vars(case), "also": tuple(f"special.{a}" for a in aliases)})


def polynomial(name: str) -> OpCase:
    """A family of orthogonal polynomials, which PyTorch has without gradients."""
    return OpCase(
        f"special.{name}",
        function(f"special.{name}"),
        lambda m: (
            [(m.real(3, 4, low=-0.9, high=0.9), n) for n in (0, 1, 2, 5)]
            + [(m.real(4, low=-0.9, high=0.9), np.array([-1.0, 0.0, 1.0, 6.0]))]
        ),
        orders=0,
        parity=name.split("_")[-1] in "tuh" and "shifted" not in name,
        dtypes=("float32",),
        atol=1e-9,
    )


# PyTorch cannot differentiate most of these, and its J and Y of float64 are good to 1e-7 between 5 and 8 only: rows of
# `BESSEL` are checked against finite differences, and `RANGE` compares values.
FIRST_KIND = ("bessel_j0", "bessel_j1", "spherical_bessel_j0", "modified_bessel_i0", "modified_bessel_i1")
SECOND_KIND = (
    "bessel_y0",
    "bessel_y1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
)
BESSEL = [
    unary("i0"),
    *(special(n, lambda m: m.real) for n in ("i0", "i0e", "i1", "i1e")),
    *(special(n, lambda m: m.real, parity=False) for n in FIRST_KIND),
    *(special(n, positive, parity=False) for n in SECOND_KIND),
    *(
        OpCase(
            f"special.{n}",
            function(f"special.{n}"),
            lambda m: [(np.linspace(0.1, 3.0, 20),), (np.array([1e-3, 5e-3, 9.0, 19.9, 20.1, 24.9, 25.1, 60.0]),)],
            orders=0,
            dtypes=(),
            atol=1e-12,
            note="range",
        )
        for n in ("i0e", "i1e", *(n for n in (*FIRST_KIND, *SECOND_KIND) if "l_i" not in n))
    ),
    OpCase(
        "special.airy_ai",
        function("special.airy_ai"),
        lambda m: [(np.linspace(-30.0, 9.0, 60),)],
        orders=0,
        dtypes=(),
        parity=False,
    ),
]

GAMMA = [
    unary("lgamma", positive),
    unary("digamma", positive),
    OpCase(
        "lgamma",
        lambda T, x: T.lgamma(x) + T.digamma(x) * 0.01,
        lambda m: [(np.array([-2.5, -0.5, 0.3, 0.999, 1.5, 2.0, 2.1, 12.0, 150.0]),)],
        note="range",
        dtypes=(),
    ),
    OpCase("special.gammaln", function("special.gammaln"), lambda m: [(m.positive(3),)]),
    OpCase("special.psi", function("special.psi"), lambda m: [(m.positive(3),)], also=("special.digamma",)),
    OpCase(
        "polygamma",
        lambda T, n, x: T.polygamma(n, x),
        lambda m: [(n, m.positive(3, 4)) for n in (0, 1, 2, 4)] + [(1, np.array([-0.5, -1.7, -3.2]))],
        also=("special.polygamma",),
        atol=1e-9,
    ),
    OpCase("Tensor.polygamma", lambda T, x: x.polygamma(1), lambda m: [(m.positive(3),)]),
    OpCase("Tensor.polygamma_", lambda T, x: (x * 1).polygamma_(1), lambda m: [(m.positive(3),)]),
    OpCase(
        "mvlgamma",
        lambda T, x, p: T.mvlgamma(x, p),
        lambda m: [(m.positive(3, 4) + 2, p) for p in (1, 3)],
        also=(*forms("mvlgamma"), "special.multigammaln"),
    ),
    OpCase("special.zeta", function("special.zeta"), lambda m: [(np.array([1.5, 2.0, 7.5]), m.positive(3))], orders=0),
    OpCase("special.zeta", lambda T, q: T.special.zeta(2.5, q), lambda m: [(m.positive(3),)], parity=False, note="q"),
    *(
        OpCase(
            name,
            lambda T, x, name=name: function(name)(T, T.tensor([0.3, 2.0, 11.0, 80.0], dtype=x.dtype), x),
            lambda m: [(np.array([0.5, 1.5, 15.0, 75.0]),)],
            orders=1,
            dtypes=("float32",),
            also=(f"special.gammainc{'c' if name[-1] == 'c' else ''}", *forms(name)),
            strict=False,
        )
        for name in ("igamma", "igammac")
    ),
]

NORMAL = [
    unary("erf", lambda m: m.real, integer=True),
    unary("erfc", lambda m: m.real, integer=True),
    OpCase(
        "erf",
        lambda T, x: T.erf(x) + T.erfc(x * 1.5),
        lambda m: [(np.array([-30.0, -5.0, -0.4688, -1e-3, 0.0, 0.46, 0.47, 3.9, 4.1, 8.0]),)],
        note="range",
    ),
    unary("erfinv", within(-0.95, 0.95), integer=False),
    special("erfcx", within(-1.5, 5.0)),
    special("ndtr", lambda m: m.real),
    special("ndtri", within(0.02, 0.98)),
    special("log_ndtr", within(-6.0, 2.0)),
    special("entr", positive),
    unary("logit", within(0.05, 0.95), integer=False),
    OpCase("logit", lambda T, x: T.logit(x, 0.2), lambda m: [(m.real(3, 4, low=0.0, high=1.0),)], note="eps"),
    OpCase("special.expit", function("special.expit"), lambda m: [(m.real(3),)]),
    unary("sinc", away(0.0), integer=True),
    binary("xlogy", positive, positive, scalars=(0.5, 2), integer=True),
    OpCase("special.xlog1py", function("special.xlog1py"), lambda m: pairs(m.positive, m.positive)),
    OpCase(
        "xlogy",
        lambda T, x, y: T.xlogy(x, y),
        lambda m: [(np.array([0.0, 0.0, 1.0]), np.array([0.0, NAN, 2.0]))],
        orders=0,
        note="zero",
    ),
    OpCase(
        "special.erf",
        lambda T, x: sum(
            getattr(T.special, n)(x) for n in ("erf", "erfc", "erfinv", "exp2", "expm1", "log1p", "sinc", "round")
        ),
        lambda m: [(m.real(3, 4, low=-0.4, high=0.4),)],
        dtypes=("float32",),
        also=(),
    ),
]

COMBINED = [
    *(
        OpCase(
            name,
            lambda T, x, y, z, name=name: function(name)(T, x, y, z, value=0.5),
            lambda m: [(m.real(3, 4), m.real(4), m.positive(3, 1)), (m.real(3), m.real(3), m.positive())],
            also=forms(name),
        )
        for name in ("addcmul", "addcdiv")
    ),
    OpCase(
        "lerp",
        lambda T, x, y, w: T.lerp(x, y, w),
        lambda m: [(m.real(3, 4), m.real(3, 4), 0.3), (m.real(3, 4), m.real(4), m.real(3, 1))],
        also=forms("lerp"),
    ),
    binary("hypot", positive),
    OpCase("logaddexp", function("logaddexp"), lambda m: pairs(m.real, m.real), also=forms("logaddexp", False)),
    OpCase("logaddexp2", function("logaddexp2"), lambda m: pairs(m.real, m.real), also=forms("logaddexp2", False)),
    binary("copysign", away(0.0), away(0.0), scalars=(-1, 2.0), integer=True),
    OpCase(
        "heaviside",
        function("heaviside"),
        lambda m: [(np.array([-1.0, 0.0, 2.0]), np.array([0.5])), (m.away(3), m.real(3))],
        orders=0,
        also=forms("heaviside"),
    ),
    OpCase(
        "nan_to_num",
        lambda T, x, o: T.nan_to_num(x, **o),
        lambda m: [
            (np.array([1.0, NAN, INF, -INF]), o)
            for o in ({"posinf": 4.0, "neginf": -3.0}, {"nan": 2.0, "posinf": 9.0, "neginf": 0.5})
        ],
        orders=0,
        also=forms("nan_to_num"),
    ),
    OpCase("nan_to_num", lambda T, x: T.nan_to_num(x), lambda m: [(m.real(3, 4),)], note="finite"),
    OpCase(
        "nextafter",
        function("nextafter"),
        lambda m: [(m.real(3), m.real(3))],
        orders=0,
        also=forms("nextafter"),
        strict=False,
    ),
    OpCase(
        "ldexp",
        function("ldexp"),
        lambda m: [(m.real(3), m.integers(3, low=-3, high=4))],
        dtypes=("float32",),
        parity=False,
        also=forms("ldexp"),
    ),
    OpCase(
        "ldexp",
        function("ldexp"),
        lambda m: [(m.real(3), m.integers(3, low=-3, high=4))],
        orders=0,
        dtypes=(),
        note="values",
    ),
    OpCase("frexp", lambda T, x: T.frexp(x), lambda m: [(m.away(3, 4),)], orders=1, also=("Tensor.frexp",)),
    OpCase(
        "float_power",
        lambda T, x, y: T.float_power(x, y),
        lambda m: [(m.positive(3), 2), (m.positive(3), m.real(3))],
        dtypes=(),
        also=("Tensor.float_power", "Tensor.float_power_"),
    ),
    *(
        OpCase(
            name,
            function(name),
            lambda m: [(m.integers(3, 4, low=-30, high=30), m.integers(4, low=-30, high=30))],
            orders=0,
            also=forms(name),
        )
        for name in ("gcd", "lcm")
    ),
]


def numbers(make: Make, *shape: int) -> Any:
    return np.asarray(make.real(*shape) + 1j * make.real(*shape))


COMPLEX = [
    *(
        OpCase(
            name,
            lambda T, z, name=name: T.view_as_real(function(name)(T, z)),
            lambda m: [(numbers(m, 3, 4),), (numbers(m),)],
            dtypes=(),
            also=also,
        )
        for name, also in (
            ("exp", ()),
            ("log", ()),
            ("sqrt", ()),
            ("sin", ()),
            ("cos", ()),
            ("tanh", ()),
            ("sigmoid", ()),
            ("reciprocal", ()),
            ("square", ()),
            ("neg", ()),
            ("sgn", ()),
            ("conj_physical", forms("conj_physical")),
        )
    ),
    *(
        OpCase(
            name, lambda T, z, name=name: function(name)(T, z), lambda m: [(numbers(m, 3, 4),)], dtypes=(), also=also
        )
        for name, also in (("real", ()), ("imag", ()), ("angle", ("Tensor.angle",)), ("abs", ()), ("view_as_real", ()))
    ),
    OpCase("angle", lambda T, x: T.angle(x), lambda m: [(m.away(3, 4),)], note="real"),
    OpCase(
        "conj",
        lambda T, z: T.view_as_real(T.resolve_neg(T.resolve_conj(T.conj(z)))),
        lambda m: [(numbers(m, 3, 4),)],
        dtypes=(),
        also=("Tensor.conj",),
    ),
    OpCase(
        "resolve_conj",
        lambda T, x: T.resolve_conj(x.conj()) + T.real(x) + T.resolve_neg(x),
        lambda m: [(m.real(3, 4),)],
        also=("resolve_neg", "Tensor.resolve_conj", "Tensor.resolve_neg"),
        note="real",
    ),
    OpCase(
        "is_conj",
        lambda T, x: (T.is_conj(x), T.is_neg(x)),
        lambda m: [(m.real(3),)],
        orders=0,
        dtypes=(),
        also=("is_neg", "Tensor.is_conj", "Tensor.is_neg"),
    ),
    OpCase(
        "complex",
        lambda T, x, y: T.view_as_real(T.complex(x, y)),
        lambda m: [(m.real(3, 4), m.real(4))],
        dtypes=("float32",),
    ),
    OpCase(
        "polar",
        lambda T, x, y: T.view_as_real(T.polar(x, y)),
        lambda m: [(m.positive(3), m.real(3))],
        dtypes=("float32",),
    ),
    OpCase(
        "view_as_complex",
        lambda T, x: T.view_as_real(T.view_as_complex(x * 1) * (2 + 1j)),
        lambda m: [(m.real(3, 2),), (m.real(2),)],
        dtypes=("float32",),
    ),
    OpCase(
        "mul",
        lambda T, x, y: T.view_as_real(x * y / (y + 3) + x**2 - (1 + 2j) * y),
        lambda m: [(numbers(m, 3, 4), numbers(m, 4))],
        dtypes=(),
        note="complex",
    ),
    OpCase(
        "pow",
        lambda T, x, y: T.view_as_real(x**y),
        lambda m: [(numbers(m, 3), numbers(m, 3))],
        dtypes=(),
        note="complex",
    ),
]

CASES: list[OpCase] = [*BESSEL, *GAMMA, *NORMAL, *COMBINED, *COMPLEX]
POLYNOMIALS = [f"{s}chebyshev_polynomial_{k}" for s in ("", "shifted_") for k in "tuvw"]
POLYNOMIALS += ["hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"]
CASES += [polynomial(name) for name in POLYNOMIALS]
CASES += [
    OpCase(
        "special.legendre_polynomial_p",
        lambda T, x: T.special.legendre_polynomial_p(x, 4) + T.special.shifted_chebyshev_polynomial_u(x, 3),
        lambda m: [(m.real(3, 4),)],
        parity=False,
        note="gradient",
    )
]
