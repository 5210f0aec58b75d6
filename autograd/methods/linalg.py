"""Products, decompositions, solvers, and Fourier transforms of windows."""

from __future__ import annotations

from .. import ops


class LinalgMethods:
    """Products, decompositions, solvers, and Fourier transforms of windows."""

    __slots__ = ()

    __matmul__ = ops.matmul_operator
    __rmatmul__ = ops.rmatmul_operator
    addbmm = ops.addbmm
    addbmm_ = ops.addbmm_
    addmm = ops.addmm
    addmm_ = ops.addmm_
    addmv = ops.addmv
    addmv_ = ops.addmv_
    addr = ops.addr
    addr_ = ops.addr_
    baddbmm = ops.baddbmm
    baddbmm_ = ops.baddbmm_
    bmm = ops.bmm
    cholesky = ops.cholesky
    cholesky_inverse = ops.cholesky_inverse
    cholesky_solve = ops.cholesky_solve
    cross = ops.cross
    det = ops.det
    dot = ops.dot
    geqrf = ops.geqrf
    ger = ops.ger
    inner = ops.inner
    inverse = ops.inverse
    kron = ops.kron
    logdet = ops.logdet
    lu = ops.lu
    lu_solve = ops.lu_solve
    matmul = ops.matmul
    matrix_exp = ops.matrix_exp
    matrix_power = ops.matrix_power
    mm = ops.mm
    mv = ops.mv
    orgqr = ops.orgqr
    ormqr = ops.ormqr
    outer = ops.outer
    pinverse = ops.pinverse
    qr = ops.qr
    slogdet = ops.slogdet
    svd = ops.svd
    trace = ops.trace
    triangular_solve = ops.triangular_solve
    vdot = ops.vdot
    istft = ops.istft
    stft = ops.stft
