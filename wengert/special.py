"""Special functions, under PyTorch's names."""

from __future__ import annotations

from .autograd.ops.activation import expit as expit
from .autograd.ops.bessel import airy_ai as airy_ai
from .autograd.ops.bessel import bessel_j0 as bessel_j0
from .autograd.ops.bessel import bessel_j1 as bessel_j1
from .autograd.ops.bessel import bessel_y0 as bessel_y0
from .autograd.ops.bessel import bessel_y1 as bessel_y1
from .autograd.ops.bessel import i0 as i0
from .autograd.ops.bessel import i0e as i0e
from .autograd.ops.bessel import i1 as i1
from .autograd.ops.bessel import i1e as i1e
from .autograd.ops.bessel import modified_bessel_k0 as modified_bessel_k0
from .autograd.ops.bessel import modified_bessel_k1 as modified_bessel_k1
from .autograd.ops.bessel import scaled_modified_bessel_k0 as scaled_modified_bessel_k0
from .autograd.ops.bessel import scaled_modified_bessel_k1 as scaled_modified_bessel_k1
from .autograd.ops.bessel import spherical_bessel_j0 as spherical_bessel_j0
from .autograd.ops.exponential import exp2 as exp2
from .autograd.ops.exponential import expm1 as expm1
from .autograd.ops.exponential import log1p as log1p
from .autograd.ops.polynomials import chebyshev_polynomial_t as chebyshev_polynomial_t
from .autograd.ops.polynomials import chebyshev_polynomial_u as chebyshev_polynomial_u
from .autograd.ops.polynomials import chebyshev_polynomial_v as chebyshev_polynomial_v
from .autograd.ops.polynomials import chebyshev_polynomial_w as chebyshev_polynomial_w
from .autograd.ops.polynomials import hermite_polynomial_h as hermite_polynomial_h
from .autograd.ops.polynomials import hermite_polynomial_he as hermite_polynomial_he
from .autograd.ops.polynomials import laguerre_polynomial_l as laguerre_polynomial_l
from .autograd.ops.polynomials import legendre_polynomial_p as legendre_polynomial_p
from .autograd.ops.polynomials import shifted_chebyshev_polynomial_t as shifted_chebyshev_polynomial_t
from .autograd.ops.polynomials import shifted_chebyshev_polynomial_u as shifted_chebyshev_polynomial_u
from .autograd.ops.polynomials import shifted_chebyshev_polynomial_v as shifted_chebyshev_polynomial_v
from .autograd.ops.polynomials import shifted_chebyshev_polynomial_w as shifted_chebyshev_polynomial_w
from .autograd.ops.reduction import logsumexp as logsumexp
from .autograd.ops.rounding import round as round
from .autograd.ops.softmax import log_softmax as log_softmax
from .autograd.ops.softmax import softmax as softmax
from .autograd.ops.special import digamma as digamma
from .autograd.ops.special import entr as entr
from .autograd.ops.special import erf as erf
from .autograd.ops.special import erfc as erfc
from .autograd.ops.special import erfcx as erfcx
from .autograd.ops.special import erfinv as erfinv
from .autograd.ops.special import gammainc as gammainc
from .autograd.ops.special import gammaincc as gammaincc
from .autograd.ops.special import gammaln as gammaln
from .autograd.ops.special import log_ndtr as log_ndtr
from .autograd.ops.special import logit as logit
from .autograd.ops.special import multigammaln as multigammaln
from .autograd.ops.special import ndtr as ndtr
from .autograd.ops.special import ndtri as ndtri
from .autograd.ops.special import polygamma as polygamma
from .autograd.ops.special import psi as psi
from .autograd.ops.special import sinc as sinc
from .autograd.ops.special import xlog1py as xlog1py
from .autograd.ops.special import xlogy as xlogy
from .autograd.ops.special import zeta as zeta

modified_bessel_i0, modified_bessel_i1 = i0, i1
