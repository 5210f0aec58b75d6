"""``Function``: differentiable operations of the user's own, on Tensors, with PyTorch's contract.

A Function becomes one node of the same graph. Its node's ``op`` hands the engine's arrays to the user's ``backward``
as Tensors, and checks what comes back.
"""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from ..backends import kernels_of
from ..backends.errors import GraphError, InplaceError
from .base import TensorBase, alias, edge_of, new, version_of, wrap
from .forward_mode import state
from .function_ctx import FunctionCtx as FunctionCtx
from .function_levels import apply_by_level
from .function_node import BackwardCFunction, FunctionOp
from .grad_mode import INFERENCE, mode, no_grad
from .inplace import View, move, wrote
from .node import Node, Output
from .primitive import next_seq
from .saved import Packed, inference_error
from .write_checks import check_writable

__all__ = ["BackwardCFunction", "Function", "FunctionCtx", "InplaceFunction", "once_differentiable"]


class Function:
    """Base of a differentiable operation whose gradient the user writes.

    A subclass has a static ``forward(ctx, *args)`` and a static ``backward(ctx, *grad_outputs)`` that returns one
    gradient for each of ``args``; or a ``forward(*args)`` and a ``setup_context(ctx, inputs, output)``. It is called
    by `apply`, never made into an object. ``backward`` written in plain operations can be differentiated again.

    Example:
        >>> import wengert as wg
        >>> class Cube(wg.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return g * 3 * ctx.saved_tensors[0] ** 2
        >>> x = wg.tensor([2.0], requires_grad=True)
        >>> Cube.apply(x).backward()
        >>> x.grad
        tensor([12.])
    """

    generate_vmap_rule: ClassVar[bool] = False
    _node_type: ClassVar[type[BackwardCFunction]]
    _backward_cls: ClassVar[type[BackwardCFunction]]  # the same, under the name that PyTorch has for it

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        namespace = {"__slots__": (), "op": FunctionOp(cls), "_forward_cls": cls, "__doc__": cls.__doc__}
        cls._node_type = cls._backward_cls = type(f"{cls.__name__}Backward", (BackwardCFunction,), namespace)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: a Function is no object with methods.

        Raises:
            RuntimeError: always.
        """
        raise GraphError(
            f"Legacy autograd function with non-static forward method is deprecated: {type(self).__name__} is not to "
            "be called as an object. Write static forward and backward methods and call the class's apply()"
        )

    def __getattr__(self, name: str) -> Any:
        if hasattr(Node, name):
            raise GraphError(
                f"Attribute '{name}' is invalid for this instance of {type(self).__name__}. Accessing this attribute "
                "directly on an instance of autograd.Function is a legacy access pattern: it is the grad_fn of what "
                "apply() returns that has it"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The operation, on Tensors, unrecorded: ``forward(ctx, *args)``."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill ``ctx`` after a ``forward`` that does not take it."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradient of each argument of ``forward``, given those of its outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangent of each output, given those of the arguments: what forward mode uses where it is written."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The operation on a batch: `wengert.func.vmap` calls it where it is written, else ``forward`` on examples.

        Args:
            info: ``batch_size`` and ``randomness``.
            in_dims: for each argument the dimension of the batch, or None.
            args: the arguments with it.

        Returns:
            The outputs, and the dimension of the batch in each.
        """
        raise NotImplementedError("To use autograd.Function with vmap, you must override the vmap staticmethod.")

    vjp = backward  # the other name of backward
    unwritten = backward  # what both are until a subclass writes one

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward``, and record it if an argument wants a gradient.

        Args:
            args: what ``forward`` takes after ``ctx``; Tensors anywhere else than directly among them are constants.
            kwargs: the same by name.

        Returns:
            What ``forward`` returned, its Tensors joined to the graph.
        """
        two_step = cls.setup_context is not Function.setup_context
        if kwargs or two_step:
            args = _bound(cls.forward, args, kwargs, two_step)
        if mode.levels or state.seen:  # within vmap, or forward mode
            by_level = apply_by_level(cls, Function, args)
            if by_level is not NotImplemented:
                return by_level
        return cls._apply(args)[0]

    @classmethod
    def _apply(cls, args: tuple[Any, ...]) -> tuple[Any, FunctionCtx]:
        """What `apply` does, once all arguments stand in their places; the context, too."""
        two_step = cls.setup_context is not Function.setup_context
        edges = tuple([edge_of(a) if isinstance(a, TensorBase) else None for a in args])
        ctx = FunctionCtx(tuple([e is not None for e in edges]))
        with no_grad():
            if two_step:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        many = isinstance(result, tuple)
        results: tuple[Any, ...] = result if many else (result,)
        node = None
        if mode.grad and any(ctx.needs_input_grad):
            node = _record(cls._node_type, ctx, args, edges, results)
        outputs = _outputs(ctx, node, args, results)
        if node is not None:
            node._saved = [s if s is None else _packed(node, s, args, outputs) for s in ctx._to_save or ()] or ()
            ctx._to_save, ctx._dirty, ctx._constant = None, (), ()  # kept by the node, or of no more use
            ctx._node = weakref.ref(node)
            if mode.trace is not None:
                mode.trace(node, results, args)
        return (outputs if many else outputs[0]), ctx


class InplaceFunction(Function):
    """A relic: a `Function`, told by an argument whether to work in place.

    Args:
        inplace: kept as an attribute.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


def _bound(forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any], two_step: bool) -> tuple[Any, ...]:
    """All arguments by position, defaults filled in."""
    bound = inspect.signature(forward).bind(*(args if two_step else (None, *args)), **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"{forward.__qualname__}: keyword-only parameters cannot be given to apply()")
    return bound.args if two_step else bound.args[1:]


def _record(kind: Any, ctx: FunctionCtx, args: Any, edges: tuple[Any, ...], results: tuple[Any, ...]) -> Any:
    """The node of one call of a Function."""
    node = new(kind)
    node.k = next(kernels_of[type(a._data)] for a, e in zip(args, edges, strict=True) if e is not None)
    node.edges, node.needs, node.params = edges, ctx.needs_input_grad, {}
    node.info = tuple([a._data.shape if isinstance(a, TensorBase) else None for a in args])  # for checking gradients
    node._saved = node._cached = ()
    node.hooks = node.site = None
    node.ctx = ctx
    node.count = len(results)
    left_out = () if ctx._materialize_non_diff_grads else ctx._constant
    typed = [r if isinstance(r, TensorBase) and not _is_one(r, left_out) else None for r in results]
    shapes = [None if r is None else r._data.shape for r in typed]
    dtypes = [None if r is None else r._data.dtype for r in typed]
    node.shape, node.dtype = (shapes, dtypes) if len(results) != 1 else (shapes[0], dtypes[0])
    node.seq = next_seq()
    return node


def _is_one(tensor: Any, tensors: tuple[Any, ...]) -> bool:
    return any(tensor is t for t in tensors)


def _outputs(ctx: FunctionCtx, node: Any, args: tuple[Any, ...], results: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the caller gets for the results of ``forward``: Tensors that lead to ``node``."""
    for i, dirty in enumerate(ctx._dirty):
        if not isinstance(dirty, TensorBase):
            raise GraphError(
                f"mark_dirty can only accept variables, but argument {i} is of type {type(dirty).__name__}"
            )
    if not all(_is_one(d, results) for d in ctx._dirty):
        raise GraphError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
            "modified inplace must all be outputs of the Function."
        )
    outputs: list[Any] = []
    for i, result in enumerate(results):
        if not isinstance(result, TensorBase):
            outputs.append(result)
            continue
        edge = None
        place = f"Output {i} of {node.op.__name__}" if node is not None else ""
        if node is not None and result._data.dtype.kind in "fcV" and not _is_one(result, ctx._constant):
            edge = node if node.count == 1 else Output(node, i, result._data.shape, result._data.dtype)
        before = next((j for j in range(i) if results[j] is result), None)
        if before is not None:  # one Tensor, returned twice: its gradient arrives at the last place
            if edge is not None:
                outputs[before]._edge = edge
            outputs.append(outputs[before])
        elif _is_one(result, ctx._dirty):
            outputs.append(_dirty(ctx, result, edge, len(results)))
        elif _is_one(result, args):
            outputs.append(_same_memory(result, edge, place))
        else:
            outputs.append(_new_output(result, edge, place))
    return tuple(outputs)


def _dirty(ctx: FunctionCtx, tensor: Any, edge: Any, count: int) -> Any:
    """An input that was written in place: it moves to the node."""
    if edge is not None:
        if tensor._view is not None and count > 1:
            raise InplaceError(
                "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot "
                "return more than one Tensor"
            )
        check_writable(tensor, "mark_dirty", joins=True)
        written = wrap(tensor._data)
        written._edge, written._rg = edge, True
        move(tensor, written)
    wrote(tensor, "a Function that marked it dirty")
    return tensor


def _same_memory(tensor: Any, edge: Any, place: str) -> Any:
    """An input that is returned as it is: another Tensor on its memory, with its own place in the graph."""
    output = alias(tensor)
    if edge is not None:
        base = tensor if tensor._view is None else tensor._view.base
        output._edge, output._rg = edge, True
        output._view = View(base, None, place)
    return output


def _new_output(tensor: Any, edge: Any, place: str) -> Any:
    """A result that ``forward`` computed."""
    if edge is None:
        return tensor if not tensor._rg else alias(tensor)
    if tensor._rg:  # it has a place already: leave it there
        tensor = alias(tensor)
    view = tensor._view
    if view is not None:  # a view of an input: writing to it would go around the user's backward
        tensor._view = View(view.base, None, place)
    tensor._edge, tensor._rg = edge, True
    return tensor


def _packed(node: Any, tensor: Any, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """A saved tensor as ``(array, source, version, count)``; see `wengert.autograd.node.Saved`."""
    version = version_of(tensor)
    if version is INFERENCE:
        raise inference_error(node, "a tensor given to save_for_backward")
    source = next((~i for i, output in enumerate(outputs) if output is tensor and tensor._rg), None)
    if source is None:
        source = next((i for i, arg in enumerate(args) if arg is tensor), None)
    if source is None:
        source = edge_of(tensor)
    if mode.savers:
        return Packed(tensor, source, mode.savers[-1])
    return (tensor._data, source, version, version[0])


class _Error(Function):
    """Gradients that may not be differentiated."""

    @staticmethod
    def forward(ctx: Any, *grads: Any) -> Any:
        return tuple([alias(g) if isinstance(g, TensorBase) else g for g in grads])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise GraphError(
            "trying to differentiate twice a function that was marked with @once_differentiable; write its backward "
            "in differentiable operations and take the mark away"
        )


_Error._node_type.__name__ = "Error"
_Error._node_type.next_functions = Node.next_functions  # type: ignore[method-assign]  # arguments that are no tensors count


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a Function's ``backward`` as one that computes outside the graph: differentiating it again raises."""

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            outputs = backward(ctx, *grads)
        if not mode.grad or not any(isinstance(g, TensorBase) and g._rg for g in grads):
            return outputs
        many = isinstance(outputs, tuple)
        fenced = _Error.apply(*[_alone(o) for o in (outputs if many else (outputs,))])
        return fenced if many else fenced[0]

    return wrapped


def _alone(output: Any) -> Any:
    """A gradient as a leaf of its own, so that what is computed from it is recorded."""
    if not isinstance(output, TensorBase) or output._data.dtype.kind not in "fcV":
        return output
    return alias(output).requires_grad_()
