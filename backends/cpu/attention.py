"""Attention on NumPy, a tile of queries at a time: no array of queries by keys is stored, and hidden keys are skipped.

A tile's scores stay in the cache from the product that makes them to the product that uses them. The forward pass
keeps the logarithm of each query's sum of exponentials only; the backward pass makes the probabilities anew from it.

References:
    T. Dao and others, "FlashAttention: fast and memory-efficient exact attention with IO-awareness", arXiv:2205.14135.
    Departs from the paper: a tile holds all the keys that its queries see, so that no partial sums are rescaled.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..definitions import attention as plain
from . import threads
from .addresses import address
from .compiled import compiled, spread

__all__ = ["attention", "attention_backward"]

TILE = 1 << 16  # scores of a tile: with their gradients they fit the second cache
QUERIES = 128  # of a tile, at least: a product with fewer is slow
FEW = 2048  # scores up to which the definition takes less time than the tiles' preparation


def _tiled(q: Any, k: Any) -> bool:
    """Whether tiles are worth it; the backward pass decides as the forward pass did."""
    return q.dtype.char in "fd" and bool(q.size) and math.prod(q.shape[:-1]) * k.shape[-2] > FEW


def _heads(q: Any, k: Any, v: Any, mask: Any, dropped: Any, scale: float) -> Any:
    """The loops that do whole heads without an array of scores, or None where others do it.

    They are for (N, H, ...) of float32 with rows in one piece, and without a mask.
    """
    if mask is not None or dropped is not None or scale <= 0 or q.ndim != 4 or q.dtype.char != "f":
        return None
    if not q.shape[:2] == k.shape[:2] == v.shape[:2] or not k.size or not v.size or not q.size:
        return None
    if not q.strides[-1] == k.strides[-1] == v.strides[-1] == 4:
        return None
    return compiled("attention", math.prod(q.shape[:-1]) * k.shape[-2], least=FEW + 1)


def _empty(like: Any, width: int) -> Any:
    """Room for (N, H, L, ``width``) in the order of ``like``: heads side by side where a layer has split its rows."""
    n, heads, length, _ = like.shape
    if _heads_inside(like):
        return np.empty((n, length, heads, width), like.dtype).transpose(0, 2, 1, 3)
    return np.empty((n, heads, length, width), like.dtype)


def _heads_inside(x: Any) -> bool:
    """Whether neighbouring heads lie closer together than neighbouring places."""
    return x.ndim == 4 and x.strides[1] < x.strides[2]


def _in_order(y: Any, q: Any) -> Any:
    """The result in the queries' order."""
    if _heads_inside(q) and y.shape == q.shape:
        return y.transpose(0, 2, 1, 3).copy("C").transpose(0, 2, 1, 3)
    return y


def _share(loop: Any, q: Any, v: Any, operands: Any, scale: float, causal: bool, sums: Any) -> None:
    """Call a loop over heads, shared out among threads."""
    places = np.array([(address(t), *[s // 4 for s in t.strides[:3]]) for t in operands], np.int64)
    n, heads, queries, width = q.shape
    sizes = heads, queries, v.shape[2], width, v.shape[3]
    spread(loop, n * heads, 4 * queries * v.shape[2], places, sizes, np.float32(scale), causal, sums)


def attention(
    q: Any, k: Any, v: Any, mask: Any, dropped: Any, scale: float, causal: bool, keep: float
) -> tuple[Any, tuple[Any, ...]]:
    """``softmax(scale q k' + mask) v``; see the definition."""
    if (loops := _heads(q, k, v, mask, dropped, scale)) is not None:
        y, sums = _empty(q, v.shape[-1]), np.empty((math.prod(q.shape[:2]), q.shape[2]), np.float32)
        _share(loops.forward, q, v, (q, k, v, y), scale, causal, sums)
        return y, (sums,)
    if not _tiled(q, k):
        y, kept = plain.attention(np, q, k, v, mask, dropped, scale, causal, keep)
        return _in_order(y, q), kept
    job = Tiles(q, k, v, mask, dropped, scale, causal, keep)
    y = np.empty((*job.q.shape[:2], v.shape[-1]), q.dtype)
    sums = np.empty(job.q.shape[:2], q.dtype)

    def one(at: Tile) -> None:
        scores = job.scores(at)
        job.softmax(scores, sums[at.heads, at.rows], at)
        np.matmul(job.thinned(scores, at), job.v[at.heads, : at.seen], out=y[at.heads, at.rows])

    job.run(one)
    return _in_order(y.reshape(*job.lead, *y.shape[1:]), q), (sums,)


def attention_backward(
    g: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    dropped: Any,
    kept: tuple[Any, ...],
    scale: float,
    causal: bool,
    keep: float,
    mask_wanted: bool,
) -> tuple[Any, Any, Any, Any]:
    """The gradients of ``q``, ``k``, ``v`` and of an added mask; see the definition."""
    if not mask_wanted and kept[0].ndim == 2 and (loops := _heads(q, k, v, mask, dropped, scale)) is not None:
        gq, gk, gv = _empty(q, q.shape[-1]), _empty(k, k.shape[-1]), _empty(v, v.shape[-1])
        g = g if g.strides[-1] == 4 else np.ascontiguousarray(g)
        _share(loops.backward, q, v, (q, k, v, g, gq, gk, gv), scale, causal, kept[0])
        return gq, gk, gv, None
    if not _tiled(q, k):
        return plain.attention_backward(np, g, q, k, v, mask, dropped, kept, scale, causal, keep, mask_wanted)
    job, (sums,) = Tiles(q, k, v, mask, dropped, scale, causal, keep), kept
    g = g.reshape(len(job.q), *g.shape[-2:])
    gq, gk, gv = np.empty_like(job.q), np.zeros_like(job.k), np.zeros_like(job.v)
    gm = np.zeros((*job.q.shape[:2], k.shape[-2]), q.dtype) if mask_wanted else None

    def one(at: Tile) -> None:
        keys, rows = job.k[at.heads, : at.seen], g[at.heads, at.rows]
        p = job.scores(at)
        gs = np.matmul(rows, job.v[at.heads, : at.seen].transpose(0, 2, 1))
        dropped_p = job.backward(p, job.thinned(gs, at), sums[at.heads, at.rows], at)
        gv[at.heads, : at.seen] += np.matmul(dropped_p.transpose(0, 2, 1), rows)
        if gm is not None:
            gm[at.heads, at.rows, : at.seen] = gs
        gs *= scale
        np.matmul(gs, keys, out=gq[at.heads, at.rows])
        gk[at.heads, : at.seen] += np.matmul(gs.transpose(0, 2, 1), job.q[at.heads, at.rows])

    job.run(one)
    gradients = [None if t is None else t.reshape(*job.lead, *t.shape[1:]) for t in (gq, gk, gv, gm)]
    return gradients[0], gradients[1], gradients[2], gradients[3]


class Tile:
    """Some heads, some of their queries, and how many keys the last of these sees."""

    __slots__ = ("heads", "rows", "seen")

    def __init__(self, heads: slice, rows: slice, seen: int) -> None:
        self.heads, self.rows, self.seen = heads, rows, seen


class Tiles:
    """The operands of an attention with their leading dimensions as one, and what is done with a tile of them."""

    def __init__(
        self, q: Any, k: Any, v: Any, mask: Any, dropped: Any, scale: float, causal: bool, keep: float
    ) -> None:
        self.lead = np.broadcast_shapes(*[t.shape[:-2] for t in (q, k, v)])
        if mask is not None:
            self.lead = np.broadcast_shapes(self.lead, mask.shape[:-2])
        self.q, self.k, self.v = (
            np.broadcast_to(t, (*self.lead, *t.shape[-2:])).reshape(-1, *t.shape[-2:]) for t in (q, k, v)
        )
        self.scale, self.causal, self.keep = scale, causal, keep
        self.mask = self.dropped = None
        size = q.shape[-2], k.shape[-2]
        if mask is not None:
            shared = math.prod(mask.shape[:-2]) == 1
            self.mask = np.broadcast_to(mask.reshape(1, *mask.shape[-2:]) if shared else mask, (
                *((1,) if shared else self.lead), *size))  # fmt: skip
        if dropped is not None:
            self.dropped = np.broadcast_to(dropped, (*self.lead, *size)).reshape(-1, *size)

    def run(self, one: Callable[[Tile], None]) -> None:
        """Call ``one`` for each tile; those of the same heads one after the other, others on threads of their own."""
        number, queries, keys = *self.q.shape[:2], self.k.shape[1]
        heads = 1 if self.mask is not None and len(self.mask.shape) > 3 else max(1, TILE // (queries * keys))
        rows = queries if queries * keys <= TILE else max(QUERIES, TILE // keys)

        def several(start: int, stop: int) -> None:
            for head in range(start * heads, min(stop * heads, number), heads):
                for row in range(0, queries, rows):
                    end = min(row + rows, queries)
                    seen = min(end, keys) if self.causal else keys
                    one(Tile(slice(head, min(head + heads, number)), slice(row, end), seen))

        parts = -(-number // heads)
        with threads.one_for_blas() if parts > 1 else contextlib.nullcontext():
            spread(several, parts, 4 * heads * queries * keys, python=True)

    def scores(self, at: Tile) -> Any:
        """The scaled and masked products of queries and keys; those of later keys in causal attention come later."""
        scores = np.matmul(self.q[at.heads, at.rows] * self.scale, self.k[at.heads, : at.seen].transpose(0, 2, 1))
        if self.mask is None:
            return scores
        mask = self.mask if len(self.mask.shape) == 3 else self.mask[np.unravel_index(at.heads.start, self.lead)][None]
        mask = mask[:, at.rows, : at.seen]
        if mask.dtype.kind == "b":
            np.copyto(scores, -math.inf, where=~mask)
        else:
            scores += mask
        return scores

    def thinned(self, p: Any, at: Tile) -> Any:
        """``p`` with the dropped ones zeroed and the others enlarged, in place."""
        if self.dropped is not None:
            p *= self.dropped[at.heads, at.rows, : at.seen]
            p *= 1 / self.keep
        return p

    def softmax(self, scores: Any, sums: Any, at: Tile) -> None:
        """Scores become probabilities; the logarithms of their sums are written, infinity where nothing is seen."""
        loops = compiled("attention", scores.size) if scores.dtype.char == "f" else None
        if loops is not None:
            loops.softmax(scores, at.rows.start if self.causal else scores.shape[-1], sums)
            return
        self._hide(scores, at)
        top = scores.max(-1, keepdims=True)
        top[top == -math.inf] = 0
        scores -= top
        np.exp(scores, out=scores)
        total = scores.sum(-1, keepdims=True)
        nothing = total == 0
        total[nothing] = 1
        scores /= total
        np.log(total, out=total)
        total += top
        total[nothing] = math.inf
        sums[...] = total[..., 0]

    def backward(self, p: Any, gp: Any, sums: Any, at: Tile) -> Any:
        """Scores ``p`` become probabilities, and their gradients ``gp`` those of the scores; the thinned ``p``."""
        loops = compiled("attention", p.size) if p.dtype.char == "f" else None
        if loops is not None:
            loops.softmax_backward(p, gp, at.rows.start if self.causal else p.shape[-1], sums)
        else:
            self._hide(p, at)
            p -= sums[..., None]
            np.exp(p, out=p)
            gp -= np.vecdot(gp, p)[..., None]
            gp *= p
        return self.thinned(p, at)

    def _hide(self, scores: Any, at: Tile) -> None:
        """Minus infinity for the keys that are later than their query."""
        if self.causal:
            start = at.rows.start
            later = np.arange(start, at.seen) > np.arange(start, at.rows.stop)[:, None]
            np.copyto(scores[..., start:], -math.inf, where=later)
