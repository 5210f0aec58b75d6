"""Weights by URL: where files from elsewhere are kept, and what was put there. This is also ``wengert.hub``."""

from __future__ import annotations

import os
import re
from typing import Any, NoReturn
from urllib.parse import urlparse

from ..backends.errors import BackendUnavailableError
from .serialization import load

__all__ = ["get_dir", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # the hash in the name of a file
_chosen: list[str] = []


def get_dir() -> str:
    """The folder for files from elsewhere: `set_dir`'s, or ``hub`` below ``$TORCH_HOME`` or the user's cache."""
    return _chosen[-1] if _chosen else os.path.join(_get_torch_home(), "hub")


def set_dir(d: str) -> None:
    """Look for files in ``d``."""
    _chosen.append(os.path.expanduser(d))


def _get_torch_home() -> str:
    cache = os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "torch")
    return os.path.expanduser(os.getenv("TORCH_HOME", cache))


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> NoReturn:
    """Fetch ``url`` into the file ``dst``.

    Raises:
        RuntimeError: always; nothing is downloaded here.
    """
    raise BackendUnavailableError(f"nothing is downloaded here: put what {url} gives at {dst}")


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, file_name: str | None = None, **options: Any
) -> Any:
    """The weights that the file named by ``url`` holds. It is not fetched: it must have been put there.

    Args:
        url: only the name at its end is used.
        model_dir: the folder; ``checkpoints`` below `get_dir` when left out.
        map_location: as in `wengert.load`.
        file_name: the name in the folder; that of the URL when left out.
        options: ``progress``, ``check_hash`` and ``weights_only``, taken and not used.

    Raises:
        FileNotFoundError: there is no such file; the message says where to put it.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    path = os.path.join(folder, file_name or os.path.basename(urlparse(url).path))
    if not os.path.exists(path):
        raise FileNotFoundError(f"nothing is downloaded here: put what {url} gives, as safetensors, at {path}")
    return load(path, map_location=map_location)
