"""Embeddings: rows of a table, looked up by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import TensorBase
from ..inplace import wrote
from ..primitive import Primitive, apply

if TYPE_CHECKING:
    from ..tensor import Tensor


class Embedding(Primitive):
    """Rows of ``w``; ``padding`` and ``by_frequency`` matter to the gradient only."""

    @staticmethod
    def forward(ctx: Any, w: Any, index: Any, *, padding: int, by_frequency: bool) -> Any:
        ctx.save(index)
        ctx.info = w.shape[0]
        return ctx.k.embedding(w, index)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(EmbeddingGrad, g, ctx.saved_arrays[0], n=ctx.info, **ctx.params), None


class EmbeddingGrad(Primitive):
    """Rows added to where they were looked up: the adjoint of `Embedding`."""

    @staticmethod
    def forward(ctx: Any, g: Any, index: Any, *, n: int, padding: int, by_frequency: bool) -> Any:
        ctx.save(index)
        return ctx.k.embedding_grad(g, index, n, padding, by_frequency)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,) = ctx.saved_arrays
        rows = apply(Embedding, g, index, padding=-1, by_frequency=False)
        p = ctx.params
        if p["padding"] >= 0:
            rows = rows * (index != p["padding"])[..., None]
        if p["by_frequency"]:
            rows = rows / _times(ctx.k, index, p["n"])[..., None]
        return rows, None


class SparseEmbedding(Embedding):
    """`Embedding` with a sparse gradient: of the rows that were looked up, as often as they were."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        from ..sparse.lookup import rows_of

        if ctx.params["by_frequency"]:
            raise ArgumentError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")
        return rows_of(g, ctx.saved_arrays[0], ctx.info, ctx.params["padding"]), None


SparseEmbedding.node_type.__name__ = "EmbeddingBackward0"


def _times(k: Any, index: Any, n: int) -> Any:
    """How often each of the looked-up rows was looked up."""
    return k.take(k.bincount(index.reshape(-1), minlength=n), index)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of ``weight``, one per index.

    Args:
        input: indices of any shape, int64 or int32.
        weight: (number of embeddings, their size).
        padding_idx: a row that receives no gradient; negative numbers count from the end.
        max_norm: rows that are looked up and longer than this are scaled down to it first, in place.
        norm_type: which norm that is.
        scale_grad_by_freq: divide each row's gradient by how often the row was looked up.
        sparse: the gradient of ``weight`` is of layout ``sparse_coo``: an element for each index.

    Returns:
        The input's shape and one dimension more.

    Raises:
        IndexError: an index out of range. RuntimeError: indices that are no integers.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.embedding(wg.tensor([2, 0]), wg.tensor([[0.0], [1.0], [2.0]]))
        tensor([[2.],
                [0.]])
    """
    for name, value in (("indices", input), ("weight", weight)):
        if not isinstance(value, TensorBase):
            raise TypeError(f"embedding(): argument '{name}' must be Tensor, not {type(value).__name__}")
    index, w = input._data, weight._data
    if index.dtype.name not in ("int64", "int32"):
        raise DTypeError(
            "embedding: Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, "
            f"Int; but got {input.type()} instead (while checking arguments for embedding); convert with .long()"
        )
    if w.ndim != 2:
        raise ShapeError(f"embedding: 'weight' must be 2-D, but its shape is {list(w.shape)}")
    padding = -1
    if padding_idx is not None:
        padding = padding_idx + w.shape[0] if padding_idx < 0 else padding_idx
        if not 0 <= padding < w.shape[0]:
            raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {w.shape[0]}")
    if max_norm is not None:
        renormalise(weight, input, max_norm, norm_type)
    lookup = SparseEmbedding if sparse else Embedding
    return apply(lookup, weight, input, padding=padding, by_frequency=scale_grad_by_freq)


def renormalise(weight: Any, indices: Any, max_norm: float, norm_type: float) -> Any:
    """Scale the rows of ``weight`` that are looked up and longer than ``max_norm`` down to it, in place."""
    w, index = weight._data, indices._data
    k = kernels_of[type(w)]
    k.embedding(w, index)  # an index out of range must raise before anything is written
    k.renormalise_rows_(w, index, max_norm, norm_type)
    wrote(weight, "embedding_renorm_")
    return weight
