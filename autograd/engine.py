"""The backward pass: walk the graph from outputs to leaves, newest node first, without recursion.

A node's creation number is larger than those of the nodes it read from, so walking the reachable nodes in falling
order meets each one when its gradient is complete. That is Wengert's list, read backwards.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from ..backends import kernels_of, worth_a_kernel
from ..backends.call_site import program_line
from ..backends.registry import follower
from ..backends.sparse import SparseArray
from . import hooks as hook_calls
from .base import TensorBase, wrap
from .grad_mode import mode
from .node import LEAF, NODE, OUTPUT
from .ops.cast import cast
from .ops.reduction import sum_to
from .primitive import Primitive, apply

_by_seq = attrgetter("seq")


def _references() -> int:
    """How many references this interpreter counts to a gradient that only the loop of ``_deliver`` knows."""
    grads = (object(),)
    for _, g in zip((None,), grads):  # noqa: B905  (the loop of `_deliver`, down to its form)
        return sys.getrefcount(g)
    return 0


UNSHARED = _references()


class Pass:
    """One run of backward: what is still to be delivered, and where it goes.

    Args:
        create_graph: rules run on Tensors and are recorded.
        retain: saved values stay after use.
        wanted: edges whose gradients are to be returned instead of accumulated; None for all leaves.
    """

    def __init__(self, create_graph: bool, retain: bool, wanted: set[Any] | None, accumulate: bool) -> None:
        self.create_graph = create_graph
        self.retain = retain
        self.wanted = wanted  # (node, index) pairs and leaves
        self.accumulate = accumulate
        self.found: dict[Any, Any] = {}
        self.pending: dict[Any, Any] = {}  # node -> gradient, or a list of them; leaf -> gradient
        self.owned: set[Any] = set()  # keys whose pending gradient this pass allocated, so may add to in place
        self.waiting: dict[Any, int] = {}  # leaf -> how many contributions are still to come
        self.order: list[Any] = []
        self.callbacks: list[Any] = []  # what hooks want called at the end
        self.current: Any = None  # the node that is running, in anomaly mode
        self.depth = 0  # how many passes this one runs inside of
        self.seen_as: Any = None  # a function of a node, for the context that its rule gets; the node itself without

    def will_reach(self, edge: Any) -> bool:
        """Whether this run computes the gradient of an edge."""
        if edge.edge_kind == LEAF:
            return edge in self.waiting or (self.wanted is not None and edge in self.wanted)
        return (edge.node if edge.edge_kind == OUTPUT else edge) in self.order

    # ------------------------------------------------------------------ which nodes run

    def plan(self, roots: Sequence[Any]) -> None:
        """Find the nodes to run, in order, and how often each leaf will be reached."""
        starts = [e.node if e.edge_kind == OUTPUT else e for e in roots if e.edge_kind != LEAF]
        waiting, order = self.waiting, []
        stack = list(dict.fromkeys(starts))
        seen = set(stack)
        while stack:
            node = stack.pop()
            order.append(node)
            for e in node.edges:
                if e is not None:
                    kind = e.edge_kind
                    if kind == LEAF:
                        waiting[e] = waiting.get(e, 0) + 1
                        continue
                    if kind == OUTPUT:
                        e = e.node
                    if e not in seen:
                        seen.add(e)
                        stack.append(e)
        order.sort(key=_by_seq)
        if self.wanted is not None:
            order = self._leading_to_wanted(order)
            waiting.clear()  # only what leads to a wanted edge delivers
            for e in itertools.chain.from_iterable([node.edges for node in order]):
                if e is not None and e.edge_kind == LEAF:
                    waiting[e] = waiting.get(e, 0) + 1
        for e in roots:
            if e.edge_kind == LEAF:
                waiting[e] = waiting.get(e, 0) + 1
        order.reverse()
        self.order = order

    def _leading_to_wanted(self, order: list[Any]) -> list[Any]:
        wanted = self.wanted or set()
        stops = {w[0] for w in wanted if type(w) is tuple}
        leading = set(stops) if self.accumulate else set()  # ``backward`` runs the nodes that it is asked for, too
        self.needed = leading | stops
        for node in order:
            for e in node.edges:
                if e is not None and ((e.node if e.edge_kind == OUTPUT else e) in self.needed or e in wanted):
                    leading.add(node)
                    self.needed.add(node)
                    break
        self.leading = leading
        return [node for node in order if node in self.needed]

    # ------------------------------------------------------------------ running them

    def run(self, nodes: Sequence[Any]) -> None:
        """Run planned nodes, newest first; in anomaly mode say which one failed, and where it was recorded."""
        plain = self.wanted is None and self.seen_as is None and mode.observe is None and not self.create_graph
        before = None if follower.start is None else follower.start()
        try:
            if plain and before is None:
                self._run_plain(nodes)
            else:
                self._run(nodes)
        except Exception:
            if self.current is not None and mode.complain is not None:
                mode.complain(self.current)
            raise
        finally:
            if before is not None:
                follower.end(before)

    def _run(self, nodes: Sequence[Any]) -> None:
        place = None if self.retain else program_line()
        for node in nodes:
            self._run_node(node, self.pending.pop(node, None), place)

    def _run_node(self, node: Any, g: Any, place: tuple[str, int] | None) -> None:
        """Run one node, whatever it and the pass are like."""
        if g is None:
            self._skip(node)
            return
        if follower.start is not None:
            follower.follow(g)
        graph, special, observe = self.create_graph, self.wanted is not None, mode.observe
        rule = node.op.backward_graph if graph else node.op.backward
        ctx = node if self.seen_as is None else self.seen_as(node)
        if observe is not None:
            self.current = node
        gs: Any = [g] if node.count == 1 and node.hooks is None and not special else self._inspect(node, g)
        g = None
        if special and node not in self.leading:
            return
        grads = rule(ctx, *gs)
        if type(grads) is not tuple:
            grads = (grads,)
        if node.hooks is not None:
            grads = node.hooks.after(grads, gs, graph)
        gs = None
        if observe is not None:
            observe(node, grads)
        if not self.retain:
            node.release(place)
        ready = self._deliver(node.edges, grads)
        if ready is not None:
            grads = None  # a leaf may take its gradient's array over, if nothing else refers to it
            for leaf in ready:
                self._finish(leaf)

    def _run_plain(self, nodes: Sequence[Any]) -> None:
        """`_run` for an ordinary ``backward()``: on arrays, for all leaves, watched by nobody.

        Small programs spend their time in this loop, so what `_deliver` does for the usual edges is written out.
        """
        pop, pending, waiting, owned, retain = self.pending.pop, self.pending, self.waiting, self.owned, self.retain
        place = None if retain else program_line()
        for node in nodes:
            g = pop(node, None)
            if g is None or node.count != 1 or node.hooks is not None:
                self._run_node(node, g, place)
                continue
            grads = node.op.backward(node, g)
            if type(grads) is not tuple:
                grads = (grads,)
            if not retain and (type(node._saved) is list or node._cached):
                node._saved = node._cached = None
                node.freed_at = place
            ready = None
            for edge, g in zip(node.edges, grads):  # noqa: B905  (a rule may return more Nones than there are inputs)
                if edge is None:
                    continue
                kind = edge.edge_kind
                if kind == NODE:
                    shape, dtype = edge.shape, edge.dtype
                elif kind == LEAF:
                    left = waiting[edge] = waiting[edge] - 1
                    if left == 0:
                        if g is not None and edge._grad is None and edge._hooks is None and edge not in pending:
                            mine = sys.getrefcount(g) <= UNSHARED  # counted here, not where `g` is an argument, too
                            self._first(edge, g, mine)
                            continue
                        ready = [edge] if ready is None else [*ready, edge]
                    data = edge._data
                    shape, dtype = data.shape, data.dtype
                else:
                    self._deliver((edge,), (g,))
                    continue
                if g is None:
                    continue
                if g.shape != shape or g.dtype is not dtype or not shape:
                    g = conform(g, shape, dtype)
                old = pending.get(edge)
                if old is None:
                    pending[edge] = g
                elif edge in owned and type(old) is type(g) and not worth_a_kernel(g):
                    old += g  # in place where arrays can; the kernel does the same, by a longer way
                    pending[edge] = old
                else:
                    self._add(edge, old, g)
            if ready is not None:
                g = grads = old = None  # as in `_run_node`
                for leaf in ready:
                    self._finish(leaf)

    def _inspect(self, node: Any, g: Any) -> list[Any]:
        """The gradients of a node's outputs, after its hooks, with zeros for outputs that were not used."""
        gs: list[Any] = [g] if node.count == 1 else g
        if node.hooks is not None:
            gs = node.hooks.before(gs, self.create_graph)
        if self.wanted is not None:
            for i, gi in enumerate(gs):
                if (node, i) in self.wanted:
                    self.found[node, i] = gi
        if node.hooks is not None and (self.wanted is None or node in self.leading):
            gs = node.hooks.prehooks(gs, self.create_graph)
        if node.count > 1 and not node.op.undefined:
            gs = [self._zeros(node, i) if gi is None else gi for i, gi in enumerate(gs)]
        return gs

    def _zeros(self, node: Any, index: int) -> Any:
        zeros = node.k.zeros(node.shape[index], node.dtype[index])
        return wrap(zeros) if self.create_graph else zeros

    def _skip(self, node: Any) -> None:
        """A node that no gradient reached still counts for the leaves below it."""
        for leaf in self._deliver(node.edges, (None,) * len(node.edges)) or ():
            self._finish(leaf)

    def _deliver(self, edges: Sequence[Any], grads: Sequence[Any]) -> list[Any] | None:
        """Hand each gradient to its edge. Returns the leaves that have now received all of theirs, if any."""
        ready = None
        pending, graph, wanted = self.pending, self.create_graph, self.wanted
        for edge, g in zip(edges, grads):  # noqa: B905  (a rule may return more Nones than there are inputs)
            if edge is None:
                continue
            kind = edge.edge_kind
            if kind == LEAF:
                left = self.waiting[edge] = self.waiting[edge] - 1
                if left == 0:
                    if (
                        g is not None
                        and edge._grad is None
                        and edge._hooks is None
                        and edge not in pending
                        and wanted is None
                        and not graph
                    ):
                        mine = sys.getrefcount(g) <= UNSHARED
                        self._first(edge, g, mine)
                        continue
                    ready = [edge] if ready is None else [*ready, edge]
                if g is None or (wanted is not None and edge not in wanted):
                    continue
                data = edge._data
                shape, dtype = data.shape, data.dtype
            elif g is None or (wanted is not None and (edge.node if kind == OUTPUT else edge) not in self.needed):
                continue
            else:
                shape, dtype = edge.shape, edge.dtype
            if graph:
                if g._data.shape != shape or g._data.dtype is not dtype:
                    g = conform(g, shape, dtype)
            elif g.shape != shape or g.dtype is not dtype or not shape:
                g = conform(g, shape, dtype)
            if kind == OUTPUT:
                self._add_output(edge, g)
            elif edge in pending:
                self._add(edge, pending[edge], g)
            else:
                pending[edge] = g
        return ready

    def _add(self, key: Any, old: Any, g: Any) -> None:
        """Add to a gradient that is there already."""
        if self.create_graph or not g.shape:
            self.pending[key] = as_array(old + g)
        elif key in self.owned and type(old) is type(g):
            _add_into(old, g)
        else:  # the first gradient may be someone else's array too, so the second one allocates
            if type(old) is not type(g):
                self.pending[key] = mixed_sum(old, g)
            else:
                self.pending[key] = kernels_of[type(g)].add(old, g) if worth_a_kernel(g) else old + g
            self.owned.add(key)

    def _add_output(self, edge: Any, g: Any) -> None:
        slots = self.pending.get(edge.node)
        if slots is None:
            slots = self.pending[edge.node] = [None] * edge.node.count
        old = slots[edge.index]
        slots[edge.index] = g if old is None else as_array(old + g)

    def _finish(self, leaf: Any) -> None:
        """A leaf has all its contributions: run its hooks, then keep or accumulate the sum."""
        g = self.pending.pop(leaf, None)
        if g is None:
            return
        hooks = leaf._hooks
        if hooks is not None and hooks.tensor:
            g = hook_calls.call(hooks.tensor, g, self.create_graph)
        if self.wanted is not None:
            if leaf in self.wanted:
                self.found[leaf] = g
            if not self.accumulate:
                return
        if hooks is not None and hooks.node_pre:
            g = hooks.before(g, self.create_graph)
        first = leaf._grad is None
        if self.create_graph:
            # A copy: the same Tensor may become the gradient of several leaves.
            leaf._grad = _kept(g) if first else mixed_sum(leaf._grad, g)
        else:
            self._accumulate(leaf, g, leaf in self.owned or sys.getrefcount(g) == 2)
        if hooks is not None:  # what was handed over has become the leaf's: they see what others do to it
            hooks.after(leaf, leaf._grad if first else _as_tensor(g))

    def _first(self, leaf: Any, g: Any, mine: bool) -> None:
        """Keep the only contribution to a leaf that had no gradient; ``mine`` if nobody else refers to the array."""
        data = leaf._data
        if g.shape != data.shape or g.dtype is not data.dtype or not data.shape:
            g, mine = conform(g, data.shape, data.dtype), False
        # The array may become the user's to write on, so it must be nobody else's; it lies in memory as the leaf does.
        if not (mine and g.base is None and g.strides == data.strides):
            g = _laid_out(g, data)
        leaf._grad = wrap(g)

    def _accumulate(self, leaf: Any, g: Any, mine: bool) -> None:
        old = leaf._grad
        if old is None:
            self._first(leaf, g, mine)
        elif type(old._data) is not type(g):
            self._accumulate_mixed(leaf, old, g)
        else:
            _add_into(old._data, g)
            if old._ver is not None:
                old._ver[0] += 1

    def _accumulate_mixed(self, leaf: Any, old: Any, g: Any) -> None:
        """A sparse gradient is added to the dense one; a dense one takes the place of a sparse one."""
        total = mixed_sum(old._data, g)
        if type(total) is type(old._data):
            old._data[...] = total
            if old._ver is not None:
                old._ver[0] += 1
        else:
            leaf._grad = wrap(total)


def _add_into(old: Any, g: Any) -> None:
    """``old += g``, in place whatever arrays these are."""
    k = kernels_of[type(g)]
    if worth_a_kernel(g):
        k.write_into(old, "add", g)
    else:
        k.xp.add(old, g, out=old)


def mixed_sum(a: Any, b: Any) -> Any:
    """The sum of arrays or Tensors, one of which may be sparse: arrays of it know how, whatever the other one is."""
    if isinstance(a, TensorBase):
        sparse_first = isinstance(a._data, SparseArray) and not isinstance(b._data, SparseArray)
        return b + a if sparse_first else a + b
    return a + b if isinstance(a, SparseArray) else b + a


def _as_tensor(g: Any) -> Any:
    return g if isinstance(g, TensorBase) else wrap(g)


class Copied(Primitive):
    """What a leaf keeps of a recorded gradient: a copy. What lay there before, the other input, sends none back."""

    @staticmethod
    def forward(ctx: Any, into: Any, g: Any) -> Any:
        return ctx.k.astype(g, g.dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return None, g


Copied.node_type.__name__ = "CopyBackwards"


def _kept(g: Any) -> Any:
    return cast(g, g._data.dtype) if isinstance(g._data, SparseArray) else apply(Copied, None, g)


def _laid_out(g: Any, like: Any) -> Any:
    """A copy of ``g`` with the memory order of ``like``."""
    if like.flags.c_contiguous:
        return kernels_of[type(g)].compact(g) if worth_a_kernel(g) else g.copy()
    copy = kernels_of[type(like)].xp.empty_like(like)
    copy[...] = g
    return copy


def as_array(value: Any) -> Any:
    """``value``, with NumPy's 0-d scalars turned back into arrays."""
    return value if isinstance(value, TensorBase) or type(value) in kernels_of else value.__array__()


def conform(g: Any, shape: Any, dtype: Any) -> Any:
    """A gradient summed to its input's shape and cast to its dtype: what undoes broadcasting and promotion."""
    if isinstance(g, TensorBase):
        if g._data.shape != shape:
            g = sum_to(g, shape)
        return g if g._data.dtype == dtype else cast(g, dtype)
    if g.shape != shape:
        g = sum_to(g, shape)
    if g.dtype != dtype:
        g = cast(g, dtype)
    return as_array(g)
