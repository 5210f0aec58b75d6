"""Programs for the tests of ONNX files: each is a function of its inputs, or a module, with inputs to try it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as wg
from wengert import nn
from wengert.nn import functional as F

Inputs = Callable[[int], tuple[Any, ...]]


class Program(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)


def floats(*shape: int, low: float = -2.0, high: float = 2.0, dtype: str = "float32") -> Any:
    """An input of this shape, behind the batch."""

    def make(batch: int) -> Any:
        values = np.random.default_rng(batch + 7 * len(shape)).uniform(low, high, (batch, *shape))
        return wg.from_numpy(values.astype(dtype))

    return make


def whole(*shape: int, low: int = 0, high: int = 5) -> Any:
    """Integers."""

    def make(batch: int) -> Any:
        return wg.from_numpy(np.random.default_rng(batch).integers(low, high, (batch, *shape)))

    return make


def masks(*shape: int) -> Any:
    """Truth values."""
    return lambda batch: floats(*shape)(batch) > 0


X = floats(3, 4)
IMAGE = floats(4, 8, 8)
POSITIVE = floats(3, 4, low=0.1)
UNIT = floats(3, 4, low=-0.9, high=0.9)

OF_ONE = """abs acos asin atan asinh atanh ceil cos cosh deg2rad erf erfc exp exp2 expm1 floor frac log log10
log1p log2 neg rad2deg reciprocal relu round rsqrt sigmoid sign sin sinc sinh sqrt square tan tanh trunc isnan
isinf isfinite signbit nan_to_num"""
ACTIVATIONS = """celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu6 selu silu
softplus softshrink softsign tanhshrink"""
OF_TWO = """add sub mul div maximum minimum fmax fmin atan2 hypot eq ne lt le gt ge remainder fmod logaddexp
logaddexp2 floor_divide xlogy copysign"""

# Functions of one tensor of numbers, each elementwise.
ELEMENTWISE: dict[str, tuple[Callable[..., Any], Any]] = {
    name: (getattr(wg, name), POSITIVE if name in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt") else UNIT)
    for name in OF_ONE.split()
}
ELEMENTWISE |= {name: (getattr(F, name), X) for name in ACTIVATIONS.split()}
ELEMENTWISE |= {
    "acosh": (wg.acosh, floats(3, 4, low=1.1)),
    "logit": (lambda x: wg.logit(x * 0.5 + 0.5), UNIT),
    "gelu tanh": (lambda x: F.gelu(x, approximate="tanh"), X),
    "threshold": (lambda x: F.threshold(x, 0.1, 20.0), X),
    "elu alpha": (lambda x: F.elu(x, 0.7), X),
    "celu alpha": (lambda x: F.celu(x, 0.7), X),
    "softplus beta": (lambda x: F.softplus(x, 2.0, 3.0), X),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 0.7), X),
    "clamp": (lambda x: x.clamp(-0.5, 0.7), X),
    "clamp min": (lambda x: x.clamp(min=0.2), X),
    "clamp max": (lambda x: x.clamp(max=0.2), X),
    "pow": (lambda x: x**3, X),
    "pow half": (lambda x: x**0.5, POSITIVE),
    "pow of number": (lambda x: 2.0**x, X),
    "scalar arithmetic": (lambda x: (2 - x) / 3 + 1.5 * x - 4, X),
    "floor divide": (lambda x: x // 0.7, X),
    "remainder": (lambda x: x % 0.7, X),
    "fmod": (lambda x: wg.fmod(x, 0.7), X),
    "lerp": (lambda x: wg.lerp(x, x * 2, 0.3), X),
    "addcmul": (lambda x: wg.addcmul(x, x, x, value=0.5), X),
    "addcdiv": (lambda x: wg.addcdiv(x, x, x + 3, value=0.5), X),
    "half": (lambda x: x.half().float(), X),
    "double": (lambda x: x.double() * 2, X),
    "to int": (lambda x: (x * 3).long(), X),
    "to bool": (lambda x: x.bool(), X),
    "erfinv": (wg.erfinv, UNIT),
    "digamma": (wg.digamma, POSITIVE),
    "dropout": (nn.Dropout(0.5), X),
    "alpha dropout": (nn.AlphaDropout(0.5), X),
}
PAIR = (floats(3, 4), floats(3, 4, low=0.5, high=3.0))
BINARY: dict[str, tuple[Callable[..., Any], Any]] = {name: (getattr(wg, name), PAIR) for name in OF_TWO.split()}
BINARY |= {
    "pow": (lambda x, y: x.abs() ** y, PAIR),
    "div floor": (lambda x, y: wg.div(x, y, rounding_mode="floor"), PAIR),
    "div trunc": (lambda x, y: wg.div(x, y, rounding_mode="trunc"), PAIR),
    "broadcast": (lambda x, y: x * y[:, :1] + y[:, :, :1], PAIR),
    "where": (lambda x, y: wg.where(x > 0, x, y), PAIR),
    "where number": (lambda x, y: wg.where(x > y, x, 0.0), PAIR),
    "masked_fill": (lambda x, y: x.masked_fill(x > y, -1.0), PAIR),
    "logical": (lambda x, y: ((x > 0) & (y > 1)) | ~(x < y) ^ (y > 2), PAIR),
    "logical functions": (lambda x, y: wg.logical_and(x > 0, y > 1).logical_not().logical_xor(x > 1), PAIR),
    "clamp tensors": (lambda x, y: wg.clamp(x, -y, y), PAIR),
    "isclose": (lambda x, y: wg.isclose(x, y), PAIR),
    "int arithmetic": (lambda i, j: (i + 2 * j) // (j + 1) - i % (j + 1), (whole(3, low=-4), whole(3))),
    "int and float": (lambda i, x: i * x + i / 2, (whole(3), floats(3))),
    "int trunc": (lambda i, j: wg.div(i, j + 1, rounding_mode="trunc"), (whole(3, low=-4), whole(3))),
    "bitwise": (lambda i, j: (i & j) | (i ^ j), (whole(3), whole(3))),
    "mask sum": (lambda a, b: (a & b).sum(1) + (a | b).any(1) + a.all(1), (masks(5), masks(5))),
    "cdist": (wg.cdist, (floats(3, 4), floats(5, 4))),
    "cosine_similarity": (lambda x, y: F.cosine_similarity(x, y, dim=-1), PAIR),
    "pairwise_distance": (lambda x, y: F.pairwise_distance(x, y), PAIR),
    "mse_loss": (F.mse_loss, PAIR),
    "l1_loss": (F.l1_loss, PAIR),
    "smooth_l1_loss": (F.smooth_l1_loss, PAIR),
    "bce_with_logits": (lambda x, y: F.binary_cross_entropy_with_logits(x, y / 3), PAIR),
    "kl_div": (lambda x, y: F.kl_div(x, y, reduction="batchmean"), PAIR),
    "cross_entropy": (F.cross_entropy, (floats(5), whole())),
    "nll_loss": (lambda x, t: F.nll_loss(F.log_softmax(x, 1), t), (floats(5), whole())),
}

REDUCTIONS: dict[str, tuple[Callable[..., Any], Any]] = {
    "sum": (lambda x: x.sum(), X),
    "sum dim": (lambda x: x.sum(1), X),
    "sum dims": (lambda x: x.sum((1, 2), keepdim=True), X),
    "mean": (lambda x: x.mean(-1), X),
    "mean all": (lambda x: x.mean(), X),
    "prod": (lambda x: x.prod(1), X),
    "amax": (lambda x: x.amax(1), X),
    "amin": (lambda x: x.amin((1, 2)), X),
    "max": (lambda x: x.max(), X),
    "max dim": (lambda x: tuple(x.max(1)), X),
    "min dim": (lambda x: tuple(x.min(2, keepdim=True)), X),
    "argmax": (lambda x: x.argmax(-1), X),
    "argmin": (lambda x: x.argmin(1, keepdim=True), X),
    "argmax all": (lambda x: x.argmax(), X),
    "var": (lambda x: x.var(1), X),
    "var biased": (lambda x: x.var(-1, unbiased=False, keepdim=True), X),
    "std": (lambda x: x.std(1), X),
    "var_mean": (lambda x: wg.var_mean(x, 1), X),
    "norm": (lambda x: x.norm(dim=-1), X),
    "norm 1": (lambda x: x.norm(p=1, dim=-1, keepdim=True), X),
    "norm 3": (lambda x: wg.linalg.vector_norm(x, 3, dim=1), X),
    "norm inf": (lambda x: wg.linalg.vector_norm(x, float("inf"), dim=1), X),
    "normalize": (lambda x: F.normalize(x, dim=-1), X),
    "logsumexp": (lambda x: x.logsumexp(1), X),
    "softmax": (lambda x: x.softmax(-1), X),
    "log_softmax": (lambda x: x.log_softmax(1), X),
    "softmin": (lambda x: F.softmin(x, dim=1), X),
    "cumsum": (lambda x: x.cumsum(1), X),
    "cumprod": (lambda x: x.cumprod(1), X),
    "cummax": (lambda x: tuple(x.cummax(2)), X),
    "logcumsumexp": (lambda x: x.logcumsumexp(2), X),
    "any": (lambda x: (x > 1).any(1), X),
    "all": (lambda x: (x > -1).all(2), X),
    "count_nonzero": (lambda x: wg.count_nonzero(x > 0, 1), X),
    "glu": (lambda x: F.glu(x, -1), X),
    "median": (lambda x: x.median(-1)[0], X),
    "topk": (lambda x: tuple(x.topk(2, -1)), X),
    "topk least": (lambda x: tuple(x.topk(2, 1, largest=False)), X),
    "sort": (lambda x: tuple(x.sort(-1)), X),
    "sort descending": (lambda x: tuple(x.sort(1, descending=True)), X),
    "argsort": (lambda x: x.argsort(-1), X),
    "kthvalue": (lambda x: tuple(x.kthvalue(2, -1)), X),
    "int sum": (lambda i: i.sum(1), whole(3)),
}

SHAPES: dict[str, tuple[Callable[..., Any], Any]] = {
    "reshape": (lambda x: x.reshape(x.size(0), -1), X),
    "view": (lambda x: x.view(-1, 4), X),
    "view batch": (lambda x: x.view(x.shape[0] * 3, 4).view(x.shape[0], 3, 2, 2), X),
    "flatten": (lambda x: x.flatten(), X),
    "unflatten": (lambda x: x.unflatten(2, (2, 2)), X),
    "transpose": (lambda x: x.transpose(1, 2), X),
    "permute": (lambda x: x.permute(2, 0, 1), X),
    "mT": (lambda x: x.mT, X),
    "squeeze": (lambda x: x.unsqueeze(1).unsqueeze(-1).squeeze(), X),
    "squeeze dim": (lambda x: x[:, None].squeeze(1), X),
    "expand": (lambda x: x[:, None].expand(-1, 5, -1, -1), X),
    "expand batch": (lambda x: wg.ones(1, 2).expand(x.size(0), 2) + x[:, 0, :2], X),
    "repeat": (lambda x: x.repeat(1, 2, 3), X),
    "repeat batch": (lambda x: x.repeat(2, 1, 1), X),
    "tile": (lambda x: x.tile((2, 1)), X),
    "repeat_interleave": (lambda x: x.repeat_interleave(2, dim=1), X),
    "cat": (lambda x: wg.cat([x, x * 2], 1), X),
    "cat batch": (lambda x: wg.cat([x, x]), X),
    "stack": (lambda x: wg.stack([x, x + 1], 1), X),
    "split": (lambda x: wg.split(x, [1, 3], -1), X),
    "chunk": (lambda x: x.chunk(2, -1), X),
    "unbind": (lambda x: x.unbind(1), X),
    "slices": (lambda x: x[:, 1:, ::2], X),
    "index int": (lambda x: x[:, -1], X),
    "index first": (lambda x: x[0] + x[-1], X),
    "slice batch": (lambda x: x[1:] - x[:-1], X),
    "ellipsis": (lambda x: x[..., 1], X),
    "new axis": (lambda x: x[:, None, :, None], X),
    "narrow": (lambda x: x.narrow(1, 1, 2), X),
    "select": (lambda x: x.select(2, 3), X),
    "flip": (lambda x: x.flip(1, 2), X),
    "roll": (lambda x: x.roll(1, 1), X),
    "roll two": (lambda x: x.roll((1, -1), (1, 2)), X),
    "roll batch": (lambda x: x.roll(1, 0), X),
    "rot90": (lambda x: x.rot90(1, (1, 2)), X),
    "tril": (lambda x: x.tril(), X),
    "triu": (lambda x: x.triu(1), X),
    "causal mask": (lambda x: x.masked_fill(wg.ones(3, 4).triu(1).bool(), -9.0), X),
    "diagonal": (lambda x: x.diagonal(dim1=1, dim2=2), X),
    "diag_embed": (lambda x: x.diag_embed(), floats(3)),
    "pad": (lambda x: F.pad(x, (1, 2, 0, 1)), X),
    "pad value": (lambda x: F.pad(x, (1, 2), value=3.0), X),
    "pad reflect": (lambda x: F.pad(x, (1, 2), mode="reflect"), X),
    "pad replicate": (lambda x: F.pad(x, (1, 2), mode="replicate"), X),
    "pad circular": (lambda x: F.pad(x, (1, 2), mode="circular"), X),
    "pad negative": (lambda x: F.pad(x, (-1, 0)), X),
    "movedim": (lambda x: x.movedim(1, 2), X),
    "swapaxes": (lambda x: x.swapaxes(0, 1), X),
    "unfold": (lambda x: x.unfold(2, 2, 1), X),
    "meshgrid": (lambda x: wg.meshgrid(x[0, 0], x[0, :, 0], indexing="ij")[0], X),
    "arange of size": (lambda x: x + wg.arange(x.size(1))[:, None], X),
    "arange of batch": (lambda x: x[:, 0] + wg.arange(x.size(0))[:, None], X),
    "zeros of batch": (lambda x: wg.cat([wg.zeros(x.size(0), 1, 4), x], 1), X),
    "full_like": (lambda x: x + wg.full_like(x, 2.0) + wg.zeros_like(x), X),
    "new_ones": (lambda x: x * x.new_ones(x.shape), X),
    "eye": (lambda x: x @ wg.eye(4), X),
    "linspace": (lambda x: x * wg.linspace(0, 1, 4), X),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), IMAGE),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), IMAGE),
    "channel_shuffle": (lambda x: F.channel_shuffle(x, 2), IMAGE),
    "size arithmetic": (lambda x: x.sum() / x.size(0) + x.size(0) ** 0.5, X),
    "einops": (lambda x: x.reshape(x.shape[0], 3, 2, 2).permute(0, 2, 1, 3).reshape(x.shape[0] * 2, 6), X),
}


def _written(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        y = x.clone()
        function(y)
        return y

    return run


def _set(key: Any, value: Any) -> Callable[[Any], Any]:
    return lambda y: y.__setitem__(key, value)


def _through_views(y: Any) -> None:
    y[:, 1].mul_(2)
    y.transpose(1, 2)[:, 0].add_(1)
    y.view(y.shape[0], -1)[:, 3:5] = 7.0


def _outputs_of_steps(x: Any) -> Any:
    out = wg.zeros(x.size(0), 3, 4)
    h = wg.zeros(x.size(0), 4)
    for t in range(3):
        h = wg.tanh(h + x[:, t])
        out[:, t] = h
    return out


POSITIONS: dict[str, tuple[Callable[..., Any], Any]] = {
    "index tensor": (lambda x: x[:, wg.tensor([2, 0, 1, 1])], (X,)),
    "index two": (lambda x: x[:, wg.tensor([2, 0]), wg.tensor([1, 3])], (X,)),
    "index apart": (lambda x: x[wg.tensor([1, 0]), :, wg.tensor([1, 3])], (X,)),
    "index batch": (lambda x: x[wg.arange(x.size(0)), 1], (X,)),
    "index list": (lambda x: x[:, [0, 2]], (X,)),
    "index by input": (lambda x, i: x[wg.arange(x.size(0)), i], (X, whole(high=3))),
    "index_select": (lambda x: x.index_select(1, wg.tensor([2, 0])), (X,)),
    "gather": (lambda x, i: x.gather(2, i), (X, whole(3, 2, high=4))),
    "take_along_dim": (lambda x, i: wg.take_along_dim(x, i, 1), (X, whole(2, 4, high=3))),
    "embedding": (lambda i: F.embedding(i, wg.arange(12.0).view(6, 2)), (whole(3),)),
    "one_hot": (lambda i: F.one_hot(i, 6), (whole(3),)),
    "scatter": (lambda x, i: wg.zeros(x.size(0), 3, 4).scatter(2, i, x[:, :, :2]), (X, whole(3, 2, high=2))),
    "scatter value": (lambda x, i: x.scatter(2, i, 5.0), (X, whole(3, 2, high=4))),
    "scatter_add": (lambda x, i: x.scatter_add(2, i, x[:, :, :2]), (X, whole(3, 2, high=4))),
    "scatter_reduce": (lambda x, i: x.scatter_reduce(2, i, x, "amax"), (X, whole(3, 4, high=4))),
    "index_add": (lambda x: x.index_add(1, wg.tensor([0, 0]), x[:, :2]), (X,)),
    "index_copy": (lambda x: x.index_copy(1, wg.tensor([0, 2]), x[:, :2]), (X,)),
    "index_fill": (lambda x: x.index_fill(1, wg.tensor([0, 2]), 3.0), (X,)),
    "masked value": (lambda x: _written(_set(x > 0, 9.0))(x), (X,)),
    "set column": (_written(_set((slice(None), 1), 5.0)), (X,)),
    "set slice": (_written(_set((slice(None), slice(1, 3), slice(0, 2)), 5.0)), (X,)),
    "set steps": (_written(_set((slice(None), slice(None, None, 2)), 5.0)), (X,)),
    "set positions": (_written(_set((slice(None), [0, 2]), 5.0)), (X,)),
    "set first": (_written(_set(0, 5.0)), (X,)),
    "set in a loop": (_outputs_of_steps, (X,)),
    "in place": (_written(lambda y: y.add_(1).mul_(2).relu_().clamp_(max=3.0)), (X,)),
    "through views": (_written(_through_views), (X,)),
    "out": (lambda x: wg.add(x, 1, out=wg.empty(x.shape)), (X,)),
    "searchsorted": (lambda x: wg.bucketize(x, wg.tensor([-1.0, 0.0, 1.0])), (X,)),
    "isin": (lambda i: wg.isin(i, wg.tensor([1, 3])), (whole(4),)),
}

PRODUCTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "matmul": (lambda x, y: x @ y.mT, (X, floats(5, 4))),
    "matmul vector": (lambda x: x @ x[0, 0], (X,)),
    "mm": (lambda x: x[:, 0] @ x[0].mT, (X,)),
    "bmm": (lambda x, y: wg.bmm(x, y), (X, floats(4, 2))),
    "baddbmm": (lambda x, y: wg.baddbmm(x[:, :, :2], x, y, beta=0.5, alpha=2.0), (X, floats(4, 2))),
    "addmm": (lambda x: wg.addmm(wg.ones(4), x[:, 0], wg.eye(4), beta=0.5), (X,)),
    "einsum": (lambda x, y: wg.einsum("bij,bjk->bik", x, y), (X, floats(4, 2))),
    "einsum heads": (lambda x: wg.einsum("bid,bjd->bij", x, x), (X,)),
    "tensordot": (lambda x: wg.tensordot(x, wg.ones(3, 4, 2), dims=2), (X,)),
    "outer": (lambda x: wg.outer(x[:, 0, 0], x[0, 0]), (X,)),
    "dot": (lambda x: x[0, 0].dot(x[1, 0]), (X,)),
    "linear": (lambda x: F.linear(x, wg.ones(2, 4), wg.ones(2)), (X,)),
    "attention": (lambda q: F.scaled_dot_product_attention(q, q, q), (floats(2, 5, 4),)),
    "attention causal": (lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True), (floats(2, 5, 4),)),
    "attention mask": (
        lambda q, m: F.scaled_dot_product_attention(q, q, q, attn_mask=m),
        (floats(2, 5, 4), masks(1, 5, 5)),
    ),
    "attention bias": (
        lambda q, m: F.scaled_dot_product_attention(q, q, q, attn_mask=m),
        (floats(2, 5, 4), floats(1, 5, 5)),
    ),
}


class _Nested(nn.Module):
    """A model with a layer norm, attention and a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")

    def forward(self, x: Any) -> Any:
        return self.layer(x)


class _Recurrent(nn.Module):
    """A recurrent layer and its last states."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Any) -> Any:
        y, state = self.layer(x)
        return (y, *state) if isinstance(state, tuple) else (y, state)


class _Cell(nn.Module):
    """A recurrent cell in a Python loop."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Any) -> Any:
        h = None
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return h


class _Tied(nn.Module):
    """One matrix used twice, a buffer, a scale, and a tensor that is no parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("scale", wg.tensor(2.0))
        self.plain = wg.ones(4)
        self.gain = nn.Parameter(wg.tensor(1.5))

    def forward(self, i: Any) -> Any:
        return self.head(self.embedding(i) * self.scale * self.gain + self.plain)


LINE, VOLUME, STEPS = floats(4, 9), floats(2, 4, 5, 6), floats(5, 3)
LAYERS: dict[str, tuple[Any, Any]] = {
    "Linear": (nn.Linear(4, 2), X),
    "Bilinear": (nn.Bilinear(4, 4, 2), (floats(4), floats(4))),
    "Conv1d": (nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2), LINE),
    "Conv2d": (nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 1)), IMAGE),
    "Conv2d groups": (nn.Conv2d(4, 8, 3, groups=2, bias=False), IMAGE),
    "Conv2d depthwise": (nn.Conv2d(4, 4, 3, padding=1, groups=4), IMAGE),
    "Conv2d same": (nn.Conv2d(4, 2, 3, padding="same"), IMAGE),
    "Conv2d reflect": (nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), IMAGE),
    "Conv3d": (nn.Conv3d(2, 3, 3, padding=1), VOLUME),
    "ConvTranspose1d": (nn.ConvTranspose1d(4, 3, 3, stride=2, padding=1, output_padding=1), LINE),
    "ConvTranspose2d": (nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1, groups=2), IMAGE),
    "ConvTranspose2d dilation": (nn.ConvTranspose2d(4, 2, 3, dilation=2), IMAGE),
    "ConvTranspose3d": (nn.ConvTranspose3d(2, 3, 2, stride=2), VOLUME),
    "MaxPool1d": (nn.MaxPool1d(3, 2, 1), LINE),
    "MaxPool2d": (nn.MaxPool2d(3, 2, 1, dilation=1), IMAGE),
    "MaxPool2d ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), floats(4, 8, 10)),
    "MaxPool2d indices": (nn.MaxPool2d(2, return_indices=True), IMAGE),
    "MaxPool3d": (nn.MaxPool3d(2), VOLUME),
    "MaxUnpool2d": (Program(lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)), IMAGE),
    "AvgPool1d": (nn.AvgPool1d(3, 2), LINE),
    "AvgPool2d": (nn.AvgPool2d(3, 2, 1), IMAGE),
    "AvgPool2d exclude": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE),
    "AvgPool2d ceil": (nn.AvgPool2d(3, 2, 1, ceil_mode=True), IMAGE),
    "AvgPool2d divisor": (nn.AvgPool2d(2, divisor_override=3), IMAGE),
    "AvgPool3d": (nn.AvgPool3d(2), VOLUME),
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(3), LINE),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((3, 5)), IMAGE),
    "AdaptiveAvgPool2d 1": (nn.AdaptiveAvgPool2d(1), IMAGE),
    "AdaptiveAvgPool2d even": (nn.AdaptiveAvgPool2d((4, None)), IMAGE),
    "AdaptiveMaxPool2d": (nn.AdaptiveMaxPool2d(2), IMAGE),
    "AdaptiveMaxPool2d uneven": (nn.AdaptiveMaxPool2d(3), IMAGE),
    "LPPool2d": (nn.LPPool2d(2, 2), IMAGE),
    "BatchNorm1d": (nn.BatchNorm1d(3), floats(3)),
    "BatchNorm2d": (nn.BatchNorm2d(4), IMAGE),
    "BatchNorm2d plain": (nn.BatchNorm2d(4, affine=False), IMAGE),
    "BatchNorm3d": (nn.BatchNorm3d(2), VOLUME),
    "LayerNorm": (nn.LayerNorm(4), X),
    "LayerNorm two": (nn.LayerNorm((3, 4)), X),
    "LayerNorm plain": (nn.LayerNorm(4, elementwise_affine=False), X),
    "GroupNorm": (nn.GroupNorm(2, 4), IMAGE),
    "InstanceNorm2d": (nn.InstanceNorm2d(4, affine=True), IMAGE),
    "RMSNorm": (nn.RMSNorm(4), X),
    "LocalResponseNorm": (nn.LocalResponseNorm(3), IMAGE),
    "weight_norm": (nn.utils.parametrizations.weight_norm(nn.Linear(4, 2)), X),
    "PReLU": (nn.PReLU(3), X),
    "Embedding": (nn.Embedding(5, 3), whole(4)),
    "EmbeddingBag": (nn.EmbeddingBag(5, 3), whole(4)),
    "RNN": (_Recurrent(nn.RNN(3, 4, 2)), floats(5, 3)),
    "RNN relu": (_Recurrent(nn.RNN(3, 4, nonlinearity="relu", batch_first=True)), STEPS),
    "LSTM": (_Recurrent(nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)), STEPS),
    "LSTM without bias": (_Recurrent(nn.LSTM(3, 4, bias=False, batch_first=True)), STEPS),
    "LSTM projected": (_Recurrent(nn.LSTM(3, 4, proj_size=2, batch_first=True)), STEPS),
    "GRU": (_Recurrent(nn.GRU(3, 4, 2, batch_first=True, bidirectional=True)), STEPS),
    "GRUCell": (_Cell(nn.GRUCell(3, 4)), STEPS),
    "RNNCell": (_Cell(nn.RNNCell(3, 4)), STEPS),
    "MultiheadAttention": (Program(nn.MultiheadAttention(8, 2, batch_first=True)), (floats(5, 8),) * 3),
    "TransformerEncoderLayer": (_Nested(), floats(5, 8)),
    "TransformerDecoderLayer": (nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), (floats(3, 8), floats(5, 8))),
    "Upsample nearest": (nn.Upsample(scale_factor=2), IMAGE),
    "Upsample bilinear": (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE),
    "Upsample aligned": (nn.Upsample(size=(5, 11), mode="bilinear", align_corners=True), IMAGE),
    "Upsample linear": (nn.Upsample(scale_factor=1.5, mode="linear"), LINE),
    "Upsample bicubic": (nn.Upsample(scale_factor=2, mode="bicubic"), IMAGE),
    "Upsample trilinear": (nn.Upsample(scale_factor=2, mode="trilinear"), VOLUME),
    "interpolate area": (Program(lambda x: F.interpolate(x, size=3, mode="area")), IMAGE),
    "interpolate like": (Program(lambda x: F.interpolate(x[:, :, ::2, ::2], x.shape[2:])), IMAGE),
    "grid_sample": (Program(lambda x, g: F.grid_sample(x, g, align_corners=False)), (IMAGE, floats(3, 3, 2))),
    "Unfold": (nn.Unfold(3, padding=1, stride=2), IMAGE),
    "Fold": (Program(lambda x: F.fold(F.unfold(x, 2, stride=2), 8, 2, stride=2)), IMAGE),
    "ZeroPad2d": (nn.ZeroPad2d((1, 2, 0, 1)), IMAGE),
    "ReflectionPad2d": (nn.ReflectionPad2d(1), IMAGE),
    "PixelShuffle": (nn.PixelShuffle(2), IMAGE),
    "CosineSimilarity": (nn.CosineSimilarity(dim=2), (X, X)),
    "Softmax2d": (nn.Softmax2d(), IMAGE),
    "tied": (_Tied(), whole(4, high=7)),
}
