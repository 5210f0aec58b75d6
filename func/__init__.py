"""Functions of functions, with the names of ``torch.func``: derivatives of a function, and a module as a function."""

from __future__ import annotations

from .batching import stack_module_state as stack_module_state
from .batching import vmap as vmap
from .control_flow import associative_scan as associative_scan
from .control_flow import cond as cond
from .control_flow import scan as scan
from .control_flow import while_loop as while_loop
from .custom import custom_jvp as custom_jvp
from .custom import custom_vjp as custom_vjp
from .derivatives import grad as grad
from .derivatives import grad_and_value as grad_and_value
from .derivatives import hessian as hessian
from .derivatives import hvp as hvp
from .derivatives import jacrev as jacrev
from .derivatives import vjp as vjp
from .forward import jacfwd as jacfwd
from .forward import jvp as jvp
from .forward import linearize as linearize
from .functional_call import functional_call as functional_call
from .implicit import fixed_point as fixed_point
from .implicit import root as root
from .inspection import debug_unwrap as debug_unwrap
from .inspection import functionalize as functionalize
