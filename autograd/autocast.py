"""Mixed precision: inside an ``autocast`` block, products run in 16 bits and what needs digits in float32.

Programs without such a block pay nothing: the first one that is entered puts a converting function in front of the
public functions that the tables below name, and of the methods of ``Tensor``. Outside of blocks these call straight
through.

References:
    P. Micikevicius et al., "Mixed precision training", ICLR 2018, arXiv:1710.03740.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..backends import kernels_of
from ..backends.dtypes import DType, float32, float64
from .base import TensorBase
from .grad_mode import mode
from .ops.cast import cast
from .subclass import placed

__all__ = ["Casting", "activate", "casting_in", "converted", "suspended"]

LOWER, FULL, WIDEST = "lower", "full", "widest"  # to the block's type; to float32; to the widest one that takes part

_PRODUCTS = (
    "matmul mm bmm addmm addbmm baddbmm einsum chain_matmul multi_dot vecdot linear prelu conv1d conv2d conv3d "
    "conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution scaled_dot_product_attention "
    "multi_head_attention_forward tensordot lstm_layer lstm_sequence rnn_sequence"
)
_LOSSES = (
    "binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy ctc_loss hinge_embedding_loss huber_loss "
    "kl_div l1_loss linear_cross_entropy margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss "
    "nll_loss poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss"
)
_CPU = (
    "adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d binary_cross_entropy cholesky cholesky_ex cholesky_inverse "
    "cholesky_solve cond eigh eigvalsh fractional_max_pool2d fractional_max_pool3d geqrf grid_sample "
    "grid_sampler_2d grid_sampler_3d householder_product inv inverse inv_ex lstsq lu lu_factor lu_solve max_pool3d "
    "max_unpool1d max_unpool2d max_unpool3d nanquantile ormqr pinverse polar qr quantile solve solve_ex stft svd "
    "svdvals tensorinv tensorsolve trace triangular_solve view_as_complex fft ifft fft2 ifft2 fftn ifftn rfft irfft "
    "rfft2 irfft2 rfftn irfftn hfft ihfft"
)
_CUDA_PRODUCTS = "mv addmv addr gru_layer"  # of the last cuDNN makes one call
_CUDA = (
    "__pow__ __rpow__ acos asin cosh cosine_similarity cumprod cumsum dist erfinv exp expm1 gelu group_norm "
    "layer_norm log log10 log1p log2 log_softmax logsumexp norm normalize nuclear_norm pdist pow reciprocal renorm "
    "rsqrt sinh softmax softmin softplus sum tan"
)
_MIXED = "addcdiv addcmul atan2 bilinear cross dot index_put scatter_add vdot"
_EVERYWHERE = f"{_LOSSES} cdist prod gru_sequence lstm_step gru_step rnn_step"


def _table(**policies: str) -> dict[str, str]:
    return {name: policy for policy, names in policies.items() for name in names.split()}


# What PyTorch's blocks do for each kind of device; a function that is in no table keeps the types it is given.
POLICIES: dict[str, dict[str, str]] = {
    "cpu": _table(lower=_PRODUCTS, full=f"{_EVERYWHERE} {_CPU} gru_layer"),
    "cuda": _table(lower=f"{_PRODUCTS} {_CUDA_PRODUCTS}", full=f"{_EVERYWHERE} {_CUDA}", widest=_MIXED),
}
NAMES = frozenset().union(*POLICIES.values())
OPERATORS = {"__matmul__": "matmul", "__rmatmul__": "matmul", "__pow__": "__pow__", "__rpow__": "__rpow__"}


class Casting:
    """The blocks that a thread is in.

    Attributes:
        dtypes: for each kind of device whose functions convert, the 16-bit type.
        cache: the converted parameters, by their identity; None where they are not kept.
        depth: how many blocks there are around.
        chosen: for each kind of device, the type that a new block takes, where that is not the usual one.
    """

    __slots__ = ("cache", "chosen", "depth", "dtypes")

    def __init__(
        self,
        dtypes: Mapping[str, DType],
        cache: dict[int, tuple[Any, Any]] | None,
        depth: int,
        chosen: Mapping[str, DType],
    ) -> None:
        self.dtypes, self.cache, self.depth, self.chosen = dtypes, cache, depth, chosen

    def lowered(self, tensor: Any, dtype: DType) -> Any:
        """``tensor`` in the block's type. A parameter is converted once a block, and its gradient added up once."""
        kept = self.cache is not None and tensor._rg and tensor._edge is None and tensor._view is None and mode.grad
        if kept and id(tensor) in self.cache:  # type: ignore[operator]
            return self.cache[id(tensor)][1]  # type: ignore[index]
        result = cast(tensor, dtype.dtype)
        if kept:
            self.cache[id(tensor)] = tensor, result  # type: ignore[index]
        return result


_namespaces: list[dict[str, Any]] = []
_state = {"active": False}


def casting_in(namespace: dict[str, Any]) -> None:
    """Let the functions of a module's namespace take part."""
    _namespaces.append(namespace)
    if _state["active"]:
        _wrap(namespace)


def activate(tensor: Any) -> None:
    """Put the converting functions in their places, unless they are there; ``tensor`` is the class of tensors."""
    if _state["active"]:
        return
    _state["active"] = True
    for namespace in _namespaces:
        _wrap(namespace)
    for name in [*NAMES, *OPERATORS]:
        method = getattr(tensor, name, None)
        if isinstance(method, types.FunctionType):
            setattr(tensor, name, _converting(method, OPERATORS.get(name, name)))


def _wrap(namespace: dict[str, Any]) -> None:
    for name in NAMES:
        if isinstance(namespace.get(name), types.FunctionType):
            namespace[name] = placed(_converting(namespace[name], name), namespace, name)


_made: dict[Any, Callable[..., Any]] = {}  # one converting function for each, wherever it is found


def _converting(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    if function in _made.values():
        return function
    if function not in _made:

        @functools.wraps(function)
        def convert_first(*args: Any, **kwargs: Any) -> Any:
            casting = mode.casting
            if casting is None or mode.reattach:  # a gradient's rule works in the types of what it was saved
                return function(*args, **kwargs)
            args, kwargs = converted(casting, name, args, kwargs)
            with suspended():  # what the function itself calls keeps the types that it chose
                return function(*args, **kwargs)

        _made[function] = convert_first
    return _made[function]


def converted(casting: Casting, name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments in the types that the function ``name`` works in."""
    found = [t for t in _tensors((args, kwargs)) if t._data.dtype.kind in "fV" and t._data.dtype.itemsize < 8]
    if not found:
        return args, kwargs
    kind = kernels_of[type(found[0]._data)].backend.name
    policy = POLICIES.get(kind, POLICIES["cuda"]).get(name)
    if kind not in casting.dtypes or policy is None:
        return args, kwargs
    if policy == LOWER:
        dtype = casting.dtypes[kind]
    elif policy == WIDEST and not any(t._data.dtype == float32.dtype for t in found):
        return args, kwargs
    else:
        dtype = float32

    def change(value: Any) -> Any:
        if isinstance(value, TensorBase):
            own = value._data.dtype
            if own.kind not in "fV" or own.itemsize == float64.itemsize or own == dtype.dtype:
                return value
            return casting.lowered(value, dtype) if policy == LOWER else cast(value, dtype.dtype)
        if type(value) in (list, tuple):
            return type(value)([change(v) for v in value])
        return value

    return tuple([change(a) for a in args]), {key: change(value) for key, value in kwargs.items()}


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, TensorBase):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))


@contextmanager
def suspended() -> Iterator[None]:
    """A stretch in which nothing is converted."""
    before, mode.casting = mode.casting, None
    try:
        yield
    finally:
        mode.casting = before
