"""Optimizers and learning-rate schedules."""

from __future__ import annotations

from ..backends.paths import add_path as _add_path
from . import lr_scheduler as lr_scheduler
from . import swa_utils as swa_utils
from .adafactor import Adafactor as Adafactor
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .adam_like import Adamax as Adamax
from .adam_like import NAdam as NAdam
from .adam_like import RAdam as RAdam
from .adaptive import Adadelta as Adadelta
from .adaptive import Adagrad as Adagrad
from .adaptive import RMSprop as RMSprop
from .classic import ASGD as ASGD
from .classic import Rprop as Rprop
from .early_stopping import EarlyStopping as EarlyStopping
from .layerwise import LAMB as LAMB
from .layerwise import LARS as LARS
from .lbfgs import LBFGS as LBFGS
from .lion import Lion as Lion
from .lr_finder import LRFinder as LRFinder
from .muon import Muon as Muon
from .optimizer import Optimizer as Optimizer
from .second_order import SOAP as SOAP
from .second_order import SophiaG as SophiaG
from .sgd import SGD as SGD
from .sparse_adam import SparseAdam as SparseAdam
from .stateless import swap_in_optimizer_params_and_state as swap_in_optimizer_params_and_state
from .wrappers import SAM as SAM
from .wrappers import Lookahead as Lookahead

_stateless = _add_path(
    f"{__name__}._stateless", {"swap_in_optimizer_params_and_state": swap_in_optimizer_params_and_state}
)
# PyTorch has a file for each of these: ``from torch.optim.adamw import AdamW``.
for _optimizer in (AdamW, Adamax, NAdam, RAdam, Adadelta, Adagrad, RMSprop, ASGD, Rprop):
    _path = _optimizer.__name__.lower()
    globals()[_path] = _add_path(f"{__name__}.{_path}", {_optimizer.__name__: _optimizer})
