"""Counting the arithmetic of products and convolutions while a program runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..backends.flops import counted_flops

__all__ = ["FlopCounterMode"]


class FlopCounterMode:
    """A block whose arithmetic is counted, gradients included: a multiplication and an addition are 2.

    Args:
        mods: for PyTorch's sake, as ``depth`` and ``custom_mapping``: the count is one for all modules.
        depth: as ``mods``.
        display: print the counts at the end.
        custom_mapping: as ``mods``.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.flop_counter import FlopCounterMode
        >>> with FlopCounterMode(display=False) as counter:
        ...     _ = wg.ones(2, 3) @ wg.ones(3, 4)
        >>> counter.get_total_flops()
        48
    """

    def __init__(self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: Any = None) -> None:
        self.display, self.depth = display, depth
        self.flop_counts: dict[str, Counter[str]] = {}

    def get_total_flops(self) -> int:
        """All of it."""
        return sum(self.flop_counts.get("Global", Counter()).values())

    def get_flop_counts(self) -> dict[str, dict[str, int]]:
        """The count, below the one entry that there is: ``Global``."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """The counts as text."""
        counts = self.flop_counts.get("Global", Counter())
        return "\n".join([f"{name:<20}{count:>20,}" for name, count in [*counts.items(), ("total", counts.total())]])

    def __enter__(self) -> FlopCounterMode:
        counts = self.flop_counts["Global"] = Counter()

        def add(flops: int) -> None:
            counts["products"] += flops

        self._block = counted_flops(add)
        self._block.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._block.__exit__(*exception)
        if self.display:
            print(self.get_table())
