"""What surrounds a model's parameters in training: clipping gradients, parameters as a vector."""

from __future__ import annotations

from . import rnn as rnn
from .clip import NonFiniteError as NonFiniteError
from .clip import clip_grad_norm_ as clip_grad_norm_
from .clip import clip_grad_value_ as clip_grad_value_
from .clip import clip_grads_with_norm_ as clip_grads_with_norm_
from .clip import get_total_norm as get_total_norm
from .vectors import parameters_to_vector as parameters_to_vector
from .vectors import vector_to_parameters as vector_to_parameters
