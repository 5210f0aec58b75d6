"""Calls and layers that PyTorch refuses: how they are made, what is raised, and the words that it has there.

A call's row gives a layer and the arguments; in the words ``{T}`` stands for the library.
"""

# ruff: noqa: E501  (the words are PyTorch's)
from __future__ import annotations

from collections.abc import Callable
from typing import Any


def z(T: Any, *shape: int, dt: str | None = None) -> Any:
    """Zeros of a shape and dtype."""
    return T.zeros(*shape, dtype=dt and getattr(T, dt))


def P(T: Any, x: Any, lengths: list[int]) -> Any:
    """A packed sequence."""
    return T.nn.utils.rnn.pack_padded_sequence(x, T.tensor(lengths))


i64 = "int64"
Row = tuple[Callable[[Any], tuple[Any, Any]], type[Exception], str]

CALLS: dict[str, Row] = {
    "linear features": (
        lambda T: (T.nn.Linear(3, 2), (z(T, 4, 5),)),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (4x5 and 3x2)",
    ),
    "linear 1d": (
        lambda T: (T.nn.Linear(3, 2), (z(T, 5),)),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (1x5 and 3x2)",
    ),
    "linear dtype": (
        lambda T: (T.nn.Linear(3, 2), (z(T, 4, 3, dt="float64"),)),
        RuntimeError,
        "mat1 and mat2 must have the same dtype, but got Double and Float",
    ),
    "linear int": (
        lambda T: (T.nn.Linear(3, 2), (z(T, 4, 3, dt=i64),)),
        RuntimeError,
        "mat1 and mat2 must have the same dtype, but got Long and Float",
    ),
    "linear notensor": (
        lambda T: (T.nn.Linear(3, 2), ([1.0, 2.0, 3.0],)),
        TypeError,
        "linear(): argument 'input' (position 1) must be Tensor, not list",
    ),
    "bilinear features": (
        lambda T: (T.nn.Bilinear(3, 4, 2), (z(T, 5, 3), z(T, 5, 3))),
        RuntimeError,
        "bilinear(): input2 size does not match weight size: got 3 but expected 4",
    ),
    "bilinear batch": (
        lambda T: (T.nn.Bilinear(3, 4, 2), (z(T, 5, 3), z(T, 6, 4))),
        RuntimeError,
        "bilinear(): input batch dimensions do not match at dim 0: got 5 and 6",
    ),
    "conv2d channels": (
        lambda T: (T.nn.Conv2d(3, 4, 3), (z(T, 1, 2, 8, 8),)),
        RuntimeError,
        "Given groups=1, weight of size [4, 3, 3, 3], expected input[1, 2, 8, 8] to have 3 channels, but got 2 channels instead",
    ),
    "conv2d channels unbatched": (
        lambda T: (T.nn.Conv2d(3, 4, 3), (z(T, 2, 8, 8),)),
        RuntimeError,
        "Given groups=1, weight of size [4, 3, 3, 3], expected input[1, 2, 8, 8] to have 3 channels, but got 2 channels instead",
    ),
    "conv2d rank": (
        lambda T: (T.nn.Conv2d(3, 4, 3), (z(T, 8, 8),)),
        RuntimeError,
        "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [8, 8]",
    ),
    "conv2d rank5": (
        lambda T: (T.nn.Conv2d(3, 4, 3), (z(T, 1, 1, 3, 8, 8),)),
        RuntimeError,
        "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [1, 1, 3, 8, 8]",
    ),
    "conv2d small": (
        lambda T: (T.nn.Conv2d(3, 4, 5), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "Calculated padded input size per channel: (4 x 4). Kernel size: (5 x 5). Kernel size can't be greater than actual input size",
    ),
    "conv2d dtype": (
        lambda T: (T.nn.Conv2d(3, 4, 3), (z(T, 1, 3, 8, 8, dt="float64"),)),
        RuntimeError,
        "Input type (double) and bias type (float) should be the same",
    ),
    "conv2d uint8": (
        lambda T: (T.nn.Conv2d(3, 4, 3), (z(T, 1, 3, 8, 8, dt="uint8"),)),
        RuntimeError,
        "Input type (unsigned char) and bias type (float) should be the same",
    ),
    "conv2d groups": (
        lambda T: (T.nn.Conv2d(4, 4, 3, groups=2), (z(T, 1, 2, 8, 8),)),
        RuntimeError,
        "Given groups=2, weight of size [4, 2, 3, 3], expected input[1, 2, 8, 8] to have 4 channels, but got 2 channels instead",
    ),
    "conv1d rank": (
        lambda T: (T.nn.Conv1d(3, 4, 3), (z(T, 8),)),
        RuntimeError,
        "Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: [8]",
    ),
    "conv1d rank4": (
        lambda T: (T.nn.Conv1d(3, 4, 3), (z(T, 1, 3, 8, 8),)),
        RuntimeError,
        "Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: [1, 3, 8, 8]",
    ),
    "conv3d channels": (
        lambda T: (T.nn.Conv3d(3, 4, 3), (z(T, 1, 2, 8, 8, 8),)),
        RuntimeError,
        "Given groups=1, weight of size [4, 3, 3, 3, 3], expected input[1, 2, 8, 8, 8] to have 3 channels, but got 2 channels instead",
    ),
    "convT channels": (
        lambda T: (T.nn.ConvTranspose2d(3, 4, 3), (z(T, 1, 2, 8, 8),)),
        RuntimeError,
        "Given transposed=1, weight of size [3, 4, 3, 3], expected input[1, 2, 8, 8] to have 3 channels, but got 2 channels instead",
    ),
    "convT rank": (
        lambda T: (T.nn.ConvTranspose2d(3, 4, 3), (z(T, 8, 8),)),
        RuntimeError,
        "Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d, but got input of size: [8, 8]",
    ),
    "convT outsize": (
        lambda T: (T.nn.ConvTranspose2d(3, 4, 3, stride=2), (z(T, 1, 3, 4, 4), [20, 20])),
        ValueError,
        "requested an output size of [20, 20], but valid sizes range from [9, 9] to [10, 10] (for an input of {T}.Size([4, 4]))",
    ),
    "convT outsize len": (
        lambda T: (T.nn.ConvTranspose2d(3, 4, 3, stride=2), (z(T, 1, 3, 4, 4), [9])),
        ValueError,
        "ConvTranspose2D: for 4D input, output_size must have 2 or 4 elements (got 1)",
    ),
    "maxpool small": (
        lambda T: (T.nn.MaxPool2d(5), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "Given input size: (3x4x4). Calculated output size: (3x0x0). Output size is too small",
    ),
    "maxpool rank": (
        lambda T: (T.nn.MaxPool2d(2), (z(T, 4, 4),)),
        RuntimeError,
        "non-empty 3D or 4D (batch mode) tensor expected for input",
    ),
    "maxpool pad": (
        lambda T: (T.nn.MaxPool2d(2, padding=2), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1",
    ),
    "maxpool int": (
        lambda T: (T.nn.MaxPool2d(2), (z(T, 1, 3, 4, 4, dt="bool"),)),
        NotImplementedError,
        "\"max_pool2d\" not implemented for 'Bool'",
    ),
    "maxpool empty ch": (
        lambda T: (T.nn.MaxPool2d(2), (z(T, 1, 0, 4, 4),)),
        RuntimeError,
        "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:[1, 0, 4, 4]",
    ),
    "avgpool small": (
        lambda T: (T.nn.AvgPool2d(5), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "Given input size: (3x4x4). Calculated output size: (3x0x0). Output size is too small",
    ),
    "maxpool1d rank": (
        lambda T: (T.nn.MaxPool1d(2), (z(T, 4),)),
        RuntimeError,
        "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:[4]",
    ),
    "maxpool3d rank": (
        lambda T: (T.nn.MaxPool3d(2), (z(T, 4, 4, 4),)),
        RuntimeError,
        "non-empty 4D or 5D (batch mode) tensor expected for input",
    ),
    "adaptive rank": (
        lambda T: (T.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 5]), (z(T, 2, 4), T.tensor([[0, 1]]))),
        RuntimeError,
        "0D or 1D target tensor expected, multi-target not supported",
    ),
    "adaptive out": (
        lambda T: (T.nn.AdaptiveAvgPool2d((2, 2, 2)), (z(T, 1, 4, 4, 4),)),
        RuntimeError,
        "adaptive_avg_pool2d: output_size must be 2",
    ),
    "adaptivemax rank": (
        lambda T: (T.nn.AdaptiveMaxPool2d(2), (z(T, 4, 4),)),
        RuntimeError,
        "adaptive_max_pool2d(): Expected 3D or 4D tensor, but got: [4, 4]",
    ),
    "lppool": (
        lambda T: (T.nn.LPPool2d(2, 5), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "Given input size: (3x4x4). Calculated output size: (3x0x0). Output size is too small",
    ),
    "fractional": (
        lambda T: (T.nn.FractionalMaxPool2d(3, output_size=9), (z(T, 1, 3, 5, 5),)),
        RuntimeError,
        "fractional_max_pool2d(): pool height 3 too large relative to input height 5",
    ),
    "unpool": (
        lambda T: (T.nn.MaxUnpool2d(2), (z(T, 1, 1, 2, 2), z(T, 1, 1, 2, 2))),
        RuntimeError,
        "elements in indices should be type int64 but got: Float",
    ),
    "unpool shape": (
        lambda T: (T.nn.MaxUnpool2d(2), (z(T, 1, 1, 2, 2), z(T, 1, 1, 2, 3, dt=i64))),
        RuntimeError,
        "Expected shape of indices to be same as that of the input tensor ([1, 1, 2, 2]) but got indices tensor with shape: [1, 1, 2, 3]",
    ),
    "bn one": (
        lambda T: (T.nn.BatchNorm1d(3), (z(T, 1, 3),)),
        ValueError,
        "Expected more than 1 value per channel when training, got input size {T}.Size([1, 3])",
    ),
    "bn2 one": (
        lambda T: (T.nn.BatchNorm2d(3), (z(T, 1, 3, 1, 1),)),
        ValueError,
        "Expected more than 1 value per channel when training, got input size {T}.Size([1, 3, 1, 1])",
    ),
    "bn rank": (lambda T: (T.nn.BatchNorm2d(3), (z(T, 2, 3, 4),)), ValueError, "expected 4D input (got 3D input)"),
    "bn1 rank": (
        lambda T: (T.nn.BatchNorm1d(3), (z(T, 2, 3, 4, 4),)),
        ValueError,
        "expected 2D or 3D input (got 4D input)",
    ),
    "bn3 rank": (lambda T: (T.nn.BatchNorm3d(3), (z(T, 2, 3, 4, 4),)), ValueError, "expected 5D input (got 4D input)"),
    "bn dtype": (
        lambda T: (T.nn.BatchNorm2d(3), (z(T, 2, 3, 4, 4, dt="float64"),)),
        RuntimeError,
        "mixed dtype (CPU): all inputs must share same datatype",
    ),
    "in one": (
        lambda T: (T.nn.InstanceNorm2d(3), (z(T, 2, 3, 1, 1),)),
        ValueError,
        "Expected more than 1 spatial element when training, got input size {T}.Size([2, 3, 1, 1])",
    ),
    "in rank": (
        lambda T: (T.nn.InstanceNorm2d(3), (z(T, 2, 3),)),
        ValueError,
        "expected 3D or 4D input (got 2D input)",
    ),
    "in features": (
        lambda T: (T.nn.InstanceNorm2d(3, affine=True), (z(T, 2, 4, 4, 4),)),
        ValueError,
        "expected input's size at dim=1 to match num_features (3), but got: 4",
    ),
    "ln shape": (
        lambda T: (T.nn.LayerNorm(3), (z(T, 2, 4),)),
        RuntimeError,
        "Given normalized_shape=[3], expected input with shape [*, 3], but got input of size[2, 4]",
    ),
    "ln shape2": (
        lambda T: (T.nn.LayerNorm((2, 3)), (z(T, 3),)),
        RuntimeError,
        "Given normalized_shape=[2, 3], expected input with shape [*, 2, 3], but got input of size[3]",
    ),
    "ln dtype": (
        lambda T: (T.nn.LayerNorm(3), (z(T, 2, 3, dt="float64"),)),
        RuntimeError,
        "mixed dtype (CPU): all inputs must share same datatype",
    ),
    "gn features": (
        lambda T: (T.nn.GroupNorm(2, 4), (z(T, 2, 6, 3),)),
        RuntimeError,
        "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape [4] and input of shape [2, 6, 3]",
    ),
    "gn rank": (
        lambda T: (T.nn.GroupNorm(2, 4), (z(T, 4),)),
        RuntimeError,
        "Expected at least 2 dimensions for input tensor but received 1",
    ),
    "gn one": (
        lambda T: (T.nn.GroupNorm(4, 4), (z(T, 1, 4),)),
        ValueError,
        "Expected more than 1 value per channel when training, got input size [1, 4]",
    ),
    "emb dtype": (
        lambda T: (T.nn.Embedding(5, 3), (z(T, 2),)),
        RuntimeError,
        "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {T}.FloatTensor instead (while checking arguments for embedding)",
    ),
    "emb range": (lambda T: (T.nn.Embedding(5, 3), (T.tensor([5]),)), IndexError, "index out of range in self"),
    "emb neg": (lambda T: (T.nn.Embedding(5, 3), (T.tensor([-1]),)), IndexError, "index out of range in self"),
    "emb int16": (
        lambda T: (T.nn.Embedding(5, 3), (z(T, 2, dt="int16"),)),
        RuntimeError,
        "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {T}.ShortTensor instead (while checking arguments for embedding)",
    ),
    "bag dtype": (
        lambda T: (T.nn.EmbeddingBag(5, 3), (z(T, 2, 2),)),
        RuntimeError,
        "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {T}.FloatTensor instead (while checking arguments for embedding_bag)",
    ),
    "bag offsets missing": (
        lambda T: (T.nn.EmbeddingBag(5, 3), (T.tensor([1, 2]),)),
        ValueError,
        "offsets has to be a 1D Tensor but got None",
    ),
    "bag offsets 2d": (
        lambda T: (T.nn.EmbeddingBag(5, 3), (T.tensor([[1, 2]]), T.tensor([0]))),
        ValueError,
        "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type <class '{T}.Tensor'>",
    ),
    "bag offsets start": (
        lambda T: (T.nn.EmbeddingBag(5, 3), (T.tensor([1, 2]), T.tensor([1]))),
        RuntimeError,
        "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got 1",
    ),
    "bag offsets end": (
        lambda T: (T.nn.EmbeddingBag(5, 3), (T.tensor([1, 2]), T.tensor([0, 5]))),
        RuntimeError,
        "offsets[-1] can not be greater than input's length 2 but got offsets[-1] of 5",
    ),
    "bag weights": (
        lambda T: (T.nn.EmbeddingBag(5, 3, mode="sum"), (T.tensor([[1, 2]]), None, z(T, 1, 3))),
        ValueError,
        "embedding_bag: If per_sample_weights ({T}.Size([1, 3])) is not None, then it must have the same shape as the input ({T}.Size([1, 2]))",
    ),
    "dropout1d": (
        lambda T: (T.nn.Dropout1d(), (z(T, 4),)),
        RuntimeError,
        "dropout1d: Expected 2D or 3D input, but received a 1D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)",
    ),
    "glu odd": (
        lambda T: (T.nn.GLU(), (z(T, 3, 5),)),
        RuntimeError,
        "Halving dimension must be even, but dimension 1 is size 5",
    ),
    "softmax dim": (
        lambda T: (T.nn.Softmax(dim=2), (z(T, 3, 5),)),
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    ),
    "softmax2d": (
        lambda T: (T.nn.Softmax2d(), (z(T, 3, 5),)),
        ValueError,
        "Softmax2d: expected input to be 3D or 4D, got 2D instead",
    ),
    "prelu channels": (
        lambda T: (T.nn.PReLU(3), (z(T, 2, 4),)),
        RuntimeError,
        "Mismatch of parameter numbers and input channel size. Found parameter numbers = 3 and channel size = 4",
    ),
    "unflatten": (
        lambda T: (T.nn.Unflatten(1, (2, 3)), (z(T, 2, 5),)),
        RuntimeError,
        "unflatten: Provided sizes [2, 3] don't multiply up to the size of dim 1 (5) in the input tensor",
    ),
    "flatten dims": (
        lambda T: (T.nn.Flatten(2, 1), (z(T, 2, 5, 3),)),
        RuntimeError,
        "flatten() has invalid args: start_dim cannot come after end_dim",
    ),
    "shuffle": (
        lambda T: (T.nn.PixelShuffle(2), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=3 is not divisible by 4",
    ),
    "unshuffle": (
        lambda T: (T.nn.PixelUnshuffle(2), (z(T, 1, 3, 5, 4),)),
        RuntimeError,
        "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=5 is not divisible by 2",
    ),
    "chshuffle": (
        lambda T: (T.nn.ChannelShuffle(2), (z(T, 1, 3, 4, 4),)),
        RuntimeError,
        "Number of channels must be divisible by groups. Got 3 channels and 2 groups",
    ),
    "fold": (
        lambda T: (T.nn.Fold((4, 5), (2, 2)), (z(T, 2, 8, 10),)),
        RuntimeError,
        "Given output_size=(4, 5), kernel_size=(2, 2), dilation=(1, 1), padding=(0, 0), stride=(1, 1), expected size of input's dimension 2 to match the calculated number of sliding blocks 3 * 4 = 12, but got input.size(2)=10",
    ),
    "fold ch": (
        lambda T: (T.nn.Fold((4, 5), (2, 2)), (z(T, 2, 7, 12),)),
        RuntimeError,
        "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=7 and kernel_size=(2, 2)",
    ),
    "unfold": (
        lambda T: (T.nn.Unfold(5), (z(T, 2, 3, 4, 4),)),
        RuntimeError,
        "Given input with spatial size (4, 4), kernel_size=(5, 5), dilation=(1, 1), padding=(0, 0), calculated shape of the array of sliding blocks as (0, 0), but its components must be at least one",
    ),
    "upsample none": (
        lambda T: (T.nn.Upsample(), (z(T, 1, 1, 4),)),
        ValueError,
        "either size or scale_factor should be defined",
    ),
    "upsample mode": (
        lambda T: (T.nn.Upsample(scale_factor=2, mode="bilinear"), (z(T, 1, 1, 4),)),
        NotImplementedError,
        "Got 3D input, but bilinear mode needs 4D input",
    ),
    "upsample rank": (
        lambda T: (T.nn.Upsample(scale_factor=2), (z(T, 4, 4),)),
        NotImplementedError,
        "Input Error: Only 3D, 4D and 5D input Tensors supported (got 2D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got nearest)",
    ),
    "upsample len": (
        lambda T: (T.nn.Upsample(size=(2, 3)), (z(T, 1, 1, 4),)),
        ValueError,
        "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of [4] and output size of (2, 3). Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format",
    ),
    "reflect pad big": (
        lambda T: (T.nn.ReflectionPad1d(5), (z(T, 1, 2, 4),)),
        RuntimeError,
        "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (5, 5) at dimension 2 of input [1, 2, 4]",
    ),
    "reflect pad rank": (
        lambda T: (T.nn.ReflectionPad2d(1), (z(T, 4, 4),)),
        NotImplementedError,
        "Padding size 4 is not supported for 2D input tensor",
    ),
    "circular big": (
        lambda T: (T.nn.CircularPad1d(5), (z(T, 1, 2, 4),)),
        RuntimeError,
        "Padding value causes wrapping around more than once",
    ),
    "replicate rank": (
        lambda T: (T.nn.ReplicationPad2d(1), (z(T, 4, 4),)),
        NotImplementedError,
        "Padding size 4 is not supported for 2D input tensor",
    ),
    "cosine": (
        lambda T: (T.nn.CosineSimilarity(), (z(T, 3, 4), z(T, 3, 5))),
        RuntimeError,
        "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1",
    ),
    "pairwise": (
        lambda T: (T.nn.PairwiseDistance(), (z(T, 3, 4), z(T, 3, 5))),
        RuntimeError,
        "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1",
    ),
    "lstm features": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 2, 1, 5),)),
        RuntimeError,
        "input.size(-1) must be equal to input_size. Expected 3, got 5",
    ),
    "lstm rank": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 3),)),
        ValueError,
        "LSTM: Expected input to be 2D or 3D, got 1D instead",
    ),
    "lstm rank4": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 1, 2, 1, 3),)),
        ValueError,
        "LSTM: Expected input to be 2D or 3D, got 4D instead",
    ),
    "lstm hidden": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 2, 1, 3), (z(T, 1, 1, 5), z(T, 1, 1, 4)))),
        RuntimeError,
        "Expected hidden[0] size (1, 1, 4), got [1, 1, 5]",
    ),
    "lstm cell": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 2, 1, 3), (z(T, 1, 1, 4), z(T, 1, 1, 5)))),
        RuntimeError,
        "Expected hidden[1] size (1, 1, 4), got [1, 1, 5]",
    ),
    "lstm hidden rank": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 2, 1, 3), (z(T, 1, 4), z(T, 1, 4)))),
        RuntimeError,
        "For batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D) tensors",
    ),
    "lstm unbatched hidden": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 2, 3), (z(T, 1, 1, 4), z(T, 1, 1, 4)))),
        RuntimeError,
        "For unbatched 2-D input, hx and cx should also be 2-D but got (3-D, 3-D) tensors",
    ),
    "lstm layers": (
        lambda T: (T.nn.LSTM(3, 4, 2), (z(T, 2, 1, 3), (z(T, 1, 1, 4), z(T, 1, 1, 4)))),
        RuntimeError,
        "Expected hidden[0] size (2, 1, 4), got [1, 1, 4]",
    ),
    "lstm dtype": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 2, 1, 3, dt="float64"),)),
        ValueError,
        "RNN input dtype ({T}.float64) does not match weight dtype ({T}.float32). Convert input: input.to({T}.float32), or convert model: model.to({T}.float64)",
    ),
    "lstm empty": (
        lambda T: (T.nn.LSTM(3, 4), (z(T, 0, 1, 3),)),
        RuntimeError,
        "Expected sequence length to be larger than 0 in RNN",
    ),
    "gru hidden": (
        lambda T: (T.nn.GRU(3, 4), (z(T, 2, 1, 3), z(T, 1, 2, 4))),
        RuntimeError,
        "Expected hidden size (1, 1, 4), got [1, 2, 4]",
    ),
    "gru features": (
        lambda T: (T.nn.GRU(3, 4, batch_first=True), (z(T, 2, 1, 5),)),
        RuntimeError,
        "input.size(-1) must be equal to input_size. Expected 3, got 5",
    ),
    "gru hidden rank": (
        lambda T: (T.nn.GRU(3, 4), (z(T, 2, 1, 3), z(T, 1, 4))),
        RuntimeError,
        "For batched 3-D input, hx should also be 3-D but got 2-D tensor",
    ),
    "rnn hidden": (
        lambda T: (T.nn.RNN(3, 4), (z(T, 2, 1, 3), z(T, 1, 1, 3))),
        RuntimeError,
        "Expected hidden size (1, 1, 4), got [1, 1, 3]",
    ),
    "rnn packed features": (
        lambda T: (T.nn.RNN(3, 4), (P(T, z(T, 3, 2, 5), [3, 2]),)),
        RuntimeError,
        "input.size(-1) must be equal to input_size. Expected 3, got 5",
    ),
    "rnncell features": (
        lambda T: (T.nn.RNNCell(3, 4), (z(T, 2, 5),)),
        RuntimeError,
        "input has inconsistent input_size: got 5 expected 3",
    ),
    "rnncell hidden": (
        lambda T: (T.nn.RNNCell(3, 4), (z(T, 2, 3), z(T, 2, 3))),
        RuntimeError,
        "hidden0 has inconsistent hidden_size: got 3, expected 4",
    ),
    "rnncell batch": (
        lambda T: (T.nn.RNNCell(3, 4), (z(T, 2, 3), z(T, 3, 4))),
        RuntimeError,
        "Input batch size 2 doesn't match hidden0 batch size 3",
    ),
    "rnncell rank": (
        lambda T: (T.nn.RNNCell(3, 4), (z(T, 2, 2, 3),)),
        ValueError,
        "RNNCell: Expected input to be 1D or 2D, got 3D instead",
    ),
    "lstmcell rank": (
        lambda T: (T.nn.LSTMCell(3, 4), (z(T, 2, 2, 3),)),
        ValueError,
        "LSTMCell: Expected input to be 1D or 2D, got 3D instead",
    ),
    "lstmcell hidden": (
        lambda T: (T.nn.LSTMCell(3, 4), (z(T, 2, 3), (z(T, 2, 4), z(T, 2, 5)))),
        RuntimeError,
        "hidden1 has inconsistent hidden_size: got 5, expected 4",
    ),
    "grucell features": (
        lambda T: (T.nn.GRUCell(3, 4), (z(T, 2, 5),)),
        RuntimeError,
        "input has inconsistent input_size: got 5 expected 3",
    ),
    "mha embed": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 5), z(T, 3, 2, 5), z(T, 3, 2, 5))),
        AssertionError,
        "was expecting embedding dimension of 4, but got 5",
    ),
    "mha rank": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 4), z(T, 4), z(T, 4))),
        AssertionError,
        "query should be unbatched 2D or batched 3D tensor but received 1-D query tensor",
    ),
    "mha rank mix": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4), z(T, 3, 4), z(T, 3, 4))),
        AssertionError,
        "For batched (3-D) `query`, expected `key` and `value` to be 3-D but found 2-D and 2-D tensors respectively",
    ),
    "mha kv": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 5, 2, 4))),
        AssertionError,
        "key shape {T}.Size([3, 2, 4]) does not match value shape {T}.Size([5, 2, 4])",
    ),
    "mha mask shape": (
        lambda T: (
            T.nn.MultiheadAttention(4, 2),
            (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), None, True, z(T, 3, 4)),
        ),
        RuntimeError,
        "The shape of the 2D attn_mask is {T}.Size([3, 4]), but should be (3, 3)",
    ),
    "mha mask3 shape": (
        lambda T: (
            T.nn.MultiheadAttention(4, 2),
            (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), None, True, z(T, 3, 3, 3)),
        ),
        RuntimeError,
        "The shape of the 3D attn_mask is {T}.Size([3, 3, 3]), but should be (4, 3, 3)",
    ),
    "mha mask rank": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), None, True, z(T, 3))),
        AssertionError,
        "For batched (3-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found 1-D tensor instead",
    ),
    "mha mask dtype": (
        lambda T: (
            T.nn.MultiheadAttention(4, 2),
            (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), None, True, z(T, 3, 3, dt=i64)),
        ),
        AssertionError,
        "only bool and floating types of attn_mask are supported",
    ),
    "mha kpm dtype": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 2, 3, dt=i64))),
        AssertionError,
        "only bool and floating types of key_padding_mask are supported",
    ),
    "mha kpm shape": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, dt="bool"))),
        AssertionError,
        "Expected key_padded_mask.shape[0] to be 2, but got 3",
    ),
    "mha kpm rank": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, dt="bool"))),
        AssertionError,
        "For batched (3-D) `query`, expected `key_padding_mask` to be `None` or 2-D but found 1-D tensor instead",
    ),
    "mha dtype": (
        lambda T: (T.nn.MultiheadAttention(4, 2), (z(T, 3, 2, 4, dt="float64"),) * 3),
        RuntimeError,
        "mat1 and mat2 must have the same dtype, but got Double and Float",
    ),
    "tr batch": (
        lambda T: (T.nn.Transformer(4, 2, 1, 1, 4), (z(T, 3, 2, 4), z(T, 3, 1, 4))),
        RuntimeError,
        "the batch number of src and tgt must be equal",
    ),
    "tr features": (
        lambda T: (T.nn.Transformer(4, 2, 1, 1, 4), (z(T, 3, 2, 4), z(T, 3, 2, 5))),
        RuntimeError,
        "the feature number of src and tgt must be equal to d_model",
    ),
    "tr features2": (
        lambda T: (T.nn.Transformer(4, 2, 1, 1, 4), (z(T, 3, 2, 5), z(T, 3, 2, 5))),
        RuntimeError,
        "the feature number of src and tgt must be equal to d_model",
    ),
    "tr batchfirst": (
        lambda T: (T.nn.Transformer(4, 2, 1, 1, 4, batch_first=True), (z(T, 3, 2, 4), z(T, 2, 2, 4))),
        RuntimeError,
        "the batch number of src and tgt must be equal",
    ),
    "tr mask": (
        lambda T: (T.nn.Transformer(4, 2, 1, 1, 4), (z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 2, 2))),
        RuntimeError,
        "The shape of the 2D attn_mask is {T}.Size([2, 2]), but should be (3, 3)",
    ),
    "enc mask": (
        lambda T: (T.nn.TransformerEncoderLayer(4, 2, 4), (z(T, 3, 2, 4), z(T, 2, 2))),
        RuntimeError,
        "The shape of the 2D attn_mask is {T}.Size([2, 2]), but should be (3, 3)",
    ),
    "enc feats": (
        lambda T: (T.nn.TransformerEncoderLayer(4, 2, 4), (z(T, 3, 2, 5),)),
        AssertionError,
        "was expecting embedding dimension of 4, but got 5",
    ),
    "enc rank": (
        lambda T: (T.nn.TransformerEncoderLayer(4, 2, 4), (z(T, 4),)),
        AssertionError,
        "query should be unbatched 2D or batched 3D tensor but received 1-D query tensor",
    ),
    "ce range": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), T.tensor([0, 3]))),
        IndexError,
        "Target 3 is out of bounds",
    ),
    "ce neg": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), T.tensor([0, -1]))),
        IndexError,
        "Target -1 is out of bounds",
    ),
    "ce float": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), z(T, 2))),
        RuntimeError,
        "expected target dtype to be Long or Byte, but got Float",
    ),
    "ce int32": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), z(T, 2, dt="int32"))),
        RuntimeError,
        "expected target dtype to be Long or Byte, but got Int",
    ),
    "ce batch": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), z(T, 4, dt=i64))),
        ValueError,
        "Expected input batch_size (2) to match target batch_size (4)",
    ),
    "ce onehot int": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), z(T, 2, 3, dt=i64))),
        RuntimeError,
        "Expected floating point type for target with class probabilities, got Long",
    ),
    "ce col": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), z(T, 2, 1, dt=i64))),
        RuntimeError,
        "0D or 1D target tensor expected, multi-target not supported",
    ),
    "ce prob shape": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3), z(T, 2, 4))),
        RuntimeError,
        "0D or 1D target tensor expected, multi-target not supported",
    ),
    "ce spatial": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3, 4, 4), z(T, 2, 4, 5, dt=i64))),
        RuntimeError,
        "size mismatch (got input: [2, 3, 4, 4] , target: [2, 4, 5]",
    ),
    "ce spatial rank": (
        lambda T: (T.nn.CrossEntropyLoss(), (z(T, 2, 3, 4, 4), z(T, 2, 1, 4, 4, dt=i64))),
        RuntimeError,
        "only batches of spatial targets supported (3D tensors) but got targets of dimension: 4",
    ),
    "ce weight": (
        lambda T: (T.nn.CrossEntropyLoss(weight=T.ones(4)), (z(T, 2, 3), z(T, 2, dt=i64))),
        RuntimeError,
        "weight tensor should be defined either for all 3 classes or no classes but got weight tensor of shape: [4]",
    ),
    "ce smoothing": (
        lambda T: (T.nn.CrossEntropyLoss(label_smoothing=1.5), (z(T, 2, 3), z(T, 2, dt=i64))),
        RuntimeError,
        "label_smoothing must be between 0.0 and 1.0. Got: 1.5",
    ),
    "ce reduction": (
        lambda T: (T.nn.CrossEntropyLoss(reduction="avg"), (z(T, 2, 3), z(T, 2, dt=i64))),
        ValueError,
        "avg is not a valid value for reduction",
    ),
    "nll range": (lambda T: (T.nn.NLLLoss(), (z(T, 2, 3), T.tensor([0, 3]))), IndexError, "Target 3 is out of bounds"),
    "nll batch": (
        lambda T: (T.nn.NLLLoss(), (z(T, 2, 3), z(T, 3, dt=i64))),
        ValueError,
        "Expected input batch_size (2) to match target batch_size (3)",
    ),
    "nll weight": (
        lambda T: (T.nn.NLLLoss(weight=T.ones(4)), (z(T, 2, 3), z(T, 2, dt=i64))),
        RuntimeError,
        "weight tensor should be defined either for all 3 classes or no classes but got weight tensor of shape: [4]",
    ),
    "nll spatial": (
        lambda T: (T.nn.NLLLoss(), (z(T, 2, 3, 4, 4), z(T, 2, 4, 5, dt=i64))),
        RuntimeError,
        "size mismatch (got input: [2, 3, 4, 4] , target: [2, 4, 5]",
    ),
    "bce size": (
        lambda T: (T.nn.BCELoss(), (z(T, 2, 3), z(T, 2))),
        ValueError,
        "Using a target size ({T}.Size([2])) that is different to the input size ({T}.Size([2, 3])) is deprecated. Please ensure they have the same size",
    ),
    "bce range": (
        lambda T: (T.nn.BCELoss(), (T.full((2,), 1.5), z(T, 2))),
        RuntimeError,
        "all elements of input should be between 0 and 1",
    ),
    "bce dtype": (
        lambda T: (T.nn.BCELoss(), (z(T, 2), z(T, 2, dt=i64))),
        RuntimeError,
        "Found dtype Long but expected Float",
    ),
    "bcel size": (
        lambda T: (T.nn.BCEWithLogitsLoss(), (z(T, 2, 1), z(T, 2))),
        ValueError,
        "Target size ({T}.Size([2])) must be the same as input size ({T}.Size([2, 1]))",
    ),
    "mse size": (
        lambda T: (T.nn.MSELoss(), (z(T, 2, 3), z(T, 2, 4))),
        RuntimeError,
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1",
    ),
    "kl int": (
        lambda T: (T.nn.KLDivLoss(reduction="sum"), (z(T, 2, dt=i64), z(T, 2, dt=i64))),
        RuntimeError,
        "kl_div: Integral inputs not supported",
    ),
    "ctc lens": (
        lambda T: (T.nn.CTCLoss(), (z(T, 5, 2, 3), T.tensor([[1, 2], [1, 2]]), T.tensor([5]), T.tensor([2, 2]))),
        RuntimeError,
        "input_lengths must be of size batch_size",
    ),
    "ctc blank": (
        lambda T: (
            T.nn.CTCLoss(blank=4),
            (z(T, 5, 2, 3), T.tensor([[1, 2], [1, 2]]), T.tensor([5, 5]), T.tensor([2, 2])),
        ),
        RuntimeError,
        "blank must be in label range",
    ),
    "ctc float": (
        lambda T: (
            T.nn.CTCLoss(),
            (z(T, 5, 2, 3, dt=i64), T.tensor([[1, 2], [1, 2]]), T.tensor([5, 5]), T.tensor([2, 2])),
        ),
        NotImplementedError,
        "\"ctc_loss_cpu\" not implemented for 'Long'",
    ),
    "mml": (lambda T: (T.nn.MultiMarginLoss(), (z(T, 2, 3), T.tensor([0, 3]))), RuntimeError, "target out of range"),
    "mml size": (
        lambda T: (T.nn.MultiMarginLoss(), (z(T, 2, 3), T.tensor([0, 1, 2]))),
        RuntimeError,
        "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected target size [2], but got [3]. Input has shape [2, 3]",
    ),
    "mlml": (
        lambda T: (T.nn.MultiLabelMarginLoss(), (z(T, 2, 3), T.tensor([0, 1, 2]))),
        RuntimeError,
        "inconsistent target size: [3] for input of size: [2, 3]",
    ),
    "mlml range": (
        lambda T: (T.nn.MultiLabelMarginLoss(), (z(T, 2, 3), T.tensor([[0, 1, 3], [0, -1, -1]]))),
        RuntimeError,
        "argument #2 'target' is out of range",
    ),
    "ranking": (
        lambda T: (T.nn.MarginRankingLoss(), (z(T, 2, 3), z(T, 2, 3), z(T, 2))),
        RuntimeError,
        "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: {T}.Size([2, 3]), input2: {T}.Size([2, 3]), target: {T}.Size([2])",
    ),
    "cosemb": (
        lambda T: (T.nn.CosineEmbeddingLoss(), (z(T, 2, 3), z(T, 2, 3), z(T, 2, 3))),
        RuntimeError,
        "0D or 1D target tensor expected, multi-target not supported",
    ),
    "triplet": (
        lambda T: (T.nn.TripletMarginLoss(), (z(T, 2, 3), z(T, 2, 3), z(T, 3))),
        RuntimeError,
        "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor 2D, positive 2D, and negative 1D inputs",
    ),
    "gnll var": (
        lambda T: (T.nn.GaussianNLLLoss(), (z(T, 2, 3), z(T, 2, 3), z(T, 4))),
        ValueError,
        "var is of incorrect size",
    ),
    "gnll neg": (
        lambda T: (T.nn.GaussianNLLLoss(), (z(T, 2, 3), z(T, 2, 3), z(T, 2, 3) - 1)),
        ValueError,
        "var has negative entry/entries",
    ),
    "adaptive range": (
        lambda T: (T.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 5]), (z(T, 2, 4), T.tensor([0, 10]))),
        RuntimeError,
        "Target values should be in [0, 9], but values in range [0, 10] were found",
    ),
    "adaptive batch": (
        lambda T: (T.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 5]), (z(T, 2, 4), T.tensor([0]))),
        RuntimeError,
        "Input and target should have the same size in the batch dimension",
    ),
    "adaptive feats": (
        lambda T: (T.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 5]), (z(T, 2, 5), T.tensor([0, 1]))),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (2x5 and 4x4)",
    ),
    "smooth beta": (
        lambda T: (T.nn.SmoothL1Loss(beta=-1), (z(T, 2), z(T, 2))),
        RuntimeError,
        "smooth_l1_loss does not support negative values for beta",
    ),
    "huber delta": (
        lambda T: (T.nn.HuberLoss(delta=0), (z(T, 2), z(T, 2))),
        RuntimeError,
        "huber_loss does not support non-positive values for delta",
    ),
}

# What is refused before there is a model to name a place in.
MAKING: dict[str, Row] = {
    "gn groups": (
        lambda T: (T.nn.GroupNorm(3, 4), ()),
        ValueError,
        "num_channels (4) must be divisible by num_groups (3)",
    ),
    "packed order": (
        lambda T: (T.nn.RNN(3, 4), (P(T, z(T, 3, 2, 3), [2, 3]),)),
        RuntimeError,
        "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability",
    ),
    "packed zero": (
        lambda T: (T.nn.RNN(3, 4), (P(T, z(T, 3, 2, 3), [3, 0]),)),
        RuntimeError,
        "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
    ),
    "packed count": (
        lambda T: (T.nn.RNN(3, 4), (P(T, z(T, 3, 2, 3), [3]),)),
        RuntimeError,
        "Expected `len(lengths)` to be equal to batch_size, but got 1 (batch_size=2)",
    ),
    "mha heads": (
        lambda T: (T.nn.MultiheadAttention(5, 2), ()),
        AssertionError,
        "embed_dim must be divisible by num_heads",
    ),
    "conv groups ctor": (
        lambda T: (T.nn.Conv2d(3, 4, 3, groups=2), ()),
        ValueError,
        "in_channels must be divisible by groups",
    ),
    "conv groups out ctor": (
        lambda T: (T.nn.Conv2d(4, 3, 3, groups=2), ()),
        ValueError,
        "out_channels must be divisible by groups",
    ),
    "conv groups0": (lambda T: (T.nn.Conv2d(4, 3, 3, groups=0), ()), ValueError, "groups must be a positive integer"),
    "conv same stride": (
        lambda T: (T.nn.Conv2d(4, 3, 3, stride=2, padding="same"), ()),
        ValueError,
        "padding='same' is not supported for strided convolutions",
    ),
    "convT padmode": (
        lambda T: (T.nn.ConvTranspose2d(4, 3, 3, padding_mode="reflect"), ()),
        ValueError,
        'Only "zeros" padding mode is supported for ConvTranspose2d',
    ),
    "dropout p": (
        lambda T: (T.nn.Dropout(1.5), ()),
        ValueError,
        "dropout probability has to be between 0 and 1, but got 1.5",
    ),
    "emb pad": (
        lambda T: (T.nn.Embedding(5, 3, padding_idx=7), ()),
        AssertionError,
        "Padding_idx must be within num_embeddings",
    ),
    "emb from": (
        lambda T: (T.nn.Embedding.from_pretrained(T.zeros(3)), ()),
        AssertionError,
        "Embeddings parameter is expected to be 2-dimensional",
    ),
    "rnn nonlin": (
        lambda T: (T.nn.RNN(3, 4, nonlinearity="x"), ()),
        ValueError,
        "Unknown nonlinearity 'x'. Select from 'tanh' or 'relu'",
    ),
    "lstm proj": (
        lambda T: (T.nn.LSTM(3, 4, proj_size=4), ()),
        ValueError,
        "proj_size has to be smaller than hidden_size",
    ),
    "gru proj": (
        lambda T: (T.nn.GRU(3, 4, proj_size=2), ()),
        ValueError,
        "proj_size argument is only supported for LSTM, not RNN or GRU",
    ),
    "lstm layers0": (lambda T: (T.nn.LSTM(3, 4, 0), ()), ValueError, "num_layers must be greater than zero"),
    "lstm drop": (
        lambda T: (T.nn.LSTM(3, 4, dropout=2), ()),
        ValueError,
        "dropout should be a number in range [0, 1] representing the probability of an element being zeroed",
    ),
    "adaptive cut": (
        lambda T: (T.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [5, 2]), ()),
        ValueError,
        "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1",
    ),
    "adaptive cut2": (
        lambda T: (T.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 12]), ()),
        ValueError,
        "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1",
    ),
    "frac none": (
        lambda T: (T.nn.FractionalMaxPool2d(3), ()),
        ValueError,
        "FractionalMaxPool2d requires specifying either an output size, or a pooling ratio",
    ),
    "frac ratio": (
        lambda T: (T.nn.FractionalMaxPool2d(3, output_ratio=1.5), ()),
        ValueError,
        "output_ratio must be between 0 and 1 (got 1.5)",
    ),
    "multimargin p": (lambda T: (T.nn.MultiMarginLoss(p=3), ()), ValueError, "only p == 1 and p == 2 supported"),
    "triplet margin": (
        lambda T: (T.nn.TripletMarginLoss(margin=-1), ()),
        ValueError,
        "TripletMarginLoss: expected margin to be greater than 0, got -1 instead",
    ),
    "unflatten ctor": (
        lambda T: (T.nn.Unflatten(1, "x"), ()),
        TypeError,
        "unflattened_size must be a tuple of ints, but found type str",
    ),
    "hardtanh": (lambda T: (T.nn.Hardtanh(1, -1), ()), AssertionError, "max_val (-1) must be greater than min_val (1)"),
    "tr activation": (
        lambda T: (T.nn.TransformerEncoderLayer(4, 2, activation="x"), ()),
        RuntimeError,
        "activation should be relu/gelu, not x",
    ),
}
