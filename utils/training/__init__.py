"""The training loop that most programs write, for those who do not want to write it; see `Trainer`."""

from __future__ import annotations

from .callbacks import Callback as Callback
from .callbacks import CSVLog as CSVLog
from .callbacks import Curves as Curves
from .callbacks import EarlyStopping as EarlyStopping
from .callbacks import Progress as Progress
from .callbacks import TensorBoard as TensorBoard
from .checkpoints import Checkpoint as Checkpoint
from .trainer import Trainer as Trainer
