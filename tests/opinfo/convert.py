"""From PyTorch's objects to wengert's: tensors, types, and functions with wengert in torch's place."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import types
from typing import Any

import ml_dtypes
import numpy as np
import torch

import wengert as wg
from wengert.autograd.base import wrap


class Missing(Exception):
    """wengert lacks a name."""


class Unconvertible(Exception):
    """An argument that only PyTorch has."""


def name_of(dtype: Any) -> str:
    """``float32`` of ``torch.float32`` and of ``wengert.float32``."""
    return str(dtype).split(".")[-1]


def numpy_type(t: torch.Tensor) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16 if t.dtype == torch.bfloat16 else name_of(t.dtype))


def to_array(t: torch.Tensor) -> np.ndarray:
    """A copy of a torch tensor's memory as an array with the same strides."""
    t = t.detach().resolve_conj().resolve_neg()
    if t.numel() == 0:
        memory = np.empty(0, numpy_type(t))
    else:
        length = 1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
        flat = t.as_strided((length,), (1,), t.storage_offset())
        flat = flat.view(torch.int16) if t.dtype == torch.bfloat16 else flat
        memory = np.array(flat.numpy()).view(numpy_type(t))
    return np.ndarray(tuple(t.shape), memory.dtype, memory, 0, [s * memory.itemsize for s in t.stride()])


def twin(t: torch.Tensor) -> torch.Tensor:
    """The same values at the same strides, in memory of its own."""
    copy = t.detach().clone(memory_format=torch.preserve_format)
    if copy.stride() == t.stride() or not t.numel():
        return copy
    length = 1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
    memory = torch.empty(length, dtype=t.dtype)
    memory.copy_(t.detach().as_strided((length,), (1,)))
    return memory.as_strided(t.shape, t.stride())


def fresh(x: Any) -> Any:
    """Nested arguments with new torch leaves, so that no run sees another's writes."""
    if isinstance(x, torch.Tensor):
        return x if x.layout != torch.strided else twin(x).requires_grad_(x.requires_grad)
    if isinstance(x, list | tuple) and not isinstance(x, torch.Size) and not hasattr(x, "_fields"):
        return type(x)(map(fresh, x))
    return {k: fresh(v) for k, v in x.items()} if isinstance(x, dict) else x


class Converter:
    """Turns nested arguments into wengert's, and remembers which tensor became which."""

    def __init__(self) -> None:
        self.pairs: list[tuple[torch.Tensor, Any]] = []

    def __call__(self, x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            return self.tensor(x)
        if isinstance(x, torch.dtype | torch.memory_format | torch.layout):
            name = str(x).removeprefix("torch.")
            if not hasattr(wg, name):
                raise Unconvertible(name)
            return getattr(wg, name)
        if isinstance(x, torch.device):
            return wg.device(str(x))
        if isinstance(x, torch.Size):
            return wg.Size(x)
        if isinstance(x, torch.Generator):
            return wg.Generator()
        if isinstance(x, list | tuple):
            return type(x)(*map(self, x)) if hasattr(x, "_fields") else type(x)(map(self, x))
        if isinstance(x, dict):
            return {k: self(v) for k, v in x.items()}
        if isinstance(x, slice):
            return slice(self(x.start), self(x.stop), self(x.step))
        if type(x).__name__ == "LinearCrossEntropyOptions":
            return lookup("nn.LinearCrossEntropyOptions")(**dataclasses.asdict(x))
        return counterpart(x) if callable(x) and not isinstance(x, type) else x

    def tensor(self, x: torch.Tensor) -> Any:
        for theirs, ours in self.pairs:
            if theirs is x:
                return ours
        if x.dtype == torch.complex32 or x.ndim > 64 or x.device.type != "cpu":
            raise Unconvertible(f"{x.ndim} dimensions, {x.dtype}, {x.device}")
        ours = wrap(to_array(x)) if x.layout == torch.strided else self.sparse(x)
        if x.requires_grad:
            ours.requires_grad_()
        self.pairs.append((x, ours))
        return ours

    def sparse(self, x: torch.Tensor) -> Any:
        """The same pattern and values."""
        x = x.detach()
        if x.layout == torch.sparse_coo:
            made = wg.sparse_coo_tensor(self(x._indices()), self(x._values()), tuple(x.shape))
            return made._coalesced_(True) if x.is_coalesced() else made
        if x.layout == torch.sparse_csr:
            parts = x.crow_indices(), x.col_indices(), x.values()
            return wg.sparse_csr_tensor(*map(self, parts), tuple(x.shape))
        raise Unconvertible(str(x.layout))


def lookup(path: str) -> Any:
    """What stands at a dotted path below wengert."""
    space: Any = wg
    for part in path.split("."):
        try:
            space = getattr(space, part)
        except (AttributeError, ImportError):
            raise Missing(path) from None
    return space


SPACES = ("", "Tensor.", "linalg.", "fft.", "special.", "nn.functional.", "signal.windows.", "sparse.", "masked.")


@functools.cache
def paths() -> dict[int, str]:
    """Where each of PyTorch's public functions is found, by identity."""
    found: dict[int, str] = {}
    for prefix in SPACES:
        space: Any = torch
        for part in filter(None, prefix.split(".")):
            space = getattr(space, part)
        for name in dir(space):
            with contextlib.suppress(Exception):  # some attributes of a module cannot be read
                value = getattr(space, name)
                if callable(value) and not name.startswith("__"):
                    found.setdefault(id(value), prefix + name)
    return found


def counterpart(fn: Any) -> Any:
    """The same function with wengert in torch's place."""
    path = paths().get(id(fn))
    if path is not None:
        return lookup(path)
    if isinstance(fn, functools.partial):
        convert = Converter()
        return functools.partial(counterpart(fn.func), *map(convert, fn.args), **convert(fn.keywords))
    if isinstance(fn, types.FunctionType):
        return rebound(fn)
    if isinstance(fn, torch.nn.Module):
        return lookup(f"nn.{type(fn).__name__}")()
    if getattr(fn, "__objclass__", None) is torch._C.TensorBase or "Tensor" in getattr(fn, "__qualname__", ""):
        return lookup(f"Tensor.{fn.__name__}")
    if getattr(fn, "__module__", "") in ("_operator", "builtins", "math") or type(fn).__module__ == "operator":
        return fn
    if hasattr(fn, "__wrapped__"):
        return counterpart(fn.__wrapped__)
    raise Unconvertible(repr(fn))


class Torch(types.ModuleType):
    """wengert under the name torch."""

    def __getattr__(self, name: str) -> Any:
        return lookup(name)


# Seeding is of no use: the two draw differently.
STAND_INS: dict[str, Any] = {
    "wrapper_set_seed": lambda op, *args, **kwargs: op(*args, **kwargs),
    "freeze_rng_state": contextlib.nullcontext,
}


def unseeded(fn: Any) -> Any:
    """A function of PyTorch's table without the seeding in it."""
    if not isinstance(fn, types.FunctionType):
        return fn
    return types.FunctionType(
        fn.__code__, {**fn.__globals__, **STAND_INS}, fn.__name__, fn.__defaults__, fn.__closure__
    )


def rebound(fn: types.FunctionType) -> types.FunctionType:
    """A Python function whose globals and closure know wengert instead of torch."""
    scope = {**fn.__globals__, "torch": Torch("torch"), "F": wg.nn.functional, **STAND_INS}
    for name in fn.__code__.co_names:
        value = scope.get(name)
        if name not in STAND_INS and isinstance(value, types.FunctionType) and value is not fn:
            with contextlib.suppress(Unconvertible, Missing):
                scope[name] = counterpart(value) if value.__module__.startswith("torch") else value
    cells = tuple(types.CellType(in_closure(cell.cell_contents)) for cell in fn.__closure__ or ())
    new = types.FunctionType(fn.__code__, scope, fn.__name__, fn.__defaults__, cells)
    new.__kwdefaults__ = fn.__kwdefaults__
    return new


def in_closure(value: Any) -> Any:
    if type(value).__name__.endswith("OpInfo") or isinstance(value, type):
        return value
    known = callable(value) or isinstance(value, torch.Tensor | torch.dtype | list | tuple)
    return Converter()(value) if known else value
