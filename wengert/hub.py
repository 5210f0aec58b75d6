"""What programs ask of ``torch.hub``: where files are kept, and weights that were put there."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlparse

from .utils.serialization import load

__all__ = ["get_dir", "load_state_dict_from_url", "set_dir"]

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
