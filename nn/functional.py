"""The functions behind the layers, with PyTorch's names and signatures. What they do is in ``wengert.autograd.ops``."""

from __future__ import annotations

from ..autograd.autocast import casting_in as _casting_in
from ..autograd.ops.activation import celu as celu
from ..autograd.ops.activation import celu_ as celu_
from ..autograd.ops.activation import elu as elu
from ..autograd.ops.activation import elu_ as elu_
from ..autograd.ops.activation import gelu as gelu
from ..autograd.ops.activation import logsigmoid as logsigmoid
from ..autograd.ops.activation import mish as mish
from ..autograd.ops.activation import selu as selu
from ..autograd.ops.activation import selu_ as selu_
from ..autograd.ops.activation import sigmoid as sigmoid
from ..autograd.ops.activation import silu as silu
from ..autograd.ops.activation import softplus as softplus
from ..autograd.ops.activation import softsign as softsign
from ..autograd.ops.attention import scaled_dot_product_attention as scaled_dot_product_attention
from ..autograd.ops.bag import embedding_bag as embedding_bag
from ..autograd.ops.classification import binary_cross_entropy as binary_cross_entropy
from ..autograd.ops.classification import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from ..autograd.ops.classification import cross_entropy as cross_entropy
from ..autograd.ops.classification import kl_div as kl_div
from ..autograd.ops.classification import nll_loss as nll_loss
from ..autograd.ops.conv import conv1d as conv1d
from ..autograd.ops.conv import conv2d as conv2d
from ..autograd.ops.conv import conv3d as conv3d
from ..autograd.ops.conv import conv_tbc as conv_tbc
from ..autograd.ops.conv import conv_transpose1d as conv_transpose1d
from ..autograd.ops.conv import conv_transpose2d as conv_transpose2d
from ..autograd.ops.conv import conv_transpose3d as conv_transpose3d
from ..autograd.ops.ctc import ctc_loss as ctc_loss
from ..autograd.ops.distance import cosine_similarity as cosine_similarity
from ..autograd.ops.distance import normalize as normalize
from ..autograd.ops.distance import pairwise_distance as pairwise_distance
from ..autograd.ops.distance import pdist as pdist
from ..autograd.ops.dropout import alpha_dropout as alpha_dropout
from ..autograd.ops.dropout import dropout as dropout
from ..autograd.ops.dropout import dropout1d as dropout1d
from ..autograd.ops.dropout import dropout2d as dropout2d
from ..autograd.ops.dropout import dropout3d as dropout3d
from ..autograd.ops.dropout import feature_alpha_dropout as feature_alpha_dropout
from ..autograd.ops.embedding import embedding as embedding
from ..autograd.ops.grid import affine_grid as affine_grid
from ..autograd.ops.grid import grid_sample as grid_sample
from ..autograd.ops.likelihood import gaussian_nll_loss as gaussian_nll_loss
from ..autograd.ops.likelihood import poisson_nll_loss as poisson_nll_loss
from ..autograd.ops.linear import linear as linear
from ..autograd.ops.linear_loss import linear_cross_entropy as linear_cross_entropy
from ..autograd.ops.loss import huber_loss as huber_loss
from ..autograd.ops.loss import l1_loss as l1_loss
from ..autograd.ops.loss import mse_loss as mse_loss
from ..autograd.ops.loss import smooth_l1_loss as smooth_l1_loss
from ..autograd.ops.margin import cosine_embedding_loss as cosine_embedding_loss
from ..autograd.ops.margin import hinge_embedding_loss as hinge_embedding_loss
from ..autograd.ops.margin import margin_ranking_loss as margin_ranking_loss
from ..autograd.ops.margin import multi_margin_loss as multi_margin_loss
from ..autograd.ops.margin import multilabel_margin_loss as multilabel_margin_loss
from ..autograd.ops.margin import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from ..autograd.ops.margin import soft_margin_loss as soft_margin_loss
from ..autograd.ops.margin import triplet_margin_loss as triplet_margin_loss
from ..autograd.ops.margin import triplet_margin_with_distance_loss as triplet_margin_with_distance_loss
from ..autograd.ops.masked import one_hot as one_hot
from ..autograd.ops.multihead import gumbel_softmax as gumbel_softmax
from ..autograd.ops.multihead import multi_head_attention_forward as multi_head_attention_forward
from ..autograd.ops.norm import batch_norm as batch_norm
from ..autograd.ops.norm import group_norm as group_norm
from ..autograd.ops.norm import instance_norm as instance_norm
from ..autograd.ops.norm import layer_norm as layer_norm
from ..autograd.ops.norm import local_response_norm as local_response_norm
from ..autograd.ops.norm import rms_norm as rms_norm
from ..autograd.ops.padding import pad as pad
from ..autograd.ops.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from ..autograd.ops.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from ..autograd.ops.pooling import adaptive_avg_pool3d as adaptive_avg_pool3d
from ..autograd.ops.pooling import adaptive_max_pool1d as adaptive_max_pool1d
from ..autograd.ops.pooling import adaptive_max_pool1d_with_indices as adaptive_max_pool1d_with_indices
from ..autograd.ops.pooling import adaptive_max_pool2d as adaptive_max_pool2d
from ..autograd.ops.pooling import adaptive_max_pool2d_with_indices as adaptive_max_pool2d_with_indices
from ..autograd.ops.pooling import adaptive_max_pool3d as adaptive_max_pool3d
from ..autograd.ops.pooling import adaptive_max_pool3d_with_indices as adaptive_max_pool3d_with_indices
from ..autograd.ops.pooling import avg_pool1d as avg_pool1d
from ..autograd.ops.pooling import avg_pool2d as avg_pool2d
from ..autograd.ops.pooling import avg_pool3d as avg_pool3d
from ..autograd.ops.pooling import max_pool1d as max_pool1d
from ..autograd.ops.pooling import max_pool1d_with_indices as max_pool1d_with_indices
from ..autograd.ops.pooling import max_pool2d as max_pool2d
from ..autograd.ops.pooling import max_pool2d_with_indices as max_pool2d_with_indices
from ..autograd.ops.pooling import max_pool3d as max_pool3d
from ..autograd.ops.pooling import max_pool3d_with_indices as max_pool3d_with_indices
from ..autograd.ops.pooling import max_unpool1d as max_unpool1d
from ..autograd.ops.pooling import max_unpool2d as max_unpool2d
from ..autograd.ops.pooling import max_unpool3d as max_unpool3d
from ..autograd.ops.power_pool import fractional_max_pool2d as fractional_max_pool2d
from ..autograd.ops.power_pool import fractional_max_pool2d_with_indices as fractional_max_pool2d_with_indices
from ..autograd.ops.power_pool import fractional_max_pool3d as fractional_max_pool3d
from ..autograd.ops.power_pool import fractional_max_pool3d_with_indices as fractional_max_pool3d_with_indices
from ..autograd.ops.power_pool import lp_pool1d as lp_pool1d
from ..autograd.ops.power_pool import lp_pool2d as lp_pool2d
from ..autograd.ops.power_pool import lp_pool3d as lp_pool3d
from ..autograd.ops.rectifier import glu as glu
from ..autograd.ops.rectifier import hardshrink as hardshrink
from ..autograd.ops.rectifier import hardsigmoid as hardsigmoid
from ..autograd.ops.rectifier import hardswish as hardswish
from ..autograd.ops.rectifier import hardtanh as hardtanh
from ..autograd.ops.rectifier import hardtanh_ as hardtanh_
from ..autograd.ops.rectifier import leaky_relu as leaky_relu
from ..autograd.ops.rectifier import leaky_relu_ as leaky_relu_
from ..autograd.ops.rectifier import prelu as prelu
from ..autograd.ops.rectifier import relu as relu
from ..autograd.ops.rectifier import relu6 as relu6
from ..autograd.ops.rectifier import relu_ as relu_
from ..autograd.ops.rectifier import rrelu as rrelu
from ..autograd.ops.rectifier import rrelu_ as rrelu_
from ..autograd.ops.rectifier import softshrink as softshrink
from ..autograd.ops.rectifier import tanhshrink as tanhshrink
from ..autograd.ops.rectifier import threshold as _threshold  # noqa: F401  (PyTorch's other name for it)
from ..autograd.ops.rectifier import threshold as threshold
from ..autograd.ops.rectifier import threshold_ as threshold_
from ..autograd.ops.resample import interpolate as interpolate
from ..autograd.ops.resample import upsample as upsample
from ..autograd.ops.resample import upsample_bilinear as upsample_bilinear
from ..autograd.ops.resample import upsample_nearest as upsample_nearest
from ..autograd.ops.softmax import log_softmax as log_softmax
from ..autograd.ops.softmax import softmax as softmax
from ..autograd.ops.softmax import softmin as softmin
from ..autograd.ops.tensordot import bilinear as bilinear
from ..autograd.ops.trigonometric import tanh as tanh
from ..autograd.ops.vision import channel_shuffle as channel_shuffle
from ..autograd.ops.vision import fold as fold
from ..autograd.ops.vision import native_channel_shuffle as native_channel_shuffle
from ..autograd.ops.vision import pixel_shuffle as pixel_shuffle
from ..autograd.ops.vision import pixel_unshuffle as pixel_unshuffle
from ..autograd.ops.vision import unfold as unfold
from ..autograd.subclass import dispatch_in as _dispatch_in
from . import grad as grad

_dispatch_in(globals(), [name for name in globals() if name[0] != "_"])
_casting_in(globals())

# Not before: these ask no class themselves.
from ..autograd.overrides import handle_torch_function as handle_torch_function  # noqa: E402
from ..autograd.overrides import has_torch_function as has_torch_function  # noqa: E402
from ..autograd.overrides import has_torch_function_unary as has_torch_function_unary  # noqa: E402
from ..autograd.overrides import has_torch_function_variadic as has_torch_function_variadic  # noqa: E402
