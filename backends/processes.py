"""The group of processes that train together. There is no communication here, so a group has one member: this one."""

from __future__ import annotations

from .errors import BackendUnavailableError

__all__ = ["ProcessGroup", "default_group", "is_initialized", "join", "leave"]

_current: list[ProcessGroup] = []


class ProcessGroup:
    """A group of one process.

    Args:
        backend: the name that it was asked for by.
    """

    def __init__(self, backend: str = "gloo") -> None:
        self.backend = backend

    def rank(self) -> int:
        """The number of this process: 0."""
        return 0

    def size(self) -> int:
        """How many processes there are: 1."""
        return 1

    def name(self) -> str:
        """The name of what would carry messages."""
        return self.backend


def default_group() -> ProcessGroup:
    """The group that was joined.

    Raises:
        ValueError: none was.
    """
    if not _current:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _current[0]


def is_initialized() -> bool:
    """Whether a group was joined."""
    return bool(_current)


def join(backend: str, world_size: int, rank: int) -> None:
    """Make the group.

    Raises:
        ValueError: there is one. RuntimeError: it should have other members.
    """
    if _current:
        raise ValueError("trying to initialize the default process group twice!")
    if world_size != 1 or rank != 0:
        raise BackendUnavailableError(
            f"init_process_group: rank {rank} of {world_size} processes; there is no communication between processes "
            "(distributed.is_available() is False), so a group has one: world_size=1, rank=0"
        )
    _current.append(ProcessGroup(backend))


def leave() -> None:
    """Forget the group."""
    _current.clear()
