"""The layer table's recurrent layers, transformers, containers and lazy layers."""

from __future__ import annotations

import numpy as np

from .layer_case import add, built, real, reals

# ---------------------------------------------------------------------- recurrent networks

add("RNN", real(3, 2, 3), 3, 2)
add("RNN", real(2, 3, 2), 2, 3, 2, "relu", True, True, bidirectional=True)
add("RNN", reals((3, 2), (1, 4)), 2, 4, bias=False)
add("LSTM", real(3, 2, 3), 3, 2)
add("LSTM", real(3, 2), 2, 3, num_layers=2, bidirectional=True, proj_size=2, options={"orders": 1})
add("LSTM", lambda m: (m.real(2, 3, 2), (m.real(1, 2, 3), m.real(1, 2, 3))), 2, 3, batch_first=True)
add("LSTM", lambda m: (m.real(3, 2, 2), (m.real(2, 2, 1), m.real(2, 2, 3))), 2, 3, 2, bias=False, proj_size=1)
add("GRU", real(3, 2, 3), 3, 2)
add("GRU", real(2, 3, 2), 2, 2, 2, dropout=0.5, options={"random": True, "orders": 1})
add("GRU", reals((3, 2), (2, 3)), 2, 3, bidirectional=True, bias=False)
add("RNNCell", reals((3, 2), (3, 4)), 2, 4)
add("RNNCell", real(2), 2, 4, nonlinearity="relu", bias=False)
add("LSTMCell", real(3, 2), 2, 3, bias=False)
add("LSTMCell", lambda m: (m.real(2), (m.real(3), m.real(3))), 2, 3)
add("GRUCell", reals((2,), (3,)), 2, 3)
add("GRUCell", real(4, 2), 2, 3, bias=False)

# ---------------------------------------------------------------------- transformers

SMALL = {"orders": 1}
add("TransformerEncoderLayer", real(3, 2, 4), 4, 2, 3, 0.0, options=SMALL)
add("TransformerEncoderLayer", real(3, 4), 4, 2, 3, options={**SMALL, "random": True})
add("TransformerDecoderLayer", reals((3, 4), (2, 4)), 4, 2, 3, 0.0, "gelu", norm_first=True, options=SMALL)
add(
    "TransformerDecoderLayer", reals((2, 3, 4), (2, 2, 4)), 4, 2, 3, batch_first=True, options={**SMALL, "random": True}
)
add("Transformer", reals((2, 4), (3, 4)), 4, 2, 1, 1, 3, 0.0, bias=False, options=SMALL)
causal = np.triu(np.ones((3, 3), dtype=bool), 1)
add(
    "Transformer",
    lambda m: (m.real(2, 2, 4), m.real(2, 3, 4), None, causal),
    4,
    1,
    1,
    1,
    3,
    0.0,
    "gelu",
    batch_first=True,
    norm_first=True,
    options=SMALL,
)
encoder = built("TransformerEncoderLayer", 4, 2, 3, 0.0, batch_first=True)
padded = np.array([[False, False, False], [False, False, True]])
add("TransformerEncoder", real(2, 3, 4), encoder, 2, options=SMALL)
add(
    "TransformerEncoder",
    lambda m: (m.real(2, 3, 4), causal, padded),
    encoder,
    1,
    norm=built("LayerNorm", 4),
    enable_nested_tensor=False,
    options=SMALL,
)
decoder = built("TransformerDecoderLayer", 4, 2, 3, 0.0)
add("TransformerDecoder", reals((3, 2, 4), (2, 2, 4)), decoder, 2, options=SMALL)
add(
    "TransformerDecoder", lambda m: (m.real(3, 4), m.real(2, 4), causal), decoder, 1, built("RMSNorm", 4), options=SMALL
)

# ---------------------------------------------------------------------- containers

network = (built("Conv2d", 2, 3, 3), built("BatchNorm2d", 3), built("ReLU"), built("Flatten"), built("Linear", 12, 2))
add("Sequential", real(2, 2, 4, 4), *network)
add("Sequential", real(2, 3))
add("DataParallel", real(3, 4), built("Linear", 4, 2))
add("DataParallel", real(3, 2, 4, 4), built("Sequential", *network), options={"orders": 1})

# ---------------------------------------------------------------------- lazy layers, after their first call

add("LazyLinear", real(3, 4), 2)
add("LazyLinear", real(2, 3, 4), 2, bias=False)
add("LazyConv1d", real(2, 3, 6), 4, 3)
add("LazyConv1d", real(4, 6), 2, 3, padding="same", groups=2, bias=False)
add("LazyConv2d", real(2, 3, 5, 4), 4, 3)
add("LazyConv2d", real(2, 4, 5, 4), 4, 2, stride=2, padding=1, groups=4)
add("LazyConv3d", real(1, 2, 3, 3, 3), 2, 2)
add("LazyConv3d", real(2, 3, 3, 3), 2, 3, padding=1, padding_mode="replicate", bias=False)
add("LazyConvTranspose1d", real(2, 3, 4), 2, 3)
add("LazyConvTranspose1d", real(4, 4), 2, 3, stride=2, output_padding=1, groups=2)
add("LazyConvTranspose2d", real(2, 3, 3, 2), 2, 3)
add("LazyConvTranspose2d", real(2, 3, 2), 4, 2, stride=2, bias=False)
add("LazyConvTranspose3d", real(1, 2, 2, 2, 2), 2, 2)
add("LazyConvTranspose3d", real(2, 2, 2, 2), 2, 3, padding=1, groups=2)
add("LazyBatchNorm1d", real(5, 3))
add("LazyBatchNorm1d", real(4, 3, 2), momentum=None, affine=False)
add("LazyBatchNorm2d", real(4, 3, 2, 2))
add("LazyBatchNorm2d", real(4, 3, 2, 2), eps=1e-2, track_running_stats=False)
add("LazyBatchNorm3d", real(3, 2, 2, 2, 2))
add("LazyBatchNorm3d", real(3, 2, 2, 2, 2), bias=False)
add("LazyInstanceNorm1d", real(2, 3, 5))
add("LazyInstanceNorm1d", real(4, 3, 5), affine=True)
add("LazyInstanceNorm2d", real(2, 3, 3, 2))
add("LazyInstanceNorm2d", real(2, 3, 3, 2), affine=True, track_running_stats=True)
add("LazyInstanceNorm3d", real(2, 2, 2, 3, 2))
add("LazyInstanceNorm3d", real(2, 2, 2, 3, 2), affine=True, eps=1e-2)
