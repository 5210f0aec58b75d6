"""PyTorch's older path to weights by URL."""

from __future__ import annotations

from .weights import load_state_dict_from_url as load_state_dict_from_url

load_url = load_state_dict_from_url
