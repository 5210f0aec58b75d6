"""A training loop with callbacks; see `Trainer`."""

from __future__ import annotations

from .utils.training import Callback as Callback
from .utils.training import Checkpoint as Checkpoint
from .utils.training import CSVLog as CSVLog
from .utils.training import Curves as Curves
from .utils.training import EarlyStopping as EarlyStopping
from .utils.training import Progress as Progress
from .utils.training import TensorBoard as TensorBoard
from .utils.training import Trainer as Trainer
