"""The layer table: how each layer is made, and what it is called with; the losses are in `loss_layers`."""

from __future__ import annotations

import numpy as np

from .layer_case import CASES as CASES
from .layer_case import add, away, built, distinct, real, reals

# ---------------------------------------------------------------------- linear

add("Identity", real(2, 3), 54, unused=1)
add("Identity", lambda m: (m.integers(3, 2),))
add("Linear", real(5, 4), 4, 3)
add("Linear", real(2, 5, 4), 4, 3, bias=False)
add("Linear", real(4), 4, 3)
add("Linear", real(0, 4), 4, 3)
add("Linear", real(3, 1), 1, 1)
add("Bilinear", reals((5, 2), (5, 3)), 2, 3, 4)
add("Bilinear", reals((5, 2), (5, 3)), 2, 3, 4, bias=False)
add("Bilinear", reals((2, 5, 2), (2, 5, 3)), 2, 3, 1)

# What PyTorch lacks; tests/test_beyond.py has their values.
OWN = {"parity": False}
add("DropConnectLinear", real(5, 4), 4, 3, p=0.4, options={**OWN, "random": True})
add("DropConnectLinear", real(2, 5, 4), 4, 3, p=0.0, bias=False, options=OWN)
add("Maxout", real(5, 4), 4, 3, options=OWN)
add("Maxout", real(2, 5, 4), 4, 2, pieces=3, bias=False, options=OWN)
add("SinusoidalPosition", real(2, 3, 4), 4, max_length=5, options=OWN)
add("SinusoidalPosition", real(3, 6), 6, options=OWN)
add("RotaryEmbedding", real(2, 3, 4), 4, options=OWN)
add("RotaryEmbedding", real(3, 6), 6, base=100.0, interleaved=True, options=OWN)

# ---------------------------------------------------------------------- convolutions

add("Conv1d", real(2, 3, 8), 3, 4, 3)
add("Conv1d", real(3, 8), 3, 4, 3, stride=2, padding=1, bias=False)
add("Conv1d", real(2, 4, 9), 4, 4, 3, groups=2, dilation=2, padding="same")
add("Conv1d", real(2, 3, 8), 3, 4, 3, padding=2, padding_mode="circular")
add("Conv1d", real(2, 3, 8), 3, 6, 5, padding=2, groups=3, padding_mode="reflect")
add("Conv1d", real(2, 3, 8), 3, 4, 1, stride=3)
add("Conv2d", real(2, 3, 6, 5), 3, 4, 3)
add("Conv2d", real(3, 6, 5), 3, 4, (3, 2), stride=(2, 1), padding=(1, 0))
add("Conv2d", real(2, 4, 6, 6), 4, 6, 3, groups=2, dilation=2, padding=2, bias=False)
add("Conv2d", real(2, 3, 6, 6), 3, 3, 3, groups=3, padding="same")
add("Conv2d", real(2, 2, 6, 5), 2, 3, 4, padding="same")
add("Conv2d", real(2, 2, 6, 5), 2, 3, 3, padding="valid")
add("Conv2d", real(2, 2, 5, 6), 2, 3, 3, padding=(1, 2), padding_mode="reflect")
add("Conv2d", real(2, 2, 5, 6), 2, 3, 4, padding="same", padding_mode="replicate")
add("Conv2d", real(2, 2, 5, 6), 2, 3, 3, padding=1, padding_mode="circular")
add("Conv2d", real(2, 3, 5, 5), 3, 4, 1)
add("Conv2d", real(1, 4, 9, 8), 4, 8, 3, stride=2, padding=1, groups=4)
add("Conv2d", real(2, 3, 8, 8), 3, 2, 7, stride=2, padding=3, bias=False)
add("Conv3d", real(1, 2, 4, 5, 4), 2, 3, 2)
add("Conv3d", real(1, 2, 4, 5, 4), 2, 2, (2, 3, 1), stride=(1, 2, 2), padding=(1, 1, 0), groups=2)
add("Conv3d", real(2, 3, 4, 3), 2, 2, 3, padding="same", bias=False)
add("Conv3d", real(1, 1, 3, 4, 3), 1, 2, 2, dilation=(1, 2, 1), padding=1, padding_mode="replicate")
add("ConvTranspose1d", real(2, 3, 5), 3, 4, 3)
add("ConvTranspose1d", real(2, 4, 5), 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
add("ConvTranspose1d", real(3, 5), 3, 2, 2, bias=False, dilation=2)
add("ConvTranspose2d", real(2, 3, 4, 3), 3, 2, 3)
add("ConvTranspose2d", real(3, 4, 3), 3, 2, (3, 2), stride=(2, 1), padding=(1, 0), bias=False, dilation=(1, 2))
add("ConvTranspose2d", lambda m: (m.real(1, 2, 3, 3), [8, 7]), 2, 2, 3, stride=2)
add("ConvTranspose2d", real(2, 4, 3, 3), 4, 4, 4, stride=2, padding=1, groups=4)
add("ConvTranspose3d", real(1, 2, 3, 2, 3), 2, 3, 2, stride=2)
add("ConvTranspose3d", real(2, 2, 3, 2), 2, 2, (2, 1, 3), padding=(1, 0, 1), groups=2, bias=False)
add("Unfold", real(2, 3, 5, 6), (2, 3), padding=1, stride=2)
add("Unfold", real(3, 5, 6), 2, dilation=2)
add("Fold", real(2, 8, 12), (4, 5), (2, 2))
add("Fold", real(12, 9), (5, 6), (2, 3), padding=1, stride=2)

# ---------------------------------------------------------------------- pools

add("MaxPool1d", distinct(2, 3, 8), 2)
add("MaxPool1d", distinct(3, 9), 3, stride=2, padding=1, return_indices=True)
add("MaxPool1d", distinct(2, 3, 9), 2, dilation=2, ceil_mode=True)
add("MaxPool2d", distinct(2, 3, 6, 6), 2)
add("MaxPool2d", distinct(2, 6, 7), (3, 2), stride=2, padding=1)
add("MaxPool2d", distinct(2, 3, 7, 7), 2, dilation=2, ceil_mode=True, return_indices=True)
add("MaxPool3d", distinct(1, 2, 4, 4, 4), 2)
add("MaxPool3d", distinct(2, 5, 4, 5), (2, 1, 3), stride=2, padding=(1, 0, 1), ceil_mode=True, return_indices=True)
add("AvgPool1d", real(2, 3, 8), 3, stride=2, padding=1)
add("AvgPool1d", real(3, 8), 3, ceil_mode=True, count_include_pad=False)
add("AvgPool2d", real(2, 3, 6, 6), 2)
add("AvgPool2d", real(2, 3, 7, 7), 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
add("AvgPool2d", real(2, 3, 6, 6), 2, divisor_override=3)
add("AvgPool3d", real(1, 2, 4, 4, 4), 2)
add("AvgPool3d", real(2, 5, 4, 5), (2, 1, 3), stride=2, padding=(1, 0, 1), count_include_pad=False)
add("AvgPool3d", real(1, 2, 4, 4, 4), 3, 1, divisor_override=5)
add("LPPool1d", lambda m: (m.positive(2, 3, 8),), 2, 3)
add("LPPool1d", lambda m: (m.positive(3, 8),), 3, 3, 2, ceil_mode=True)
add("LPPool2d", lambda m: (m.positive(2, 3, 6, 6),), 3, 2, stride=1)
add("LPPool2d", lambda m: (m.positive(2, 3, 5, 6),), 1.5, (2, 3), ceil_mode=True)
add("LPPool3d", lambda m: (m.positive(1, 2, 4, 4, 4),), 2, 2)
add("LPPool3d", lambda m: (m.positive(2, 3, 4, 4),), 3, (1, 2, 2), stride=2)
add("AdaptiveAvgPool1d", real(2, 3, 7), 3)
add("AdaptiveAvgPool1d", real(3, 5), 7)
add("AdaptiveAvgPool2d", real(2, 3, 7, 5), (3, None))
add("AdaptiveAvgPool2d", real(3, 4, 6), 1)
add("AdaptiveAvgPool2d", real(2, 3, 4, 5), (7, 2))
add("AdaptiveAvgPool3d", real(1, 2, 4, 5, 3), 2)
add("AdaptiveAvgPool3d", real(2, 4, 5, 3), (None, 2, 1))
add("AdaptiveMaxPool1d", distinct(2, 3, 7), 3)
add("AdaptiveMaxPool1d", distinct(3, 7), 1, return_indices=True)
add("AdaptiveMaxPool2d", distinct(2, 3, 7, 5), (3, 2))
add("AdaptiveMaxPool2d", distinct(3, 7, 5), (None, 2), return_indices=True)
add("AdaptiveMaxPool3d", distinct(1, 2, 4, 5, 3), 2)
add("AdaptiveMaxPool3d", distinct(2, 4, 5, 3), (2, 1, None), return_indices=True)
starts = np.array([[[0.3, 0.7], [0.1, 0.6]]])
add("FractionalMaxPool2d", distinct(1, 2, 7, 6), 2, output_size=(3, 2), _random_samples=starts)
add("FractionalMaxPool2d", distinct(2, 2, 7, 6), (2, 3), output_ratio=0.5, options={"random": True, "parity": False})
starts = np.array([[[0.3, 0.7, 0.2], [0.1, 0.6, 0.9]]])
add("FractionalMaxPool3d", distinct(1, 2, 5, 6, 5), 2, output_size=2, return_indices=True, _random_samples=starts)
add("FractionalMaxPool3d", distinct(2, 5, 6, 5), (2, 1, 2), output_ratio=0.5, options={"random": True, "parity": False})
unpool = np.array([[[[0, 3], [8, 10]]]])
add("MaxUnpool1d", lambda m: (m.real(1, 1, 2), np.array([[[1, 2]]])), 2)
add("MaxUnpool1d", lambda m: (m.real(1, 2), np.array([[0, 4]]), (5,)), 2, stride=2)
add("MaxUnpool2d", lambda m: (m.real(1, 1, 2, 2), unpool), 2)
add("MaxUnpool2d", lambda m: (m.real(1, 1, 2, 2), unpool, (5, 5)), 2, stride=2)
add("MaxUnpool3d", lambda m: (m.real(1, 1, 1, 2, 2), unpool[:, :, None]), (1, 2, 2))
add("MaxUnpool3d", lambda m: (m.real(1, 1, 2, 2), unpool), (1, 2, 2), stride=(1, 2, 2))

# ---------------------------------------------------------------------- padding

for kind in ("Zero", "Reflection", "Replication", "Circular"):
    add(f"{kind}Pad1d", real(2, 3, 5), (1, 2))
    add(f"{kind}Pad2d", real(2, 3, 5, 4), (1, 2, 0, 3))
    add(f"{kind}Pad3d", real(1, 2, 3, 4, 3), 1)
    add(f"{kind}Pad1d", real(3, 5), 2)
    add(f"{kind}Pad2d", real(3, 5, 4), 2)
    add(f"{kind}Pad3d", real(2, 3, 4, 3), (1, 0, 2, 1, 0, 2))
add("ConstantPad1d", real(2, 3, 5), 2, 1.5)
add("ConstantPad1d", real(3, 5), (-1, 2), 0.0)
add("ConstantPad2d", real(2, 3, 5, 4), (1, -1, 0, 2), 3.0)
add("ConstantPad2d", real(3, 5, 4), 1, -1.0)
add("ConstantPad3d", real(1, 2, 3, 4, 3), 1, 0.5)
add("ConstantPad3d", real(2, 3, 4, 3), (1, 0, 2, 1, -1, 2), 2.0)

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
add("BatchNorm1d", real(6, 3), 3, affine=False, track_running_stats=False)
add("BatchNorm2d", real(4, 3, 2, 5), 3, eps=1e-3, momentum=0.3)
add("BatchNorm2d", real(4, 3, 2, 5), 3, affine=False)
add("BatchNorm2d", real(4, 3, 2, 5), 3, track_running_stats=False)
add("BatchNorm2d", real(4, 3, 2, 5), 3, bias=False)
add("BatchNorm3d", real(2, 3, 2, 2, 3), 3)
add("BatchNorm3d", real(2, 3, 2, 2, 3), 3, momentum=0.5, bias=False)
add("SyncBatchNorm", real(4, 3, 2), 3, options={"parity": False})  # PyTorch has it on GPUs only
add("SyncBatchNorm", real(4, 3), 3, affine=False, momentum=None, options={"parity": False})
add("InstanceNorm1d", real(2, 3, 5), 3)
add("InstanceNorm1d", real(3, 5), 3, affine=True)
add("InstanceNorm2d", real(2, 3, 4, 3), 3, affine=True, track_running_stats=True)
add("InstanceNorm2d", real(3, 4, 3), 3, eps=1e-2)
add("InstanceNorm3d", real(2, 3, 2, 3, 2), 3, affine=True)
add("InstanceNorm3d", real(3, 2, 3, 2), 3, track_running_stats=True, momentum=0.4)
add("LayerNorm", real(2, 5, 4), 4)
add("LayerNorm", real(2, 5, 4), (5, 4), eps=1e-3, bias=False)
add("LayerNorm", real(2, 5, 4), [4], elementwise_affine=False)
add("GroupNorm", real(2, 6, 4), 3, 6)
add("GroupNorm", real(2, 6, 2, 2), 2, 6, affine=False)
add("GroupNorm", real(3, 6), 1, 6, eps=1e-2)
add("GroupNorm", real(2, 4, 3, 2), 4, 4)
add("RMSNorm", real(2, 5, 4), 4)
add("RMSNorm", real(2, 5, 4), (5, 4), eps=1e-3)
add("RMSNorm", real(2, 5, 4), 4, elementwise_affine=False)
add("LocalResponseNorm", real(2, 5, 3, 3), 3, alpha=0.1)
add("LocalResponseNorm", real(2, 5, 4), 2, beta=0.5, k=2.0)
add("CrossMapLRN2d", real(2, 5, 3, 3), 3, alpha=0.1, options={"same_gradients": False, "short": False})
add("CrossMapLRN2d", real(2, 6, 3, 3), 4, beta=0.5, k=2, options={"same_gradients": False, "short": False})

# ---------------------------------------------------------------------- dropout and embedding

RANDOM = {"random": True}
add("Dropout", real(4, 5), 0.4, options=RANDOM)
add("Dropout", real(4, 5), 0.0)
add("Dropout", real(4, 5), 1.0)
add("Dropout1d", real(4, 3, 5), options=RANDOM)
add("Dropout1d", real(3, 5), 0.2, options=RANDOM)
add("Dropout2d", real(4, 3, 2, 2), options=RANDOM)
add("Dropout2d", real(3, 2, 2), 0.2, options=RANDOM)
add("Dropout3d", real(4, 3, 2, 2, 2), options=RANDOM)
add("Dropout3d", real(3, 2, 2, 2), 0.2, options=RANDOM)
add("AlphaDropout", real(4, 5), 0.3, options=RANDOM)
add("AlphaDropout", real(5), 0.0)
add("FeatureAlphaDropout", real(4, 5, 2), options=RANDOM)
add("FeatureAlphaDropout", real(4, 5, 2, 2), 0.0)
numbers = np.array([[1, 3, 1], [0, 4, 2]])
add("Embedding", lambda m: (numbers,), 5, 3)
add("Embedding", lambda m: (numbers,), 5, 3, padding_idx=1, options={"orders": 0})
add("Embedding", lambda m: (numbers,), 5, 3, padding_idx=-1, scale_grad_by_freq=True, options={"orders": 0})
add("Embedding", lambda m: (numbers,), 5, 3, max_norm=0.5, options={"orders": 0})
for mode in ("sum", "mean", "max"):
    add("EmbeddingBag", lambda m: (numbers,), 5, 3, mode=mode)
    add("EmbeddingBag", lambda m: (np.array([1, 3, 1, 0, 4, 2]), np.array([0, 2, 2])), 5, 3, mode=mode)
add("EmbeddingBag", lambda m: (numbers,), 5, 3, mode="sum", padding_idx=1)
add("EmbeddingBag", lambda m: (numbers, None, m.real(2, 3)), 5, 3, mode="sum")
add("EmbeddingBag", lambda m: (np.array([1, 3, 1]), np.array([0, 2, 3])), 5, 3, include_last_offset=True)
# Gradients are divided by the counts of other indices in torch.
WRONG = {"orders": 0, "same_gradients": False}
add("EmbeddingBag", lambda m: (numbers,), 5, 3, max_norm=0.5, scale_grad_by_freq=True, options=WRONG)
add("EmbeddingBag", lambda m: (numbers,), 5, 3, mode="sum", scale_grad_by_freq=True, options=WRONG)

# ---------------------------------------------------------------------- attention

add("MultiheadAttention", reals((4, 2, 6), (3, 2, 6), (3, 2, 6)), 6, 2)
add("MultiheadAttention", reals((4, 6), (3, 6), (3, 6)), 6, 3, bias=False, add_zero_attn=True)
add(
    "MultiheadAttention",
    reals((2, 4, 6), (2, 3, 4), (2, 3, 5)),
    6,
    2,
    kdim=4,
    vdim=5,
    add_bias_kv=True,
    batch_first=True,
)
causal = np.triu(np.ones((4, 4), dtype=bool), 1)
padded = np.array([[False, False, False, True], [False, False, True, True]])
add("MultiheadAttention", lambda m: (*[m.real(2, 4, 6)] * 3, padded, True, causal), 6, 2, batch_first=True)
add("MultiheadAttention", lambda m: (*reals((4, 6), (3, 6), (3, 6))(m), None, True, m.real(2, 4, 3), False), 6, 2)
add("MultiheadAttention", lambda m: (*reals((4, 2, 4), (3, 2, 4), (3, 2, 4))(m), None, False), 4, 4, dropout=0.0)

# ---------------------------------------------------------------------- activations

add("Threshold", away(0.1), 0.1, 20.0)
add("Threshold", away(-0.5), -0.5, 0.0)
for name in ("ReLU", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softsign", "LogSigmoid"):
    add(name, away(0.0))
    add(name, away(0.0, shape=(2, 3, 2, 2)))
for name in ("Sigmoid", "Tanh", "Softplus", "Tanhshrink"):
    add(name, real(4, 5))
    add(name, real())
for name in ("ReLU", "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Mish", "ReLU6", "Hardswish", "Hardsigmoid", "RReLU"):
    random = {"random": name == "RReLU", "tolerance": 1e-7 if name == "Hardsigmoid" else 1e-9}
    add("Sequential", away(0.0), built("Tanhshrink"), built(name, inplace=True), options=random)
add("ReLU6", lambda m: (4 * m.away(4, 5, points=(0.0, 1.5)),))
add("Hardtanh", away(-1.0, 1.0))
add("Hardtanh", away(-0.5, 1.5), -0.5, 1.5)
add("Hardsigmoid", lambda m: (4 * m.away(4, 5, points=(-0.75, 0.75)),), options={"tolerance": 1e-7})
add("Hardswish", lambda m: (4 * m.away(4, 5, points=(-0.75, 0.75)),))
add("Hardshrink", away(-0.5, 0.5))
add("Hardshrink", away(-1.0, 1.0), 1.0)
add("Softshrink", away(-0.3, 0.3), 0.3)
add("Softshrink", away(-0.5, 0.5))
add("GELU", real(4, 5), "tanh")
add("LeakyReLU", away(0.0), 0.2)
add("ELU", away(0.0), 0.7)
add("CELU", away(0.0), 0.7, options={"tolerance": 1e-7})
add("Softplus", real(4, 5), 2.0, 3.0)
add("PReLU", away(0.0))
add("PReLU", lambda m: (m.away(2, 5, 3),), 5, init=0.1)
add("RReLU", away(0.0), options=RANDOM)
add("RReLU", away(0.0), 0.2, 0.2)
add("GLU", real(3, 4))
add("GLU", real(4, 3), dim=0)
add("GLU", real(2, 6, 3), 1)
for name in ("Softmin", "Softmax", "LogSoftmax"):
    add(name, real(3, 4), dim=1)
    add(name, real(2, 3, 4), dim=-2)
add("Softmax2d", real(2, 3, 2, 2))
add("Softmax2d", real(3, 2, 2))

# ---------------------------------------------------------------------- shapes and distances

add("Flatten", real(2, 3, 4))
add("Flatten", real(2, 3, 4), 0, 1)
add("Flatten", real(2, 3, 4, 2), -3, -2)
add("Unflatten", real(2, 6), 1, (2, -1))
add("Unflatten", real(6, 2), -2, [3, 2])
add("PixelShuffle", real(2, 8, 3, 2), 2)
add("PixelShuffle", real(9, 1, 2), 3)
add("PixelUnshuffle", real(2, 2, 4, 6), 2)
add("PixelUnshuffle", real(2, 3, 6), 3)
add("ChannelShuffle", real(2, 6, 3), 3)
add("ChannelShuffle", real(2, 4, 3, 2), 2)
add("Upsample", real(2, 3, 4), scale_factor=2)
add("Upsample", real(2, 3, 4, 3), (6, 5), mode="bilinear", align_corners=True)
add("Upsample", real(2, 3, 4, 3), scale_factor=(1.5, 2.0), mode="bilinear")
add("Upsample", real(2, 2, 4, 3), (6, 5), mode="bicubic")
add("Upsample", real(1, 2, 2, 3, 2), scale_factor=2, mode="trilinear")
add("Upsample", real(2, 3, 4), 7, mode="linear", align_corners=True)
add("Upsample", real(2, 2, 4, 3), scale_factor=1.7, mode="bilinear", recompute_scale_factor=True)
add("Upsample", real(2, 2, 4, 3), (3, 7), mode="nearest-exact")
add("UpsamplingNearest2d", real(2, 3, 2, 3), scale_factor=2)
add("UpsamplingNearest2d", real(2, 3, 2, 3), (5, 4))
add("UpsamplingBilinear2d", real(2, 3, 2, 3), 5)
add("UpsamplingBilinear2d", real(2, 3, 2, 3), scale_factor=(2, 1.5))
add("CosineSimilarity", reals((3, 4), (3, 4)))
add("CosineSimilarity", reals((3, 4), (3, 4)), dim=0, eps=1e-3)
add("CosineSimilarity", reals((3, 1, 4), (2, 4)), dim=-1)
add("PairwiseDistance", reals((3, 4), (3, 4)))
add("PairwiseDistance", reals((3, 4), (3, 4)), p=3.0, keepdim=True)
add("PairwiseDistance", reals((3, 4), (4,)), p=1.0, eps=1e-3)
