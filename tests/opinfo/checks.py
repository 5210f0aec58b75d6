"""The checks of one sample: the call, its gradients, ``out=``, and what must be refused."""

from __future__ import annotations

import contextlib
import io
import re
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import wengert as wg
from wengert.autograd.base import wrap

from .compare import Mismatch, compare, compare_gradients, compare_strides, tensors
from .convert import Converter, Missing, Unconvertible, fresh, name_of, rebound, to_array, unseeded

SECONDS = 60  # for one call of wengert's

# What is drawn at random, or not written at all: only types and shapes can agree.
RANDOM = re.compile(
    r"bernoulli|cauchy|exponential$|geometric|log_normal|^normal$|uniform|^rand|multinomial|dropout|rrelu"
    r"|fractional_max|empty|resize|pca_lowrank|svd_lowrank"
)
# Which of several equal elements comes first is not said.
TIES = re.compile(r"^(sort|argsort|topk|kthvalue|mode|median|nanmedian)$")


class TooLong(Exception):
    """A call that does not end."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def attempt(what: str, call: Callable[[], Any]) -> Any:
    """wengert's answer; an error becomes a `Mismatch` that says where it was raised."""
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except TooLong:
        raise Mismatch(f"{what}time", f"more than {SECONDS} s") from None
    except (Missing, Unconvertible, Mismatch):
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        raise Mismatch(f"{what}raises", f"{type(error).__name__}: {error} ({place})") from error


def asked(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """PyTorch's answer, or its error."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(), None
        except Exception as error:
            return None, error


def arguments(sample: Any) -> list[Any]:
    return [sample.input, list(sample.args), dict(sample.kwargs)]


def check_call(op: Any, fn: Any, theirs_fn: Any, form: str, sample: Any, dtype: str, grads: bool) -> None:
    """One sample, one form of the op: function, method, operator, in place or alias."""
    if form == "inplace" and not isinstance(sample.input, torch.Tensor):
        return
    theirs = fresh(arguments(sample))
    convert = Converter()
    ours = convert(theirs)
    t_input, o_input = theirs[0], ours[0]
    if form == "inplace" and sample.input.requires_grad:  # a leaf may not be written
        t_input, o_input = t_input.clone(), o_input.clone()
    exact = not RANDOM.search(op.name)
    expected, refused = asked(lambda: theirs_fn(t_input, *theirs[1], **theirs[2]))
    try:
        got = attempt("", lambda: fn(o_input, *ours[1], **ours[2]))
    except Mismatch:
        if refused is not None:
            return
        raise
    if refused is not None:
        if form in ("inplace", "function") and exact:
            raise Mismatch("accepts", f"{type(refused).__name__}: {str(refused)[:200]}")
        return
    process = sample.output_process_fn_grad  # leaves of an answer only what is determined: not the sign of a vector
    expected, got = process(expected), rebound(process)(got)
    ties = bool(TIES.search(op.name)) and dtype not in ("float64", "float32")
    try:
        compare(got, expected, exact=exact, ties=ties)
    except Mismatch as mismatch:
        if mismatch.kind == "value" and draws(theirs_fn, sample):
            return
        raise
    if form == "inplace":
        compare(o_input, t_input, exact=exact)
        if got is not o_input:
            raise Mismatch("identity", "an in-place form returned another tensor")
    o_out, t_out = tensors(got, wg.Tensor), tensors(expected, torch.Tensor)
    if [o.requires_grad for o in o_out] != [t.requires_grad for t in t_out]:
        raise Mismatch("requires_grad", f"{[o.requires_grad for o in o_out]} for {[t.requires_grad for t in t_out]}")
    if grads and exact:
        second = op.supports_gradgrad and dtype != "float32"
        check_gradients(convert.pairs, list(zip(t_out, o_out, strict=True)), second)
    compare_strides(o_out, t_out)


def draws(theirs_fn: Any, sample: Any) -> bool:
    """Whether PyTorch's answer depends on the seed, as with dropout in attention."""
    theirs_fn, answers = unseeded(theirs_fn), []
    for seed in (1, 2):
        torch.default_generator.manual_seed(seed)
        first, args, kwargs = fresh(arguments(sample))
        answers += tensors(asked(lambda f=first, a=args, k=kwargs: theirs_fn(f, *a, **k))[0], torch.Tensor)
    half = len(answers) // 2
    return any(not torch.equal(a, b) for a, b in zip(answers[:half], answers[half:], strict=True))


Pairs = list[tuple[torch.Tensor, Any]]  # PyTorch's tensor, and ours


def cotangents(rng: np.random.Generator, like: Pairs) -> Pairs:
    """Random tensors of the shapes and types of ``like``, the same on both sides."""
    made = []
    for t, _ in like:
        v = rng.standard_normal(tuple(t.shape))
        v = v + 1j * rng.standard_normal(tuple(t.shape)) if t.is_complex() else v
        theirs = torch.tensor(v).to(t.dtype)
        made.append((theirs, wrap(to_array(theirs))))
    return made


def firsts(pairs: Pairs) -> list[Any]:
    return [t for t, _ in pairs]


def seconds(pairs: Pairs) -> list[Any]:
    return [o for _, o in pairs]


def check_gradients(inputs: Pairs, outputs: Pairs, second: bool) -> None:
    """The gradients of random combinations of the outputs, and the gradients of those."""
    leaves = [(t, o) for t, o in inputs if t.requires_grad and t.is_leaf]
    outputs = [(t, o) for t, o in outputs if t.requires_grad and t.layout == torch.strided]
    if not leaves or not outputs:
        return
    rng = np.random.default_rng(0)
    vs = cotangents(rng, outputs)
    if second:
        for t, o in vs:
            t.requires_grad_()
            o.requires_grad_()
    expected, refused = asked(lambda: their_gradients(outputs, leaves, vs, second))
    if refused is not None:
        return
    got = attempt("grad ", lambda: our_gradients(outputs, leaves, vs, second))
    compare_gradients(got, expected, "grad ", 10)
    chosen = [(t, o) for t, o in zip(expected, got, strict=True) if t is not None and o is not None]
    chosen = [(t, o) for t, o in chosen if t.requires_grad]
    if not second or not chosen:
        return
    if not all(o.requires_grad for _, o in chosen):
        raise Mismatch("grad2 none", "the gradient does not require grad")
    ws = cotangents(rng, chosen)
    expected, refused = asked(lambda: their_gradients(chosen, leaves + vs, ws, False))
    if refused is None:
        got = attempt("grad2 ", lambda: our_gradients(chosen, leaves + vs, ws, False))
        compare_gradients(got, expected, "grad2 ", 100)


def their_gradients(outputs: Pairs, inputs: Pairs, vs: Pairs, create_graph: bool) -> Any:
    return torch.autograd.grad(
        firsts(outputs), firsts(inputs), firsts(vs), create_graph=create_graph, allow_unused=True
    )


def our_gradients(outputs: Pairs, inputs: Pairs, vs: Pairs, create_graph: bool) -> Any:
    return wg.autograd.grad(
        seconds(outputs), seconds(inputs), seconds(vs), create_graph=create_graph, allow_unused=True
    )


def check_out(op: Any, fn: Any, sample: Any) -> None:
    """``out=`` takes a tensor of the result's shape, and one of no elements, which it makes larger."""
    theirs = [part.detach() if isinstance(part, torch.Tensor) else part for part in fresh(arguments(sample))]
    theirs[1:] = [detached(theirs[1]), detached(theirs[2])]
    ours = Converter()(theirs)
    expected, refused = asked(lambda: op.op(theirs[0], *theirs[1], **theirs[2]))
    many = isinstance(expected, tuple)
    results = tensors(expected, torch.Tensor)
    if refused is not None or not results or (many and len(results) != len(expected)):
        return
    for empty in (False, True):
        t_out = tuple(torch.zeros((0,) if empty else r.shape, dtype=r.dtype) for r in results)
        o_out = tuple(wg.zeros(tuple(t.shape), dtype=getattr(wg, name_of(t.dtype))) for t in t_out)
        into = (t_out, o_out) if many else (t_out[0], o_out[0])
        _, refused = asked(lambda into=into: op.op(theirs[0], *theirs[1], **theirs[2], out=into[0]))
        if refused is not None:
            return
        got = attempt("out ", lambda into=into: fn(ours[0], *ours[1], **ours[2], out=into[1]))
        compare(
            list(o_out), list(t_out), exact=not RANDOM.search(op.name), ties=bool(TIES.search(op.name)), what="out "
        )
        if not many and got is not o_out[0]:
            raise Mismatch("out identity", "the result is not out")


def detached(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return x.detach()
    if isinstance(x, list):
        return [detached(v) for v in x]
    return {k: detached(v) for k, v in x.items()} if isinstance(x, dict) else x


def check_refusal(op: Any, fn: Any, error_input: Any) -> None:
    """What PyTorch refuses is refused, with the same type of error, in words that its tests look for."""
    theirs = fresh(arguments(error_input.sample_input))
    ours = Converter()(theirs)
    _, expected = asked(lambda: op.op(theirs[0], *theirs[1], **theirs[2]))
    if expected is None:
        return
    try:
        attempt("", lambda: fn(ours[0], *ours[1], **ours[2]))
    except Mismatch as mismatch:
        error = mismatch.__cause__
        if error is None:
            raise
        close = type(expected) is NotImplementedError and isinstance(error, RuntimeError)
        if not isinstance(error, type(expected)) and not close:
            said = f"{type(error).__name__} ({error}) for {type(expected).__name__} ({expected})"
            raise Mismatch("error type", said) from error
        if not re.search(error_input.error_regex, str(error).replace("wengert.", "torch.")):
            raise Mismatch("message", f"{error}  FOR  {expected}") from error
        return
    raise Mismatch("no error", f"{type(expected).__name__}: {expected}")
