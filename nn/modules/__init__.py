"""The layers at the paths where PyTorch has them: ``nn.modules.conv.Conv2d``, ``nn.modules.batchnorm._BatchNorm``.

The layers themselves are in the files beside this folder; here stands only which of them each path shows, and
PyTorch's names for the classes that they have in common.
"""

from __future__ import annotations

import sys
from typing import Any

from ...backends.paths import add_path
from .. import (
    activation,
    adaptive,
    adaptive_pooling,
    attention,
    batchnorm,
    causal,
    cells,
    containers,
    conv,
    distance,
    dropout,
    embedding,
    hooks,
    lazy,
    likelihood_loss,
    linear,
    loss,
    margin_loss,
    norms,
    padding,
    parameter_containers,
    pooling,
    rectifiers,
    recurrent,
    registration,
    shapes,
    state,
    sync_batchnorm,
    transformer,
)
from .. import module as module_file
from . import utils as utils
from .global_hooks import ModulePath

# A path of PyTorch's: the files whose public names it shows, and which class a private name of PyTorch's means.
_PATHS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "activation": ((activation, rectifiers, attention), {}),
    "adaptive": ((adaptive,), {}),
    "batchnorm": (
        (batchnorm, sync_batchnorm, lazy),
        {"_BatchNorm": batchnorm.BatchNormNd, "_NormBase": norms.StatisticsNorm, "_LazyNormBase": lazy.LazyNorm},
    ),
    "channelshuffle": ((shapes,), {}),
    "container": ((containers, parameter_containers), {}),
    "conv": (
        (conv, lazy),
        {
            "_ConvNd": conv.Convolution,
            "_ConvTransposeNd": conv.ConvTransposeNd,
            "_ConvTransposeMixin": conv.ConvTransposeNd,
            "_LazyConvXdMixin": lazy.LazyConvolution,
        },
    ),
    "distance": ((distance,), {}),
    "dropout": ((dropout,), {"_DropoutNd": dropout.DropoutNd}),
    "flatten": ((shapes,), {}),
    "fold": ((shapes,), {}),
    "instancenorm": ((batchnorm, lazy), {"_InstanceNorm": batchnorm.InstanceNormNd}),
    "lazy": ((lazy,), {"LazyModuleMixin": lazy.LazyModuleMixin}),
    "linear": ((linear, lazy), {"NonDynamicallyQuantizableLinear": linear.Linear}),
    "loss": ((loss, likelihood_loss, margin_loss), {"_Loss": loss.Loss, "_WeightedLoss": loss.WeightedLoss}),
    "module": (
        (module_file, hooks, registration),
        {"_IncompatibleKeys": state.IncompatibleKeys, "_addindent": module_file.indented},
    ),
    "normalization": ((norms,), {}),
    "padding": (
        (padding,),
        {
            "_ConstantPadNd": padding.ConstantPad,
            "_ReflectionPadNd": padding.ReflectionPad,
            "_ReplicationPadNd": padding.ReplicationPad,
            "_CircularPadNd": padding.CircularPad,
        },
    ),
    "pixelshuffle": ((shapes,), {}),
    "pooling": (
        (pooling, adaptive_pooling),
        {
            "_MaxPoolNd": pooling.MaxPoolNd,
            "_MaxUnpoolNd": pooling.MaxUnpoolNd,
            "_AvgPoolNd": pooling.AvgPoolNd,
            "_LPPoolNd": pooling.LPPoolNd,
            "_AdaptiveAvgPoolNd": adaptive_pooling.AdaptiveAvgPoolNd,
            "_AdaptiveMaxPoolNd": adaptive_pooling.AdaptiveMaxPoolNd,
        },
    ),
    "rnn": ((recurrent, cells), {}),
    "sparse": ((embedding,), {}),
    "transformer": (
        (transformer,),
        {
            "_detect_is_causal_mask": causal.is_causal_mask,
            "_generate_square_subsequent_mask": causal.causal_mask,
            "_get_activation_fn": transformer.activation_named,
            "_get_clones": transformer.clones,
        },
    ),
    "upsampling": ((shapes,), {}),
}


def _names_of(file: Any) -> dict[str, Any]:
    return {name: getattr(file, name) for name in file.__all__}


for _path, (_files, _private) in _PATHS.items():
    _members: dict[str, Any] = {}
    for _file in _files:
        _members.update(_names_of(_file))
    globals().update(_members)
    globals()[_path] = add_path(f"{__name__}.{_path}", {**_members, **_private})
sys.modules[f"{__name__}.module"].__class__ = ModulePath
