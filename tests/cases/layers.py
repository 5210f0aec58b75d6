"""The layer table: how each layer and loss is made, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Args, Make


@dataclass(frozen=True)
class LayerCase:
    """One layer and how it is tested.

    Attributes:
        name: the class in ``wengert.nn`` and ``torch.nn``.
        inputs: ``inputs(make)`` gives the arguments of one call; NumPy arrays become tensors, floats in float64.
        args, kwargs: what it is made with; NumPy arrays become tensors.
        free: how many of the inputs, from the first on, are differentiated; all when None.
        same_gradients: whether torch gives the true gradients.
        random: in training its output is random, so that only evaluation is compared with torch.
        orders: how often it is differentiated.
        repr: whether it prints as torch's does.
        parity: compare with torch at all.
        strict: run on the strict stand-in backend.
        idle: whether there are parameters that the call does not reach, and that get no gradient.
        tolerance: of the comparison with torch, which has float32 constants in some float64 kernels.
    """

    name: str
    inputs: Callable[[Make], Args]
    args: Args = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    free: int | None = None
    same_gradients: bool = True
    random: bool = False
    orders: int = 2
    repr: bool = True
    parity: bool = True
    strict: bool = True
    idle: bool = False
    tolerance: float = 1e-9

    def __str__(self) -> str:
        shown = [str(a.shape) if isinstance(a, np.ndarray) else str(a) for a in self.args]
        shown += [f"{k}={v.shape if isinstance(v, np.ndarray) else v}" for k, v in self.kwargs]
        return f"{self.name}({', '.join(shown)})"


Inputs = Callable[[Make], Args]
CASES: list[LayerCase] = []


def add(name: str, inputs: Inputs, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """A row: the layer made with ``args`` and ``kwargs``; ``options`` are the row's own."""
    CASES.append(LayerCase(name, inputs, args, tuple(kwargs.items()), **(options or {})))


def real(*shape: int) -> Inputs:
    """One input of uniform numbers."""
    return lambda make: (make.real(*shape),)


def reals(*shapes: tuple[int, ...]) -> Inputs:
    """Several inputs of uniform numbers."""
    return lambda make: tuple(make.real(*shape) for shape in shapes)


def distinct(*shape: int) -> Inputs:
    """One input no two elements of which are close."""
    return lambda make: (make.distinct(*shape),)


# ---------------------------------------------------------------------- linear

add("Identity", real(2, 3), 54, unused=1)
add("Linear", real(5, 4), 4, 3)
add("Linear", real(2, 5, 4), 4, 3, bias=False)
add("Linear", real(4), 4, 3)
add("Bilinear", reals((5, 2), (5, 3)), 2, 3, 4)
add("Bilinear", reals((5, 2), (5, 3)), 2, 3, 4, bias=False)

# What PyTorch lacks; tests/test_beyond.py has their values.
OWN = {"parity": False}
add("DropConnectLinear", real(5, 4), 4, 3, p=0.4, options={**OWN, "random": True})
add("Maxout", real(5, 4), 4, 3, options=OWN)
add("Maxout", real(2, 5, 4), 4, 2, pieces=3, bias=False, options=OWN)
add("SinusoidalPosition", real(2, 3, 4), 4, max_length=5, options=OWN)
add("RotaryEmbedding", real(2, 3, 4), 4, options=OWN)
add("RotaryEmbedding", real(3, 6), 6, base=100.0, interleaved=True, options=OWN)

# ---------------------------------------------------------------------- convolutions

add("Conv1d", real(2, 3, 8), 3, 4, 3)
add("Conv1d", real(3, 8), 3, 4, 3, stride=2, padding=1, bias=False)
add("Conv1d", real(2, 4, 9), 4, 4, 3, groups=2, dilation=2, padding="same")
add("Conv1d", real(2, 3, 8), 3, 4, 3, padding=2, padding_mode="circular")
add("Conv2d", real(2, 3, 6, 5), 3, 4, 3)
add("Conv2d", real(3, 6, 5), 3, 4, (3, 2), stride=(2, 1), padding=(1, 0))
add("Conv2d", real(2, 4, 6, 6), 4, 6, 3, groups=2, dilation=2, padding=2, bias=False)
add("Conv2d", real(2, 3, 6, 6), 3, 3, 3, groups=3, padding="same")
add("Conv2d", real(2, 2, 6, 5), 2, 3, 4, padding="same")
add("Conv2d", real(2, 2, 6, 5), 2, 3, 3, padding="valid")
add("Conv2d", real(2, 2, 5, 6), 2, 3, 3, padding=(1, 2), padding_mode="reflect")
add("Conv2d", real(2, 2, 5, 6), 2, 3, 4, padding="same", padding_mode="replicate")
add("Conv2d", real(2, 2, 5, 6), 2, 3, 3, padding=1, padding_mode="circular")
add("Conv3d", real(1, 2, 4, 5, 4), 2, 3, 2)
add("Conv3d", real(1, 2, 4, 5, 4), 2, 2, (2, 3, 1), stride=(1, 2, 2), padding=(1, 1, 0), groups=2)
add("ConvTranspose1d", real(2, 3, 5), 3, 4, 3)
add("ConvTranspose1d", real(2, 4, 5), 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
add("ConvTranspose2d", real(2, 3, 4, 3), 3, 2, 3)
add("ConvTranspose2d", real(3, 4, 3), 3, 2, (3, 2), stride=(2, 1), padding=(1, 0), bias=False, dilation=(1, 2))
add("ConvTranspose2d", lambda m: (m.real(1, 2, 3, 3), [8, 7]), 2, 2, 3, stride=2)
add("ConvTranspose3d", real(1, 2, 3, 2, 3), 2, 3, 2, stride=2)
add("Unfold", real(2, 3, 5, 6), (2, 3), padding=1, stride=2)
add("Fold", real(2, 8, 12), (4, 5), (2, 2))

# ---------------------------------------------------------------------- pools

add("MaxPool1d", distinct(2, 3, 8), 2)
add("MaxPool2d", distinct(2, 3, 6, 6), 2)
add("MaxPool2d", distinct(2, 6, 7), (3, 2), stride=2, padding=1)
add("MaxPool2d", distinct(2, 3, 7, 7), 2, dilation=2, ceil_mode=True, return_indices=True)
add("MaxPool3d", distinct(1, 2, 4, 4, 4), 2)
add("AvgPool1d", real(2, 3, 8), 3, stride=2, padding=1)
add("AvgPool2d", real(2, 3, 6, 6), 2)
add("AvgPool2d", real(2, 3, 7, 7), 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
add("AvgPool2d", real(2, 3, 6, 6), 2, divisor_override=3)
add("AvgPool3d", real(1, 2, 4, 4, 4), 2)
add("LPPool1d", lambda m: (m.positive(2, 3, 8),), 2, 3)
add("LPPool2d", lambda m: (m.positive(2, 3, 6, 6),), 3, 2, stride=1)
add("LPPool3d", lambda m: (m.positive(1, 2, 4, 4, 4),), 2, 2)
add("AdaptiveAvgPool1d", real(2, 3, 7), 3)
add("AdaptiveAvgPool2d", real(2, 3, 7, 5), (3, None))
add("AdaptiveAvgPool3d", real(1, 2, 4, 5, 3), 2)
add("AdaptiveMaxPool1d", distinct(2, 3, 7), 3)
add("AdaptiveMaxPool2d", distinct(2, 3, 7, 5), (3, 2))
add("AdaptiveMaxPool3d", distinct(1, 2, 4, 5, 3), 2)
starts = np.array([[[0.3, 0.7], [0.1, 0.6]]])
add("FractionalMaxPool2d", distinct(1, 2, 7, 6), 2, output_size=(3, 2), _random_samples=starts)
add("FractionalMaxPool2d", distinct(2, 2, 7, 6), (2, 3), output_ratio=0.5, options={"random": True, "parity": False})
starts = np.array([[[0.3, 0.7, 0.2], [0.1, 0.6, 0.9]]])
add("FractionalMaxPool3d", distinct(1, 2, 5, 6, 5), 2, output_size=2, return_indices=True, _random_samples=starts)
unpool = np.array([[[[0, 3], [8, 10]]]])
add("MaxUnpool1d", lambda m: (m.real(1, 1, 2), np.array([[[1, 2]]])), 2)
add("MaxUnpool2d", lambda m: (m.real(1, 1, 2, 2), unpool), 2)
add("MaxUnpool2d", lambda m: (m.real(1, 1, 2, 2), unpool, (5, 5)), 2, stride=2)
add("MaxUnpool3d", lambda m: (m.real(1, 1, 1, 2, 2), unpool[:, :, None]), (1, 2, 2))

# ---------------------------------------------------------------------- padding

for kind in ("Zero", "Reflection", "Replication", "Circular"):
    add(f"{kind}Pad1d", real(2, 3, 5), (1, 2))
    add(f"{kind}Pad2d", real(2, 3, 5, 4), (1, 2, 0, 3))
    add(f"{kind}Pad3d", real(1, 2, 3, 4, 3), 1)
add("ConstantPad1d", real(2, 3, 5), 2, 1.5)
add("ConstantPad2d", real(2, 3, 5, 4), (1, -1, 0, 2), 3.0)
add("ConstantPad3d", real(1, 2, 3, 4, 3), 1, 0.5)

add(
    "AdaptiveLogSoftmaxWithLoss",
    lambda make: (make.real(4, 8), np.array([0, 3, 6, 11])),
    8,
    12,
    [2, 5, 9],
    div_value=2.0,
)
add(
    "AdaptiveLogSoftmaxWithLoss",
    lambda make: (make.real(8), np.array(7)),
    8,
    12,
    [2, 5],
    div_value=2.0,
    head_bias=True,
    options={"idle": True},
)

# ---------------------------------------------------------------------- norms

add("BatchNorm1d", real(6, 3), 3)
add("BatchNorm1d", real(4, 3, 5), 3, momentum=None)
add("BatchNorm2d", real(4, 3, 2, 5), 3, eps=1e-3, momentum=0.3)
add("BatchNorm2d", real(4, 3, 2, 5), 3, affine=False)
add("BatchNorm2d", real(4, 3, 2, 5), 3, track_running_stats=False)
add("BatchNorm2d", real(4, 3, 2, 5), 3, bias=False)
add("BatchNorm3d", real(2, 3, 2, 2, 3), 3)
add("SyncBatchNorm", real(4, 3, 2), 3, options={"parity": False})  # PyTorch has it on GPUs only
add("InstanceNorm1d", real(2, 3, 5), 3)
add("InstanceNorm1d", real(3, 5), 3, affine=True)
add("InstanceNorm2d", real(2, 3, 4, 3), 3, affine=True, track_running_stats=True)
add("InstanceNorm3d", real(2, 3, 2, 3, 2), 3, affine=True)
add("LayerNorm", real(2, 5, 4), 4)
add("LayerNorm", real(2, 5, 4), (5, 4), eps=1e-3, bias=False)
add("LayerNorm", real(2, 5, 4), [4], elementwise_affine=False)
add("GroupNorm", real(2, 6, 4), 3, 6)
add("GroupNorm", real(2, 6, 2, 2), 2, 6, affine=False)
add("RMSNorm", real(2, 5, 4), 4)
add("RMSNorm", real(2, 5, 4), (5, 4), eps=1e-3)
add("RMSNorm", real(2, 5, 4), 4, elementwise_affine=False)
add("LocalResponseNorm", real(2, 5, 3, 3), 3, alpha=0.1)

# ---------------------------------------------------------------------- dropout and embedding

RANDOM = {"random": True}
add("Dropout", real(4, 5), 0.4, options=RANDOM)
add("Dropout1d", real(4, 3, 5), options=RANDOM)
add("Dropout2d", real(4, 3, 2, 2), options=RANDOM)
add("Dropout3d", real(4, 3, 2, 2, 2), options=RANDOM)
add("AlphaDropout", real(4, 5), 0.3, options=RANDOM)
add("FeatureAlphaDropout", real(4, 5, 2), options=RANDOM)
numbers = np.array([[1, 3, 1], [0, 4, 2]])
add("Embedding", lambda m: (numbers,), 5, 3)
add("Embedding", lambda m: (numbers,), 5, 3, padding_idx=1, options={"orders": 0})
add("Embedding", lambda m: (numbers,), 5, 3, padding_idx=-1, scale_grad_by_freq=True, options={"orders": 0})
add("Embedding", lambda m: (numbers,), 5, 3, max_norm=0.5, options={"orders": 0})
for mode in ("sum", "mean", "max"):
    add("EmbeddingBag", lambda m: (numbers,), 5, 3, mode=mode)
    add("EmbeddingBag", lambda m: (np.array([1, 3, 1, 0, 4, 2]), np.array([0, 2, 2])), 5, 3, mode=mode)
add("EmbeddingBag", lambda m: (numbers,), 5, 3, mode="sum", padding_idx=1)

# ---------------------------------------------------------------------- attention

ATTENTION = {"repr": False}  # torch gives its output layer a class of its own, for quantization
add("MultiheadAttention", reals((4, 2, 6), (3, 2, 6), (3, 2, 6)), 6, 2, options=ATTENTION)
add("MultiheadAttention", reals((4, 6), (3, 6), (3, 6)), 6, 3, bias=False, add_zero_attn=True, options=ATTENTION)
add(
    "MultiheadAttention",
    reals((2, 4, 6), (2, 3, 4), (2, 3, 5)),
    6,
    2,
    kdim=4,
    vdim=5,
    add_bias_kv=True,
    batch_first=True,
    options=ATTENTION,
)

# ---------------------------------------------------------------------- activations


def away(*points: float) -> Inputs:
    """An input that stays away from kinks."""
    return lambda make: (make.away(4, 5, points=points),)


add("Threshold", away(0.1), 0.1, 20.0)
for name in ("ReLU", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softsign", "LogSigmoid"):
    add(name, away(0.0))
for name in ("Sigmoid", "Tanh", "Softplus", "Tanhshrink"):
    add(name, real(4, 5))
add("ReLU6", lambda m: (4 * m.away(4, 5, points=(0.0, 1.5)),))
add("Hardtanh", away(-1.0, 1.0))
add("Hardtanh", away(-0.5, 1.5), -0.5, 1.5)
add("Hardsigmoid", lambda m: (4 * m.away(4, 5, points=(-0.75, 0.75)),), options={"tolerance": 1e-7})
add("Hardswish", lambda m: (4 * m.away(4, 5, points=(-0.75, 0.75)),))
add("Hardshrink", away(-0.5, 0.5))
add("Softshrink", away(-0.3, 0.3), 0.3)
add("GELU", real(4, 5), "tanh")
add("LeakyReLU", away(0.0), 0.2)
add("ELU", away(0.0), 0.7)
add("CELU", away(0.0), 0.7, options={"tolerance": 1e-7})
add("Softplus", real(4, 5), 2.0, 3.0)
add("PReLU", away(0.0))
add("PReLU", lambda m: (m.away(2, 5, 3),), 5, init=0.1)
add("RReLU", away(0.0), options=RANDOM)
add("GLU", real(3, 4))
add("GLU", real(4, 3), dim=0)
for name in ("Softmin", "Softmax", "LogSoftmax"):
    add(name, real(3, 4), dim=1)
    add(name, real(2, 3, 4), dim=-2)
add("Softmax2d", real(2, 3, 2, 2))

# ---------------------------------------------------------------------- recurrent networks

add("RNN", real(3, 2, 3), 3, 2)
add("RNN", real(2, 3, 2), 2, 3, 2, "relu", True, True, bidirectional=True)
add("LSTM", real(3, 2, 3), 3, 2)
add("LSTM", real(3, 2), 2, 3, num_layers=2, bidirectional=True, proj_size=2, options={"orders": 1})
add("GRU", real(3, 2, 3), 3, 2)
add("GRU", real(2, 3, 2), 2, 2, 2, dropout=0.5, options={"random": True, "orders": 1})
add("RNNCell", reals((3, 2), (3, 4)), 2, 4)
add("LSTMCell", real(3, 2), 2, 3, bias=False)
add("GRUCell", reals((2,), (3,)), 2, 3)

# ---------------------------------------------------------------------- transformers

SMALL = {"repr": False, "orders": 1}  # an attention's last projection prints with another class in torch
add("TransformerEncoderLayer", real(3, 2, 4), 4, 2, 3, 0.0, options=SMALL)
add("TransformerEncoderLayer", real(3, 4), 4, 2, 3, options={**SMALL, "random": True})
add("TransformerDecoderLayer", reals((3, 4), (2, 4)), 4, 2, 3, 0.0, "gelu", norm_first=True, options=SMALL)
add("Transformer", reals((2, 4), (3, 4)), 4, 2, 1, 1, 3, 0.0, bias=False, options=SMALL)

# ---------------------------------------------------------------------- shapes and distances

add("Flatten", real(2, 3, 4))
add("Flatten", real(2, 3, 4), 0, 1)
add("Unflatten", real(2, 6), 1, (2, -1))
add("PixelShuffle", real(2, 8, 3, 2), 2)
add("PixelUnshuffle", real(2, 2, 4, 6), 2)
add("ChannelShuffle", real(2, 6, 3), 3)
add("Upsample", real(2, 3, 4), scale_factor=2)
add("Upsample", real(2, 3, 4, 3), (6, 5), mode="bilinear", align_corners=True)
add("Upsample", real(2, 3, 4, 3), scale_factor=(1.5, 2.0), mode="bilinear")
add("Upsample", real(2, 2, 4, 3), (6, 5), mode="bicubic")
add("Upsample", real(1, 2, 2, 3, 2), scale_factor=2, mode="trilinear")
add("UpsamplingNearest2d", real(2, 3, 2, 3), scale_factor=2)
add("UpsamplingBilinear2d", real(2, 3, 2, 3), 5)
add("CosineSimilarity", reals((3, 4), (3, 4)))
add("CosineSimilarity", reals((3, 4), (3, 4)), dim=0, eps=1e-3)
add("PairwiseDistance", reals((3, 4), (3, 4)))
add("PairwiseDistance", reals((3, 4), (3, 4)), p=3.0, keepdim=True)

# ---------------------------------------------------------------------- losses


def pair(*shape: int) -> Inputs:
    """An input, and a target at some distance from it."""

    def make_pair(make: Make) -> Args:
        x = make.real(*shape)
        return x, x + make.away(*shape, points=(-1.0, 0.0, 1.0, -0.5, 0.5))

    return make_pair


def classes(*shape: int, count: int = 4) -> Inputs:
    """Scores (N, C, *) and class numbers (N, *)."""
    return lambda make: (make.real(shape[0], count, *shape[1:]), make.integers(*shape, high=count))


def signs(make: Make, *shape: int) -> np.ndarray:
    """1 and -1."""
    return 2.0 * make.bools(*shape) - 1.0


def loss(name: str, inputs: Inputs, free: int = 1, options: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """A row for a loss, of which the targets are not differentiated."""
    add(name, inputs, options={"free": free, **(options or {})}, **kwargs)


weights = np.array([0.5, 1.0, 2.0, 0.25])
for reduction in ("mean", "sum", "none"):
    for name in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"):
        loss(name, pair(3, 4), reduction=reduction)
    loss("CrossEntropyLoss", classes(5), reduction=reduction)
    loss("NLLLoss", classes(5, 2), reduction=reduction, weight=weights)
    add(
        "BCELoss", lambda m: (m.positive(3, 4, low=0.1, high=0.9), m.positive(3, 4, low=0, high=1)), reduction=reduction
    )
    loss("BCEWithLogitsLoss", lambda m: (m.real(3, 4), m.bools(3, 4) * 1.0), reduction=reduction, pos_weight=weights)
    loss("KLDivLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), reduction=reduction)
    loss("TripletMarginLoss", reals((3, 4), (3, 4), (3, 4)), free=3, reduction=reduction)
    loss("MarginRankingLoss", lambda m: (m.real(5), m.real(5), signs(m, 5)), free=2, reduction=reduction, margin=0.3)
    loss("HingeEmbeddingLoss", lambda m: (m.real(3, 4), signs(m, 3, 4)), reduction=reduction)
    loss("SoftMarginLoss", lambda m: (m.real(3, 4), signs(m, 3, 4)), reduction=reduction)
    loss(
        "CosineEmbeddingLoss",
        lambda m: (m.real(3, 4), m.real(3, 4), signs(m, 3)),
        free=2,
        reduction=reduction,
        margin=0.1,
    )
    loss("MultiMarginLoss", classes(3), reduction=reduction)
    loss("MultiLabelSoftMarginLoss", lambda m: (m.real(3, 4), m.bools(3, 4) * 1.0), reduction=reduction, weight=weights)
    loss("PoissonNLLLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), reduction=reduction)
    loss("GaussianNLLLoss", lambda m: (m.real(3, 4), m.real(3, 4), m.positive(3, 4)), reduction=reduction)
loss("SmoothL1Loss", pair(3, 4), beta=0.5)
loss("HuberLoss", pair(3, 4), delta=0.5)
loss("CrossEntropyLoss", classes(3, 2, 2), weight=weights, ignore_index=1, label_smoothing=0.1)
loss("CrossEntropyLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), label_smoothing=0.2)
loss("CrossEntropyLoss", lambda m: (m.real(4), np.array(2)))
loss("NLLLoss", classes(5), ignore_index=2)
add("LinearCrossEntropyLoss", lambda m: (m.real(5, 3), m.integers(5, high=4)), 3, 4, options={"free": 1})
add(
    "LinearCrossEntropyLoss",
    lambda m: (m.real(5, 3), m.integers(5, 2, high=4)),
    3,
    4,
    out_features=(2,),
    bias=True,
    weight=weights,
    ignore_index=1,
    label_smoothing=0.1,
    options={"free": 1},
)
loss("BCEWithLogitsLoss", lambda m: (m.real(3, 4), m.bools(3, 4) * 1.0), weight=weights)
loss("KLDivLoss", lambda m: (m.real(3, 4), m.real(3, 4)), reduction="batchmean", log_target=True)
loss("PoissonNLLLoss", lambda m: (m.positive(3, 4), m.positive(3, 4, low=1.1)), log_input=False, full=True)
loss("GaussianNLLLoss", lambda m: (m.real(3, 4), m.real(3, 4), m.positive(3, 1)), full=True)
loss("MultiMarginLoss", classes(3), p=2, margin=0.5, weight=weights)
loss("MultiLabelMarginLoss", lambda m: (m.distinct(2, 4), np.array([[3, 0, -1, 1], [2, -1, 0, 0]])))
loss("TripletMarginLoss", reals((3, 4), (3, 4), (3, 4)), free=3, margin=0.5, p=3.0, swap=True)
loss("TripletMarginWithDistanceLoss", reals((3, 4), (3, 4), (3, 4)), free=3)
lengths = [np.array([6, 5]), np.array([3, 2])]
# The gradient is that of the scores behind the log-probabilities, as in torch, and so not the derivative of the loss.
loss(
    "CTCLoss",
    lambda m: (
        np.log(np.exp(x := m.real(6, 2, 5)) / np.exp(x).sum(-1, keepdims=True)),
        m.integers(2, 3, low=1, high=5),
        *lengths,
    ),
    options={"orders": 0},
)
