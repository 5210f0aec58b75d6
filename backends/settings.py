"""Global choices that programs make: how exact float32 products are, and whether results must repeat to the bit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .call_site import warn
from .errors import ArgumentError

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "switched",
    "use_deterministic_algorithms",
]

DEBUG_MODES = ("default", "warn", "error")
PRECISIONS = ("highest", "high", "medium")
_state: dict[str, object] = {"precision": "highest", "deterministic": False, "warn_only": False, "interop": 1}
_state["warn_always"] = False


@contextlib.contextmanager
def switched(switches: dict[str, Any], **values: Any) -> Iterator[None]:
    """Other values for a module's switches until the end of the block; None leaves a switch alone."""
    before = {name: switches[name] for name in values}
    switches.update({name: value for name, value in values.items() if value is not None})
    try:
        yield
    finally:
        switches.update(before)


def set_warn_always(b: bool, /) -> None:
    """Ask for a warning at every call that deserves one instead of the first.

    Raises:
        TypeError: it is no bool.
    """
    if not isinstance(b, bool):
        raise TypeError(f"set_warn_always expects a bool, but got {type(b).__name__}")
    _state["warn_always"] = b


def is_warn_always_enabled() -> bool:
    """Whether `set_warn_always` was asked for."""
    return bool(_state["warn_always"])


def warn_once(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn the first time that a message comes, or always after `set_warn_always`."""
    if message not in _warned or is_warn_always_enabled():
        _warned.add(message)
        warn(message, category)


_warned: set[str] = set()


def get_float32_matmul_precision() -> str:
    """How exact products of float32 matrices are; see `set_float32_matmul_precision`."""
    return str(_state["precision"])


def set_float32_matmul_precision(precision: str) -> None:
    """Choose how exact products of float32 matrices are.

    Args:
        precision: ``"highest"``: float32; ``"high"`` and ``"medium"``: a device may round the factors to fewer bits
            (TF32). The CPU always computes in float32.

    Raises:
        RuntimeError: it is none of these.
    """
    if precision not in PRECISIONS:
        raise ArgumentError(f"{precision!r} is no float32 matmul precision; use one of {', '.join(PRECISIONS)}")
    _state["precision"] = precision


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for results that repeat to the bit.

    On the CPU they always do; on a GPU, some sums at repeated positions add in any order, and with ``False`` more.

    Raises:
        TypeError: ``mode`` is no bool.
    """
    if not isinstance(mode, bool):
        raise TypeError(f"use_deterministic_algorithms(): argument 'mode' must be bool, not {type(mode).__name__}")
    _state["deterministic"], _state["warn_only"] = bool(mode), bool(warn_only)
    _state["waived"] = not mode


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was asked for."""
    return bool(_state["deterministic"])


def repeatability_waived() -> bool:
    """Whether the program said, by ``use_deterministic_algorithms(False)``, that results need not repeat to the bit."""
    return bool(_state.get("waived"))


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was asked for with ``warn_only``."""
    return bool(_state["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by a number or a name: 0 "default", 1 "warn", 2 "error".

    Raises:
        RuntimeError: it is none of these.
    """
    numbers = dict(zip(DEBUG_MODES, range(3), strict=True))
    number = numbers.get(debug_mode) if isinstance(debug_mode, str) else debug_mode
    if number not in (0, 1, 2):
        raise ArgumentError(
            f"invalid value of debug_mode, expected 0, 1, 2 or one of {DEBUG_MODES}, got {debug_mode!r}"
        )
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_deterministic_debug_mode() -> int:
    """The number that `set_deterministic_debug_mode` takes for what is asked for now."""
    if not are_deterministic_algorithms_enabled():
        return 0
    return 1 if is_deterministic_algorithms_warn_only_enabled() else 2


def set_flush_denormal(mode: bool) -> bool:
    """Whether numbers too small for the normal range were made zero on request; that is not supported here."""
    return False


def get_num_interop_threads() -> int:
    """The number of threads that run ops side by side: what was set, though ops run one after another."""
    return int(str(_state["interop"]))


def set_num_interop_threads(number: int) -> None:
    """Set what `get_num_interop_threads` says; ops run one after another.

    Raises:
        RuntimeError: it is not positive.
    """
    if number <= 0:
        raise ArgumentError(f"set_num_interop_threads expects a positive integer, got {number}")
    _state["interop"] = number
