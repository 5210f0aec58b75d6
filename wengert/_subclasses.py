"""PyTorch's names for tensors without numbers, which its compiler uses. None are made here."""

from __future__ import annotations

from typing import Any

from .backends.paths import add_path as _add_path

__path__: list[str] = []  # a package, since it has something below it


class FakeTensor:
    """A tensor without numbers. There is none, but programs ask."""


class FakeTensorMode:
    """A block in which tensors have no numbers.

    Raises:
        NotImplementedError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("FakeTensorMode: tensors have numbers here; use small ones to find out shapes")


def is_fake(x: object) -> bool:
    """Whether something is a tensor without numbers; it is not."""
    return False


fake_tensor = _add_path(
    f"{__name__}.fake_tensor", {"FakeTensor": FakeTensor, "FakeTensorMode": FakeTensorMode, "is_fake": is_fake}
)
