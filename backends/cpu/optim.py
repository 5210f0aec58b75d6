"""Optimizer steps in pieces that fit the cache, with one set of scratch arrays for all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..definitions import optim as plain

__all__ = ["adam_step_", "sgd_step_"]

PIECE = 1 << 14  # elements: five float32 arrays of this length stay in a 512 KiB second-level cache


def _plain(*arrays: Any) -> bool:
    """Whether the definition has to do: 16-bit types, or arrays that do not lie in one piece."""
    return any(a is not None and (a.dtype.itemsize < 4 or not a.flags.c_contiguous) for a in arrays)


def _pieces(p: Any, *arrays: Any) -> Iterator[tuple[Any, ...]]:
    flat = [None if a is None else a.reshape(-1) for a in (p, *arrays)]
    size = p.size
    if size <= PIECE:
        yield tuple(flat)
        return
    for i in range(0, size, PIECE):
        yield tuple([None if a is None else a[i : i + PIECE] for a in flat])


def sgd_step_(p: Any, g: Any, momentum_buffer: Any, *, lr: float, momentum: float, dampening: float,
              weight_decay: float, nesterov: bool, maximize: bool, first: bool) -> None:
    """See the definition."""
    if _plain(p, g, momentum_buffer):
        plain.sgd_step_(np, p, g, momentum_buffer, lr=lr, momentum=momentum, dampening=dampening,
                        weight_decay=weight_decay, nesterov=nesterov, maximize=maximize, first=first)
        return
    sign = -1 if maximize else 1
    scratch = np.empty(min(p.size, PIECE), p.dtype)
    more = np.empty_like(scratch) if weight_decay else scratch
    for w, d, b in _pieces(p, g, momentum_buffer):
        t = scratch[: w.size]
        if weight_decay:
            d = np.add(np.multiply(w, sign * weight_decay, out=more[: w.size]), d, out=more[: w.size])
        if not momentum:
            np.subtract(w, np.multiply(d, sign * lr, out=t), out=w)
            continue
        if first:
            np.multiply(d, sign, out=b)
        else:
            np.multiply(b, momentum, out=b)
            np.add(b, np.multiply(d, sign * (1 - dampening), out=t), out=b)
        if nesterov:
            np.subtract(w, np.multiply(d, sign * lr, out=t), out=w)
            np.subtract(w, np.multiply(b, lr * momentum, out=t), out=w)
        else:
            np.subtract(w, np.multiply(b, lr, out=t), out=w)


def adam_step_(p: Any, g: Any, exp_avg: Any, exp_avg_sq: Any, max_exp_avg_sq: Any, *, lr: float, beta1: float,
               beta2: float, eps: float, weight_decay: float, decoupled: bool, maximize: bool, step: int) -> None:
    """See the definition."""
    if _plain(p, g, exp_avg, exp_avg_sq, max_exp_avg_sq):
        plain.adam_step_(np, p, g, exp_avg, exp_avg_sq, max_exp_avg_sq, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
                         weight_decay=weight_decay, decoupled=decoupled, maximize=maximize, step=step)
        return
    correction1, correction2 = 1 - beta1**step, math.sqrt(1 - beta2**step)
    scratch = np.empty(min(p.size, PIECE), p.dtype)
    more = np.empty_like(scratch)
    for w, d, m, v, top in _pieces(p, g, exp_avg, exp_avg_sq, max_exp_avg_sq):
        t, u = scratch[: w.size], more[: w.size]
        if maximize:
            d = np.negative(d, out=u)
        if weight_decay:
            if decoupled:
                np.multiply(w, 1 - lr * weight_decay, out=w)
            else:
                d = np.add(d, np.multiply(w, weight_decay, out=t), out=u)
        np.add(m, np.multiply(np.subtract(d, m, out=t), 1 - beta1, out=t), out=m)
        np.multiply(v, beta2, out=v)
        np.add(v, np.multiply(np.multiply(d, d, out=t), 1 - beta2, out=t), out=v)
        if top is not None:
            v = np.maximum(top, v, out=top)
        np.add(np.divide(np.sqrt(v, out=t), correction2, out=t), eps, out=t)
        np.subtract(w, np.multiply(np.divide(m, t, out=t), lr / correction1, out=t), out=w)
