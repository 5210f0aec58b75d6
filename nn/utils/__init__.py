"""What surrounds a model's parameters: clipping gradients, parameters as a vector, weights computed from others."""

from __future__ import annotations

from ...backends.paths import add_path as _add_path
from . import clip as _clip
from . import making as _making
from . import norms as _norms
from . import parametrizations as parametrizations
from . import parametrize as parametrize
from . import prune as prune
from . import rnn as rnn
from . import stateless as stateless
from . import vectors as _vectors
from .clip import NonFiniteError as NonFiniteError
from .clip import clip_grad_norm as clip_grad_norm
from .clip import clip_grad_norm_ as clip_grad_norm_
from .clip import clip_grad_value_ as clip_grad_value_
from .clip import clip_grads_with_norm_ as clip_grads_with_norm_
from .clip import get_total_norm as get_total_norm
from .fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from .fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from .fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from .fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
from .making import convert_conv2d_weight_memory_format as convert_conv2d_weight_memory_format
from .making import convert_conv3d_weight_memory_format as convert_conv3d_weight_memory_format
from .making import skip_init as skip_init
from .norms import remove_spectral_norm as remove_spectral_norm
from .norms import remove_weight_norm as remove_weight_norm
from .norms import spectral_norm as spectral_norm
from .norms import weight_norm as weight_norm
from .vectors import parameters_to_vector as parameters_to_vector
from .vectors import vector_to_parameters as vector_to_parameters

# PyTorch has a file for each of these. Where it is named like a function, the plain name is the function's.
clip_grad = _add_path(f"{__name__}.clip_grad", {name: getattr(_clip, name) for name in _clip.__all__})
convert_parameters = _add_path(
    f"{__name__}.convert_parameters", {name: getattr(_vectors, name) for name in _vectors.__all__}
)
init = _add_path(f"{__name__}.init", {"skip_init": _making.skip_init})
memory_format = _add_path(f"{__name__}.memory_format", {name: getattr(_making, name) for name in _making.__all__})
for _name in ("weight_norm", "spectral_norm"):
    _add_path(f"{__name__}.{_name}", {**vars(_norms)})
