"""``Module``: the base class of everything that has parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..autograd.grad_mode import no_grad
from ..backends import Device
from ..backends.call_site import warn
from ..backends.dtypes import DType, bfloat16, float16, float32, float64
from ..backends.errors import ArgumentError
from .conversion import converted, parse_to
from .hooks import ModuleHooks, active, call_with_hooks
from .members import BUFFERS, MODULE, PARAMETER
from .state import State
from .torch_state import from_torch, is_from_torch
from .uninitialized import is_lazy
from .whereabouts import say_where

if TYPE_CHECKING:
    from ..autograd.hooks import RemovableHandle
    from ..autograd.tensor import Tensor

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class Module(State):
    """A part of a model: parameters, buffers, further modules, and ``forward``, which says what it computes.

    A subclass calls ``super().__init__()``, assigns what it is made of to attributes, and writes ``forward``.
    Parameters and modules register themselves when they are assigned.

    Attributes:
        training: True in training, False in evaluation; `train` and `eval` set it for all modules below too.

    Example:
        >>> import wengert as wg
        >>> class Model(wg.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = wg.nn.Linear(4, 8)
        ...         self.out = wg.nn.Linear(8, 2)
        ...     def forward(self, x):
        ...         return self.out(self.hidden(x).relu())
        >>> Model()(wg.ones(3, 4)).shape
        wengert.Size([3, 2])
    """

    training: bool
    dump_patches: bool = False  # PyTorch's, and without effect
    call_super_init: bool = False  # True lets a mixin after Module in the bases be initialised by it
    _hooks: ModuleHooks | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            what = f"an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else f"{len(args)} arguments"
            raise TypeError(f"{type(self).__name__}.__init__() got {what}; nn.Module takes none")
        self.__dict__["_kinds"] = {}
        self.__dict__["training"] = True
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; a subclass writes it, and ``module(x)`` calls it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks is None and not active:
                return self.forward(*args, **kwargs)
            return call_with_hooks(self, args, kwargs)
        except Exception as error:
            say_where(error, self)
            raise

    _call_impl = _wrapped_call_impl = __call__  # PyTorch's names, which some programs call

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(from_torch(self, state) if is_from_torch(state) else state)
        self.__dict__["_kinds"] = dict(self._kinds)  # a shallow copy must be able to register members of its own

    # ------------------------------------------------------------------ hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns takes the place of the arguments.

        Args:
            hook: the function; with ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns a pair.
            prepend: run it before the hooks that are there.
            with_kwargs: show it the keyword arguments.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook("forward_pre", hook, prepend=prepend, with_kwargs=with_kwargs)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns takes the place of the output.

        Args:
            hook: the function; with ``with_kwargs`` it is ``hook(module, args, kwargs, output)``.
            prepend: run it before the hooks that are there.
            with_kwargs: show it the keyword arguments.
            always_call: run it also when ``forward`` raised.

        Example:
            >>> import wengert as wg
            >>> seen = []
            >>> model = wg.nn.Identity()
            >>> handle = model.register_forward_hook(lambda module, args, output: seen.append(output.shape))
            >>> _ = model(wg.ones(2, 3))
            >>> seen
            [wengert.Size([2, 3])]
            >>> handle.remove()
        """
        return self._add_hook("forward", hook, prepend=prepend, with_kwargs=with_kwargs, always_call=always_call)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before this module's backward; it may return new gradients."""
        return self._add_hook("backward_pre", hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after this module's backward.

        It may return new gradients of the inputs. Both are tuples, one entry for each positional argument and for each
        output, None for those that are no tensors.

        Raises:
            RuntimeError: there is a hook of `register_backward_hook`.
        """
        self._refuse_mixture("backward_plain")
        return self._add_hook("backward", hook, prepend=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after the backward of the last operation of ``forward``.

        It sees the gradients of that operation's inputs, not of the module's: `register_full_backward_hook` is what is
        wanted nearly always.

        Raises:
            RuntimeError: there is a hook of `register_full_backward_hook`.
        """
        self._refuse_mixture("backward")
        return self._add_hook("backward_plain", hook)

    def _refuse_mixture(self, other: str) -> None:
        if self._hooks is not None and getattr(self._hooks, other):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )

    # ------------------------------------------------------------------ modes

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it into training (dropout drops, batch norm uses the batch), or out of it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """Put this module and all below it into evaluation."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Ask for gradients of all parameters, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or, without ``set_to_none``, fill them with zeros."""
        for parameter in self.parameters():
            grad = parameter._grad
            if grad is not None:
                parameter._grad = None if set_to_none else grad.detach().zero_()

    # ------------------------------------------------------------------ dtype and device

    def _apply(self: M, fn: Callable[[Any], Any], recurse: bool = True) -> M:
        """Put ``fn(tensor)`` in the place of every parameter, its gradient, and every buffer."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        with no_grad():
            for name, parameter in self._own(PARAMETER):
                if parameter is not None:
                    self.__dict__[name] = converted(parameter, fn)
            for name, buffer in self._own(*BUFFERS):
                if buffer is not None:
                    self.__dict__[name] = fn(buffer)
        return self

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` with every module below this one, and then with this one.

        Example:
            >>> import wengert as wg
            >>> _ = wg.nn.Linear(2, 2).apply(lambda m: wg.nn.init.zeros_(m.weight))
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Move all parameters and buffers to a device, convert the floating ones to a dtype, or both.

        Args:
            args: a device, a dtype, both in this order, or a tensor whose dtype and device are taken.
            kwargs: ``device``, ``dtype``, ``tensor``, ``non_blocking``, ``memory_format``.

        Raises:
            TypeError: the dtype is neither floating nor complex, or an argument is of another kind. RuntimeError:
                ``copy`` is asked for, which a module has no use for.

        Example:
            >>> import wengert as wg
            >>> wg.nn.Linear(2, 2).to(wg.float64).weight.dtype
            wengert.float64
        """
        device, dtype, options = parse_to(*args, **kwargs)
        if dtype is not None and dtype.is_complex:
            warn(
                "Complex modules are a new feature under active development whose design may change, and some modules "
                "might not work as expected when using complex tensors as parameters or buffers."
            )
        layout = options.pop("memory_format", None)  # only of what has the dimensions of images

        def convert(t: Tensor) -> Tensor:
            chosen = dtype if dtype is not None and (t.dtype.is_floating_point or t.dtype.is_complex) else None
            if layout is not None and t.ndim in (4, 5):
                return t.to(device=device, dtype=chosen, memory_format=layout, **options)
            return t.to(device=device, dtype=chosen, **options)

        return self._apply(convert)

    def type(self: M, dst_type: Any) -> M:
        """Convert all parameters and buffers, integer ones too, to a dtype, or to that of a class of tensors."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self: M) -> M:
        """Move to main memory."""
        return self.to("cpu")

    def cuda(self: M, device: Any = None) -> M:
        """Move to a CUDA device."""
        return self.to(Device("cuda") if device is None else Device(device))

    def ipu(self: M, device: Any = None) -> M:
        """For PyTorch's sake: there is no such backend."""
        raise ArgumentError("wengert is not linked with support for ipu devices")

    def xpu(self: M, device: Any = None) -> M:
        """For PyTorch's sake: there is no such backend."""
        raise AssertionError("wengert not compiled with XPU enabled")

    def float(self: M) -> M:
        """Convert the floating parameters and buffers to float32."""
        return self._floating(float32)

    def double(self: M) -> M:
        """Convert the floating parameters and buffers to float64."""
        return self._floating(float64)

    def half(self: M) -> M:
        """Convert the floating parameters and buffers to float16."""
        return self._floating(float16)

    def bfloat16(self: M) -> M:
        """Convert the floating parameters and buffers to bfloat16."""
        return self._floating(bfloat16)

    def _floating(self: M, dtype: DType) -> M:
        return self._apply(lambda t: t.to(dtype=dtype) if t.dtype.is_floating_point else t)

    def to_empty(self: M, *, device: Any, recurse: bool = True) -> M:
        """Move to a device without the values, which are arbitrary afterwards."""
        return self._apply(lambda t: t.new_empty(t.shape, device=device), recurse=recurse)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: a compiled module computes what the plain one does. It is here for programs that call it."""

    def share_memory(self: M) -> M:
        """Move parameters, their gradients and buffers to memory that processes see which are started later.

        Raises:
            RuntimeError: a parameter or buffer has no shape yet.
        """
        tensors: list[Any] = [*self.parameters(), *self.buffers()]
        if any(is_lazy(t) for t in tensors):
            raise RuntimeError(
                "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the "
                "parameters before calling `module.share_memory()`."
            )
        for t in tensors:
            t.share_memory_()
            if t._grad is not None:
                t._grad.share_memory_()
        return self

    def _replicate_for_data_parallel(self: M) -> M:
        """A copy with the same buffers, children and hooks and without parameters, which a caller sets as it likes."""
        replica = type(self).__new__(type(self))
        replica.__dict__.update(self.__dict__)
        replica.__dict__["_kinds"] = {name: kind for name, kind in self._kinds.items() if kind != PARAMETER}
        for name, _ in self._own(PARAMETER):
            del replica.__dict__[name]
        replica.__dict__["_is_replica"] = True
        return replica

    # ------------------------------------------------------------------ how it prints

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What `repr` shows between the parentheses; a subclass overrides it to show its settings."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(module))}" for name, module in self._own(MODULE)]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        if not lines and not children:
            return f"{self._get_name()}()"
        return "\n  ".join([f"{self._get_name()}(", *lines, *children]) + "\n)"


def indented(text: str, by: int = 2) -> str:
    """``text`` with all lines but the first moved to the right."""
    return text.replace("\n", "\n" + " " * by)
