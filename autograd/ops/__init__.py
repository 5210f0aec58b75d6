"""The differentiable ops, one family a file."""

from __future__ import annotations

from .product import addmm as addmm
from .product import addmm_ as addmm_
from .product import bmm as bmm
from .product import dot as dot
from .product import matmul as matmul
from .product import mm as mm
from .product import mv as mv
from .product import outer as outer
from .product import rmatmul as rmatmul
