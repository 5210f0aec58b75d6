"""Linear algebra, under PyTorch's names."""

from __future__ import annotations

from .autograd.autocast import casting_in as _casting_in
from .autograd.ops.linalg_cholesky import cholesky as cholesky
from .autograd.ops.linalg_cholesky import cholesky_ex as cholesky_ex
from .autograd.ops.linalg_determinants import det as det
from .autograd.ops.linalg_determinants import slogdet as slogdet
from .autograd.ops.linalg_eigen import eig as eig
from .autograd.ops.linalg_eigen import eigh as eigh
from .autograd.ops.linalg_eigen import eigvals as eigvals
from .autograd.ops.linalg_eigen import eigvalsh as eigvalsh
from .autograd.ops.linalg_factors import qr as qr
from .autograd.ops.linalg_factors import svd as svd
from .autograd.ops.linalg_factors import svdvals as svdvals
from .autograd.ops.linalg_functions import cross as cross
from .autograd.ops.linalg_functions import diagonal as diagonal
from .autograd.ops.linalg_functions import matrix_exp as matrix_exp
from .autograd.ops.linalg_functions import matrix_power as matrix_power
from .autograd.ops.linalg_functions import multi_dot as multi_dot
from .autograd.ops.linalg_functions import pinv as pinv
from .autograd.ops.linalg_functions import tensorinv as tensorinv
from .autograd.ops.linalg_functions import tensorsolve as tensorsolve
from .autograd.ops.linalg_functions import vander as vander
from .autograd.ops.linalg_functions import vecdot as vecdot
from .autograd.ops.linalg_householder import householder_product as householder_product
from .autograd.ops.linalg_ldl import ldl_factor as ldl_factor
from .autograd.ops.linalg_ldl import ldl_factor_ex as ldl_factor_ex
from .autograd.ops.linalg_ldl import ldl_solve as ldl_solve
from .autograd.ops.linalg_least_squares import lstsq as lstsq
from .autograd.ops.linalg_lu import lu as lu
from .autograd.ops.linalg_lu import lu_factor as lu_factor
from .autograd.ops.linalg_lu import lu_factor_ex as lu_factor_ex
from .autograd.ops.linalg_lu import lu_solve as lu_solve
from .autograd.ops.linalg_norms import cond as cond
from .autograd.ops.linalg_norms import matrix_norm as matrix_norm
from .autograd.ops.linalg_norms import matrix_rank as matrix_rank
from .autograd.ops.linalg_norms import norm as norm
from .autograd.ops.linalg_norms import vector_norm as vector_norm
from .autograd.ops.linalg_solving import inv as inv
from .autograd.ops.linalg_solving import inv_ex as inv_ex
from .autograd.ops.linalg_solving import solve as solve
from .autograd.ops.linalg_solving import solve_ex as solve_ex
from .autograd.ops.linalg_solving import solve_triangular as solve_triangular
from .autograd.ops.product import matmul as matmul
from .backends.errors import LinAlgError as LinAlgError

_casting_in(globals())
