"""A guard that stops at the first operation that makes NaN or Inf, forward or backward."""

from __future__ import annotations

import contextlib
import math
import warnings
import weakref
from typing import Any

from ...backends import kernels_of
from ...backends.call_site import call_site
from ...backends.errors import NonFiniteError
from ..watch import Call, Watcher, input_arrays, new_trail, output_arrays
from .sites import source_line

__all__ = ["nan_guard"]

HINTS = {
    "Log": "the logarithm of 0 or of a negative number: clamp(min=1e-12) it first, or work with log_softmax",
    "Div": "a division by 0: add a small number to the divisor, or mask it with where before the division",
    "Sqrt": "the root of a negative number, or, in backward, of 0: add a small number before the root",
    "Rsqrt": "the root of 0 or of a negative number: add a small number first",
    "Pow": "a power that overflows, a negative base with a broken exponent, or, in backward, a base of 0",
    "Exp": "an exponential that overflows: subtract the maximum first, or use logsumexp, softmax or log_softmax",
    "Expm1": "an exponential that overflows",
    "Softmax": "a row that is masked completely (only -inf), which has no softmax",
    "LogSoftmax": "a row that is masked completely (only -inf), which has no softmax",
    "Attention": "a query all of whose keys are masked: let each one see at least one key",
    "Norm": "the norm of 0 in backward: add a small number, or square instead",
    "Acos": "an argument outside of -1 to 1, or, in backward, at its border: clamp it",
    "Asin": "an argument outside of -1 to 1, or, in backward, at its border: clamp it",
    "Mul": "a product that overflows, or 0 times Inf: a masked value must be selected by where, not multiplied by 0",
    "Linear": "a product that overflows: look at the learning rate and the size of the weights",
    "Mm": "a product that overflows: look at the learning rate and the size of the weights",
}
ANY = "look at the inputs above: a value that is too large, or one out of the operation's domain"


class nan_guard(Watcher, contextlib.ContextDecorator):
    """A block in which the first operation that makes NaN or Inf raises, and says all there is to know about it.

    It watches the forward and the backward pass, in all threads. Infinity that a program puts in on purpose (a mask
    filled with ``-inf``) is let through: an operation is blamed for Inf only if none of its inputs held any.

    Args:
        inf: blame for Inf as well as for NaN.
        backward: watch backward, too.
        action: ``"raise"`` or ``"warn"``, which goes on, and warns once for each operation and line.

    Raises:
        NonFiniteError: it names the operation, the module's path, the program's line, the inputs' statistics, and the
            usual cause. (A GraphError and an ArithmeticError.)

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([1.0, 0.0], requires_grad=True)
        >>> with wg.debug.nan_guard():
        ...     y = x.log().sum()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        wengert.backends.errors.NonFiniteError: Log made Inf: ...
    """

    def __init__(self, inf: bool = True, backward: bool = True, action: str = "raise") -> None:
        if action not in ("raise", "warn"):
            raise ValueError(f"nan_guard: action must be 'raise' or 'warn', got {action!r}")
        self.inf, self.backward, self.action = inf, backward, action
        self._warned: set[tuple[str, str]] = set()

    def __enter__(self) -> nan_guard:
        self._trail = new_trail[-1]()
        self._modules: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self.start_watching()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop_watching()
        self._trail.close()

    def _recreate_cm(self) -> nan_guard:
        return type(self)(self.inf, self.backward, self.action)

    def after(self, call: Call, result: Any) -> None:
        """Look at what an operation returned."""
        if call.phase == "range" or _inside(call):
            return
        if call.phase == "forward" and call.node is not None:
            call.node.site = call_site()
            if path := self._trail.path():
                self._modules[call.node] = path
        if call.phase == "backward" and not self.backward:
            return
        for i, array in enumerate(output_arrays(result)):
            if array is None or array.dtype.kind not in "fcV" or _all_finite(array):
                continue
            kind = self._blame(call, array)
            if kind:
                self._report(call, i, array, kind)

    def _blame(self, call: Call, array: Any) -> str:
        """Whether the operation made NaN or Inf of inputs without; what it only passed on is blamed if it is NaN."""
        nan, inf = _count(array)
        inputs = [a for a in _given(call) if a is not None and a.dtype.kind in "fcV"]
        if nan:
            return "NaN"
        if not self.inf or not inf:
            return ""
        numbers = [*call.args, *call.params.values()]
        given = any(isinstance(v, float) and math.isinf(v) for v in numbers) or any(_count(a)[1] for a in inputs)
        return "" if given else "Inf"

    def _report(self, call: Call, index: int, array: Any, kind: str) -> None:
        nan, inf = _count(array)
        given = _given(call)
        held = [i for i, a in enumerate(given) if a is not None and a.dtype.kind in "fcV" and _count(a)[0]]
        backward = call.phase == "backward"
        site = call.node.site if backward else call_site()
        what = f"the gradient for input {index}" if backward else f"output {index}"
        did = f"was the first to meet {kind}" if kind == "NaN" and held else f"made {kind}"
        text = f"{call.name} {did}: {nan} NaN and {inf} Inf among the {array.size} values of {what} {_form(array)}"
        if site is not None:
            text += f"; {'recorded' if backward else 'called'} at {site}"
            line = source_line(site)
            text += f" ({line})" if line else ""
        path = self._path_of(call)
        text += f"; in module {path}" if path else ""
        text += ". " + " ".join(_describe(call, i, a) for i, a in enumerate(given) if a is not None)
        name = str(call.op.__name__)
        if kind == "NaN" and held:
            text += " It was there before: look at where that input comes from (data, a parameter, a write)."
        else:
            text += f" Likely: {HINTS.get(name, ANY)}."
        if self.action == "raise":
            raise NonFiniteError(text)
        if (call.name, str(site)) not in self._warned:
            self._warned.add((call.name, str(site)))
            warnings.warn(text, RuntimeWarning, stacklevel=4)

    def _path_of(self, call: Call) -> str:
        if call.phase == "backward":
            return self._modules.get(call.node, "")
        return self._trail.path()


def _inside(call: Call) -> bool:
    """Whether it ran inside of another operation's rule, which may make Inf on its way and mask it again."""
    outer = call.outer
    while outer is not None and outer.phase == "range":
        outer = outer.outer
    return outer is not None


def _given(call: Call) -> list[Any]:
    """The arrays that an operation computed from: in backward the incoming gradients, then what was saved."""
    arrays = input_arrays(call)
    if call.phase == "backward":
        saved = call.node._saved or ()
        kept = [s[0] if type(s) is tuple else s for s in saved]
        arrays += [a for a in kept if type(a) in kernels_of]
    return arrays


def _all_finite(array: Any) -> bool:
    k = kernels_of[type(array)]
    return bool(k.all(k.isfinite(array)))


def _count(array: Any) -> tuple[int, int]:
    """How many values are NaN, and how many are infinite."""
    k = kernels_of[type(array)]
    nan = k.isnan(array)
    return int(nan.sum()), int((~nan & ~k.isfinite(array)).sum())


def _form(array: Any) -> str:
    return f"{list(array.shape)} {array.dtype}"


def _describe(call: Call, index: int, array: Any) -> str:
    """An input in figures."""
    if call.phase == "backward":
        gradients = len(call.args)
        what = "Incoming gradient" if index < gradients else f"Saved value {index - gradients}"
    else:
        what = f"Input {index}"
    text = f"{what} {_form(array)}"
    if array.dtype.kind not in "fcV" or array.size == 0:
        return text + "."
    k = kernels_of[type(array)]
    nan, inf = _count(array)
    if array.dtype.kind != "c":
        finite = k.astype(array, "float64")
        finite = finite[k.isfinite(finite)]
        if finite.size:
            text += f": from {float(finite.min()):.4g} to {float(finite.max()):.4g}, mean {float(finite.mean()):.4g}"
    return f"{text}, {nan} NaN, {inf} Inf."
