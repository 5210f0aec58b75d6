"""A mode in which calls that PyTorch accepts, and that are rarely meant, are errors."""

from __future__ import annotations

import contextlib
import sys
from types import FrameType
from typing import Any

from ...backends import kernels_of
from ...backends.strictness import refuse_doubtful, strictness
from ..ops.arithmetic import Add, Div, Mul, Sub
from ..ops.elementwise import Binary
from ..ops.loss import CrossEntropy
from ..ops.softmax import LogSoftmax, Softmax
from ..watch import Call, Watcher, input_arrays

__all__ = ["set_strict", "strict"]

BROADCASTING = (Add, Sub, Mul, Div, Binary)
WRAPPING = (Add, Sub, Mul)
SHORT = ("uint8", "int8", "int16")


class strict(Watcher, contextlib.ContextDecorator):
    """A block, or a decorated function, in which doubtful calls raise `StrictError`, in all threads.

    These are refused, each with the program's line and the likely way out:

    - a loss whose input and target have different sizes, also where PyTorch broadcasts without a warning;
    - arithmetic and comparisons of ``(n,)`` with ``(n, 1)``, whose result is ``(n, n)``;
    - a softmax over a dimension of one element, which is always 1, and a cross entropy of one class, which is always 0;
    - a cross entropy of probabilities instead of scores, and a negative log likelihood of positive numbers;
    - a number or tensor whose fraction is lost because it is written to integers;
    - 8- and 16-bit integers that wrap round in a sum, difference or product: differences of images do;
    - what is deprecated: ``size_average`` and ``reduce``, a softmax without ``dim``, the names in `wengert.nn.init`
      without an underscore, ``x.T`` of other than two dimensions; and settings without effect, such as the dropout of
      one recurrent layer.

    Looking at values takes time: it is for tests and for the first steps of a program.

    Args:
        mode: False makes a block in which they are allowed again.

    Example:
        >>> import wengert as wg
        >>> prediction, target = wg.zeros(4, 1), wg.zeros(4)
        >>> with wg.debug.strict():
        ...     wg.nn.functional.mse_loss(prediction, target)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        wengert.backends.errors.StrictError: Using a target size (wengert.Size([4])) that is different to the input ...
    """

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def _recreate_cm(self) -> strict:
        return strict(self.mode)  # a decorated function may call itself

    def __enter__(self) -> strict:
        self._before = strictness.depth
        strictness.depth = self._before + 1 if self.mode else 0
        if self.mode:
            self.start_watching()
        return self

    def __exit__(self, *exc: object) -> None:
        strictness.depth = self._before
        self.stop_watching()

    def before(self, call: Call) -> None:
        """Look at an operation's operands."""
        if call.phase != "forward" or not strictness.depth or _inside(call):
            return
        op = call.op
        if issubclass(op, BROADCASTING):
            arrays = input_arrays(call)[:2]
            if None not in [id(a) if a is not None else None for a in arrays] and len(arrays) == 2:
                refuse_outer(call.name.lower(), arrays[0], arrays[1])
        elif issubclass(op, (Softmax, LogSoftmax)):
            _refuse_single(call)
        elif issubclass(op, CrossEntropy):
            _refuse_probabilities(call)

    def after(self, call: Call, result: Any) -> None:
        """Look whether short integers have wrapped round."""
        if call.phase != "forward" or not strictness.depth or _inside(call) or not issubclass(call.op, WRAPPING):
            return
        if getattr(result, "dtype", None) is not None and result.dtype.name in SHORT and type(result) in kernels_of:
            _refuse_wrapped(call, result)


_on: list[strict] = []


def set_strict(mode: bool) -> None:
    """Switch `strict` on or off for the whole program.

    Args:
        mode: True to switch it on.

    Raises:
        TypeError: it is no bool.
    """
    if not isinstance(mode, bool):
        raise TypeError(f"set_strict expects a bool, but got {type(mode).__name__}")
    while _on:
        _on.pop().__exit__()
    if mode:
        _on.append(strict().__enter__())


def _inside(call: Call) -> bool:
    """Whether another operation's rule asked, and not the program."""
    outer = call.outer
    while outer is not None and outer.phase == "range":
        outer = outer.outer
    return outer is not None


def refuse_outer(name: str, a: Any, b: Any) -> None:
    """Raise if ``(n,)`` meets ``(n, 1)``: the result has ``n`` times as many elements.

    Raises:
        StrictError: they do.
    """
    few, many = sorted((tuple(a.shape), tuple(b.shape)), key=len)
    if len(few) != 1 or few == (1,) or (*few, 1) != many or _by_the_library():
        return
    n = few[0]
    refuse_doubtful(
        f"{name}: shapes {list(a.shape)} and {list(b.shape)} broadcast to {[n, n]}, which is rarely meant. Likely fix: "
        f".squeeze(-1) for the one of shape {[n, 1]}; if every pair is meant, .unsqueeze(0) for the one of shape {[n]}."
    )


def _by_the_library() -> bool:
    """Whether a layer or another part of the library computes, which broadcasts on purpose."""
    frame = sys._getframe(1)
    package = __name__.partition(".")[0]
    while frame.f_back is not None and _name(frame).startswith((f"{package}.autograd", f"{package}.backends")):
        frame = frame.f_back
    return _name(frame).partition(".")[0] == package


def _name(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _refuse_single(call: Call) -> None:
    x = input_arrays(call)[0]
    if x is not None and x.ndim and x.shape[call.params["dim"]] == 1:
        refuse_doubtful(
            f"{call.name.lower()}: dimension {call.params['dim']} of shape {list(x.shape)} has one element, so that "
            "every probability is 1. Likely fix: another dim, or sigmoid for a score per sample."
        )


def _refuse_probabilities(call: Call) -> None:
    x = input_arrays(call)[0]
    if x.shape[1] == 1:
        refuse_doubtful(
            f"cross_entropy: an input of shape {list(x.shape)} has one class, so that the loss is always 0. Likely "
            "fix: binary_cross_entropy_with_logits for two classes with one score."
        )
    k = kernels_of[type(x)]
    wide = k.astype(x, "float64")
    if x.size and bool(k.all(wide >= 0)) and bool(k.all(k.abs(k.sum(wide, axis=1) - 1) < 1e-3)):
        refuse_doubtful(
            "cross_entropy: the input's rows are probabilities (none is negative, and they add up to 1), but it takes "
            "scores and computes the softmax itself. Likely fix: leave out the softmax before it, or use "
            "nll_loss(probabilities.log(), target)."
        )


def _refuse_wrapped(call: Call, result: Any) -> None:
    arrays = [k if a is None else a for k, a in zip(call.args, input_arrays(call), strict=True)][:2]
    k = kernels_of[type(result)]
    a, b = (k.astype(v, "int64") if type(v) in kernels_of else v for v in arrays)
    exact = a + b if issubclass(call.op, Add) else a - b if issubclass(call.op, Sub) else a * b
    if bool(k.any(k.asarray(exact != k.astype(result, "int64")))):
        refuse_doubtful(
            f"{call.name.lower()}: the result does not fit {result.dtype.name} and wraps round. Likely fix: convert to "
            "a wider type first, with .int() or .float()."
        )
