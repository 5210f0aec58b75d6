"""``state_dict`` and ``load_state_dict``: a module's tensors by dotted name, out and in.

Loading is done in two parts. The first goes through the modules, compares names and shapes, and notes every copy that
is to be made; the second makes them. A load that fails therefore changes nothing.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd.grad_mode import no_grad
from .hooks import Functions, Hook, ModuleHooks, WithoutModule, WithoutResult
from .members import BUFFER, MODULE, PARAMETER, Members
from .parameter import Parameter
from .state_errors import StateDictError, hint_for, mismatch, quoted

if TYPE_CHECKING:
    from ..autograd.hooks import RemovableHandle

__all__ = ["IncompatibleKeys", "State", "StateDictError"]

EXTRA = "_extra_state"
ASSIGN = "assign_to_params_buffers"  # PyTorch's name for it in a module's metadata


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: the names that did not meet."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    def __str__(self) -> str:
        return repr(self)


class Change(NamedTuple):
    """One member of a module that a load is going to overwrite or replace."""

    module: Any
    name: str
    value: Any
    assign: bool

    def make(self) -> Callable[[], None]:
        """Do it; the result undoes it."""
        old = self.module.__dict__[self.name]
        if not self.assign:
            before = old.detach().clone()
            _copy(old, self.value)
            return lambda: _copy(old, before)
        value = self.value
        if isinstance(old, Parameter):
            if not isinstance(value, Parameter):
                value = Parameter(value, requires_grad=old.requires_grad)
            elif value.requires_grad != old.requires_grad:
                value.requires_grad_(old.requires_grad)
        self.module.__dict__[self.name] = value
        return lambda: self.module.__dict__.__setitem__(self.name, old)

    def make_for_good(self) -> None:
        """Do it without a way back, and so without a copy of what was there."""
        if self.assign:
            self.make()
        else:
            _copy(self.module.__dict__[self.name], self.value)


class ExtraChange(NamedTuple):
    """A module's extra state that a load is going to hand over."""

    module: Any
    value: Any

    def make(self) -> Callable[[], None]:
        """Do it; the result undoes it, where the module says what its extra state was."""
        told = type(self.module).get_extra_state is not State.get_extra_state
        old = self.module.get_extra_state() if told else None
        self.module.set_extra_state(self.value)
        return lambda: self.module.set_extra_state(old) if told else None


def _copy(target: Any, source: Any) -> None:
    with no_grad():
        target.copy_(source)


def _own_hooks(kind: str) -> property:
    """A module's own hooks of one kind by handle id, for programs that count them, or clear or replace all."""

    def get(self: Any) -> Any:
        return OrderedDict() if self._hooks is None else Functions(getattr(self._hooks, kind))

    def set(self: Any, hooks: Mapping[int, Any]) -> None:
        if self._hooks is None:
            self._hooks = ModuleHooks()
        table = getattr(self._hooks, kind)
        given = dict(hooks._table) if isinstance(hooks, Functions) else {key: Hook(hook) for key, hook in hooks.items()}
        table.clear()
        table.update(given)

    def delete(self: Any) -> None:
        if self._hooks is not None:
            getattr(self._hooks, kind).clear()

    return property(get, set, delete)


def _hooks_that(kind: str, option: str) -> property:
    """The ids of a module's hooks of one kind that were registered with an option."""

    def get(self: Any) -> Any:
        entries = {} if self._hooks is None else getattr(self._hooks, kind)
        return OrderedDict((key, True) for key, hook in entries.items() if getattr(hook, option))

    return property(get)


class State(Members):
    """The part of `Module` that writes and reads state_dicts."""

    _version: int = 1  # of the layout of a module's state, for subclasses that change theirs
    _hooks: ModuleHooks | None

    # ------------------------------------------------------------------ out

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """The parameters and persistent buffers of this module and those below it, by dotted name.

        Args:
            args: ``destination``, ``prefix`` and ``keep_vars`` by position, as older programs give them.
            destination: a dictionary to fill; a new one when left out.
            prefix: put before every name.
            keep_vars: the tensors themselves instead of detached ones. Either way they share the module's memory.

        Example:
            >>> import wengert as wg
            >>> list(wg.nn.Linear(2, 3).state_dict())
            ['weight', 'bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: state_dict(destination=..., prefix=...)",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and not prefix else prefix
            keep_vars = args[2] if len(args) > 2 and not keep_vars else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._hooks_of("state_dict_pre"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._own(MODULE):
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of("state_dict"):
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is not None:
                destination = replaced
        return destination  # type: ignore[no-any-return]

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own state, without that of its children, into ``destination``."""
        for kind in (PARAMETER, BUFFER):
            for name, value in self._own(kind):
                if value is not None:
                    destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What else belongs in the state_dict; a subclass that overrides it overrides `set_extra_state` too."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called. "
            f"{type(self).__name__} overrides set_extra_state() only; it needs both"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called. "
            f"{type(self).__name__} overrides get_extra_state() only; it needs both"
        )

    # ------------------------------------------------------------------ in

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy tensors into this module's parameters and buffers by dotted name.

        Args:
            state_dict: names to tensors, as `state_dict` gives them.
            strict: the names must be exactly those of this module.
            assign: put the tensors themselves in place of the module's, with their dtype and device.

        Returns:
            The missing and the unexpected names.

        Raises:
            RuntimeError: a shape differs, or, with ``strict``, a name. All are listed, and nothing was changed.
            TypeError: ``state_dict`` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        given = OrderedDict(state_dict)
        load = Load(strict, assign, {} if metadata is None else metadata)
        load.visit(self, given, "")
        keys = IncompatibleKeys(load.missing, load.unexpected)
        if load.fits():
            for change in load.changes:
                change.make_for_good()
            load.run_post_hooks()
            if load.fits():
                return keys
        elif load.post and not load.errors:  # these hooks may make the keys right, but expect the values to be there
            load.undo += [change.make() for change in load.changes]
            load.run_post_hooks()
            if load.fits():
                return keys
        for back in load.undo:
            back()
        raise StateDictError(load.message(type(self).__name__, list(self.state_dict()), given))

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own state, without that of its children; a subclass may override it.

        Within `load_state_dict`, the copies are noted in ``local_metadata`` and made when everything was compared.
        """
        load = Load(strict, local_metadata.get(ASSIGN, False), {})
        load.errors = error_msgs
        if strict:
            load.missing, load.unexpected = missing_keys, unexpected_keys
        later = local_metadata.get(CHANGES)
        if later is not None:
            load.changes, load.undo = later.changes, later.undo
        load.compare(self, state_dict, prefix)
        if later is None:
            for change in load.changes:
                change.make_for_good()

    # ------------------------------------------------------------------ hooks

    def _hooks_of(self, kind: str) -> list[Callable[..., Any]]:
        return [] if self._hooks is None else [hook.call for hook in getattr(self._hooks, kind).values()]

    def _add_hook(self, kind: str, hook: Callable[..., Any], **options: Any) -> RemovableHandle:
        if self._hooks is None:
            self._hooks = ModuleHooks()
        return self._hooks.add(kind, hook, **options)

    _forward_pre_hooks = _own_hooks("forward_pre")
    _forward_hooks = _own_hooks("forward")
    _backward_pre_hooks = _own_hooks("backward_pre")
    _backward_hooks = _own_hooks("backward")
    _state_dict_hooks = _own_hooks("state_dict")
    _state_dict_pre_hooks = _own_hooks("state_dict_pre")
    _load_state_dict_pre_hooks = _own_hooks("load_state_dict_pre")
    _load_state_dict_post_hooks = _own_hooks("load_state_dict_post")
    _forward_pre_hooks_with_kwargs = _hooks_that("forward_pre", "with_kwargs")
    _forward_hooks_with_kwargs = _hooks_that("forward", "with_kwargs")
    _forward_hooks_always_called = _hooks_that("forward", "always_call")

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before this module's state is collected."""
        return self._add_hook("state_dict_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` afterwards; it may change ``state_dict``."""
        return self._add_hook("state_dict", WithoutResult(hook))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return self._add_hook("state_dict", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` first.

        It may change the dictionary, which is a copy of the user's.
        """
        return self._add_hook("load_state_dict_pre", hook)

    def _register_load_state_dict_pre_hook(self, hook: Any, with_module: bool = False) -> RemovableHandle:
        return self._add_hook("load_state_dict_pre", hook if with_module else WithoutModule(hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` when this module was loaded; it may change the lists of names."""
        return self._add_hook("load_state_dict_post", hook)


CHANGES = "changes"  # under which a load that collects changes is in a module's metadata


class Load:
    """One load: what it found, and what it is going to change."""

    def __init__(self, strict: bool, assign: bool, metadata: Mapping[str, Any]) -> None:
        self.strict, self.assign, self.metadata = strict, assign, metadata
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []
        self.changes: list[Change] = []
        self.undo: list[Callable[[], None]] = []  # of what could not wait
        self.post: list[tuple[Any, Callable[..., Any]]] = []

    def fits(self) -> bool:
        """Whether nothing stands against the load."""
        return not self.errors and not (self.strict and (self.missing or self.unexpected))

    def visit(self, module: Any, given: dict[str, Any], prefix: str) -> None:
        """Let a module and those below it compare their state with what is given."""
        local_metadata = dict(self.metadata.get(prefix[:-1], {}))
        local_metadata[CHANGES] = self
        if self.assign:
            local_metadata[ASSIGN] = True
        arguments = (given, prefix, local_metadata, True, self.missing, self.unexpected, self.errors)
        for hook in module._hooks_of("load_state_dict_pre"):
            hook(module, *arguments)
        module._load_from_state_dict(*arguments)
        for name, child in module._own(MODULE):
            if child is not None:
                below = f"{prefix}{name}."
                self.visit(child, {key: value for key, value in given.items() if key.startswith(below)}, below)
        self.post += [(module, hook) for hook in module._hooks_of("load_state_dict_post")]

    def run_post_hooks(self) -> None:
        """Those of the modules below run first."""
        keys = IncompatibleKeys(self.missing, self.unexpected)
        for module, hook in self.post:
            if hook(module, keys) is not None:
                raise RuntimeError("Hooks registered with register_load_state_dict_post_hook must not return a value")

    def compare(self, module: Any, given: dict[str, Any], prefix: str) -> None:
        """Compare one module's own state with what is given."""
        own = {name: value for kind in (PARAMETER, BUFFER) for name, value in module._own(kind) if value is not None}
        for name, value in own.items():
            key = prefix + name
            if key not in given:
                self.missing.append(key)
            elif (error := mismatch(key, value, given[key])) is not None:
                self.errors.append(error)
            else:
                source = given[key]
                if source._data.shape == (1,) and value._data.ndim == 0:
                    source = source.reshape(())  # a number from a file older than 0-d tensors
                self.changes.append(Change(module, name, source, self.assign))
        extra = prefix + EXTRA
        if type(module).set_extra_state is not State.set_extra_state:
            if extra in given:
                self.undo.append(ExtraChange(module, given[extra]).make())  # now: it may bring the module new children
            else:
                self.missing.append(extra)
        elif extra in given:
            self.unexpected.append(extra)
        children = dict(module._own(MODULE))
        for key in given:
            if key.startswith(prefix) and key != extra:
                name, dot, _ = key[len(prefix) :].partition(".")
                if name not in (children if dot else own):
                    self.unexpected.append(key)

    def message(self, what: str, expected: list[str], given: dict[str, Any]) -> str:
        """Everything that is wrong, in PyTorch's words, and what it may come from."""
        errors = list(self.errors)
        if self.strict:
            if self.unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {quoted(self.unexpected)}. ")
            if self.missing:
                errors.insert(0, f"Missing key(s) in state_dict: {quoted(self.missing)}. ")
        hint = hint_for(self.missing, self.unexpected, expected, given) if self.strict else ""
        return "\n\t".join([f"Error(s) in loading state_dict for {what}:", *errors, *([hint] if hint else [])])
