"""Optimizers and learning-rate schedules."""

from __future__ import annotations

from . import lr_scheduler as lr_scheduler
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
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
