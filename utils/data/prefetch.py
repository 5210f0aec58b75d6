"""Batches on their way to a device while the last one is computed with."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...autograd.base import TensorBase
from ...backends import Device
from ...backends.streams import CUDAStream, current_cuda_stream

__all__ = ["prefetch_to_device"]


def placed(batch: Any, place: Callable[[Any], Any]) -> Any:
    """``batch`` with every tensor in it, however deep in lists, tuples and dicts, replaced."""
    if isinstance(batch, TensorBase):
        return place(batch)
    if isinstance(batch, dict):
        return type(batch)((key, placed(value, place)) for key, value in batch.items())
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*[placed(value, place) for value in batch])
    if isinstance(batch, (list, tuple)):
        return type(batch)([placed(value, place) for value in batch])
    return batch


class prefetch_to_device:
    """The batches of a loader on a device; the next ones are copied there while the program computes with one.

    A `DataLoader` with ``pin_memory=True`` makes the copies run by themselves: they go through a stream of their own,
    and work that is asked for afterwards waits for them.

    Args:
        loader: gives batches: tensors, or lists, tuples and dicts with tensors in them.
        device: where they go.
        ahead: how many batches are on their way.

    Example:
        >>> import wengert as wg
        >>> for x, y in wg.utils.data.prefetch_to_device([(wg.ones(2), 1)], "cpu"):
        ...     print(x, y)
        tensor([1., 1.]) 1
    """

    def __init__(self, loader: Iterable[Any], device: Any, ahead: int = 1) -> None:
        self.loader, self.device, self.ahead = loader, Device(device), ahead

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        if self.device.type != "cuda":
            for batch in self.loader:
                yield placed(batch, lambda tensor: tensor.to(self.device))
            return
        stream, batches = CUDAStream(self.device), iter(self.loader)
        underway: deque[Any] = deque()
        sources: deque[Any] = deque()
        while True:
            while len(underway) < self.ahead + (not underway):
                try:
                    batch = next(batches)
                except StopIteration:
                    break
                underway.append(self._sent(batch, stream))
            if not underway:
                return
            (there, source), arrived = underway.popleft()
            current_cuda_stream(self.device).wait_event(arrived)
            sources.append((source, arrived))  # page-locked memory stays until it is read
            while sources and sources[0][1].query():
                sources.popleft()
            del source
            yield there

    def _sent(self, batch: Any, stream: CUDAStream) -> Any:
        # The memory may be that of an earlier batch: what the program computes with that comes first.
        stream.wait_stream(current_cuda_stream(self.device))
        with stream:
            there = placed(batch, lambda tensor: tensor.to(self.device, non_blocking=True))
            arrived = stream.record_event()
        return (there, batch), arrived
