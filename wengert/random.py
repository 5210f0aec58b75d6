"""Seeds and states of the random number generator."""

from __future__ import annotations

from .autograd.random import Generator as Generator
from .autograd.random import default_generator as default_generator
from .autograd.random import fork_rng as fork_rng
from .autograd.random import get_rng_state as get_rng_state
from .autograd.random import initial_seed as initial_seed
from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .autograd.random import set_rng_state as set_rng_state
