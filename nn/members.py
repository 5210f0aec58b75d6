"""What belongs to a module: its parameters, buffers and child modules, how they get there and how they are listed.

A member lives in the instance's ``__dict__`` like any other attribute, so that reading it costs nothing extra;
``_kinds`` beside it says which names are members, and of what kind, in the order of their registration.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase
from .member_views import BUFFER, BUFFERS, MODULE, PARAMETER, TRANSIENT, MembersOfKind, TransientNames
from .parameter import Buffer, Parameter
from .registration import buffer_hooks, module_hooks, parameter_hooks, registered

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor
    from .module import Module

__all__ = ["BUFFER", "BUFFERS", "MODULE", "PARAMETER", "Members", "MembersOfKind"]


def type_name(value: Any) -> str:
    """The name of a value's type as error messages give it."""
    kind = type(value)
    if kind.__name__ == "Tensor" and isinstance(value, TensorBase):
        return str(value.type())  # type: ignore[attr-defined]
    return kind.__name__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__name__}"


def is_like_tensor(value: Any) -> bool:
    """Whether a value is a tensor, or of a class that says what functions of tensors do with it."""
    return isinstance(value, TensorBase) or hasattr(value, "__torch_function__")


def _view_of(*kinds: str) -> Any:
    """The members of some kinds, as they are now; what is assigned takes the place of all of them."""

    def get(self: Members) -> MembersOfKind:
        return MembersOfKind(self, kinds)

    def set(self: Members, members: Mapping[str, Any]) -> None:
        given, view = dict(members), MembersOfKind(self, kinds)
        view.clear()
        view.update(given)

    return property(get, set)


class Members:
    """The part of `Module` that keeps its members."""

    _kinds: dict[str, str]

    # ------------------------------------------------------------------ registering

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, which is then also the attribute ``name``; None reserves the name.

        Raises:
            KeyError: the name is empty, holds a dot, or is an attribute already. TypeError: not a leaf `Parameter`.
        """
        self._check_name(PARAMETER, name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type_name(param)}' object to parameter '{name}' (wengert.nn.Parameter or None "
                "required); wrap the tensor: nn.Parameter(tensor)"
            )
        if param is not None and param._edge is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly; to "
                "express one as a function of another, compute it in the forward() method"
            )
        if parameter_hooks and param is not None:
            param = registered(parameter_hooks, self, name, param)
        self._register(PARAMETER, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module's state but is not trained; None reserves the name.

        Args:
            name: how it is reached as an attribute.
            tensor: the buffer.
            persistent: whether it is part of the ``state_dict``.

        Raises:
            KeyError: the name is empty, holds a dot, or is an attribute already. TypeError: not a tensor.
        """
        self._check_name(BUFFER, name)
        if tensor is not None and not is_like_tensor(tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}' (wengert Tensor or None required)"
            )
        if buffer_hooks:
            tensor = registered(buffer_hooks, self, name, tensor)
        self._register(BUFFER if persistent else TRANSIENT, name, tensor)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, which is then also the attribute ``name``.

        Raises:
            KeyError: the name is empty, holds a dot, or is an attribute already. TypeError: not a `Module`.
        """
        if module is not None and not isinstance(module, Members):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        self._check_name(MODULE, name)
        self._register_child(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: str) -> None:
        if "_kinds" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and self._kind(name) != kind:
            raise KeyError(f"attribute '{name}' already exists")

    def _kind(self, name: str) -> str | None:
        kind = self._kinds.get(name)
        return BUFFER if kind == TRANSIENT else kind

    def _register_child(self, name: str, module: Any) -> None:
        if module_hooks:
            module = registered(module_hooks, self, name, module)
        self._register(MODULE, name, module)

    def _register(self, kind: str, name: str, value: Any) -> None:
        self._kinds[name] = kind
        self.__dict__[name] = value

    def _forget(self, name: str) -> None:
        del self._kinds[name], self.__dict__[name]

    # ------------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        kinds = self.__dict__.get("_kinds")
        known = None if kinds is None else kinds.get(name)
        if known is None and not isinstance(value, (Parameter, Members, Buffer)):
            object.__setattr__(self, name, value)
        elif kinds is None:
            what = "module" if isinstance(value, Members) else "buffer" if isinstance(value, Buffer) else "parameters"
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        else:
            self._assign(name, value, self._kind(name))

    def _assign(self, name: str, value: Any, known: str | None) -> None:
        """Assign to a member, or something that becomes one."""
        if isinstance(value, Parameter):
            if known != PARAMETER:  # what had the name before makes room for it
                self._kinds.pop(name, None)
                self.__dict__.pop(name, None)
            self.register_parameter(name, value)
        elif known == PARAMETER:
            _require(value is None, value, name, "parameter", "wengert.nn.Parameter or None")
            self.__dict__[name] = None
        elif isinstance(value, Members):
            self._register_child(name, value)
        elif known == MODULE:
            _require(value is None, value, name, "child module", "wengert.nn.Module or None")
            self.__dict__[name] = None
        else:
            fits = value is None or is_like_tensor(value)
            _require(fits, value, name, "buffer", "wengert.nn.Buffer, wengert.Tensor or None")
            if not isinstance(value, Buffer):
                self.__dict__[name] = registered(buffer_hooks, self, name, value) if buffer_hooks else value
            elif "persistent" in inspect.signature(self.register_buffer).parameters:
                self.register_buffer(name, value, value.persistent)
            else:  # a subclass's own, older than that argument
                self.register_buffer(name, value)

    if not TYPE_CHECKING:  # to a type checker an attribute is what was assigned to it

        def __getattr__(self, name: str) -> Any:
            # Members are ordinary attributes, so this is a name that does not exist. It is here for subclasses that
            # call ``super().__getattr__``, perhaps for a member.
            if name in self.__dict__:
                return self.__dict__[name]
            if name == "_kinds":
                raise AttributeError(
                    f"{type(self).__name__} is used before Module.__init__() was called; begin its __init__ with "
                    "super().__init__()"
                )
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__.get("_kinds", ()):
            self._forget(name)
        else:
            object.__delattr__(self, name)

    _parameters: MembersOfKind = _view_of(PARAMETER)
    _buffers: MembersOfKind = _view_of(*BUFFERS)
    _modules: MembersOfKind = _view_of(MODULE)

    @property
    def _non_persistent_buffers_set(self) -> TransientNames:
        return TransientNames(self)

    @_non_persistent_buffers_set.setter
    def _non_persistent_buffers_set(self, names: Iterable[str]) -> None:
        given = set(names)
        for name, kind in self._kinds.items():
            if kind in BUFFERS:
                self._kinds[name] = TRANSIENT if name in given else BUFFER

    @_non_persistent_buffers_set.deleter
    def _non_persistent_buffers_set(self) -> None:
        self._non_persistent_buffers_set = ()

    def _own(self, *kinds: str) -> list[tuple[str, Any]]:
        """The names and values of this module's own members of some kinds."""
        values = self.__dict__
        return [(name, values[name]) for name, kind in self._kinds.items() if kind in kinds]

    # ------------------------------------------------------------------ listing

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all modules below it, with their dotted names; each once, wherever it is used.

        Args:
            memo: modules that are left out.
            prefix: put before every name.
            remove_duplicate: False lists a shared module at each of its places.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self  # type: ignore[misc]  # every Members is a Module
        for name, module in self._own(MODULE):
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all modules below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names; each once."""
        seen = set()
        for name, module in self._own(MODULE):
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        return (module for _, module in self.named_children())

    def _named_members(
        self, get: Callable[[Any], Any], prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters of this module and of those below it, with their dotted names; a shared one once.

        Args:
            prefix: put before every name.
            recurse: False leaves out the modules below.
            remove_duplicate: False lists a shared parameter at each of its places.

        Example:
            >>> import wengert as wg
            >>> [name for name, _ in wg.nn.Sequential(wg.nn.Linear(2, 3)).named_parameters()]
            ['0.weight', '0.bias']
        """
        return self._named_members(lambda m: m._own(PARAMETER), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and (with ``recurse``) of those below it, a shared one once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers of this module and of those below it, with their dotted names; see `named_parameters`."""
        return self._named_members(lambda m: m._own(*BUFFERS), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and (with ``recurse``) of those below it, a shared one once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    # ------------------------------------------------------------------ looking up by dotted name

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path below this one; this module itself for an empty path.

        Raises:
            AttributeError: there is nothing at the path, or it is no module.
        """
        module: Any = self
        for name in target.split(".") if target else ():
            module = _member(module, name)
            if not isinstance(module, Members):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module  # type: ignore[no-any-return]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at a dotted path.

        Args:
            target: where to.
            module: what.
            strict: something must be there already.

        Raises:
            ValueError: the path is empty, or ``module`` is no module. AttributeError: the path leads nowhere.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Members):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if (strict or hasattr(parent, name)) and not isinstance(_member(parent, name), Members):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path. Raises AttributeError: it is not there, or is no parameter."""
        path, _, name = target.rpartition(".")
        value = _member(self.get_submodule(path), name)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path. Raises AttributeError: it is not there, or is no buffer."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        value = _member(module, name)
        if module._kind(name) != BUFFER:
            raise AttributeError(f"`{name}` is not a buffer")
        return value  # type: ignore[no-any-return]

    def __dir__(self) -> list[str]:
        names = set(itertools.chain(dir(type(self)), self.__dict__))
        return sorted(name for name in names if not name[:1].isdigit())  # "0" in a Sequential is no attribute name


def _member(module: Any, name: str) -> Any:
    if not hasattr(module, name):
        raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
    return getattr(module, name)


def _require(fits: bool, value: Any, name: str, what: str, wanted: str) -> None:
    if not fits:
        raise TypeError(f"cannot assign '{type_name(value)}' as {what} '{name}' ({wanted} expected)")
