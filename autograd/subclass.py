"""Subclasses of ``Tensor``: what is computed from one is one too, or what its ``__torch_function__`` says.

Programs without subclasses pay nothing: the first subclass that is defined puts a dispatching function in front of each
public op, and its class gets dispatching methods. ``Parameter`` and ``Buffer`` switch this off for themselves.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from .base import TensorBase

__all__ = [
    "DisableTorchFunctionSubclass",
    "TorchFunctionMode",
    "disabled",
    "dispatch_in",
    "handled",
    "has_torch_function",
    "prepared",
    "public_namespaces",
]

_namespaces: list[tuple[dict[str, Any], frozenset[str]]] = []  # where public ops are looked up, and their names
_state = {"active": False, "off": 0}
# Methods that answer something about a tensor, or that classes are made by, stay as they are.
PLAIN = frozenset(
    [
        "__array__",
        "__array_namespace__",
        "__array_wrap__",
        "__bool__",
        "__class__",
        "__complex__",
        "__contains__",
        "__copy__",
        "__deepcopy__",
        "__delattr__",
        "__dir__",
        "__dlpack__",
        "__dlpack_device__",
        "__float__",
        "__format__",
        "__getattribute__",
        "__hash__",
        "__index__",
        "__init__",
        "__init_subclass__",
        "__int__",
        "__iter__",
        "__len__",
        "__new__",
        "__reduce__",
        "__reduce_ex__",
        "__repr__",
        "__setattr__",
        "__setstate__",
        "__str__",
        "__torch_function__",
        "_make_subclass",
        "as_subclass",
        "backward",
        "dim",
        "element_size",
        "item",
        "is_contiguous",
        "numel",
        "numpy",
        "register_hook",
        "requires_grad_",
        "retain_grad",
        "size",
        "storage",
        "storage_offset",
        "stride",
        "tolist",
        "type",
        "untyped_storage",
        "data_ptr",
        "is_complex",
        "is_floating_point",
        "register_post_accumulate_grad_hook",
        "get_device",
        "nelement",
        "ndimension",
    ]
)
MAKERS = frozenset(("as_tensor", "asarray", "from_dlpack", "from_numpy", "is_tensor", "tensor", "typename"))
PROPERTIES = ("H", "T", "data", "imag", "mH", "mT", "real")


def disabled(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The ``__torch_function__`` of classes whose results are plain tensors."""
    return NotImplemented


@contextlib.contextmanager
def DisableTorchFunctionSubclass() -> Iterator[None]:
    """A block in which subclasses are treated as plain tensors."""
    _state["off"] += 1
    try:
        yield
    finally:
        _state["off"] -= 1


def default(cls: type, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call ``func``, and make what it returns a ``cls``."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
    return _converted(result, cls, args)


def _converted(result: Any, cls: type, args: Any) -> Any:
    if isinstance(result, TensorBase):
        if isinstance(result, cls):
            return result
        if any(result is a for a in args):
            return result.as_subclass(cls)  # type: ignore[attr-defined]
        try:
            result.__class__ = cls
        except TypeError:  # it has slots of its own
            return result.as_subclass(cls)  # type: ignore[attr-defined]
        return result
    if isinstance(result, list | tuple):
        parts = [_converted(part, cls, args) for part in result]
        return type(result)(parts)
    return result


def _dispatches(value: Any) -> bool:
    kind = type(value)
    if isinstance(value, TensorBase):
        return hasattr(kind, "_dispatches")
    return kind is not type and hasattr(kind, "__torch_function__")


def _overloaded(args: Any, kwargs: Any) -> list[Any]:
    """The arguments whose classes have a say, of each class the first one, subclasses before their bases."""
    found: list[Any] = []
    for value in (*args, *kwargs.values()):
        for part in value if type(value) in (list, tuple) else (value,):
            if _dispatches(part) and type(part) not in map(type, found):
                at = next((i for i, f in enumerate(found) if issubclass(type(part), type(f))), len(found))
                found.insert(at, part)
    return found


def has_torch_function(relevant_args: Any) -> bool:
    """Whether the class of an argument has a say in what functions do."""
    return not _state["off"] and bool(_overloaded(relevant_args, {}))


def _dispatching(function: Any) -> Any:
    """``function``, asking the classes of its arguments first."""

    @functools.wraps(function)
    def ask(*args: Any, **kwargs: Any) -> Any:
        if _modes:
            return _modes[-1]._asked(ask, args, kwargs)
        if _state["off"]:
            return function(*args, **kwargs)
        found = _overloaded(args, kwargs)
        return _first_answer(ask, found, args, kwargs) if found else function(*args, **kwargs)

    return ask


def handled(function: Any, relevant: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
    """What the classes of ``relevant`` arguments make of a call of ``function``."""
    return _first_answer(function, _overloaded(relevant, {}), args, kwargs)


def _first_answer(function: Any, found: list[Any], args: Any, kwargs: Any) -> Any:
    kinds = tuple([type(f) for f in found])
    for f in found:
        result = type(f).__torch_function__(function, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    names = ", ".join([kind.__name__ for kind in kinds])
    raise TypeError(f"no implementation found for '{function.__name__}' on types that implement it: {names}")


def _dispatching_property(made: property) -> property:
    return property(_dispatching(made.fget), made.fset, made.fdel, made.__doc__)


class TorchFunctionMode:
    """A block in which every function of the package that is called goes through ``__torch_function__``.

    A subclass overrides that method. In it the mode is off, so that it can call what it was asked about.

    Example:
        >>> import wengert as wg
        >>> class Names(wg.overrides.TorchFunctionMode):
        ...     def __torch_function__(self, func, types, args=(), kwargs=None):
        ...         print(func.__name__)
        ...         return func(*args, **(kwargs or {}))
        >>> with Names():
        ...     _ = wg.exp(wg.ones(2)).sum()
        ones
        exp
        sum
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Any:
        if not _modes:
            _activate()
            _put_before_methods()
        _modes.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _modes.remove(self)
        if not _modes:
            _take_back_methods()

    def _asked(self, function: Any, args: Any, kwargs: Any) -> Any:
        at = _modes.index(self)
        inner = _modes[at:]
        del _modes[at:]
        try:
            kinds = tuple([type(f) for f in _overloaded(args, kwargs)])
            return self.__torch_function__(function, kinds, args, kwargs)
        finally:
            _modes.extend(inner)


_modes: list[TorchFunctionMode] = []
_replaced: list[tuple[str, Any]] = []  # methods of Tensor itself that a mode's functions stand before; None: inherited


def _put_before_methods() -> None:
    from .tensor import Tensor

    for base in Tensor.__mro__[:-1]:
        for name, member in list(vars(base).items()):
            if isinstance(member, types.FunctionType) and name not in PLAIN and name not in dict(_replaced):
                _replaced.append((name, vars(Tensor).get(name)))
                setattr(Tensor, name, _method(member, name))


def _take_back_methods() -> None:
    from .tensor import Tensor

    for name, member in _replaced:
        if member is None:
            delattr(Tensor, name)
        else:
            setattr(Tensor, name, member)
    _replaced.clear()


def _activate() -> None:
    if not _state["active"]:
        _state["active"] = True
        for namespace, names in _namespaces:
            _wrap(namespace, names)


def prepared(cls: Any, tensor: Any) -> None:
    """Give a new subclass of ``tensor`` its dispatching methods, unless it is to make plain tensors."""
    if cls.__torch_function__ is disabled:
        return
    _activate()
    cls._dispatches = True
    if any(hasattr(base, "_dispatches") for base in cls.__mro__[1:]):
        return
    for base in (*reversed(tensor.__mro__[:-1]),):
        for name, member in vars(base).items():
            if name in PLAIN or name in vars(cls):
                continue
            if isinstance(member, types.FunctionType):
                setattr(cls, name, _method(member, name))
            elif name in PROPERTIES:
                setattr(cls, name, _dispatching_property(member))


_methods: dict[Any, Any] = {}


def _method(function: Callable[..., Any], name: str) -> Any:
    if function not in _methods:
        _methods[function] = _dispatching(function)
        if function.__name__.endswith(("method", "_operator")):
            _methods[function].__name__ = name.strip("_")
    return _methods[function]


def public_namespaces() -> list[tuple[dict[str, Any], frozenset[str]]]:
    """Where public ops are looked up, and their names there."""
    return list(_namespaces)


def dispatch_in(namespace: dict[str, Any], names: Any) -> None:
    """Let the functions with these names ask the classes of their arguments, once there is a subclass."""
    _namespaces.append((namespace, frozenset(names) - MAKERS))
    if _state["active"]:
        _wrap(*_namespaces[-1])


def _wrap(namespace: dict[str, Any], names: frozenset[str]) -> None:
    for name in names:
        if isinstance(namespace.get(name), types.FunctionType):
            namespace[name] = placed(_method(namespace[name], name), namespace, name)


def placed(function: Any, namespace: dict[str, Any], name: str) -> Any:
    """``function``, which takes another's place in a module, saying where it is found: pickles look it up there."""
    if function.__module__ == function.__wrapped__.__module__:
        function.__module__, function.__qualname__ = namespace["__name__"], name
    return function
