"""What may be written in place, and with what: views, leaves, shared elements and element types."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..backends.errors import DTypeError, InplaceError
from .base import edge_of
from .grad_mode import INFERENCE, mode

if TYPE_CHECKING:
    from .inplace import View

MANY_VIEWS = (
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views "
    "to be modified inplace. You should replace the inplace operation by an out-of-place one."
)


CUSTOM_VIEW = (
    "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to "
    "handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect "
    "gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function."
)


def check_writable(tensor: Any, op: str, joins: bool = False) -> None:
    """Raise unless ``tensor`` may be written in place now.

    Args:
        tensor: what is to be overwritten.
        op: the method's name, for messages.
        joins: whether the value to be written requires grad.

    Raises:
        InplaceError: it is a leaf that requires grad (or a view of one), one of several views that an op returned,
            an inference tensor, or an expanded tensor whose elements share memory.
    """
    version = tensor._ver
    if version is INFERENCE and mode.fresh is not INFERENCE:
        raise InplaceError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            f"normal tensor before doing inplace update. ({op}: clone() it)"
        )
    if mode.grad:
        view = tensor._view
        if view is None:
            if tensor._rg and tensor._edge is None:
                tense = "has been" if op == "mark_dirty" else "is being"
                what = "a view of a leaf" if op == "__setitem__" else "a leaf"
                raise InplaceError(
                    f"{what} Variable that requires grad {tense} used in an in-place operation. "
                    f"({op}: write under no_grad, or out of place: x = x + y)"
                )
        elif joins or tensor._rg or view.base._rg:
            _check_view(tensor, view, op)
    check_single(op, tensor._data)


# These write nothing, or one number everywhere.
HARMLESS = frozenset(("t_", "transpose_", "squeeze_", "unsqueeze_", "zeros", "ones", "full"))
SPARING = frozenset(("index_fill_", "index_put_", "masked_fill_"))  # may write elements in one place, with a warning


def check_single(op: str, data: Any) -> None:
    """Raise if elements of an expanded array, about to be written, share memory."""
    if (
        data.size > 1
        and 0 in data.strides
        and any(s == 0 and n > 1 for s, n in zip(data.strides, data.shape, strict=True))
    ):
        if op in HARMLESS:
            return
        if op in SPARING:
            warnings.warn(
                f"Use of {op} on expanded tensors is deprecated. Please clone() the tensor before performing this "
                "operation. This also applies to advanced indexing, for example tensor[indices] = value",
                stacklevel=4,
            )
            return
        raise InplaceError(
            f"{op}: unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation"
        )


def _check_view(tensor: Any, view: View, op: str) -> None:
    """Raise unless a view that has to do with gradients may be written."""
    base = view.base
    if (base._rg and base._edge is None) or edge_of(tensor) is tensor:
        raise InplaceError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation. "
            f"({op}: write under no_grad, or to a clone() of the leaf)"
        )
    if view.steps is None:
        raise InplaceError(f"{view.place} is a view and is being modified inplace. {CUSTOM_VIEW}")
    for prim, _, index in view.steps:
        if prim.views_many:
            raise InplaceError(
                f"Output {index} of {prim.__name__} is a view and is being modified inplace. {MANY_VIEWS} "
                f"({op}: or write to a clone(), or index the tensor instead)"
            )
    if not view.recorded:
        raise InplaceError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
            "use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view "
            "and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or "
            f"both outside (if you want the inplace to be tracked). ({op})"
        )


_VALUEWISE = """
    abs absolute arcsin arcsinh arctan arctanh asin asinh atan atanh ceil deg2rad erf erfinv expm1 floor frac log1p
    nan_to_num rad2deg relu round sgn sign sin sinh sqrt square tan tanh trunc
"""


VALUEWISE = frozenset(f"{name}_" for name in _VALUEWISE.split())  # wrong for values that are parts of a sum


def check_coalesced(op: str, pattern: Any) -> None:
    """Raise unless a sparse tensor may be overwritten by a function of its values that does not add up."""
    if not pattern.coalesced and op in VALUEWISE:
        raise InplaceError(f"{op} requires coalesced input: out of place, or after x = x.coalesce()")


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}


def check_cast(op: str, source: Any, target: Any) -> None:
    """Raise unless values of one element type may be written to another: never to a lower kind."""
    if _RANK[source.kind] > _RANK[target.kind]:
        raise DTypeError(
            f"{op}: result type {source.name} can't be cast to the desired output type {target.name}; "
            "convert the tensor first, or write out of place"
        )
