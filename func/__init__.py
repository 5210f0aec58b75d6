"""Functions of functions, with the names of ``torch.func``: derivatives of a function, and a module as a function."""

from __future__ import annotations

from .derivatives import grad as grad
from .derivatives import grad_and_value as grad_and_value
from .derivatives import hessian as hessian
from .derivatives import jacrev as jacrev
from .derivatives import vjp as vjp
from .functional_call import functional_call as functional_call
