"""When kernels that Numba compiles are used, and how their rows are shared out among threads.

The compiled kernels of a family live in ``<family>_numba.py``, whose functions take a range of rows (or elements) and
release the lock on Python, so that plain threads run them (``crew_numba.py``). Pieces do not depend on the number of
threads, and neither do results.

``WENGERT_NUMBA`` decides: ``0`` never, ``1`` from the first large array on, ``all`` for small ones, too (for tests),
and without it from the call on at which a process has handled `WORTH` elements, so that small scripts never wait for
Numba. That rule looks at nothing but the work: the same program has the same results, whatever is on the disk.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

from .. import settings
from . import threads

__all__: list[str] = []  # nothing here is a kernel

LEAST = 1 << 13  # elements from which on a compiled kernel is called where NumPy needs a call or two
CALL = 1 << 14  # elements that a call counts for, as what leads to NumPy's loops takes time, too
WORTH = 1 << 23  # elements handled in all, from which on Numba is imported: some 30 ms of NumPy's work
SHARED = 1 << 16  # elements from which on another thread's help is worth asking for, which takes 10 us
LIGHT = 0.25  # what an element counts for where a loop does no more than fetch it, add or compare, and store it

_mode = os.environ.get("WENGERT_NUMBA", "auto")
if _mode == "all":
    LEAST = SHARED = 1
_seen = 0
_families: dict[str, Any] = {}


def compiled(family: str, work: int, least: int | None = None) -> Any:
    """The compiled kernels of a family for ``work`` elements; None if NumPy is to do it.

    Args:
        family: the module's name without its end, ``softmax`` for ``softmax_numba.py``.
        work: the number of elements, times the passes over memory that are saved.
        least: what ``work`` has to be; 1 where NumPy needs many calls, `LEAST` unless told.
    """
    global _seen
    if work < (least or LEAST):
        return None
    try:
        return _families[family]
    except KeyError:
        pass
    _seen += work + CALL
    if _mode == "auto" and _seen < WORTH and not settings.are_deterministic_algorithms_enabled():
        return None
    return _load(family)


def start() -> None:
    """Let compiled kernels serve from now on, as if enough work had been done."""
    global _seen
    _seen = max(_seen, WORTH)


def handled() -> int:
    """The elements that count for when kernels start: a run that goes on from a checkpoint begins with them."""
    return _seen


def set_handled(elements: int) -> None:
    """Go on from what `handled` gave, so that kernels start where they would have; they never stop."""
    global _seen
    _seen = elements


def _load(family: str) -> Any:
    """Import a family; whatever is wrong with Numba, NumPy can do the work."""
    loops = None
    if _mode != "0":
        try:
            if sys.modules.get("numba", True) is not None and not importlib.import_module("numba").config.DISABLE_JIT:
                loops = importlib.import_module(f".{family}_numba", __package__)
        except Exception:  # an installation that does not fit this Python or NumPy fails in many ways
            loops = None
    _families[family] = loops
    return loops


def pieces(count: int, number: int) -> list[tuple[int, int]]:
    """``range(count)`` in so many parts, each by its ends; those without an element are left out."""
    ends = [count * i // number for i in range(number + 1)]
    return [(a, b) for a, b in itertools.pairwise(ends) if a < b]


def spread(function: Callable[..., Any], rows: int, width: float, *args: Any, python: bool = False) -> None:
    """Call ``function(start, stop, *args)`` for ranges that cover ``rows``, on all threads where that pays.

    Args:
        function: compiled without the lock on Python, or what calls such a function with slices of arrays; what it
            writes for a row depends on that row only.
        rows: how many rows there are.
        width: elements in one of them, by the work that they are: see `LIGHT`.
        args: passed on.
        python: the function does more than to call one that is compiled.
    """
    work = int(rows * width)
    shares = min(threads.get_num_threads(), work // SHARED, rows) if work >= 2 * SHARED else 1
    if shares <= 1:
        function(0, rows, *args)
        return
    together(function, [(*ends, *args) for ends in pieces(rows, shares)], python)


def over(function: Callable[..., Any], items: int, width: int, *args: Any) -> None:
    """Call ``function(*args, start, stop)`` for ranges that cover ``items``, of ``width`` elements, on all threads."""
    shares = max(1, min(threads.get_num_threads(), items * width // SHARED, items))
    together(function, [(*args, *ends) for ends in pieces(items, shares)])


def together(function: Callable[..., Any], parts: list[tuple[Any, ...]], python: bool = False) -> None:
    """Call ``function`` with each of ``parts``, in a thread for each; see `spread`."""
    crew = _families["crew"] if "crew" in _families else _load("crew")
    if crew is None or len(parts) == 1:
        for part in parts:
            function(*part)
    else:
        crew.call(function, parts, python)
