"""Threads that help the one that calls, and start within a microsecond or two.

Waking a thread that sleeps takes some 70 us, as long as half a million additions. So a helper that has done its part
looks out for the next one for a while before it sleeps, and gives its core to whoever wants it meanwhile. It looks out
without the lock on Python, which it needs for no longer than it takes to call its kernel: it must not ask for the lock
while the caller has it, as being told of a lock that is free again is a wake-up, too. The caller's own kernel says when
that is. The first line of every kernel is `enter`, by when its thread has let go of the lock.

All words that are read and written without the lock lie on a board, which kernels know by name: what is compiled, and
kept on the disk, finds it in every process.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types

from .jit_numba import inlined, instructions, loop

__all__: list[str] = []  # found through compiled.py

MOST = 255  # helpers that the board has room for
LINE = 16  # words from one that a thread writes to one that another thread writes: two cache lines
LOOKS = 32  # at a word, before a thread offers its core
HELPERS_TURNS = 600  # offers before a helper sleeps: some 300 us on an idle core
CALLERS_TURNS = 4000  # before the caller sleeps for a moment at a time
INT = ir.IntType(64)
NAME = "wengert_board"

# The call's number, how many helpers have a part in it, and for each helper a line with the number of the call that it
# is to take part in, and one with the last that it has done.
_board = np.zeros((2 * MOST + 2) * LINE, np.int64)
binding.add_symbol(NAME, _board.ctypes.data)


def _word(builder: Any, index: Any) -> Any:
    """A pointer to a word of the board."""
    board = builder.module.globals.get(NAME)
    if board is None:
        board = ir.GlobalVariable(builder.module, INT, NAME)
    return builder.gep(board, [index])


@instructions
def read(typingctx: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word(builder, args[0]), "acquire", 8)

    return types.int64(types.int64), codegen


@instructions
def write(typingctx: Any, index: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], _word(builder, args[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@instructions
def raise_to(typingctx: Any, index: Any, value: Any) -> Any:
    """Write a number where a smaller one is; threads that are late change nothing."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.atomic_rmw("max", _word(builder, args[0]), args[1], "acq_rel")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


offer_core = types.ExternalFunction("SwitchToThread" if os.name == "nt" else "sched_yield", types.int32())


@inlined
def enter() -> None:
    """Let the helpers of the call that is being made begin, if they have not yet: the lock on Python is free."""
    number = read(0)
    for i in range(read(1)):
        if read((2 * i + 2) * LINE) < number:
            raise_to((2 * i + 2) * LINE, number)


@loop
def await_call(helper: int, done: int, turns: int) -> int:
    """Say that a call is done, and look out for another one; its number, or 0 after so many ``turns``."""
    post = (2 * helper + 2) * LINE
    write(post + LINE, done)
    for _ in range(turns):
        for _ in range(LOOKS):
            number = read(post)
            if number > done:
                return number
        offer_core()
    return 0


@loop
def await_helper(helper: int, number: int, turns: int) -> bool:
    """Whether a helper has done its part of a call, within so many ``turns``."""
    raise_to((2 * helper + 2) * LINE, number)
    done = (2 * helper + 3) * LINE
    for _ in range(turns):
        for _ in range(LOOKS):
            if read(done) >= number:
                return True
        offer_core()
    return False


class Helper:
    """One thread, which takes part in the calls that it is given."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.post = (2 * place + 2) * LINE
        self.done = int(_board[self.post])
        self.parts: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []  # one at most
        self.error: BaseException | None = None
        self.asleep = self.ended = False
        self.wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.serve, name=f"wengert-{place}", daemon=True)
        self.thread.start()

    def serve(self) -> None:
        """Do one part after the other."""
        while not self.ended:
            number = await_call(self.place, self.done, HELPERS_TURNS)
            if not number:
                self.asleep = True  # from here on a caller wakes this thread, unless it has posted its call already
                if _board[self.post] <= self.done and not self.ended:
                    self.wake.get()
                self.asleep = False
                continue
            try:
                if (part := self.take()) is not None:
                    part[0](*part[1])
            except BaseException as error:  # the caller raises it
                self.error = error
            part = None  # its arrays may be freed
            self.done = number

    def take(self) -> Any:
        """The part that nobody has begun yet, or None. Only one thread gets it."""
        try:
            return self.parts.pop()
        except IndexError:
            return None

    def rouse(self) -> None:
        """End the helper's sleep, if it is asleep."""
        if self.asleep:
            self.asleep = False
            self.wake.put(None)


class Crew:
    """The helpers of a process. One thread at a time has them; others do all parts themselves."""

    def __init__(self) -> None:
        self.helpers: list[Helper] = []
        self.free = threading.Lock()
        self.number = 0  # of the last call

    def call(self, function: Callable[..., Any], parts: list[tuple[Any, ...]], python: bool) -> None:
        """Call ``function`` with each of ``parts``, the first in this thread.

        Args:
            function: a compiled kernel that starts with `enter`, or what calls one.
            parts: of arguments.
            python: the function is no kernel, so that nobody waits for one to be entered.
        """
        helpers = self.helpers
        count = len(parts) - 1
        if count > MOST or not self.free.acquire(blocking=False):
            for part in parts:
                function(*part)
            return
        try:
            while len(helpers) < count:
                helpers.append(Helper(len(helpers)))
            self._together(function, parts, helpers[:count], python)
        finally:
            self.free.release()

    def _together(
        self, function: Callable[..., Any], parts: list[tuple[Any, ...]], helpers: list[Helper], python: bool
    ) -> None:
        self.number = number = self.number + 1
        for helper, part in zip(helpers, parts[1:], strict=True):
            helper.error = None
            helper.parts.append((function, part))
        _board[0], _board[1] = number, len(helpers)
        for helper in helpers:
            if python or helper.asleep:
                _board[helper.post] = number
                helper.rouse()
        mine = set()
        try:
            function(*parts[0])
            for helper in helpers:
                if (left := helper.take()) is not None:  # it is not awake yet: who waits for it may as well work
                    mine.add(helper)
                    function(*left[1])
        finally:
            _board[1] = 0
            mine |= {helper for helper in helpers if helper.take() is not None}
            _await([helper for helper in helpers if helper not in mine], number)
        for helper in helpers:
            if helper.error is not None:
                raise helper.error

    def end(self) -> None:
        """Send the helpers home, before the interpreter keeps its lock from them for good."""
        for helper in self.helpers:
            helper.ended = True
            helper.rouse()
        for helper in self.helpers:
            helper.thread.join(1)


def _await(helpers: list[Helper], number: int) -> None:
    """Wait for helpers that have begun a part, whatever happens: they write to arrays that must live as long."""
    interrupt: KeyboardInterrupt | None = None
    for helper in helpers:
        while True:
            try:
                if await_helper(helper.place, number, CALLERS_TURNS):
                    break
                helper.rouse()
                time.sleep(5e-5)
            except KeyboardInterrupt as error:
                interrupt = error
    if interrupt is not None:
        raise interrupt


_crew = Crew()


def call(function: Callable[..., Any], parts: list[tuple[Any, ...]], python: bool = False) -> None:
    """`Crew.call` of this process."""
    _crew.call(function, parts, python)


def _start_anew() -> None:
    """A child has none of its parent's threads."""
    global _crew
    _board[:] = 0
    _crew = Crew()


atexit.register(lambda: _crew.end())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
