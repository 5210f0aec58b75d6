"""Multi-head attention as one function, and the Gumbel softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.call_site import warn
from ...backends.errors import DTypeError, ShapeError
from ..base import wrap
from .arithmetic import add, mul
from .attention import scaled_dot_product_attention
from .dims import canonical_dim
from .dropout import dropout
from .expansion import expand_rule
from .join import cat
from .linear import linear
from .padding import pad
from .product import bmm_rule
from .random import draw
from .reduction import mean_rule
from .shape import permute_rule, reshape_rule
from .size import Size
from .softmax import softmax

if TYPE_CHECKING:
    from ..tensor import Tensor


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of a categorical distribution that gradients pass through: ``softmax((logits + noise) / tau)``.

    Args:
        logits: unnormalised log-probabilities.
        tau: temperature; small values give nearly one-hot samples.
        hard: return one-hot samples, with the gradient of the soft ones.
        eps: PyTorch's, without effect.
        dim: the dimension of the classes.

    References:
        E. Jang, S. Gu, B. Poole, "Categorical reparameterization with Gumbel-softmax", arXiv:1611.01144.
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    x = logits._data
    if x.dtype.kind not in "fV":
        raise DTypeError(
            f"gumbel_softmax is not implemented for '{x.dtype.name}'; convert first, for example with .float()"
        )
    k, axis = kernels_of[type(x)], canonical_dim(dim, x.ndim, "gumbel_softmax")
    noise = k.log(draw("random_exponential", None, logits.device, x.shape, x.dtype)) * -1
    soft = softmax((logits + wrap(k.asarray(noise, dtype=x.dtype))) / tau, axis)
    if not hard:
        return soft
    if not x.ndim:  # one class
        return add(soft, wrap(k.asarray(1 - soft._data, dtype=x.dtype)))
    top = k.expand_dims(k.argmax(soft._data, axis=axis), axis)
    places = k.arange(x.shape[axis]).reshape([-1 if d == axis else 1 for d in range(x.ndim)])
    one_hot = (places == top).astype(x.dtype)
    # The value is the one-hot sample's, the gradient the soft sample's.
    return add(soft, wrap(one_hot - soft._data))


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `wengert.nn.MultiheadAttention` computes, with its parameters as arguments.

    Args:
        query: (L, N, E) or (L, E).
        key: (S, N, E) or (S, E).
        value: likewise.
        embed_dim_to_check: E.
        num_heads: into how many heads E is divided.
        in_proj_weight: the three projections in one, (3 E, E) and (3 E).
        in_proj_bias: likewise.
        bias_k: one more key and value, (1, 1, E), or None.
        bias_v: likewise.
        add_zero_attn: one more key and value of zeros.
        dropout_p: dropout of the weights.
        training: likewise.
        out_proj_weight: the last projection.
        out_proj_bias: likewise.
        key_padding_mask: keys to leave out, (N, S) or (S): True, or a number to add.
        need_weights: return the weights too; otherwise the fused attention is used.
        attn_mask: (L, S) or (N * heads, L, S): True leaves out, or a number to add.
        use_separate_proj_weight: the three projections apart.
        q_proj_weight: likewise.
        k_proj_weight: likewise.
        v_proj_weight: likewise.
        static_k: projected keys and values, (N * heads, S, head size).
        static_v: likewise.
        average_attn_weights: return the mean of the heads' weights.
        is_causal: a hint that ``attn_mask`` is the causal mask.

    Returns:
        (L, N, E) and the weights (N, L, S), (N, heads, L, S) or None; without N where the inputs had none.

    Raises:
        RuntimeError: shapes do not fit.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask)
    if not batched:
        _check_unbatched(attn_mask, (num_heads, query._data.shape[0], key._data.shape[0]))
        query, key, value = (_with_batch(t) for t in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else _with_batch(key_padding_mask, 0)
    length, n, e = query._data.shape
    head = e // num_heads
    if e != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {e}")
    if head * num_heads != e:
        raise AssertionError(f"embed_dim {e} not divisible by num_heads {num_heads}")
    _check_sizes(query, key, value, use_separate_proj_weight)
    if is_causal and attn_mask is None:
        raise ShapeError("multi_head_attention_forward: Need attn_mask if specifying the is_causal hint.")
    # The hint takes the mask's place where nothing else is masked, and no keys are added, which all queries see.
    is_causal = is_causal and key_padding_mask is None and not need_weights and bias_k is None and not add_zero_attn
    attn_mask = None if is_causal else attn_mask
    _check_mask(attn_mask, (length, key._data.shape[0]), n * num_heads)
    _check_padding(key_padding_mask, (n, key._data.shape[0]))
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _projected((query, key, value), in_proj_weight, in_proj_bias, separate)
    if attn_mask is not None and key_padding_mask is not None:
        kinds = [t._data.dtype.kind == "b" for t in (attn_mask, key_padding_mask)]
        if kinds[0] != kinds[1]:
            warn("Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead.")
    mask = _additive(attn_mask, q._data.dtype)
    padding = _additive(key_padding_mask, q._data.dtype)
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError(f"bias cannot be added to static {'value' if static_k is None else 'key'}.")
        k, v = (cat([t, expand_rule(b, (1, n, e))], 0) for t, b in ((k, bias_k), (v, bias_v)))
        mask, padding = _one_more(mask), _one_more(padding)
    q = _heads(q, num_heads)
    k = _heads(k, num_heads) if static_k is None else reshape_rule(static_k, (n, num_heads, -1, head))
    v = _heads(v, num_heads) if static_v is None else reshape_rule(static_v, (n, num_heads, -1, head))
    if add_zero_attn:
        k, v = (pad(t, (0, 0, 0, 1)) for t in (k, v))
        mask, padding = _one_more(mask), _one_more(padding)
    bias = _combined(mask, padding, n, num_heads, length)
    y, shares = _attended(q, k, v, bias, dropout_p if training else 0.0, need_weights, is_causal)
    y = linear(reshape_rule(permute_rule(y, (2, 0, 1, 3)), (length, n, e)), out_proj_weight, out_proj_bias)
    if shares is not None and average_attn_weights:
        shares = mean_rule(shares, (1,))
    if batched:
        return y, shares
    return reshape_rule(y, (length, e)), None if shares is None else reshape_rule(shares, shares._data.shape[1:])


def _is_batched(query: Any, key: Any, value: Any, padding: Any, mask: Any) -> bool:
    """Whether the inputs have a batch, all of them or none."""
    dims, k, v = (t._data.ndim for t in (query, key, value))
    if dims not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor")
    kind = f"For {'batched' if dims == 3 else 'unbatched'} ({dims}-D) `query`, expected"
    if k != dims or v != dims:
        raise AssertionError(f"{kind} `key` and `value` to be {dims}-D but found {k}-D and {v}-D tensors respectively")
    for name, t, wanted in (("key_padding_mask", padding, (dims - 1,)), ("attn_mask", mask, (2, 3))):
        if t is not None and t._data.ndim not in wanted:
            forms = "`None`, 2-D or 3-D" if len(wanted) > 1 else f"`None` or {wanted[0]}-D"
            raise AssertionError(f"{kind} `{name}` to be {forms} but found {t._data.ndim}-D tensor instead")
    return dims == 3


def _check_unbatched(mask: Any, shape: tuple[int, int, int]) -> None:
    """Check the mask (heads, L, S) of inputs without a batch."""
    if mask is not None and mask._data.ndim == 3 and mask._data.shape != shape:
        raise AssertionError(f"Expected `attn_mask` shape to be {shape} but got {tuple(mask._data.shape)}")


def _check_sizes(query: Any, key: Any, value: Any, separate: bool) -> None:
    """Check that key and value fit each other, and that all have the same batch."""
    q, k, v = (t._data.shape for t in (query, key, value))
    if separate and k[:2] != v[:2]:
        raise AssertionError(f"key's sequence and batch dims {Size(k[:2])} do not match value's {Size(v[:2])}")
    if not separate and k != v:
        raise AssertionError(f"key shape {Size(k)} does not match value shape {Size(v)}")
    if k[1] != q[1]:
        raise ShapeError(
            f"multi_head_attention_forward: the query {list(q)} has a batch of {q[1]}, and the keys {list(k)} have one "
            f"of {k[1]}; without batch_first it is the second dimension"
        )


def _check_mask(mask: Any, shape: tuple[int, int], heads: int) -> None:
    """Check the mask (L, S) or (N * heads, L, S)."""
    if mask is None:
        return
    m = mask._data
    if m.dtype.kind in "iuc":
        raise AssertionError("only bool and floating types of attn_mask are supported")
    wanted = shape if m.ndim == 2 else (heads, *shape)
    if m.shape != wanted:
        raise ShapeError(f"The shape of the {m.ndim}D attn_mask is {Size(m.shape)}, but should be {wanted}.")


def _check_padding(mask: Any, shape: tuple[int, int]) -> None:
    """Check the mask of keys (N, S)."""
    if mask is None:
        return
    m = mask._data
    if m.dtype.kind in "iuc":
        raise AssertionError("only bool and floating types of key_padding_mask are supported")
    for i, size in enumerate(shape):
        if m.shape[i] != size:
            raise AssertionError(
                f"Expected key_padded_mask.shape[{i}] to be {size}, but got {m.shape[i]}: key_padding_mask has a row "
                "for each sequence of the batch and a column for each key"
            )


def _projected(inputs: Any, weight: Any, bias: Any, separate: Any) -> Any:
    """Queries, keys and values, each by its own matrix or by its third of one."""
    e = inputs[0]._data.shape[-1]
    weights = _thirds(weight, e) if separate is None else separate
    biases = [None] * 3 if bias is None else _thirds(bias, e)
    return [linear(t, w, b) for t, w, b in zip(inputs, weights, biases, strict=True)]


def _attended(q: Any, k: Any, v: Any, bias: Any, p: float, need_weights: bool, causal: bool) -> tuple[Any, Any]:
    """The attention (N, heads, L, head size), and the weights if they are needed."""
    if not need_weights:
        return scaled_dot_product_attention(q, k, v, bias, p, causal), None
    scores = mul(bmm_rule(q, k, False, True), q._data.shape[-1] ** -0.5)  # (N, heads, L, S)
    shares = softmax(scores if bias is None else add(scores, bias), -1)
    return bmm_rule(dropout(shares, p) if p else shares, v), shares


def _with_batch(t: Any, at: int = 1) -> Any:
    shape = t._data.shape
    return reshape_rule(t, (*shape[:at], 1, *shape[at:]))


def _thirds(t: Any, e: int) -> list[Any]:
    return [t[i * e : (i + 1) * e] for i in range(3)]


def _heads(t: Any, heads: int) -> Any:
    """(L, N, E) as (N, heads, L, head size)."""
    length, n, e = t._data.shape
    return permute_rule(reshape_rule(t, (length, n, heads, e // heads)), (1, 2, 0, 3))


def _additive(mask: Any, dtype: Any) -> Any:
    """A mask as numbers to add: a True of a bool mask becomes -inf."""
    if mask is None or mask._data.dtype.kind != "b":
        return mask
    k = kernels_of[type(mask._data)]
    return wrap(k.where(mask._data, k.asarray(float("-inf"), dtype=dtype), k.asarray(0, dtype=dtype)))


def _one_more(mask: Any) -> Any:
    """A mask with one more key, which takes part."""
    return None if mask is None else pad(mask, (0, 1))


def _combined(mask: Any, padding: Any, n: int, heads: int, length: int) -> Any:
    """Both masks as one that broadcasts to (N, heads, L, S)."""
    if mask is not None and mask._data.ndim == 3:
        shape = mask._data.shape
        if shape[0] != n * heads or shape[1] != length:
            raise ShapeError(
                f"multi_head_attention_forward: The shape of the 3D attn_mask is {list(shape)}, but should be "
                f"[{n * heads}, {length}, {shape[2]}]"
            )
        mask = reshape_rule(mask, (n, heads, *shape[1:]))
    if padding is None:
        return mask
    padding = reshape_rule(padding, (n, 1, 1, padding._data.shape[-1]))
    return padding if mask is None else add(mask, padding)
