"""Programs to start from, one for each kind of model. See the top of each for how to run it and what to expect.

    python examples/mnist_cnn.py --quick
    python examples/mnist_cnn.py --data mnist.npz --out runs/mnist_cnn
    wengert train mnist_cnn --quick                                     # the same, where wengert is installed

`models` has the models that they share, `options` the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

# An example imports its neighbours (`from models import GPT`) as a script does, which has its own folder on the path.
sys.path.insert(0, str(Path(__file__).parent))
