"""PyTorch's own table of operators, run with wengert in torch's place: ``python -m tests.opinfo [names]``.

The installed PyTorch ships the samples that it tests its operators with, and the arguments that they must refuse
(``torch.testing._internal``). Each is given to PyTorch and to wengert, and the results must agree: values, element types,
shapes, gradients of first and second order, in-place forms and methods, and the kind of error. PyTorch is only read and run here.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import io
import json
import math
import multiprocessing
import operator
import re
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert as wg
from wengert.autograd.base import wrap

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

DTYPES = ("float64", "float32", "int64", "bool", "complex128", "bfloat16", "float16", "uint8", "int32", "int8", "int16", "complex64")
GRAD_DTYPES = ("float64", "float32", "complex128")
TOLERANCE = {
    "float64": 1e-7, "complex128": 1e-7, "float32": 2e-4, "complex64": 2e-4, "bfloat16": 5e-2, "float16": 1e-2,
}  # fmt: skip
SECONDS = 20  # for one sample, wengert's side

# What is drawn at random, or not written at all: only the types and shapes can agree.
RANDOM = re.compile(
    r"bernoulli|cauchy|exponential$|geometric|log_normal|^normal$|uniform|^rand|multinomial|dropout|rrelu|fractional_max"
    r"|empty|resize|pca_lowrank|svd_lowrank"
)
# Which of several equal elements comes first is not said: their places may differ.
TIES = re.compile(r"^(sort|argsort|topk|kthvalue|mode|median|nanmedian)$")
# Names that are not PyTorch's public surface.
PRIVATE = re.compile(r"^_|^torch\.ops|jiterator|^torch\._|hash_tensor|native_|_backward_data|^nn\.functional\._|backward$")
MAX_SAMPLES = 60


# -- From PyTorch's objects to wengert's -------------------------------------------------------------------------------

def to_array(t: Any) -> np.ndarray:
    """The memory of a torch tensor as an array with the same strides."""
    t = t.detach().resolve_conj().resolve_neg()
    if t.numel() == 0:
        flat_array = np.empty(0, type_of(t))
    else:
        length = 1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
        memory = t.as_strided((length,), (1,), t.storage_offset())
        flat_array = np.array(memory.view(torch.int16).numpy() if t.dtype == torch.bfloat16 else memory.numpy()).view(type_of(t))
    size = flat_array.itemsize
    return np.lib.stride_tricks.as_strided(flat_array, t.shape, [s * size for s in t.stride()])


def type_of(t: Any) -> Any:
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16 if t.dtype == torch.bfloat16 else name_of(t.dtype))


def detached_copy(t: Any) -> Any:
    """The same values at the same strides, in memory of its own."""
    out = t.detach().clone(memory_format=torch.preserve_format)
    if out.stride() != t.stride() and t.numel():
        size = 1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
        base = torch.empty(size, dtype=t.dtype)
        out = base.as_strided(t.shape, t.stride())
        out.copy_(t.detach()) if 0 not in t.stride() else base.copy_(t.detach().as_strided((size,), (1,)))
    return out


class Converter:
    """Turns nested arguments into wengert's, and remembers what became what."""

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []

    def __call__(self, x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            for theirs, ours in self.pairs:
                if theirs is x:
                    return ours
            if x.layout != torch.strided:
                raise Unconvertible(str(x.layout))
            if x.dtype == torch.complex32:
                raise Unconvertible("complex32")
            ours = wrap(to_array(x))
            if x.requires_grad:
                ours.requires_grad_()
            self.pairs.append((x, ours))
            return ours
        if isinstance(x, torch.dtype):
            return getattr(wg, str(x).removeprefix("torch."))
        if isinstance(x, torch.device):
            return wg.device(str(x))
        if isinstance(x, torch.memory_format | torch.layout):
            return getattr(wg, str(x).removeprefix("torch."))
        if isinstance(x, torch.Size):
            return wg.Size(x)
        if isinstance(x, torch.Generator):
            return wg.Generator()
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*map(self, x))
        if isinstance(x, list | tuple):
            return type(x)(map(self, x))
        if isinstance(x, dict):
            return {k: self(v) for k, v in x.items()}
        if isinstance(x, slice):
            return slice(self(x.start), self(x.stop), self(x.step))
        if type(x).__name__ == "LinearCrossEntropyOptions":
            return wg.nn.LinearCrossEntropyOptions(**vars(x))
        if callable(x) and not isinstance(x, type):
            return counterpart(x)
        return x


class Unconvertible(Exception):
    """An argument that only PyTorch has."""


@functools.cache
def by_identity() -> dict[int, str]:
    """Where each of PyTorch's public functions is found."""
    found: dict[int, str] = {}
    spaces = ["", "Tensor.", "linalg.", "fft.", "special.", "nn.functional.", "signal.windows.", "sparse.", "masked."]
    for prefix in spaces:
        space: Any = torch
        for part in filter(None, prefix.split(".")):
            space = getattr(space, part)
        for name in dir(space):
            if not name.startswith("__"):
                with contextlib.suppress(Exception):
                    value = getattr(space, name)
                    if callable(value):
                        found.setdefault(id(value), prefix + name)
    return found


def lookup(path: str) -> Any:
    space: Any = wg
    for part in path.split("."):
        space = getattr(space, part)
    return space


def counterpart(fn: Any) -> Any:
    """The same function with wengert in torch's place."""
    path = by_identity().get(id(fn))
    if path is not None:
        try:
            return lookup(path)
        except (AttributeError, ImportError):
            raise Missing(path) from None
    if isinstance(fn, functools.partial):
        convert = Converter()
        return functools.partial(counterpart(fn.func), *map(convert, fn.args), **convert(fn.keywords))
    if isinstance(fn, types.FunctionType):
        return rebound(fn)
    if getattr(fn, "__objclass__", None) is torch._C.TensorBase or "Tensor" in getattr(fn, "__qualname__", ""):
        try:
            return getattr(wg.Tensor, fn.__name__)
        except AttributeError:
            raise Missing(f"Tensor.{fn.__name__}") from None
    if isinstance(fn, types.BuiltinFunctionType) and fn.__module__ in ("_operator", "builtins", "math"):
        return fn
    if isinstance(fn, torch.nn.Module):
        return getattr(wg.nn, type(fn).__name__)()
    if hasattr(fn, "__wrapped__"):
        return counterpart(fn.__wrapped__)
    if type(fn).__module__ == "operator":
        return fn
    raise Unconvertible(f"{fn!r}")


class Missing(Exception):
    """wengert lacks a name."""


class Torch(types.ModuleType):
    """wengert, saying which name is missing."""

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(wg, name)
        except AttributeError:
            raise Missing(name) from None


# Seeding is of no use: the two draw differently.
STAND_INS: dict[str, Any] = {
    "wrapper_set_seed": lambda op, *args, **kwargs: op(*args, **kwargs),
    "freeze_rng_state": contextlib.nullcontext,
}


def rebound(fn: types.FunctionType) -> types.FunctionType:
    """A Python function whose globals and closure know wengert instead of torch."""
    scope = dict(fn.__globals__)
    scope["torch"] = Torch("torch")
    if "F" in scope:
        scope["F"] = wg.nn.functional
    for name in ("wrapper_set_seed", "freeze_rng_state"):
        if name in scope:
            scope[name] = STAND_INS[name]
    cells = []
    for cell in fn.__closure__ or ():
        value = cell.cell_contents
        if callable(value) and not isinstance(value, type) and not type(value).__name__.endswith("OpInfo"):
            value = counterpart(value)
        elif isinstance(value, torch.Tensor | torch.dtype | list | tuple):
            value = Converter()(value)
        cells.append(types.CellType(value))
    for name in fn.__code__.co_names:
        value = scope.get(name)
        if name not in STAND_INS and isinstance(value, types.FunctionType) and value.__module__.startswith("torch") and value is not fn:
            with contextlib.suppress(Unconvertible, Missing):
                scope[name] = counterpart(value)
    new = types.FunctionType(fn.__code__, scope, fn.__name__, fn.__defaults__, tuple(cells))
    new.__kwdefaults__ = fn.__kwdefaults__
    return new


# -- Comparing ---------------------------------------------------------------------------------------------------------


def flat(x: Any, kinds: tuple[type, ...]) -> list[Any]:
    if isinstance(x, kinds):
        return [x]
    if isinstance(x, list | tuple) and not isinstance(x, torch.Size | wg.Size):
        return [leaf for part in x for leaf in flat(part, kinds)]
    return [x]


def name_of(dtype: Any) -> str:
    return str(dtype).split(".")[-1]


def values(t: Any) -> np.ndarray:
    if isinstance(t, torch.Tensor):
        t = t.detach().resolve_conj().resolve_neg()
        return (t.float() if t.dtype == torch.bfloat16 else t).numpy(force=True)
    array = t.detach().numpy() if not hasattr(t, "_data") else np.asarray(t._data)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


class Mismatch(Exception):
    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def compare_one(
    ours: Any, theirs: Any, *, exact: bool, factor: float = 1.0, what: str = "", ties: bool = False
) -> None:
    if not isinstance(theirs, torch.Tensor):
        if isinstance(theirs, torch.Size):
            ours, theirs = tuple(ours), tuple(theirs)
        if isinstance(theirs, torch.dtype):
            ours, theirs = name_of(ours), name_of(theirs)
        if type(ours) is not type(theirs) or not (ours == theirs or (ours != ours and theirs != theirs) or
                (isinstance(ours, float | complex) and np.isclose(ours, theirs, rtol=1e-5, equal_nan=True))):
            raise Mismatch(what + "value", f"{ours!r} ({type(ours).__name__}) for {theirs!r} ({type(theirs).__name__})")
        return
    if not isinstance(ours, wg.Tensor):
        raise Mismatch(what + "type", f"{type(ours).__name__} for a Tensor")
    if name_of(ours.dtype) != name_of(theirs.dtype):
        raise Mismatch(what + "dtype", f"{ours.dtype} for {theirs.dtype}")
    if tuple(ours.shape) != tuple(theirs.shape):
        raise Mismatch(what + "shape", f"{tuple(ours.shape)} for {tuple(theirs.shape)}")
    if not exact or (ties and theirs.dtype == torch.int64):
        return
    x, y = values(ours), values(theirs)
    if y.dtype.kind in "fc":
        tolerance = factor * TOLERANCE[name_of(theirs.dtype)]
        with np.errstate(all="ignore"):
            finite = np.isfinite(y)
            scale = np.abs(y[finite]).max(initial=1e-3) if name_of(theirs.dtype) not in ("float16", "bfloat16") else 1.0
            same = np.isclose(x, y, rtol=tolerance, atol=tolerance * min(float(scale), 1.0), equal_nan=True)
            if not same.all() and name_of(theirs.dtype) in ("complex64", "complex128"):
                same |= ~np.isfinite(x) & ~np.isfinite(y)
        if not same.all():
            i = tuple(np.argwhere(~same)[0])
            raise Mismatch(what + "value", f"{(~same).sum()} of {same.size} differ; at {tuple(map(int, i))}: {x[i]!r} for {y[i]!r}")
    elif not np.array_equal(x, y):
        i = tuple(np.argwhere(x != y)[0])
        raise Mismatch(what + "value", f"{(x != y).sum()} of {x.size} differ; at {tuple(map(int, i))}: {x[i]!r} for {y[i]!r}")


def compare(ours: Any, theirs: Any, **how: Any) -> None:
    o, t = flat(ours, (wg.Tensor,)), flat(theirs, (torch.Tensor,))
    if len(o) != len(t):
        raise Mismatch(how.get("what", "") + "count", f"{len(o)} results for {len(t)}")
    for a, b in zip(o, t, strict=True):
        compare_one(a, b, **how)


# -- Running -----------------------------------------------------------------------------------------------------------


class TooLong(Exception):
    pass


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Report:
    def __init__(self, name: str) -> None:
        self.name, self.failures, self.passed = name, [], 0

    def add(self, variant: str, dtype: str, kind: str, text: str, sample: str) -> None:
        self.failures.append({"op": self.name, "variant": variant, "dtype": dtype, "kind": kind, "text": text[:600], "sample": sample[:600]})


def shown(sample: Any) -> str:
    def one(x: Any) -> str:
        if isinstance(x, torch.Tensor):
            return f"{name_of(x.dtype)}{list(x.shape)}" + ("" if x.is_contiguous() else f"/{list(x.stride())}") + ("g" if x.requires_grad else "")
        if isinstance(x, list | tuple):
            return "(" + ", ".join(map(one, x)) + ")"
        if isinstance(x, dict):
            return "{" + ", ".join(f"{k}={one(v)}" for k, v in x.items()) + "}"
        return repr(x)

    return f"{one(sample.input)}; {one(sample.args)}; {one(sample.kwargs)}"


def copied(x: Any) -> Any:
    """Fresh torch leaves, so that neither side sees the other's writes."""
    if isinstance(x, torch.Tensor):
        if x.layout != torch.strided:
            return x
        return detached_copy(x).requires_grad_(x.requires_grad)
    if isinstance(x, list | tuple) and not hasattr(x, "_fields") and not isinstance(x, torch.Size):
        return type(x)(map(copied, x))
    if isinstance(x, dict):
        return {k: copied(v) for k, v in x.items()}
    return x


def variants(op: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "function", op.op, None
    if op.method_variant is not None:
        yield "method", op.method_variant, None
    if op.operator_variant is not None:
        yield "operator", op.operator_variant, op.operator_variant
    if op.inplace_variant is not None:
        yield "inplace", op.inplace_variant, None
    for alias in op.aliases:
        if alias.op is not None:
            yield f"alias {alias.name}", alias.op, None


def ours_for(op: Any, kind: str, theirs: Any) -> Any:
    if kind == "function":
        path = by_identity().get(id(theirs))
        try:
            return counterpart(theirs)
        except Unconvertible:
            if path is None and not op.name.startswith("_"):
                try:
                    return lookup(op.name)
                except AttributeError:
                    raise Missing(op.name) from None
            raise
    return counterpart(theirs)


def check_sample(op: Any, fn: Any, theirs_fn: Any, kind: str, sample: Any, dtype: str, grads: bool) -> None:
    theirs = copied([sample.input, list(sample.args), sample.kwargs])
    convert = Converter()
    ours = convert(theirs)
    process = sample.output_process_fn_grad
    random = bool(RANDOM.search(op.name))
    t_in, o_in = theirs, ours
    if kind == "inplace":
        if not isinstance(sample.input, torch.Tensor):
            return
        t_in = [theirs[0].clone() if theirs[0].requires_grad else theirs[0], *theirs[1:]]
        o_in = [ours[0].clone() if ours[0].requires_grad else ours[0], *ours[1:]]
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            expected = theirs_fn(t_in[0], *t_in[1], **t_in[2])
            expected_error = None
        except Exception as error:  # PyTorch refuses
            expected, expected_error = None, error
    try:
        with limited(SECONDS):
            got = fn(o_in[0], *o_in[1], **o_in[2])
    except TooLong:
        raise Mismatch("time", f"more than {SECONDS} s") from None
    except (Missing, Unconvertible):
        raise
    except Exception as error:
        if expected_error is not None:
            return
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise Mismatch("raises", f"{type(error).__name__}: {error} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})") from None
    if expected_error is not None:
        if kind in ("inplace", "function") and not random:
            raise Mismatch("accepts", f"{type(expected_error).__name__}: {str(expected_error)[:200]}")
        return
    plain = process is None or getattr(process, "__name__", "") == "<lambda>" and process.__code__.co_code == (lambda x: x).__code__.co_code
    if not plain:
        expected = process(expected)
        got = rebound(process)(got)
    ties = bool(TIES.search(op.name)) and dtype not in ("float64", "float32")
    compare(got, expected, exact=not random, ties=ties)
    if kind == "inplace":
        compare(o_in[0], t_in[0], exact=not random)
        if got is not o_in[0]:
            raise Mismatch("identity", "an in-place form returned another tensor")
    t_out = [t for t in flat(expected, (torch.Tensor,)) if isinstance(t, torch.Tensor)]
    o_out = [t for t in flat(got, (wg.Tensor,)) if isinstance(t, wg.Tensor)]
    for o, t in zip(o_out, t_out, strict=True):
        if o.requires_grad != t.requires_grad:
            raise Mismatch("requires_grad", f"{o.requires_grad} for {t.requires_grad}")
    if grads and not random:
        check_gradients(convert.pairs, o_out, t_out, dtype, op.supports_gradgrad)
    strides = [(o.stride(), t.stride()) for o, t in zip(o_out, t_out, strict=True) if t.numel() > 1]
    for o, t in strides:
        if tuple(o) != tuple(t):
            shape = [tuple(x.shape) for x in t_out]
            raise Mismatch("stride", f"{tuple(o)} for {tuple(t)} of {shape}")


def noise(rng: Any, shape: Any, complex_: bool) -> np.ndarray:
    v = rng.standard_normal(tuple(shape))
    return v + 1j * rng.standard_normal(tuple(shape)) if complex_ else v


def tensors_of(array: np.ndarray, like: Any) -> tuple[Any, Any]:
    t = torch.tensor(array).to(like.dtype)
    return wrap(to_array(t)), t


def check_gradients(pairs: Any, o_out: Any, t_out: Any, dtype: str, second: bool) -> None:
    leaves = [(t, o) for t, o in pairs if t.requires_grad and t.is_leaf]
    outs = [(t, o) for t, o in zip(t_out, o_out, strict=True) if t.requires_grad]
    if not leaves or not outs:
        return
    rng = np.random.default_rng(0)
    vs = [tensors_of(noise(rng, t.shape, t.is_complex()), t) for t, _ in outs]
    second = second and dtype != "float32"
    if second:
        for o, t in vs:
            o.requires_grad_(), t.requires_grad_()
    try:
        expected = torch.autograd.grad([t for t, _ in outs], [t for t, _ in leaves], [t for _, t in vs], create_graph=second, allow_unused=True)
    except (RuntimeError, NotImplementedError):
        return
    try:
        with limited(SECONDS):
            got = wg.autograd.grad([o for _, o in outs], [o for _, o in leaves], [o for o, _ in vs], create_graph=second, allow_unused=True)
    except TooLong:
        raise Mismatch("grad time", f"more than {SECONDS} s") from None
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise Mismatch("grad raises", f"{type(error).__name__}: {error} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})") from None
    compare_grads(got, expected, "grad ", 10)
    if not second:
        return
    chosen = [(o, t) for o, t in zip(got, expected, strict=True) if t is not None and t.requires_grad and o is not None]
    if not chosen:
        return
    ws = [tensors_of(noise(rng, t.shape, t.is_complex()), t) for _, t in chosen]
    t_wanted = [t for t, _ in leaves] + [t for _, t in vs]
    o_wanted = [o for _, o in leaves] + [o for o, _ in vs]
    try:
        expected = torch.autograd.grad([t for _, t in chosen], t_wanted, [t for _, t in ws], allow_unused=True)
    except (RuntimeError, NotImplementedError):
        return
    try:
        with limited(SECONDS):
            if not all(o.requires_grad for o, _ in chosen):
                raise Mismatch("grad2 none", "the gradient does not require grad")
            got = wg.autograd.grad([o for o, _ in chosen], o_wanted, [o for o, _ in ws], allow_unused=True)
    except TooLong:
        raise Mismatch("grad2 time", f"more than {SECONDS} s") from None
    except Mismatch:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise Mismatch("grad2 raises", f"{type(error).__name__}: {error} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})") from None
    compare_grads(got, expected, "grad2 ", 100)


def compare_grads(got: Any, expected: Any, what: str, factor: float) -> None:
    for o, t in zip(got, expected, strict=True):
        if t is None or o is None:  # no gradient and a gradient of zeros say the same
            rest = t if o is None else o
            if rest is not None and np.abs(values(rest)).max(initial=0) > 1e-12:
                raise Mismatch(what + "none", f"{'no' if o is None else 'a'} gradient, unlike PyTorch")
            continue
        if not np.isfinite(values(t)).all():
            continue
        compare_one(o, t, exact=True, factor=factor, what=what)


def check_out(op: Any, fn: Any, sample: Any) -> None:
    """out= takes a tensor of the right shape, of no elements, and refuses a type that cannot hold the result."""
    theirs = copied([sample.input, list(sample.args), sample.kwargs])
    for leaf in flat(list(theirs[1]) + [theirs[0]] + list(theirs[2].values()), (torch.Tensor,)):
        if isinstance(leaf, torch.Tensor):
            leaf.requires_grad_(False)
    convert = Converter()
    ours = convert(theirs)
    try:
        expected = op.op(theirs[0], *theirs[1], **theirs[2])
    except Exception:
        return
    if not isinstance(expected, torch.Tensor):
        if not (isinstance(expected, tuple) and all(isinstance(e, torch.Tensor) for e in expected)):
            return
    many = not isinstance(expected, torch.Tensor)
    outs = expected if many else (expected,)
    for shape in ("same", "empty"):
        t_out = tuple(torch.zeros(e.shape if shape == "same" else (0,), dtype=e.dtype) for e in outs)
        o_out = tuple(wg.zeros(t.shape if shape == "same" else (0,), dtype=getattr(wg, name_of(t.dtype))) for t in t_out)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                op.op(theirs[0], *theirs[1], **theirs[2], out=t_out if many else t_out[0])
        except Exception:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got = fn(ours[0], *ours[1], **ours[2], out=o_out if many else o_out[0])
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise Mismatch("out raises", f"{type(error).__name__}: {error} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})") from None
        ties = bool(TIES.search(op.name)) and any(t.dtype == torch.int64 for t in t_out)
        compare(o_out, t_out, exact=not RANDOM.search(op.name), what="out ", ties=ties)
        if not many and got is not o_out[0]:
            raise Mismatch("out identity", "the result is not out")


def check_errors(op: Any, fn: Any, report: Report) -> None:
    if op.error_inputs_func is None:
        return
    try:
        errors = list(op.error_inputs("cpu"))
    except Exception:
        return
    for e in errors:
        sample = e.sample_input
        try:
            theirs = copied([sample.input, list(sample.args), sample.kwargs])
            ours = Converter()(theirs)
        except Exception:
            continue
        try:
            op.op(theirs[0], *theirs[1], **theirs[2])
            continue  # PyTorch accepts it here
        except Exception as error:
            expected = error
        try:
            with limited(SECONDS), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fn(ours[0], *ours[1], **ours[2])
        except (Missing, Unconvertible):
            continue
        except Exception as error:
            if not isinstance(error, type(expected)) and not (type(expected) is NotImplementedError and isinstance(error, RuntimeError)):
                report.add("error", "", "error type", f"{type(error).__name__} ({error}) for {type(expected).__name__} ({expected})", shown(sample))
            elif not re.search(e.error_regex, str(error)):
                report.add("error", "", "message", f"{error!s}  FOR  {expected!s}", shown(sample))
            else:
                report.passed += 1
        else:
            report.add("error", "", "no error", f"{type(expected).__name__}: {expected}", shown(sample))


def run_op(index: int, dtypes: tuple[str, ...] = DTYPES, reference: bool = False) -> dict[str, Any]:
    op = table()[index]
    full = op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")
    report = Report(full)
    start = time.perf_counter()
    warnings.simplefilter("ignore")
    functions: list[tuple[str, Any, Any]] = []
    for kind, theirs, direct in variants(op):
        try:
            functions.append((kind, direct or ours_for(op, kind, theirs), theirs))
        except Missing as error:
            report.add(kind, "", "missing", str(error), "")
        except Unconvertible as error:
            report.add(kind, "", "unconvertible", str(error), "")
    for dtype in dtypes if functions else ():
        t = getattr(torch, dtype)
        if t not in op.supported_dtypes("cpu"):
            continue
        grads = dtype in GRAD_DTYPES and op.supports_autograd
        try:
            torch.manual_seed(1)
            sampler = op.reference_inputs if reference else op.sample_inputs
            found = list(sampler("cpu", t, requires_grad=grads and t in op.supported_backward_dtypes("cpu")))
        except Exception as error:
            report.add("samples", dtype, "unconvertible", repr(error), "")
            continue
        step = max(1, len(found) // MAX_SAMPLES)
        found = found[::step]
        for kind, fn, theirs_fn in functions:
            if kind.startswith("alias") and dtype not in ("float64", "int64"):
                continue
            kinds: collections.Counter[str] = collections.Counter()
            for i, sample in enumerate(found):
                looks = [sample]
                if kind == "function" and dtype in ("float64", "int64"):
                    with contextlib.suppress(Exception):
                        looks.append(sample.noncontiguous())
                for look in looks:
                    try:
                        check_sample(op, fn, theirs_fn, kind, look, dtype, grads)
                        report.passed += 1
                    except Mismatch as error:
                        kinds[error.kind] += 1
                        if kinds[error.kind] <= 3:
                            report.add(kind, dtype, error.kind, str(error), f"#{i * step} {shown(look)}")
                    except Missing as error:
                        kinds["missing"] += 1
                        if kinds["missing"] <= 1:
                            report.add(kind, dtype, "missing", str(error), shown(look))
                    except Unconvertible as error:
                        kinds["unconvertible"] += 1
                        if kinds["unconvertible"] <= 1:
                            report.add(kind, dtype, "unconvertible", str(error), shown(look))
                    except Exception as error:
                        kinds["harness"] += 1
                        if kinds["harness"] <= 1:
                            report.add(kind, dtype, "harness", "".join(traceback.format_exception(error)[-3:]), shown(look))
                if kind == "function" and op.supports_out and i < 6 and dtype in ("float64", "int64"):
                    try:
                        check_out(op, fn, sample)
                    except Mismatch as error:
                        kinds[error.kind] += 1
                        if kinds[error.kind] <= 2:
                            report.add("out", dtype, error.kind, str(error), f"#{i * step} {shown(sample)}")
                    except Exception as error:
                        kinds["harness"] += 1
                        if kinds["harness"] <= 1:
                            report.add("out", dtype, "harness", "".join(traceback.format_exception(error)[-3:]), shown(sample))
    if functions and functions[0][0] == "function":
        check_errors(op, functions[0][1], report)
    return {"op": full, "passed": report.passed, "failures": report.failures, "seconds": time.perf_counter() - start}


@functools.cache
def table() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return [op for op in op_db if not PRIVATE.search(op.name)]


def start_worker() -> None:
    torch.set_num_threads(1)
    wg.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="regular expressions; all ops without one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", default="")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("--hide", default="stride,message,unconvertible")
    parser.add_argument("--reference", action="store_true", help="the larger set of samples")
    args = parser.parse_args()
    chosen = [i for i, op in enumerate(table()) if not args.names or any(re.fullmatch(n, op.name) for n in args.names)]
    hidden = set(args.hide.split(","))
    run = functools.partial(run_op, dtypes=tuple(args.dtypes.split(",")), reference=args.reference)
    results = []
    with multiprocessing.get_context("fork").Pool(args.jobs, start_worker, maxtasksperchild=40) as pool:
        for result in pool.imap_unordered(run, chosen):
            results.append(result)
            for f in result["failures"]:
                if f["kind"] not in hidden:
                    print(f"{f['op']} | {f['variant']} | {f['dtype']} | {f['kind']} | {f['text'][:260]} | {f['sample'][:200]}", flush=True)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=1)
    counts = collections.Counter(f["kind"] for r in results for f in r["failures"])
    clean = sum(not any(f["kind"] not in hidden for f in r["failures"]) for r in results)
    print(f"{clean} of {len(results)} ops agree; {sum(r['passed'] for r in results)} checks passed; failures by kind: {dict(counts.most_common())}")
    print("slowest:", sorted(((round(r["seconds"], 1), r["op"]) for r in results), reverse=True)[:10])


if __name__ == "__main__":
    main()
