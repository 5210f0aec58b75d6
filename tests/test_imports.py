"""Programs written for PyTorch find this package under PyTorch's name, and everything at PyTorch's paths."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import wengert as wg

# Module path: names that programs import from it.
PATHS = {
    "amp": "autocast GradScaler",
    "autograd.function": "Function once_differentiable",
    "autograd": "Variable Function grad",
    "compiler": "compile disable is_compiling",
    "cuda.amp": "autocast GradScaler custom_fwd custom_bwd",
    "distributed": "is_available is_initialized",
    "functional": "norm einsum split",
    "hub": "get_dir load_state_dict_from_url",
    "jit": "script ignore Final is_scripting ScriptModule",
    "jit.annotations": "List BroadcastingList2",
    "nn.init": "xavier_uniform_ _calculate_fan_in_and_fan_out",
    "nn.modules": "Linear Module Conv2d",
    "nn.modules.activation": "ReLU MultiheadAttention",
    "nn.modules.batchnorm": "_BatchNorm _NormBase BatchNorm2d SyncBatchNorm",
    "nn.modules.container": "Sequential ParameterList",
    "nn.modules.conv": "_ConvNd _ConvTransposeNd Conv2d",
    "nn.modules.dropout": "_DropoutNd Dropout",
    "nn.modules.instancenorm": "_InstanceNorm InstanceNorm2d",
    "nn.modules.linear": "Linear Identity",
    "nn.modules.loss": "_Loss _WeightedLoss CrossEntropyLoss",
    "nn.modules.module": "Module register_module_forward_hook",
    "nn.modules.normalization": "LayerNorm GroupNorm",
    "nn.modules.pooling": "_AvgPoolNd _MaxPoolNd AdaptiveAvgPool2d",
    "nn.modules.rnn": "LSTM RNNBase RNNCellBase",
    "nn.modules.sparse": "Embedding",
    "nn.modules.transformer": "TransformerEncoderLayer",
    "nn.modules.upsampling": "Upsample",
    "nn.modules.utils": "_single _pair _triple _ntuple consume_prefix_in_state_dict_if_present",
    "nn.parallel": "DataParallel DistributedDataParallel",
    "nn.parameter": "Parameter Buffer UninitializedParameter is_lazy",
    "nn.utils": "weight_norm spectral_norm skip_init clip_grad_norm_ parameters_to_vector",
    "nn.utils.clip_grad": "clip_grad_norm_",
    "nn.utils.parametrizations": "weight_norm spectral_norm orthogonal",
    "nn.utils.parametrize": "register_parametrization",
    "nn.utils.prune": "l1_unstructured",
    "nn.utils.rnn": "pack_padded_sequence pad_sequence PackedSequence",
    "optim": "Adam lr_scheduler Optimizer",
    "optim.adamw": "AdamW",
    "optim.lr_scheduler": "_LRScheduler LRScheduler LambdaLR",
    "optim.optimizer": "Optimizer required",
    "optim.rmsprop": "RMSprop",
    "serialization": "load save",
    "types": "Number Device _size",
    "utils.checkpoint": "checkpoint checkpoint_sequential",
    "utils.model_zoo": "load_url",
    "nn.attention": "SDPBackend sdpa_kernel",
    "utils.data": "DataLoader Dataset random_split",
    "utils.data.dataloader": "DataLoader default_collate",
    "utils.data.dataset": "Dataset Subset",
    "utils.data.sampler": "Sampler RandomSampler",
    "version": "cuda",
}


@pytest.mark.parametrize("path", PATHS)
def test_names_are_at_the_paths_of_torch(path: str):
    module = importlib.import_module(f"wengert.{path}")
    assert not [name for name in PATHS[path].split() if not hasattr(module, name)]
    reached = wg
    for part in path.split("."):
        reached = getattr(reached, part)
    assert reached is module


@pytest.mark.parity
@pytest.mark.parametrize("path", PATHS)
def test_these_are_paths_of_torch(path: str):
    pytest.importorskip("torch")
    module = importlib.import_module(f"torch.{path}")
    assert not [name for name in PATHS[path].split() if not hasattr(module, name)]


PROGRAM = """
import sys
import wengert
sys.modules["other"] = wengert
import other
import other.nn as nn
import other.nn.functional as F
from other.nn.modules.conv import _ConvNd
from other.cuda.amp import GradScaler
from other.utils.data import DataLoader, TensorDataset
from other import nn as again
assert nn is wengert.nn is again and F is wengert.nn.functional
assert nn.__name__ == nn.__spec__.name == "wengert.nn"
assert issubclass(nn.Conv2d, _ConvNd) and DataLoader is wengert.utils.data.DataLoader
try:
    import other.nn.nothing
except ModuleNotFoundError as error:
    assert error.name == "other.nn.nothing", error.name
else:
    raise AssertionError("found what is not there")
print(nn.Linear(2, 3)(other.ones(1, 2)).shape)
"""


def test_the_package_under_another_name_is_the_same_package():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wengert.Size([1, 3])\n"


def test_models_for_many_devices():
    model = wg.nn.DataParallel(wg.nn.Linear(2, 3))
    assert model(wg.ones(4, 2)).shape == (4, 3)
    assert model.module.weight is dict(model.named_parameters())["module.weight"]
    with pytest.raises(ValueError, match="init_process_group"):
        wg.nn.parallel.DistributedDataParallel(model)
    net = wg.nn.Sequential(wg.nn.BatchNorm1d(3), wg.nn.Sequential(wg.nn.BatchNorm2d(2, eps=0.1)))
    converted = wg.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert [type(m).__name__ for m in converted.modules() if not list(m.children())] == ["SyncBatchNorm"] * 2
    assert converted[1][0].eps == 0.1
    assert list(converted.state_dict()) == list(net.state_dict())
