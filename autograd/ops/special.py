"""Special functions: the error function."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from ..primitive import apply
from .calling import in_place, unary
from .elementwise import Unary, scaled
from .exponential import exp_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Erf(Unary):
    """The error function."""

    kernel, expression = "erf", "erf(x)"
    derivative = staticmethod(lambda g, x: scaled(g * exp_rule(-(x * x)), 2 / math.sqrt(math.pi)))


class Erfc(Unary):
    """``1 - erf(x)``."""

    kernel, expression = "erfc", "erfc(x)"
    derivative = staticmethod(lambda g, x: scaled(g * exp_rule(-(x * x)), -2 / math.sqrt(math.pi)))


erf_rule = functools.partial(apply, Erf)


def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The error function: ``2 / sqrt(pi)`` times the integral of ``exp(-t ** 2)`` from 0 to ``input``."""
    return unary(Erf, "erf", input, out)


def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 - erf(input)``, precise where that is tiny."""
    return unary(Erfc, "erfc", input, out)


erf_, erfc_ = in_place(erf), in_place(erfc)
