"""wengert: reverse-mode automatic differentiation with PyTorch's names, on NumPy and CuPy."""

from __future__ import annotations

import importlib as _importlib
import math as _math
import os as _os
import sys as _sys
from typing import TYPE_CHECKING
from typing import Any as _Any

# In a checkout the sub-packages are folders beside this one; installed, they are inside it. Python started in the
# checkout's root finds this folder before any installed copy, so the package looks for its parts there too.
if not _os.path.isdir(_os.path.join(_os.path.dirname(__file__), "autograd")):
    __path__.append(_os.path.dirname(_os.path.dirname(_os.path.abspath(__file__))))

__version__ = "0.1.0"

from . import autograd as autograd
from . import backends as backends
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from .autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from .autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
from .autograd.autocast import casting_in as _casting_in
from .autograd.grad_mode import enable_grad as enable_grad
from .autograd.grad_mode import inference_mode as inference_mode
from .autograd.grad_mode import is_grad_enabled as is_grad_enabled
from .autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
from .autograd.grad_mode import no_grad as no_grad
from .autograd.grad_mode import set_grad_enabled as set_grad_enabled
from .autograd.ops import *  # noqa: F403
from .autograd.ops import Layout as Layout
from .autograd.ops import MemoryFormat as MemoryFormat
from .autograd.ops import Size as Size
from .autograd.ops import channels_last as channels_last
from .autograd.ops import channels_last_3d as channels_last_3d
from .autograd.ops import contiguous_format as contiguous_format
from .autograd.ops import preserve_format as preserve_format
from .autograd.ops import range_ as range_
from .autograd.ops import strided as strided
from .autograd.printing import set_printoptions as set_printoptions
from .autograd.promotion import can_cast as can_cast
from .autograd.promotion import get_default_dtype as get_default_dtype
from .autograd.promotion import is_complex as is_complex
from .autograd.promotion import is_floating_point as is_floating_point
from .autograd.promotion import promote_types as promote_types
from .autograd.promotion import result_type as result_type
from .autograd.promotion import set_default_dtype as set_default_dtype
from .autograd.random import Generator as Generator
from .autograd.random import default_generator as default_generator
from .autograd.random import get_rng_state as get_rng_state
from .autograd.random import initial_seed as initial_seed
from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .autograd.random import set_rng_state as set_rng_state
from .autograd.tensor import Tensor as Tensor
from .backends import Device as Device
from .backends import DType as DType
from .backends import default_device as default_device
from .backends import set_default_device as set_default_device
from .backends.config import show_config as show_config
from .backends.cpu.threads import get_num_threads as get_num_threads
from .backends.cpu.threads import set_num_threads as set_num_threads
from .backends.dtypes import bfloat16 as bfloat16
from .backends.dtypes import bool_ as _bool
from .backends.dtypes import complex32 as complex32
from .backends.dtypes import complex64 as complex64
from .backends.dtypes import complex128 as complex128
from .backends.dtypes import finfo as finfo
from .backends.dtypes import float8_e4m3fn as float8_e4m3fn
from .backends.dtypes import float8_e4m3fnuz as float8_e4m3fnuz
from .backends.dtypes import float8_e5m2 as float8_e5m2
from .backends.dtypes import float8_e5m2fnuz as float8_e5m2fnuz
from .backends.dtypes import float8_e8m0fnu as float8_e8m0fnu
from .backends.dtypes import float16 as float16
from .backends.dtypes import float32 as float32
from .backends.dtypes import float64 as float64
from .backends.dtypes import iinfo as iinfo
from .backends.dtypes import int8 as int8
from .backends.dtypes import int16 as int16
from .backends.dtypes import int32 as int32
from .backends.dtypes import int64 as int64
from .backends.dtypes import qint8 as qint8
from .backends.dtypes import qint32 as qint32
from .backends.dtypes import quint8 as quint8
from .backends.dtypes import uint8 as uint8
from .backends.dtypes import uint16 as uint16
from .backends.dtypes import uint32 as uint32
from .backends.dtypes import uint64 as uint64
from .backends.memory import empty_cache as empty_cache
from .backends.settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from .backends.settings import get_deterministic_debug_mode as get_deterministic_debug_mode
from .backends.settings import get_float32_matmul_precision as get_float32_matmul_precision
from .backends.settings import get_num_interop_threads as get_num_interop_threads
from .backends.settings import (
    is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
)
from .backends.settings import is_warn_always_enabled as is_warn_always_enabled
from .backends.settings import set_deterministic_debug_mode as set_deterministic_debug_mode
from .backends.settings import set_float32_matmul_precision as set_float32_matmul_precision
from .backends.settings import set_flush_denormal as set_flush_denormal
from .backends.settings import set_num_interop_threads as set_num_interop_threads
from .backends.settings import set_warn_always as set_warn_always
from .backends.settings import use_deterministic_algorithms as use_deterministic_algorithms

if TYPE_CHECKING:
    from . import accelerator as accelerator
    from . import amp as amp
    from . import ao as ao
    from . import array_api as array_api
    from . import compiler as compiler
    from . import cpu as cpu
    from . import cuda as cuda
    from . import debug as debug
    from . import distributed as distributed
    from . import distributions as distributions
    from . import export as export
    from . import fft as fft
    from . import func as func
    from . import functional as functional
    from . import futures as futures
    from . import fx as fx
    from . import hub as hub
    from . import jit as jit
    from . import library as library
    from . import linalg as linalg
    from . import mps as mps
    from . import multiprocessing as multiprocessing
    from . import nn as nn
    from . import onnx as onnx
    from . import ops as ops
    from . import optim as optim
    from . import profiler as profiler
    from . import random as random
    from . import return_types as return_types
    from . import serialization as serialization
    from . import signal as signal
    from . import sparse as sparse
    from . import testing as testing
    from . import types as types
    from . import utils as utils
    from . import version as version
    from . import viz as viz
    from . import xpu as xpu
    from .amp import GradScaler as GradScaler
    from .amp import autocast as autocast
    from .backends.streams import Event as Event
    from .backends.streams import Stream as Stream
    from .compiler import compile as compile
    from .func import vmap as vmap
    from .func.control_flow import cond as cond
    from .func.control_flow import while_loop as while_loop
    from .kernels import compile_kernels as compile_kernels
    from .utils.serialization import load as load
    from .utils.serialization import save as save
    from .viz.summary import summary as summary

# PyTorch's names; from here on some of them mean no longer what Python means by them.
bool = _bool
chalf = complex32
cdouble, cfloat, double, float, half = complex128, complex64, float64, float32, float16
int, long, short = int32, int64, int16
device, dtype, layout, memory_format, range = Device, DType, Layout, MemoryFormat, range_
get_default_device = default_device
inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None
from .backends.errors import AcceleratorError as AcceleratorError  # noqa: E402
from .backends.errors import OutOfMemoryError as OutOfMemoryError  # noqa: E402

# Classes say that they are defined where programs find them: type(x) is <class 'wengert.Tensor'>.
for _kind, _name in (
    (Device, "device"),
    (DType, "dtype"),
    (Generator, "Generator"),
    (Layout, "layout"),
    (MemoryFormat, "memory_format"),
    (Size, "Size"),
    (Tensor, "Tensor"),
    (finfo, "finfo"),
    (iinfo, "iinfo"),
):
    _kind.__module__, _kind.__name__, _kind.__qualname__ = __name__, _name, _name

# What a program may not need is imported when it is first asked for, so that `import wengert` is quick.
_MODULES = (
    "_C",
    "__config__",
    "__future__",
    "_custom_ops",
    "_dynamo",
    "_higher_order_ops",
    "_subclasses",
    "_tensor",
    "_tensor_str",
    "_utils",
    "accelerator",
    "amp",
    "ao",
    "array_api",
    "compiler",
    "cpu",
    "cuda",
    "debug",
    "distributed",
    "distributions",
    "export",
    "fft",
    "func",
    "functional",
    "futures",
    "fx",
    "hub",
    "jit",
    "library",
    "linalg",
    "mps",
    "multiprocessing",
    "nn",
    "onnx",
    "ops",
    "optim",
    "overrides",
    "profiler",
    "random",
    "return_types",
    "serialization",
    "signal",
    "sparse",
    "special",
    "storage",
    "testing",
    "types",
    "utils",
    "version",
    "viz",
    "xpu",
)
_ELSEWHERE = {
    "Event": "backends.streams",
    "compile_kernels": "kernels",
    "GradScaler": "amp",
    "Stream": "backends.streams",
    "Future": "futures",
    "ScriptModule": "jit",
    "PyTorchFileReader": "utils.records",
    **dict.fromkeys(("SymBool", "SymFloat", "SymInt", "TensorType"), "_C"),
    "_assert": "utils.checks",
    "_assert_async": "utils.checks",
    "_check": "utils.checks",
    "_check_index": "utils.checks",
    "_check_not_implemented": "utils.checks",
    "_check_tensor_all": "utils.checks",
    "_check_type": "utils.checks",
    "_check_value": "utils.checks",
    "autocast": "amp",
    **dict.fromkeys(
        (
            "autocast_decrement_nesting",
            "autocast_increment_nesting",
            "clear_autocast_cache",
            "get_autocast_cpu_dtype",
            "get_autocast_dtype",
            "get_autocast_gpu_dtype",
            "is_autocast_cache_enabled",
            "is_autocast_cpu_enabled",
            "is_autocast_enabled",
            "set_autocast_cache_enabled",
            "set_autocast_cpu_dtype",
            "set_autocast_cpu_enabled",
            "set_autocast_dtype",
            "set_autocast_enabled",
            "set_autocast_gpu_dtype",
        ),
        "amp",
    ),
    "_amp_foreach_non_finite_check_and_unscale_": "optim.grad_scaler",
    "_amp_update_scale_": "optim.grad_scaler",
    "compile": "compiler",
    "cond": "func.control_flow",
    "while_loop": "func.control_flow",
    "load": "utils.serialization",
    "save": "utils.serialization",
    "summary": "viz.summary",
    "vmap": "func",
}
_RENAMED = {"assert": "assert_"}  # what Python keeps for itself


def get_device_module(device: _Any = None) -> _Any:
    """The module of a kind of device, such as ``wengert.cuda``; of the default device unless told."""
    return __getattr__(Device(get_default_device() if device is None else device).type)


def __getattr__(name: str) -> _Any:
    if name in _MODULES:
        return _importlib.import_module(f".{name}", __name__)
    if name == "torch":
        return _sys.modules[__name__]  # PyTorch's own name for itself, which some programs take
    if name in _ELSEWHERE:
        there = name.lstrip("_")
        return getattr(_importlib.import_module(f".{_ELSEWHERE[name]}", __name__), _RENAMED.get(there, there))
    if name.startswith("_foreach_"):
        function = _importlib.import_module(".autograd.ops.foreach", __name__).function_named(name)
        if function is not None:
            return function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_ELSEWHERE} - {"annotations", "TYPE_CHECKING"})


_casting_in(globals())
_casting_in(vars(autograd.ops))
autograd.subclass.dispatch_in(globals(), getattr(autograd.ops, "__all__"))  # noqa: B009
# The engine may not import what draws its graphs, so it is told here.
autograd.graph.renderers.setdefault("svg", lambda graph, **options: __getattr__("viz").to_svg(graph, **options))
autograd.graph.renderers.setdefault(
    "range test", lambda *args, **options: __getattr__("viz").range_test(*args, **options)
)
autograd.graph.renderers.setdefault("html", lambda graph, **options: __getattr__("viz").to_html(graph, **options))

from .aliasing import install as _install  # noqa: E402

_install(_sys.modules[__name__])
