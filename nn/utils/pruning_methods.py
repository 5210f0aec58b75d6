"""The ways to choose what is pruned: a class each, an object of which is the hook that masks a parameter."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from ...autograd import ops


class BasePruningMethod(ABC):
    """A way to choose what is pruned: a subclass writes ``compute_mask`` and ``PRUNING_TYPE``.

    An object of it is the hook that computes the pruned tensor before each ``forward``.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        set_plain(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask of ``t``: ``default_mask`` with further zeros."""

    def apply_mask(self, module: Any) -> Any:
        """The pruned tensor of a module: the original one times the mask."""
        mask = getattr(module, f"{self._tensor_name}_mask")
        original = getattr(module, f"{self._tensor_name}_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune the tensor ``name`` of a module, on top of what is pruned already.

        Args:
            module: its owner.
            name: its name.
            *args: for the constructor.
            **kwargs: for the constructor.
            importance_scores: what is small goes first, by these instead of the tensor's own values.

        Returns:
            The hook.

        Raises:
            ValueError: the scores are not of the tensor's shape, or an amount is out of range.
        """
        method, older = cls(*args, **kwargs), hook_of(module, name)
        method._tensor_name = name
        if older is not None:
            key, before = older
            container = before if isinstance(before, PruningContainer) else PruningContainer(before)
            container.add_pruning_method(method)
            method = container
        original = getattr(module, f"{name}_orig" if older is not None else name)
        current = getattr(module, name)
        scores = current if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}: {list(scores.shape)}, "
                f"{list(original.shape)}"
            )
        default = getattr(module, f"{name}_mask") if older is not None else ops.ones_like(original)
        mask = method.compute_mask(scores.detach(), default_mask=default.detach())
        if older is not None:
            module._hooks.forward_pre.pop(key)
        else:
            delattr(module, name)
            module.register_parameter(f"{name}_orig", original)
        module.register_buffer(f"{name}_mask", mask)
        set_plain(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """``t`` times its mask.

        Args:
            t: a tensor.
            default_mask: what is pruned already; nothing when left out.
            importance_scores: what is small goes first, by these instead of ``t``.
        """
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        return t * self.compute_mask(scores, default_mask=ops.ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Any) -> None:
        """Make the pruned tensor the parameter; the hook, the mask and the original go."""
        pruned, name = self.apply_mask(module), self._tensor_name
        if hasattr(module, name):
            delattr(module, name)
        original = getattr(module, f"{name}_orig")
        original.data = pruned.detach()
        delattr(module, f"{name}_orig")
        delattr(module, f"{name}_mask")
        setattr(module, name, original)


def set_plain(module: Any, name: str, value: Any) -> None:
    """Let a computed tensor be an attribute, which no list of parameters shows."""
    object.__setattr__(module, name, value)


def hook_of(module: Any, name: str) -> Any:
    """The id and the hook that prunes ``name``, or None."""
    for key, entry in ({} if module._hooks is None else module._hooks.forward_pre).items():
        if isinstance(entry.call, BasePruningMethod) and entry.call._tensor_name == name:
            return key, entry.call
    return None


class PruningContainer(BasePruningMethod):
    """Several prunings of one tensor, one after another.

    Args:
        args: the first pruning, or several of them.
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        many = list(args[0]) if len(args) == 1 and isinstance(args[0], Iterable) else list(args)
        if many:
            self._tensor_name = many[0]._tensor_name
        for method in many:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a pruning, which must be of the same tensor.

        Raises:
            TypeError: it is none. ValueError: it is of another tensor.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods = (*self._pruning_methods, method)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask with what the last pruning adds: it chooses among what is left."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left: Any = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim: int = method.dim % t.ndim
            kept = mask.sum([d for d in range(t.ndim) if d != dim]) != 0 if t.ndim > 1 else mask != 0
            left = (slice(None),) * dim + (kept,)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        new = mask.clone()
        new[left] = method.compute_mask(t[left], default_mask=mask[left]).to(dtype=t.dtype)
        return new


class Identity(BasePruningMethod):
    """Nothing is pruned; the mask is there."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask as it is."""
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Elements at random.

    Args:
        amount: how many of them, or which share between 0 and 1.
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        check_amount(amount)
        self.amount = amount

    def _order(self, t: Any) -> Any:
        return ops.rand(t.numel(), device=t.device)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask with zeros at the elements that come first."""
        count = _count(self.amount, t.numel())
        mask = default_mask.clone().contiguous()
        if count:
            _, first = ops.topk(self._order(t), k=count, largest=False)
            mask.view(-1)[first] = 0
        return mask


class L1Unstructured(RandomUnstructured):
    """The smallest elements.

    Args:
        amount: how many of them, or which share between 0 and 1.
    """

    def _order(self, t: Any) -> Any:
        return ops.abs(t).reshape(-1)


class RandomStructured(BasePruningMethod):
    """Whole slices along a dimension, at random.

    Args:
        amount: how many of them, or which share between 0 and 1.
        dim: the dimension.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        check_amount(amount)
        self.amount, self.dim = amount, dim

    def _order(self, t: Any) -> Any:
        return ops.rand(t.shape[self.dim], device=t.device)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask with zeros at the slices that come first."""
        _check_structured(t)
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {list(t.shape)}")
        size = t.shape[self.dim]
        count = _count(self.amount, size)
        if not count:
            return default_mask
        _, kept = ops.topk(self._order(t), k=size - count, largest=True)
        mask = ops.zeros_like(t)
        mask[(slice(None),) * (self.dim % t.ndim) + (kept,)] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class LnStructured(RandomStructured):
    """The slices along a dimension that have the smallest norm.

    Args:
        amount: how many of them, or which share between 0 and 1.
        n: which norm.
        dim: the dimension.
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _order(self, t: Any) -> Any:
        return ops.norm(t, p=self.n, dim=[d for d in range(t.ndim) if d != self.dim % t.ndim])


class CustomFromMask(BasePruningMethod):
    """What a mask says.

    Args:
        mask: zeros and ones.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Both masks together."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError("default_mask and mask must have the same shape")
        return default_mask * self.mask.to(dtype=default_mask.dtype)


def check_amount(amount: Any) -> None:
    """Whether an amount is a number of elements, or a share of them."""
    number: Any = amount
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if (whole and number < 0) or (not whole and not 0.0 <= number <= 1.0):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _count(amount: Any, size: int) -> int:
    """How many of ``size`` an amount means."""
    check_amount_of(amount, size)
    return amount_of(amount, size)


def check_amount_of(amount: Any, tensor_size: int) -> None:
    """Whether a tensor has as many elements as are to go."""
    if isinstance(amount, numbers.Integral) and int(amount) > tensor_size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={tensor_size}")


def amount_of(amount: Any, tensor_size: int) -> int:
    """The number of elements that an amount, a number or a share, means."""
    return int(amount) if isinstance(amount, numbers.Integral) else round(float(amount) * tensor_size)


def _check_structured(t: Any) -> None:
    if t.ndim <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{list(t.shape)} with {t.ndim} dims"
        )
