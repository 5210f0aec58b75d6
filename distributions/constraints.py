"""Sets of values: what a distribution's parameters must be in, and what its draws are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import ops
from ..autograd.grad_mode import no_grad
from ..autograd.ops.linalg_cholesky import cholesky_ex
from ..autograd.ops.linalg_eigen import eigvalsh

__all__ = [
    "Constraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A set of values.

    Attributes:
        is_discrete: whether its values can be counted.
        event_dim: how many dimensions, from the last on, one value has.
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Any) -> Any:
        """For each value, whether it is in the set: a bool tensor."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__.removeprefix("_") + "()"


class _Dependent(Constraint):
    """A set that only the whole distribution knows."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether its values can be counted."""
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return bool(self._is_discrete)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """How many dimensions one value has."""
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return int(self._event_dim)

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, x: Any) -> Any:
        raise ValueError("Cannot determine validity of dependent constraint")


class _DependentProperty(property, _Dependent):
    """A property that is a set, and a `dependent` one when asked of the class."""

    def __init__(self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        super().__init__(fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Any) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _IndependentConstraint(Constraint):
    """A set of several values of another, as one."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether its values can be counted."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """How many dimensions one value has."""
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value)
        kept = result.dim() - self.reinterpreted_batch_ndims
        if kept < 0:
            needed = self.base_constraint.event_dim + self.reinterpreted_batch_ndims
            raise ValueError(f"Expected value.dim() >= {needed} but got {value.dim()}")
        return result.reshape((*result.shape[:kept], -1)).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class _Elementwise(Constraint):
    """A set given by a test of each element."""

    def __init__(self, test: Callable[[Any], Any], text: str, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self._test, self._text = test, text
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def check(self, value: Any) -> Any:
        return self._test(value)

    def __repr__(self) -> str:
        return self._text


class _Bounded(Constraint):
    """Numbers between bounds, either of which may be None."""

    def __init__(self, lower_bound: Any = None, upper_bound: Any = None) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def __repr__(self) -> str:
        given = {"lower_bound": self.lower_bound, "upper_bound": self.upper_bound}
        inner = ", ".join(f"{name}={bound}" for name, bound in given.items() if bound is not None)
        return f"{type(self).__name__.removeprefix('_')}({inner})"


class _GreaterThan(_Bounded):
    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class _GreaterThanEq(_Bounded):
    def check(self, value: Any) -> Any:
        return self.lower_bound <= value


class _LessThan(_Bounded):
    def __init__(self, upper_bound: Any) -> None:
        super().__init__(None, upper_bound)

    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class _Interval(_Bounded):
    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class _HalfOpenInterval(_Bounded):
    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)


class _IntegerInterval(_Bounded):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (self.lower_bound <= value) & (value <= self.upper_bound)


class _IntegerGreaterThan(_Bounded):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value >= self.lower_bound)


class _Multinomial(Constraint):
    """Counts that add up to at most a number."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, x: Any) -> Any:
        return (x >= 0).all(dim=-1) & (x.sum(dim=-1) <= self.upper_bound)


class _Joined(Constraint):
    """Several sets, side by side along a dimension: each for one slice, or for some places."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether its values can be counted."""
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """How many dimensions one value has."""
        return max(c.event_dim for c in self.cseq)


class _Cat(_Joined):
    def check(self, value: Any) -> Any:
        parts = value.split(self.lengths, self.dim)
        return ops.cat([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class _Stack(_Joined):
    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """How many dimensions one value has."""
        dim = max(c.event_dim for c in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value: Any) -> Any:
        parts = value.unbind(self.dim)
        return ops.stack([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


def is_dependent(constraint: Any) -> bool:
    """Whether only the whole distribution knows the set."""
    return isinstance(constraint, _Dependent)


_FINE = {8: 2.3e-16, 4: 1.2e-7}


def _is_square(value: Any) -> Any:
    whole = value.shape[-1] == value.shape[-2]
    return ops.full(size=value.shape[:-2], fill_value=whole, dtype=bool, device=value.device)


def _is_symmetric(value: Any) -> Any:
    if value.shape[-1] != value.shape[-2]:
        return _is_square(value)
    return ops.isclose(value, value.mT, atol=1e-6).all(-2).all(-1)


def _is_definite(value: Any) -> Any:
    found = _is_symmetric(value)
    if not found.all():
        return found
    with no_grad():
        return cholesky_ex(value).info == 0


def _is_semidefinite(value: Any) -> Any:
    found = _is_symmetric(value)
    if not found.all():
        return found
    with no_grad():
        return eigvalsh(value).ge(0).all(-1)


def _is_lower(value: Any) -> Any:
    return (value.tril() == value).reshape((*value.shape[:-2], -1)).all(-1)


def _is_lower_cholesky(value: Any) -> Any:
    return _is_lower(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


def _is_corr_cholesky(value: Any) -> Any:
    tolerance = _FINE.get(value.dtype.itemsize, 1e-3) * value.shape[-1] * 10
    unit = ((value.detach() * value.detach()).sum(-1) - 1).abs().le(tolerance).all(dim=-1)
    return _is_lower_cholesky(value) & unit


def _is_simplex(value: Any) -> Any:
    return (value >= 0).all(dim=-1) & ((value.sum(-1) - 1).abs() < 1e-6)


def _is_one_hot(value: Any) -> Any:
    return ((value == 0) | (value == 1)).all(-1) & value.sum(-1).eq(1)


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
boolean = _Elementwise(lambda x: (x == 0) | (x == 1), "Boolean()", is_discrete=True)
one_hot = _Elementwise(_is_one_hot, "OneHot()", is_discrete=True, event_dim=1)
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Elementwise(lambda x: x == x, "Real()")
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Elementwise(_is_simplex, "Simplex()", event_dim=1)
lower_triangular = _Elementwise(_is_lower, "LowerTriangular()", event_dim=2)
lower_cholesky = _Elementwise(_is_lower_cholesky, "LowerCholesky()", event_dim=2)
corr_cholesky = _Elementwise(_is_corr_cholesky, "CorrCholesky()", event_dim=2)
square = _Elementwise(_is_square, "Square()", event_dim=2)
symmetric = _Elementwise(_is_symmetric, "Symmetric()", event_dim=2)
positive_semidefinite = _Elementwise(_is_semidefinite, "PositiveSemidefinite()", event_dim=2)
positive_definite = _Elementwise(_is_definite, "PositiveDefinite()", event_dim=2)
cat = _Cat
stack = _Stack
