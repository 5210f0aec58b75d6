"""The steps from the original tensors to a parametrized one, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...autograd.base import TensorBase
from ...autograd.grad_mode import no_grad
from ..containers import ModuleList
from ..parameter import Parameter

if TYPE_CHECKING:
    from ..module import Module


def register_tensor(module: Module, name: str, tensor: Any) -> None:
    """Add a `Parameter` as a parameter, and another tensor as a buffer."""
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


class ParametrizationList(ModuleList):
    """What one tensor is computed from, as ``original`` or ``original0``, ``original1``, ..., and the steps.

    Args:
        modules: the steps; the first is called with the originals, each further one with the result before.
        original: the tensor that becomes parametrized; the steps' ``right_inverse`` turn it into the originals.
        unsafe: the steps may change shape and dtype, which is not checked then.

    Raises:
        ValueError: there are no steps, or they change the shape or dtype.
    """

    original: Any
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        start: Any = original
        new: Any = original
        with no_grad():
            for module in reversed(list(self)):
                new = _inverse(module, new)
        self.is_tensor = isinstance(new, TensorBase)
        self.ntensors = 1 if self.is_tensor else len(_sequence(new))
        if self.is_tensor:
            self._check_one(start, new)
            if new is not start:
                set_values(start, new)
            register_tensor(self, "original", start)
        else:
            for i, part in enumerate(_sequence(new)):
                if not isinstance(part, TensorBase):
                    raise ValueError(
                        f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                        f"{i} of the sequence with type {type(part).__name__}."
                    )
                kept: Any = Parameter(part, requires_grad=False) if isinstance(start, Parameter) else part
                register_tensor(self, f"original{i}", kept.requires_grad_(start.requires_grad))
        if not unsafe:
            self._check_result(start)

    def _check_one(self, original: Any, new: Any) -> None:
        if original.dtype is not new.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
            )
        if original.device != new.device:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the device.\n"
                f"original.device: {original.device}\nright_inverse(original).device: {new.device}"
            )

    def _check_result(self, original: Any) -> None:
        with no_grad():
            result = self()
        if not isinstance(result, TensorBase):
            raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
        for what in ("dtype", "shape"):
            before, after = getattr(original, what), getattr(result, what)
            if before != after:
                raise ValueError(
                    f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is "
                    f"enabled.\nunparametrized {what}: {before}\nparametrized {what}: {after}"
                )

    def right_inverse(self, value: Any) -> None:
        """Set the originals so that the tensor becomes ``value``: what assigning to it does.

        Raises:
            RuntimeError: a step has no ``right_inverse``. ValueError: it does not give what it gave before.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse, so its tensor "
                        "cannot be assigned to"
                    )
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, TensorBase):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
                self._check_one(self.original, value)
                set_values(self.original, value)
                return
            values = _sequence(value)
            if len(values) != self.ntensors:
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors of length "
                    f"{self.ntensors}. Got a sequence of length {len(values)}."
                )
            for i, part in enumerate(values):
                set_values(getattr(self, f"original{i}"), part)

    def forward(self) -> Any:
        """The tensor."""
        steps = iter(self)
        originals = [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]
        x = next(steps)(*originals)
        for step in steps:
            x = step(x)
        return x


def _inverse(module: Module, value: Any) -> Any:
    if not hasattr(module, "right_inverse"):
        return value
    try:
        return module.right_inverse(value)
    except NotImplementedError:
        return value


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, Sequence):
        raise ValueError(
            "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
            f"Got {type(value).__name__}"
        )
    return value


def set_values(target: Any, value: Any) -> None:
    """Let ``target`` stay the same object, with other values: optimizers hold it."""
    target.data = value.detach()
