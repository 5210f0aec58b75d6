"""``Primitive``, the contract of an op, and ``apply``, which runs one and records it.

An op's ``backward`` is written once, with operators, indexing and op functions only. The engine calls it with plain
arrays, and then these run kernels at array speed; under ``create_graph`` it calls the same lines with Tensors,
and then they are recorded, which is how every op has gradients of any order.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, ClassVar

from ..backends import kernels_of
from ..backends.errors import SparseOperandError
from ..backends.layout import arranged
from . import base, grad_mode
from .base import TensorBase, edge_of, new, wrap
from .context import give_contexts
from .grad_mode import enable_grad, mode
from .node import Node, Output
from .saved import pack, pack_one, pack_two

next_seq = itertools.count(1).__next__
give_contexts()


class Primitive:
    """One differentiable operation: ``forward`` on arrays, ``backward`` on arrays or Tensors.

    A subclass writes two static methods:

    ``forward(ctx, *arrays, **params)`` returns the output array, or a tuple of them.
    ``backward(ctx, g)`` returns the gradient of each input: one value for one input, else a tuple, with None
    where there is none. It gets one ``g`` per output, zeros where an output was not used.

    Rules need not undo broadcasting or casts: the engine sums a gradient that is larger than its input, and casts it.

    A fused op also sets ``kernels`` (names that a backend must have; without one of them ``formula`` runs instead)
    and writes ``formula(*inputs, **params)`` in plain ops. The formula is what is differentiated under
    ``create_graph``; such an op gives all its inputs to ``ctx.save``, in their order, before anything else.

    Class attributes:
        view: the output shares the first input's memory whenever it can.
        layout: how outputs lie in memory where the first operand is not contiguous, ``"operands"``, ``"contiguous"``,
            ``"channels"``, ``"common channels"`` or ``"some channels"`` (see ``backends/layout.py``); as the kernel
            leaves them without one.
        views_many: the op returns several views at once (split, unbind), which may not be written in place.
        undefined: backward takes None for an output that was not used.
        torch_name: what PyTorch calls its node, without ``Backward0``, where that is not the class's name.
        variant: a function of the node, for the number that PyTorch ends the name with where that is not always 0.
    """

    kernels: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[Callable[..., Any] | None] = None
    view: ClassVar[bool] = False
    layout: ClassVar[str] = ""
    views_many: ClassVar[bool] = False
    undefined: ClassVar[bool] = False
    torch_name: ClassVar[str] = ""
    variant: ClassVar[Callable[[Any], int] | None] = None
    node_type: ClassVar[type[Node]] = Node
    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]
    backward_graph: ClassVar[Callable[..., Any]]  # backward for create_graph: the rule itself, or the formula's

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = cls.__dict__.get("torch_name") or cls.__name__
        cls.node_type = type(f"{name}Backward0", (Node,), {"__slots__": (), "op": cls, "__doc__": cls.__doc__})
        if cls.formula is not None:
            cls.backward_graph = functools.partial(_differentiate_formula, cls)
        elif hasattr(cls, "backward"):
            cls.backward_graph = cls.backward


def apply(prim: Any, *values: Any, **params: Any) -> Any:
    """Run a primitive on ``values`` and record it if one of them wants a gradient.

    Args:
        prim: the `Primitive`.
        values: Tensors, arrays, Python numbers or None, by position. With no Tensor among them the result is an
            array: so do rules compute at first order.
        params: what is not differentiated, by keyword.

    Returns:
        A Tensor (array), or a tuple of them where the op has several outputs.
    """
    if _special:
        if _forward is not None and (dual := _forward(prim, values, params)) is not NotImplemented:
            return dual
        if _together is not None:
            values = _together(prim, values)
    first = values[0]
    if isinstance(first, TensorBase):
        if len(values) == 1:
            return apply1(prim, first, params)
        if len(values) == 2 and isinstance(values[1], TensorBase) and not prim.view:
            return apply2(prim, first, values[1], params)
    elif type(first) in kernels_of:
        for v in values:
            if type(v) not in kernels_of and v is not None:
                break
        else:  # a rule at first order: kernels at once, no graph
            plain = kernels_of[type(first)]
            if prim.kernels and not _has_kernels(prim, plain):
                return prim.formula(*values, **params)
            try:
                return prim.forward(plain.nocontext, *values, **params)
            except SparseOperandError:
                return apply_sparse(prim, values, params)
    recording = mode.grad
    arrays: list[Any] = []
    edges: list[Any] = []
    needs: list[bool] = []
    record = False
    k = None
    for v in values:
        if isinstance(v, TensorBase):
            arrays.append(v._data)
            view = v._view
            if recording and (v._rg or (view is not None and view.joined(v))):
                record = True
                edges.append((v if v._edge is None else v._edge) if view is None else view.live_edge(v))
                needs.append(True)
            else:
                edges.append(None)
                needs.append(False)
            if k is None:
                k = kernels_of[type(v._data)]
        else:
            arrays.append(v)
            edges.append(None)
            needs.append(False)
    if k is None:
        return _apply_arrays(prim, arrays, params)
    if prim.kernels and not _has_kernels(prim, k):
        return prim.formula(*values, **params)
    if not record:
        try:
            y = prim.forward(k.nocontext, *arrays, **params)
        except SparseOperandError:
            return apply_sparse(prim, values, params)
        if prim.layout:
            y = in_order(prim.layout, k, y, arrays)
        if prim.view:
            return _wrap_views(prim, y, first, params, None)
        if type(y) is tuple:
            return tuple([wrap(o if type(o) in kernels_of else k.asarray(o)) for o in y])
        return wrap(y if type(y) in kernels_of else k.asarray(y))
    node: Any = prim.node_type()
    node.k = k
    node.edges = tuple(edges)
    node.needs = tuple(needs)
    node.params = params
    node._saved = node._cached = ()
    node.hooks = node.site = None
    try:
        y = prim.forward(node, *arrays, **params)
    except SparseOperandError:
        return apply_sparse(prim, values, params)
    if prim.layout:
        y = in_order(prim.layout, k, y, arrays, node)
    node.seq = next_seq()
    if grad_mode.tracing and mode.trace is not None:
        mode.trace(node, y, arrays)
    if prim.view or type(y) is tuple:
        return _record_outputs(prim, node, y, values, arrays)
    node.count = 1
    t = new(base._class)
    t._data = y = y if type(y) in kernels_of else k.asarray(y)
    t._grad = t._view = t._hooks = t._ver = None
    t._edge = node
    t._rg = True
    node.shape = y.shape
    node.dtype = y.dtype
    if node._saved:
        pack(node, values, arrays, (t,))
    return t


def apply1(prim: Any, a: Any, params: dict[str, Any]) -> Any:
    """`apply` for one Tensor: the same, without the loops. Levels of ``vmap`` have nothing to say about it."""
    if _forward is not None and (dual := _forward(prim, (a,), params)) is not NotImplemented:
        return dual
    x = a._data
    k = kernels_of[type(x)]
    if prim.kernels and not _has_kernels(prim, k):
        return prim.formula(a, **params)
    view = a._view
    if not (mode.grad and (a._rg or (view is not None and view.joined(a)))):
        try:
            y = prim.forward(k.nocontext, x, **params)
        except SparseOperandError:
            return apply_sparse(prim, (a,), params)
        if prim.layout and not x.flags.c_contiguous:
            y = in_order(prim.layout, k, y, (x,))
        if prim.view:
            return (
                _wrap_views(prim, y, a, params, None)
                if type(y) is tuple
                else _make_view(prim, y, a, params, None, None)
            )
        if type(y) is tuple:
            return tuple([wrap(o if type(o) in kernels_of else k.asarray(o)) for o in y])
        return wrap(y if type(y) in kernels_of else k.asarray(y))
    node: Any = prim.node_type()
    node.k = k
    node.edges = ((a if a._edge is None else a._edge) if view is None else view.live_edge(a),)
    node.needs = NEEDED
    node.params = params
    node._saved = node._cached = ()
    node.hooks = node.site = None
    node.count = 1
    try:
        y = prim.forward(node, x, **params)
    except SparseOperandError:
        return apply_sparse(prim, (a,), params)
    if prim.layout and not x.flags.c_contiguous:
        y = in_order(prim.layout, k, y, (x,), node)
    node.seq = next_seq()
    if grad_mode.tracing and mode.trace is not None:
        mode.trace(node, y, (x,))
    if type(y) is tuple:
        return _record_outputs(prim, node, y, (a,), [x])
    if type(y) not in kernels_of:
        y = k.asarray(y)
    node.shape = y.shape
    node.dtype = y.dtype
    if prim.view:
        return _make_view(prim, y, a, params, node, None)
    t = new(base._class)
    t._data = y
    t._grad = t._view = t._hooks = t._ver = None
    t._edge = node
    t._rg = True
    if node._saved:
        pack_one(node, a, x, t)
    return t


NEEDED = (True,)
NO_PARAMS: dict[str, Any] = {}


def apply2(prim: Any, a: Any, b: Any, params: dict[str, Any] = NO_PARAMS) -> Any:
    """`apply` for two Tensors and an op whose outputs are no views: the same, without the loops."""
    if _special:
        if _forward is not None and (dual := _forward(prim, (a, b), params)) is not NotImplemented:
            return dual
        if _together is not None:
            a, b = _together(prim, (a, b))
    x, y = a._data, b._data
    needs_a = a._rg or (a._view is not None and a._view.joined(a))
    needs_b = b._rg or (b._view is not None and b._view.joined(b))
    kind = type(x)
    k = kernels_of[kind]
    if prim.kernels and not _has_kernels(prim, k):
        return prim.formula(a, b, **params)
    if not ((needs_a or needs_b) and mode.grad):
        try:
            z = prim.forward(k.nocontext, x, y, **params) if params else prim.forward(k.nocontext, x, y)
        except SparseOperandError:
            return apply_sparse(prim, (a, b), params)
        if prim.layout and not (x.flags.c_contiguous and prim.layout == "operands"):
            z = in_order(prim.layout, k, z, (x, y))
        if type(z) is tuple:
            return tuple([wrap(o if type(o) in kernels_of else k.asarray(o)) for o in z])
        return wrap(z if type(z) in kernels_of else k.asarray(z))
    node: Any = prim.node_type()
    node.k = k
    node.edges = (
        None if not needs_a else edge_of(a) if a._view is not None else a if a._edge is None else a._edge,
        None if not needs_b else edge_of(b) if b._view is not None else b if b._edge is None else b._edge,
    )
    node.needs = BOTH if needs_a and needs_b else FIRST if needs_a else SECOND
    node.params = params
    node._saved = node._cached = ()
    node.hooks = node.site = None
    node.seq = next_seq()
    node.count = 1
    try:
        z = prim.forward(node, x, y, **params) if params else prim.forward(node, x, y)
    except SparseOperandError:
        return apply_sparse(prim, (a, b), params)
    if prim.layout and not (x.flags.c_contiguous and prim.layout == "operands"):
        z = in_order(prim.layout, k, z, (x, y), node)
    if grad_mode.tracing and mode.trace is not None:
        mode.trace(node, z, (x, y))
    if type(z) is not kind:
        if type(z) is tuple:
            return _record_outputs(prim, node, z, (a, b), [x, y])
        if type(z) not in kernels_of:
            z = k.asarray(z)
    t = new(base._class)
    t._data = z
    t._grad = t._view = t._hooks = t._ver = None
    t._edge = node
    t._rg = True
    node.shape = z.shape
    node.dtype = z.dtype
    if node._saved:
        pack_two(node, a, b, x, y, t)
    return t


# What an op needs gradients of: one object for all nodes, instead of a tuple for each.
BOTH, FIRST, SECOND = (True, True), (True, False), (False, True)


def in_order(layout: str, k: Any, y: Any, operands: Any, node: Any = None) -> Any:
    """Outputs (an array, or a tuple of them) in the memory order that the op's ``layout`` asks for.

    Where the first operand lies in the usual order, array libraries give that too, unless it leaves something open
    that two others disagree about, or that the op has an order of its own for.
    """
    if layout == "operands" or type(y) is tuple or y.flags.c_contiguous:
        first = operands[0]
        if len(operands) < 3 and type(first) in kernels_of and first.flags.c_contiguous:  # nearly always
            return y
        arrays = [x for x in operands if type(x) in kernels_of]
        first = arrays[0]
        if first.flags.c_contiguous and (len(arrays) < 3 or first.shape == getattr(y, "shape", None)):
            return y
        if len({*map(type, arrays)}) > 1:  # sparse ones among them
            return y
    if type(y) is tuple:
        z: Any = tuple([arranged(layout, k, o, operands) for o in y])
        pairs = list(zip(y, z, strict=True))
    else:
        z = arranged(layout, k, y, operands)
        pairs = [(y, z)]
    if node is not None and node._saved:
        node._saved = tuple([next((new for old, new in pairs if old is s), s) for s in node._saved])
    return z


def _apply_arrays(prim: Any, arrays: list[Any], params: dict[str, Any]) -> Any:
    """The array reading of a rule, when there are numbers among the arrays."""
    # Arithmetic on NumPy's 0-d arrays gives scalars, which know how to become arrays again.
    arrays = [a.__array__() if hasattr(a, "dtype") and type(a) not in kernels_of else a for a in arrays]
    if _together is not None:
        arrays = list(_together(prim, tuple(arrays)))
    k = next(kernels_of[type(a)] for a in arrays if type(a) in kernels_of)
    if prim.kernels and not _has_kernels(prim, k):
        return prim.formula(*arrays, **params)
    try:
        return prim.forward(k.nocontext, *arrays, **params)
    except SparseOperandError:
        return apply_sparse(prim, tuple(arrays), params)


def apply_sparse(prim: Any, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """What a primitive means for sparse operands. Only operands that arrays refuse lead here."""
    from .sparse.dispatch import run

    return run(prim, values, params)


def _has_kernels(prim: Any, k: Any) -> bool:
    if prim in k.complete:
        return True
    if all(k.has(name) for name in prim.kernels):
        k.complete.add(prim)
        return True
    return False


def _record_outputs(prim: Any, node: Any, y: Any, values: tuple[Any, ...], arrays: list[Any]) -> Any:
    """Tensors for the outputs of an op that has several of them, or that makes views."""
    many = type(y) is tuple
    outputs = [o if type(o) in kernels_of else node.k.asarray(o) for o in (y if many else (y,))]
    node.count = len(outputs) if many else 1
    if many:
        node.shape = [o.shape for o in outputs]
        node.dtype = [o.dtype for o in outputs]
        if len(outputs) == 1:  # a tuple of one: an edge to it is an edge to the node
            node.shape, node.dtype = outputs[0].shape, outputs[0].dtype
    else:
        node.shape, node.dtype = outputs[0].shape, outputs[0].dtype
    if prim.view:
        return _wrap_views(prim, y, values[0], node.params, node)
    tensors = tuple([wrap(o) for o in outputs])
    for i, t in enumerate(tensors):
        if t._data.dtype.kind in "fcV":  # indices and masks never require grad
            t._edge, t._rg = (Output(node, i, t._data.shape, t._data.dtype) if node.count > 1 else node), True
    if node._saved:
        pack(node, values, arrays, tensors)
    return tensors


def _wrap_views(prim: Any, y: Any, source: Any, params: dict[str, Any], node: Any) -> Any:
    """Tensors for an op's views of ``source``; they share its version, and know how they were made."""
    if type(y) is tuple:
        return tuple([_make_view(prim, o, source, params, node, i) for i, o in enumerate(y)])
    return _make_view(prim, y, source, params, node, None)


def bind_levels(together: Callable[[Any, tuple[Any, ...]], tuple[Any, ...]] | None) -> Any:
    """From now on, let ``together`` bring operands of different kinds together, or nobody; returns who did before.

    ``vmap`` calls it when it is used first, for operands of different levels; so does what records a program.
    """
    global _together, _special
    before, _together = _together, together
    _special = together is not None or _forward is not None
    return before


def bind_forward(intercept: Callable[..., Any] | None) -> None:
    """Ask ``intercept`` about every op from now on, or nobody; called where forward mode begins and ends."""
    global _forward, _special
    _forward = intercept
    _special = _together is not None or intercept is not None


_special = False  # whether one of the two is there
_together: Any = None
_forward: Any = None


def bind_views(make_view: Callable[..., Any]) -> None:
    """Tell `apply` how views are made; called once by ``inplace.py``, which is built on ``apply``."""
    global _make_view
    _make_view = make_view


_make_view: Any = None


def _differentiate_formula(prim: Any, ctx: Any, *gs: Any) -> Any:
    """The gradients of a fused op under ``create_graph``: those of its formula, replayed from the saved inputs."""
    from .entries import gradients_of

    inputs = ctx.saved[: len(ctx.edges)]
    with enable_grad():
        # An identity in front of each input keeps the walk inside the formula.
        fenced = [apply(Identity, t) if isinstance(t, TensorBase) and t._rg else t for t in inputs]
        outputs = prim.formula(*fenced, **ctx.params)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        wanted = [t for t, need in zip(fenced, ctx.needs, strict=True) if need]
        pairs = [(o, g) for o, g in zip(outputs, gs, strict=True) if o._rg and g is not None]
        found = iter(gradients_of([o for o, _ in pairs], [g for _, g in pairs], wanted, create_graph=True))
    grads = tuple(next(found) if need else None for need in ctx.needs)
    return grads if len(grads) > 1 else grads[0]


class Identity(Primitive):
    """The input itself, as a new node."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x[...]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g
