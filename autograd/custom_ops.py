"""Operations of the user's own, registered under a name such as ``"mylib::scale"``, and the table that they are in.

Here an operation is Python, so registering one gives it a name and, if asked for, a gradient; nothing is compiled.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from ..backends.errors import ArgumentError, GraphError
from .base import TensorBase, edge_of
from .function import Function
from .grad_mode import mode

__all__ = ["CustomOpDef", "Library", "custom_op", "define", "find", "impl", "names_in", "register_autograd"]

_TABLE: dict[str, CustomOpDef] = {}
_THROUGH = ("CompositeImplicit", "Autograd")  # kernels whose own operations are recorded
_KERNELS = ("default", "cpu", "compositeexplicitautograd")


class CustomOpDef:
    """An operation with a name, which is called like a function.

    Args:
        name: its name, ``"namespace::operation"``.
        function: what it computes; None until `register_kernel`.
    """

    def __init__(self, name: str, function: Callable[..., Any] | None = None) -> None:
        self._qualname = self.name = name
        self._namespace, self._name = name.split("::")
        self._opname = name
        self._function = function
        self._composite: Callable[..., Any] | None = None  # differentiated through, as plain code is
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        if function is not None:
            functools.update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self.name})>"

    def __getattr__(self, name: str) -> CustomOpDef:
        # The overloads of an operation, such as ``default``, are all the operation: Python finds out what it was given.
        if name.startswith("_"):
            raise AttributeError(f"{self.__dict__.get('name', 'an operation')} has no attribute {name!r}")
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._composite is not None:
            return self._composite(*args, **kwargs)
        if self._function is None:
            raise NotImplementedError(f"{self.name}: no kernel was registered; give it one with impl()")
        args = self._by_position(args, kwargs)
        if mode.grad and any(isinstance(a, TensorBase) and edge_of(a) is not None for a in args):
            return self._recorded.apply(*args)
        return self._function(*args)

    def _by_position(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if not kwargs:
            return args
        assert self._function is not None
        bound = inspect.signature(self._function).bind(*args, **kwargs)
        bound.apply_defaults()
        return (*bound.args, *bound.kwargs.values())

    @functools.cached_property
    def _recorded(self) -> type[Function]:
        """The operation as a `Function`, whose backward is the one registered, if any."""
        op = self

        def forward(ctx: Any, *args: Any) -> Any:
            assert op._function is not None
            output = op._function(*args)
            if op._setup is not None:
                op._setup(ctx, args, output)
            return output

        def backward(ctx: Any, *grads: Any) -> Any:
            if op._backward is None:
                raise GraphError(
                    f"Trying to backward through {op.name}.default but no autograd formula was registered. Please use "
                    "register_autograd to add one."
                )
            return op._backward(ctx, *grads)

        members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        return type(self._name, (Function,), members)

    def register_autograd(self, backward: Callable[..., Any], /, *, setup_context: Any = None) -> None:
        """Give the operation a gradient.

        Args:
            backward: ``backward(ctx, *grads)``, which returns one gradient for each argument.
            setup_context: ``setup_context(ctx, inputs, output)``, which keeps what ``backward`` needs.
        """
        self._backward, self._setup = backward, setup_context

    def register_kernel(self, device_types: Any = None, func: Callable[..., Any] | None = None, /) -> Any:
        """Say what the operation computes on some kinds of device; all are one here. Also a decorator."""
        if func is None:
            return functools.partial(self.register_kernel, device_types)
        if device_types is None or "cpu" in ([device_types] if isinstance(device_types, str) else device_types):
            self._function = func
        return func

    def register_fake(self, func: Callable[..., Any], /) -> Callable[..., Any]:
        """Say what shape the result has, for PyTorch's compiler: there is none here, so nothing happens."""
        return func

    register_vmap = register_torch_dispatch = register_fake

    def set_kernel_enabled(self, device_type: str, enabled: bool = True) -> None:
        """Accepted; there is one kernel."""


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Sequence[str] = (),
    device_types: Any = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Register a function as an operation; without one, a decorator.

    Args:
        name: ``"namespace::operation"``.
        fn: what it computes.
        mutates_args: the names of the arguments that it writes to; for PyTorch's sake.
        device_types: as ``mutates_args``.
        schema: as ``mutates_args``.
        tags: as ``mutates_args``.

    Returns:
        The operation, which is also ``wengert.ops.namespace.operation``.

    Example:
        >>> import wengert as wg
        >>> @wg.library.custom_op("doc::triple", mutates_args=())
        ... def triple(x: wg.Tensor) -> wg.Tensor:
        ...     return x * 3
        >>> triple.register_autograd(lambda ctx, g: g * 3)
        >>> x = wg.ones(2, requires_grad=True)
        >>> wg.ops.doc.triple(x).sum().backward()
        >>> x.grad
        tensor([3., 3.])
    """
    if fn is None:
        return functools.partial(custom_op, name, mutates_args=mutates_args)
    op = _TABLE[_checked(name)] = CustomOpDef(name, fn)
    return op


def _checked(name: str) -> str:
    if not re.fullmatch(r"\w+::\w+(\.\w+)?", name):
        raise ArgumentError(f"{name!r} is no name of an operation; write it as 'namespace::operation'")
    return name.partition(".")[0]


def define(qualname: str, schema: str = "", *, lib: Any = None, tags: Any = ()) -> Any:
    """Register a name without saying yet what it computes; see `impl`."""
    _TABLE.setdefault(_checked(qualname), CustomOpDef(_checked(qualname)))


def impl(qualname: str, types: Any = "default", func: Callable[..., Any] | None = None, *, lib: Any = None) -> Any:
    """Say what an operation computes; without ``func``, a decorator."""
    if func is None:
        return functools.partial(impl, qualname, types)
    op = find(qualname)
    kinds = [types] if isinstance(types, str) else list(types)
    if any(kind.startswith(_THROUGH) for kind in kinds):
        op._composite = func
    elif any(kind.lower() in _KERNELS for kind in kinds):
        op._function = func
    return func


def find(qualname: Any) -> CustomOpDef:
    """The operation of a name.

    Raises:
        RuntimeError: there is none.
    """
    if isinstance(qualname, CustomOpDef):
        return qualname
    name = _checked(qualname)
    if name not in _TABLE:
        raise GraphError(f"operator {name} does not exist; define it with custom_op()")
    return _TABLE[name]


def names_in(namespace: str) -> list[str]:
    """The names of the operations in a namespace."""
    return [op._name for op in _TABLE.values() if op._namespace == namespace]


def register_autograd(op: Any, backward: Callable[..., Any], /, *, setup_context: Any = None, lib: Any = None) -> None:
    """Give an operation a gradient; see `CustomOpDef.register_autograd`."""
    find(op).register_autograd(backward, setup_context=setup_context)


class Library:
    """A namespace to which operations are added.

    Args:
        ns: its name.
        kind: for PyTorch's sake, as ``dispatch_key``.
        dispatch_key: where a kernel goes that does not say.

    Example:
        >>> import wengert as wg
        >>> lib = wg.library.Library("doc_lib", "DEF")
        >>> lib.define("half(Tensor x) -> Tensor")
        'half'
        >>> lib.impl("half", lambda x: x / 2, "CPU")
        >>> wg.ops.doc_lib.half(wg.ones(1))
        tensor([0.5000])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Add the operation whose signature, in PyTorch's notation, begins with its name; return the name."""
        name = schema.split("(")[0].strip()
        define(f"{self.ns}::{name}")
        return name

    def impl(self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", **others: Any) -> None:
        """Say what an operation computes."""
        name = op_name if isinstance(op_name, str) else op_name._name
        impl(name if "::" in name else f"{self.ns}::{name}", dispatch_key or self.dispatch_key or "CPU", fn)

    def fallback(self, fn: Callable[..., Any], dispatch_key: str = "", **others: Any) -> None:
        """Accepted; what is not defined stays so."""

    def _destroy(self) -> None:
        for name in names_in(self.ns):
            del _TABLE[f"{self.ns}::{name}"]
