"""What programs ask of ``torch.hub``; nothing is downloaded."""

from __future__ import annotations

from urllib.parse import urlparse as urlparse

from .utils.weights import HASH_REGEX as HASH_REGEX
from .utils.weights import _get_torch_home as _get_torch_home
from .utils.weights import download_url_to_file as download_url_to_file
from .utils.weights import get_dir as get_dir
from .utils.weights import load_state_dict_from_url as load_state_dict_from_url
from .utils.weights import set_dir as set_dir
