"""How the kernels of ``*_numba.py`` are compiled: kept on disk, without the lock on Python, with NumPy's division.

They are kept where Numba keeps things: in ``NUMBA_CACHE_DIR``, or in ``__pycache__`` beside the source where that can
be written to, or else in the user's cache folder. What is kept is good as long as the module that it comes from, and
all that this one imports, stay as they are.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numba
from numba.core import caching, event
from numba.extending import intrinsic

__all__: list[str] = []  # nothing here is a kernel

F = TypeVar("F", bound=Callable[..., Any])
ROOT = Path(__file__).parent.parent  # of the backends; kernels use nothing from outside
IMPORT = re.compile(r"^from (\.+)([\w.]*) import ((?:\w|[ ,]|\([^)]*\))+)", re.MULTILINE)
SECONDS = 1.0  # of compiling, after which a program says what it is waiting for


def loop(function: F) -> F:
    """A kernel, or a part of one: arithmetic as it is written."""
    return _kept(numba.njit(nogil=True, error_model="numpy")(function))


def summing(function: F) -> F:
    """A part that sums in any order, so in vectors; it is the same order for rows of the same length."""
    kind = {"reassoc", "contract"}
    return _kept(numba.njit(nogil=True, error_model="numpy", fastmath=kind)(function))


def inlined(function: F) -> F:
    """A function of numbers that loops use; it is compiled into them."""
    return numba.njit(nogil=True, error_model="numpy")(function)


def instructions(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function given by the instructions that its ``codegen`` builds; it is called without the first argument."""
    return intrinsic(function)


# ---------------------------------------------------------------------- what is kept on the disk


@functools.cache
def sources(path: Path) -> frozenset[Path]:
    """A module's file and those of the modules it imports from this package."""
    found, todo = set(), [path]
    while todo:
        file = todo.pop()
        if file in found or not file.is_file() or ROOT not in file.parents:
            continue
        found.add(file)
        for dots, module, names in IMPORT.findall(file.read_text(encoding="utf-8")):
            folder = file.parents[len(dots) - 1].joinpath(*module.split(".")) if module else file.parents[len(dots) - 1]
            todo.append(folder.with_suffix(".py"))
            todo += [folder / f"{name}.py" for name in re.findall(r"\w+", names)]
    return frozenset(found)


@functools.cache
def stamp(path: str) -> str:
    """A hash of a module and of what it imports."""
    hashed = hashlib.sha256()
    for file in sorted(sources(Path(path))):
        hashed.update(file.name.encode() + file.read_bytes())
    return hashed.hexdigest()


class _Stamped:
    """Numba's own stamp is the module's file alone, and its names have line numbers, so that old ones would pile up."""

    _py_file: str

    def get_source_stamp(self) -> str:
        return stamp(self._py_file)

    def get_disambiguator(self) -> str:
        return "wengert"


PLACES = (caching.UserProvidedCacheLocator, caching.InTreeCacheLocator, caching.UserWideCacheLocator)


class _Kept(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes: ClassVar[list[Any]] = [type(place.__name__, (_Stamped, place), {}) for place in PLACES]


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _Kept


def _kept(dispatcher: Any) -> Any:
    """The same function, which keeps on disk what it compiles; where there is no such place, it compiles again."""
    try:
        dispatcher._cache = _Cache(dispatcher.py_func)
    except RuntimeError:
        _notice.place = "nowhere, as no folder can be written to"
    else:
        _notice.place = f"in {dispatcher._cache.cache_path}"
    return dispatcher


# ---------------------------------------------------------------------- what a program is told


class _Notice(event.Listener):  # type: ignore[misc]
    """One line on stderr when compiling, rather than loading what was compiled before, takes its time."""

    def __init__(self) -> None:
        self.depth, self.begun, self.spent, self.told, self.place = 0, 0.0, 0.0, False, ""

    def on_start(self, what: Any) -> None:
        now = time.perf_counter()
        if self.depth == 0:
            self.begun = now
        self.depth += 1  # a kernel waits for the parts that it calls
        if not self.told and self.spent + now - self.begun > SECONDS:
            self.told = True
            sys.stderr.write(f"wengert: compiling kernels for this CPU, once; kept {self.place}\n")

    def on_end(self, what: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.spent += time.perf_counter() - self.begun


_notice = _Notice()
event.register("numba:compile", _notice)
