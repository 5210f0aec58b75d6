"""Finding mistakes: NaN guards, what is saved and by whom, what keeps graphs alive, writes behind autograd's back.

It is `wengert.debug` to programs. None of it costs anything while it is not in use.
"""

from __future__ import annotations

from ..anomaly_mode import detect_anomaly as detect_anomaly
from .alive import live_graphs as live_graphs
from .freezing import freeze as freeze
from .guards import nan_guard as nan_guard
from .memory import saved as saved
from .sites import record_lines as record_lines
from .strict import set_strict as set_strict
from .strict import strict as strict
from .syncs import sync_counter as sync_counter
