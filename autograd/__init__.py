"""The engine: Tensor, the graph, the backward pass, and every differentiable op."""

from __future__ import annotations

from ..backends import get_backend as _get_backend
from ..backends.paths import add_path as _add_path
from . import anomaly_mode as anomaly_mode
from . import forward_ad as forward_ad
from . import function as function
from . import functional as functional
from . import grad_mode as grad_mode
from . import profiler as profiler
from .anomaly_mode import detect_anomaly as detect_anomaly
from .anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from .anomaly_mode import set_detect_anomaly as set_detect_anomaly
from .api import backward as backward
from .api import grad as grad
from .function import Function as Function
from .grad_mode import enable_grad as enable_grad
from .grad_mode import inference_mode as inference_mode
from .grad_mode import no_grad as no_grad
from .grad_mode import set_grad_enabled as set_grad_enabled
from .grad_mode import set_multithreading_enabled as set_multithreading_enabled
from .gradcheck import gradcheck as gradcheck
from .gradcheck import gradgradcheck as gradgradcheck
from .ops.legacy import Variable as Variable
from .stepping import BackwardStep as BackwardStep
from .stepping import backward_steps as backward_steps
from .tensor import Tensor as Tensor

variable = _add_path(f"{__name__}.variable", {"Variable": Variable})

_get_backend("cpu")  # every program needs it, and an op finds its kernels by the types of array that are loaded
