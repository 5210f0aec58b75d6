"""All checks of one operator."""

from __future__ import annotations

import contextlib
import functools
import re
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .checks import check_call, check_out, check_refusal
from .compare import Mismatch
from .convert import Missing, Unconvertible, counterpart, lookup, name_of

DTYPES = (
    *("float64", "float32", "bfloat16", "float16", "complex128", "complex64"),
    *("int64", "int32", "int16", "int8", "uint8", "bool"),
)
GRADIENTS = ("float64", "float32", "complex128")  # the types whose gradients are compared
CLOSER = ("float64", "int64")  # the types that also see non-contiguous inputs, aliases and out=
SAMPLES = 30  # of one op and type, spread evenly over what PyTorch has

# What is no part of PyTorch's public surface, belongs to one device's compiler, or to a package of its own (masked).
PRIVATE = re.compile(
    r"^_|^masked\.|^torch\.ops|jiterator|^torch\._|hash_tensor|native_|_backward_data|^nn\.functional\._|backward$|^slice$|^chalf$"
)


@functools.cache
def table() -> list[Any]:
    """PyTorch's public operators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return [op for op in op_db if not PRIVATE.search(op.name)]


class Report:
    """What was found about one operator."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.passed = 0
        self.seconds = 0.0
        self.failures: list[dict[str, str]] = []
        self._start = time.perf_counter()

    def run(self, form: str, dtype: str, sample: str, check: Callable[[], None]) -> None:
        """Note whether a check passes; of one kind of failure the first three are kept."""
        try:
            check()
            self.passed += 1
        except Mismatch as error:
            self.add(form, dtype, error.kind, str(error), sample)
        except (Missing, Unconvertible) as error:
            self.add(form, dtype, type(error).__name__.lower(), str(error), sample)
        except Exception as error:
            self.add(form, dtype, "harness", "".join(traceback.format_exception(error)[-3:]), sample)

    def add(self, form: str, dtype: str, kind: str, text: str, sample: str) -> None:
        place = {"op": self.name, "form": form, "dtype": dtype, "kind": kind}
        if form == "error" or sum(place.items() <= f.items() for f in self.failures) < 3:
            self.failures.append({**place, "text": text[:600], "sample": sample[:600]})

    def done(self) -> Report:
        self.seconds = time.perf_counter() - self._start
        return self


def shown(sample: Any) -> str:
    """A sample in a line: types, shapes, strides where not contiguous, and ``g`` where a gradient is wanted."""

    def one(x: Any) -> str:
        if isinstance(x, torch.Tensor):
            strided = x.layout == torch.strided and not x.is_contiguous()
            strides = f"/{list(x.stride())}" if strided else ""
            return f"{name_of(x.dtype)}{list(x.shape)}{strides}" + "g" * x.requires_grad
        if isinstance(x, list | tuple):
            return "(" + ", ".join(map(one, x)) + ")"
        if isinstance(x, dict):
            return "{" + ", ".join(f"{k}={one(v)}" for k, v in x.items()) + "}"
        return repr(x)

    return f"{one(sample.input)}; {one(sample.args)}; {one(sample.kwargs)}"


def forms(op: Any) -> Iterator[tuple[str, Any]]:
    """The ways to call an op: PyTorch's functions, by what they are."""
    yield "function", op.op
    named = {"method": op.method_variant, "operator": op.operator_variant, "inplace": op.inplace_variant}
    yield from ((form, fn) for form, fn in named.items() if fn is not None)
    yield from ((f"alias {alias.name}", alias.op) for alias in op.aliases if alias.op is not None)


def ours(op: Any, form: str, theirs: Any) -> Any:
    """wengert's function for one of PyTorch's."""
    if form == "operator":
        return theirs
    try:
        return counterpart(theirs)
    except Unconvertible:
        if form != "function":
            raise
        return lookup(op.name)


def samples(op: Any, dtype: str, reference: bool) -> list[Any]:
    """PyTorch's samples, or an even selection of them."""
    t = getattr(torch, dtype)
    torch.default_generator.manual_seed(1)  # not for every sample anew: PyTorch notes each time who asked
    grad = dtype in GRADIENTS and op.supports_autograd and t in op.supported_backward_dtypes("cpu")
    found: list[Any] = []
    try:
        found += (op.reference_inputs if reference else op.sample_inputs)("cpu", t, requires_grad=grad, set_seed=False)
    except RuntimeError:
        if not reference:  # a few of the larger set want gradients of booleans
            raise
    return found[:: max(1, len(found) // SAMPLES)]


def run_op(index: int, dtypes: tuple[str, ...] = DTYPES, reference: bool = False) -> Report:
    """Every check of the op at ``index`` of `table`."""
    op = table()[index]
    report = Report(op.name + (f".{op.variant_test_name}" if op.variant_test_name else ""))
    warnings.simplefilter("ignore")
    functions: list[tuple[str, Any, Any]] = []
    for form, theirs in forms(op):
        report.run(
            form, "", "", lambda form=form, theirs=theirs: functions.append((form, ours(op, form, theirs), theirs))
        )
    if not functions:
        return report.done()
    for dtype in dtypes:
        if getattr(torch, dtype) in op.supported_dtypes("cpu"):
            check_dtype(op, functions, dtype, reference, report)
    form, fn, _ = functions[0]
    if op.error_inputs_func is not None and form == "function":
        for e in op.error_inputs("cpu"):
            report.run("error", "", shown(e.sample_input), lambda e=e: check_refusal(op, fn, e))
    return report.done()


def check_dtype(op: Any, functions: list[tuple[str, Any, Any]], dtype: str, reference: bool, report: Report) -> None:
    grads = dtype in GRADIENTS and op.supports_autograd
    for i, sample in enumerate(samples(op, dtype, reference)):
        for form, fn, theirs in functions:
            if form.startswith("alias") and dtype not in CLOSER:
                continue
            looks = [sample]
            if form == "function" and dtype in CLOSER:
                with contextlib.suppress(Exception):  # not every sample can be strewn over memory
                    looks.append(sample.noncontiguous())
            for look in looks:
                check = functools.partial(check_call, op, fn, theirs, form, look, dtype, grads)
                report.run(form, dtype, shown(look), check)
            if form == "function" and op.supports_out and i < 6 and dtype in CLOSER:
                report.run("out", dtype, shown(sample), functools.partial(check_out, op, fn, sample))
