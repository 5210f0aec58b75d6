"""wengert's tensors behind the Python array API standard, version 2024.12.

A library that is written for the standard asks an array for its namespace, ``x.__array_namespace__()``, and finds this
module: the standard's functions under its names and signatures, on tensors, so that gradients flow through them. Each
is a thin cover of an operation of wengert's. Tensors are PyTorch's in what their operators and methods mean;
`docs/array_api.md` lists where that departs from the standard's arrays.

Example:
    >>> import wengert as wg
    >>> x = wg.tensor([3.0, 4.0], requires_grad=True)
    >>> xp = x.__array_namespace__()
    >>> xp.linalg.vector_norm(x, axis=0, keepdims=True)
    tensor([5.], grad_fn=<LinalgVectorNormBackward0>)

References:
    Consortium for Python Data API Standards, "Python array API standard", 2024.12,
    https://data-apis.org/array-api/2024.12
"""

from __future__ import annotations

import math as _math

from ..backends.dtypes import bool_ as bool
from ..backends.dtypes import complex64 as complex64
from ..backends.dtypes import complex128 as complex128
from ..backends.dtypes import float32 as float32
from ..backends.dtypes import float64 as float64
from ..backends.dtypes import int8 as int8
from ..backends.dtypes import int16 as int16
from ..backends.dtypes import int32 as int32
from ..backends.dtypes import int64 as int64
from ..backends.dtypes import uint8 as uint8
from ..backends.dtypes import uint16 as uint16
from ..backends.dtypes import uint32 as uint32
from ..backends.dtypes import uint64 as uint64
from . import creation, elementwise, manipulation, products, promotion, reductions, searching
from . import fft as fft
from . import linalg as linalg
from .creation import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .info import ArrayNamespaceInfo as _Info
from .manipulation import *  # noqa: F403
from .products import *  # noqa: F403
from .promotion import *  # noqa: F403
from .reductions import *  # noqa: F403
from .searching import *  # noqa: F403

__array_api_version__ = "2024.12"

e, inf, nan, newaxis, pi = _math.e, _math.inf, _math.nan, None, _math.pi


def __array_namespace_info__() -> _Info:
    """What there is here: devices, element types and abilities."""
    return _Info()


__all__ = [
    "__array_api_version__",
    "__array_namespace_info__",
    "bool",
    "complex64",
    "complex128",
    "e",
    "fft",
    "float32",
    "float64",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "linalg",
    "nan",
    "newaxis",
    "pi",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    *creation.__all__,
    *elementwise.__all__,
    *manipulation.__all__,
    *products.__all__,
    *promotion.__all__,
    *reductions.__all__,
    *searching.__all__,
]
