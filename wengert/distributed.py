"""What programs ask before they train in several processes. There is one process here, and they are told so."""

from __future__ import annotations

from typing import Any, NoReturn

from .backends.errors import BackendUnavailableError

__all__ = [
    "barrier",
    "destroy_process_group",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
]


def is_available() -> bool:
    """False: there is no communication between processes."""
    return False


def is_initialized() -> bool:
    """False: no process group was made."""
    return False


def _not_initialized() -> ValueError:
    return ValueError("Default process group has not been initialized, please make sure to call init_process_group.")


def get_rank(group: Any = None) -> NoReturn:
    """The number of this process in its group.

    Raises:
        ValueError: there is no group; ask `is_initialized` first.
    """
    raise _not_initialized()


def get_world_size(group: Any = None) -> NoReturn:
    """The number of processes in the group.

    Raises:
        ValueError: there is no group; ask `is_initialized` first.
    """
    raise _not_initialized()


def barrier(*args: Any, **kwargs: Any) -> NoReturn:
    """Wait for the other processes.

    Raises:
        ValueError: there is no group; ask `is_initialized` first.
    """
    raise _not_initialized()


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Join a group of processes.

    Raises:
        RuntimeError: always; `is_available` says so.
    """
    raise BackendUnavailableError("there is no communication between processes; distributed.is_available() is False")


def destroy_process_group(group: Any = None) -> None:
    """Leave a group of processes; there is none."""
