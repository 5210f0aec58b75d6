"""Reading and writing at positions, sorting: what ONNX's operators compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...nn import functional as F
from .importers import cast, imports, ints, number

if TYPE_CHECKING:
    from .reading import Node

__all__: list[str] = []


def _counted(index: Any, n: int) -> Any:
    """Positions counted from the beginning."""
    index = index.long()
    return ops.where(index < 0, index + n, index)


@imports("Gather")
def gather(node: Node, x: Any, index: Any) -> Any:
    """Slices at positions."""
    axis = node.get("axis", 0) % x.ndim
    places = _counted(index, x.shape[axis])
    if places.ndim == 1:
        return ops.index_select(x, axis, places)
    found = ops.index_select(x, axis, ops.reshape(places, (-1,)))
    return ops.reshape(found, (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]))


@imports("GatherElements")
def gather_elements(node: Node, x: Any, index: Any) -> Any:
    """A position for each element."""
    axis = node.get("axis", 0) % x.ndim
    return ops.gather(x, axis, _counted(index, x.shape[axis]))


@imports("GatherND")
def gather_nd(node: Node, x: Any, index: Any) -> Any:
    """Positions of several dimensions."""
    lead = node.get("batch_dims", 0)
    places = list(ops.unbind(index.long(), -1))
    ndim = places[0].ndim if places else 0
    own = []
    for a in range(lead):
        line = ops.arange(x.shape[a], device=x.device)
        own.append(ops.reshape(line, (*[1] * a, -1, *[1] * (ndim - a - 1))))
    return x[(*own, *places)]


@imports("ScatterElements Scatter")
def scatter_elements(node: Node, x: Any, index: Any, updates: Any) -> Any:
    """Written along one dimension."""
    axis, reduction = node.get("axis", 0) % x.ndim, node.get("reduction", "none")
    places = _counted(index, x.shape[axis])
    if reduction == "none":
        return ops.scatter(x, axis, places, updates)
    kind = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}[reduction]
    return ops.scatter_reduce(x, axis, places, updates, kind)


@imports("ScatterND")
def scatter_nd(node: Node, x: Any, index: Any, updates: Any) -> Any:
    """Written at positions of several dimensions."""
    places, reduction = tuple(ops.unbind(index.long(), -1)), node.get("reduction", "none")
    if reduction not in ("none", "add"):
        raise NotImplementedError(f"ScatterND with reduction {reduction!r}")
    return ops.index_put(x, places, updates, accumulate=reduction == "add")


@imports("OneHot")
def one_hot(node: Node, index: Any, depth: Any, values: Any) -> Any:
    """A dimension with one place on."""
    n, axis = int(number(depth)), node.get("axis", -1)
    places = ops.arange(n, device=index.device)
    on = ops.eq(ops.unsqueeze(_counted(index, n), -1), places)
    made = ops.where(on, values[1], values[0])
    return made if axis in (-1, index.ndim) else ops.movedim(made, -1, axis)


@imports("NonZero")
def nonzero(node: Node, x: Any) -> Any:
    """The positions of what is not zero."""
    return ops.nonzero(x).t()


@imports("Compress")
def compress(node: Node, x: Any, condition: Any) -> Any:
    """Slices where a condition holds."""
    axis = node.get("axis")
    rows, axis = (ops.reshape(x, (-1,)), 0) if axis is None else (x, axis % x.ndim)
    places = ops.nonzero(condition)[:, 0]
    return ops.index_select(rows, axis, places)


@imports("TopK")
def top_k(node: Node, x: Any, count: Any = None) -> Any:
    """The largest or least, and where they are."""
    k = node.get("k") if count is None else number(count)
    axis, largest = node.get("axis", -1), bool(node.get("largest", 1))
    values, places = ops.sort(x, dim=axis, descending=largest, stable=True)
    return ops.narrow(values, axis, 0, k), ops.narrow(places, axis, 0, k)


@imports("Unique")
def unique(node: Node, x: Any) -> Any:
    """Each value once, in order."""
    axis = node.get("axis")
    values, inverse, counts = ops.unique(x, True, True, True, axis)
    return values, counts, ops.reshape(inverse, (-1,)), counts


@imports("GridSample")
def grid_sample(node: Node, x: Any, grid: Any) -> Any:
    """Pixels at places between pixels."""
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(m := node.get("mode", "linear"), m)
    align = bool(node.get("align_corners", 0))
    return F.grid_sample(x, grid, mode, node.get("padding_mode", "zeros"), align)


@imports("AffineGrid")
def affine_grid(node: Node, theta: Any, size: Any) -> Any:
    """The places of a moved image."""
    return F.affine_grid(theta, ints(size), bool(node.get("align_corners", 0)))


@imports("Bernoulli")
def bernoulli(node: Node, x: Any) -> Any:
    """Zeros and ones, drawn."""
    return cast(ops.bernoulli(x), x.dtype)
