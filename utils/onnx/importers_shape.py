"""Shapes, slices, joining and sizes: what ONNX's operators compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd import ops
from ...nn import functional as F
from .importers import Frame, axes_of, imports, ints, number, tensor
from .types import dtype_of

if TYPE_CHECKING:
    from .reading import Node

__all__: list[str] = []


@imports("Shape")
def shape(node: Node, x: Any) -> Any:
    """The sizes, from one dimension to another."""
    sizes = list(x.shape)[slice(node.get("start", 0), node.get("end"))]
    return tensor(np.array(sizes, dtype="int64"), x)


@imports("Size")
def size(node: Node, x: Any) -> Any:
    """The number of elements."""
    return tensor(np.array(math.prod(x.shape), dtype="int64"), x)


@imports("Reshape")
def reshape(node: Node, x: Any, shape: Any = None) -> Any:
    """Another shape; 0 keeps a size, and -1 is what is left."""
    sizes = node.get("shape") if shape is None else ints(shape) if shape.ndim else []
    if not node.get("allowzero", 0):
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return ops.reshape(x, tuple(sizes))


@imports("Flatten")
def flatten(node: Node, x: Any) -> Any:
    """Two dimensions."""
    axis = node.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return ops.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@imports("Transpose")
def transpose(node: Node, x: Any) -> Any:
    """Another order of dimensions."""
    return ops.permute(x, tuple(node.get("perm", list(range(x.ndim))[::-1])))


@imports("Squeeze")
def squeeze(node: Node, x: Any, axes: Any = None) -> Any:
    """Dimensions of size 1 taken away."""
    found = axes_of(node, x, axes)
    return ops.squeeze(x) if found is None else ops.squeeze(x, tuple(found))


@imports("Unsqueeze")
def unsqueeze(node: Node, x: Any, axes: Any = None) -> Any:
    """New dimensions of size 1."""
    found = node.get("axes") if axes is None else ints(axes)
    ndim = x.ndim + len(found)
    for axis in sorted([a % ndim for a in found]):
        x = ops.unsqueeze(x, axis)
    return x


@imports("Expand")
def expand(node: Node, x: Any, shape: Any) -> Any:
    """Repeated to a shape, or to what the two broadcast to."""
    sizes = ints(shape) if shape.numel() else []
    return ops.broadcast_to(x, np.broadcast_shapes(tuple(x.shape), tuple(sizes)))


@imports("Tile")
def tile(node: Node, x: Any, reps: Any) -> Any:
    """The whole so many times."""
    return ops.tile(x, tuple(ints(reps)))


@imports("Concat")
def concat(node: Node, *inputs: Any) -> Any:
    """One after the other."""
    return ops.cat(list(inputs), node.get("axis", 1))


@imports("Split")
def split(node: Node, x: Any, sizes: Any = None) -> Any:
    """Parts of a dimension."""
    axis = node.get("axis", 0)
    lengths = node.get("split") if sizes is None else ints(sizes)
    if lengths is None:
        count = node.get("num_outputs", len(node.outputs))
        each = -(-x.shape[axis] // count)
        lengths = [min(each, x.shape[axis] - i * each) for i in range(count)]
    return tuple(ops.split(x, lengths, axis))


@imports("Slice")
def slice_(node: Node, x: Any, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None) -> Any:
    """Part of some dimensions, perhaps the other way round."""
    first = node.get("starts") if starts is None else ints(starts)
    last = node.get("ends") if ends is None else ints(ends)
    dims = axes_of(node, x, axes) or list(range(len(first)))
    strides = [1] * len(first) if steps is None else ints(steps)
    for a, start, stop, step in zip(dims, first, last, strides, strict=True):
        n = x.shape[a]
        if step > 0:
            x = x[(slice(None),) * a + (slice(*slice(start, stop, step).indices(n)),)]
            continue
        places = range(*slice(start, stop if stop >= -n else None, step).indices(n))
        x = ops.index_select(x, a, tensor(np.array(places, dtype="int64"), x))
    return x


@imports("Pad")
def pad(node: Node, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    """Elements added around, or taken away."""
    amounts = node.get("pads") if pads is None else ints(pads)
    mode, number_ = node.get("mode", "constant"), number(value, node.get("value", 0.0))
    dims = list(range(x.ndim)) if axes is None else [a % x.ndim for a in ints(axes)]
    pairs = [(0, 0)] * x.ndim
    for i, a in enumerate(dims):
        pairs[a] = amounts[i], amounts[i + len(dims)]
    if mode == "constant":
        first = next((i for i, p in enumerate(pairs) if p != (0, 0)), x.ndim)
        flat = [n for pair in reversed(pairs[first:]) for n in pair]
        return F.pad(x, flat, value=number_) if flat else x
    for a, (before, after) in enumerate(pairs):  # positions of each dimension by itself
        if before or after:
            kind = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}[mode]
            places = np.pad(np.arange(x.shape[a]), (before, after), mode=kind)  # type: ignore[call-overload]
            x = ops.index_select(x, a, tensor(places.astype("int64"), x))
    return x


@imports("ConstantOfShape")
def constant_of_shape(node: Node, shape: Any) -> Any:
    """One number everywhere."""
    value = np.array(node.get("value", np.zeros(1, dtype="float32"))).reshape(())
    sizes = ints(shape) if shape.numel() else []
    return ops.expand(tensor(value, shape), tuple(sizes)).clone() if sizes else tensor(value, shape)


@imports("Range")
def range_(node: Node, start: Any, limit: Any, delta: Any) -> Any:
    """Numbers at equal distances."""
    return ops.arange(number(start), number(limit), number(delta), dtype=start.dtype, device=start.device)


@imports("EyeLike")
def eye(node: Node, x: Any) -> Any:
    """Ones on a diagonal."""
    rows, columns = x.shape
    kind = x.dtype if node.get("dtype") is None else dtype_of(node.get("dtype"))
    places = np.eye(rows, columns, node.get("k", 0))
    return ops.to(tensor(places, x), dtype=kind)


@imports("Trilu")
def trilu(node: Node, x: Any, k: Any = None) -> Any:
    """Above or below a diagonal."""
    return (ops.triu if node.get("upper", 1) else ops.tril)(x, number(k, 0))


@imports("DepthToSpace")
def depth_to_space(node: Node, x: Any) -> Any:
    """Channels as pixels."""
    b, (n, c, h, w) = node.get("blocksize"), x.shape
    if node.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, b)
    y = ops.permute(ops.reshape(x, (n, b, b, c // (b * b), h, w)), (0, 3, 4, 1, 5, 2))
    return ops.reshape(y, (n, c // (b * b), h * b, w * b))


@imports("SpaceToDepth")
def space_to_depth(node: Node, x: Any) -> Any:
    """Pixels as channels."""
    b, (n, c, h, w) = node.get("blocksize"), x.shape
    y = ops.permute(ops.reshape(x, (n, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
    return ops.reshape(y, (n, c * b * b, h // b, w // b))


@imports("RandomNormal RandomUniform RandomNormalLike RandomUniformLike")
def random(node: Node, like: Any = None) -> Any:
    """Numbers that are drawn in every run."""
    sizes = tuple(node.get("shape")) if like is None else tuple(like.shape)
    kind = None if node.get("dtype") is None else dtype_of(node.get("dtype"))
    if node.kind.startswith("RandomNormal"):
        made = ops.randn(*sizes) * node.get("scale", 1.0) + node.get("mean", 0.0)
    else:
        low, high = node.get("low", 0.0), node.get("high", 1.0)
        made = ops.rand(*sizes) * (high - low) + low
    return made if kind is None else ops.to(made, dtype=kind)


# ---------------------------------------------------------------------- graphs in graphs


@imports("If")
def if_(node: Node, condition: Any, frame: Frame) -> Any:
    """One graph or the other."""
    return frame.subgraph(node.get("then_branch" if bool(condition) else "else_branch"), node.opset)


@imports("Loop")
def loop(node: Node, count: Any = None, condition: Any = None, *carried: Any, frame: Frame) -> Any:
    """A graph so many times, or while a condition holds."""
    most, state, going = number(count), list(carried), condition is None or bool(condition)
    rows: list[list[Any]] = [[] for _ in range(len(node.outputs) - len(carried))]
    i = 0
    while going and (most is None or i < most):
        step = tensor(np.array(i, dtype="int64"), None)
        kept, *made = frame.subgraph(node.get("body"), node.opset, (step, tensor(np.array(True), None), *state))
        going, state = bool(kept), made[: len(carried)]
        for row, value in zip(rows, made[len(carried) :], strict=True):
            row.append(value)
        i += 1
    return (*state, *[ops.stack(row) for row in rows])


@imports("SequenceConstruct")
def sequence(node: Node, *inputs: Any) -> Any:
    """Several tensors as one value."""
    return list(inputs)


@imports("SequenceAt")
def sequence_at(node: Node, values: Any, index: Any) -> Any:
    """One of several."""
    return values[number(index)]


@imports("SplitToSequence")
def split_to_sequence(node: Node, x: Any, sizes: Any = None) -> Any:
    """Parts of a dimension as one value."""
    axis = node.get("axis", 0)
    parts = ops.split(x, 1 if sizes is None else number(sizes) if not sizes.ndim else ints(sizes), axis)
    return [p.squeeze(axis) for p in parts] if sizes is None and not node.get("keepdims", 1) else list(parts)


@imports("ConcatFromSequence")
def concat_from_sequence(node: Node, values: Any) -> Any:
    """Several as one."""
    return (ops.stack if node.get("new_axis", 0) else ops.cat)(values, node.get("axis"))
