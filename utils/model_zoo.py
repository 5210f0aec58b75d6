"""PyTorch's older path to weights by URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .weights import load_state_dict_from_url as load_state_dict_from_url

load_url = load_state_dict_from_url


class tqdm:
    """What shows how far a download is; here it shows nothing.

    Args:
        iterable: what is gone through.
        options: for tqdm's sake.
    """

    def __init__(self, iterable: Any = None, *args: Any, **options: Any) -> None:
        self.iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def update(self, n: float = 1) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def __enter__(self) -> tqdm:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()
