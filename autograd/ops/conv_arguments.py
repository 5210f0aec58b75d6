"""What convolutions ask of their arguments: sizes, padding, ranks, channels and types."""

from __future__ import annotations

import operator
from typing import Any

from ...backends.call_site import warn
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DeviceError, DTypeError, ShapeError
from ..admission import c_name, scalar_type, unsupported
from ..base import TensorBase

Ints = tuple[int, ...]


Pairs = tuple[tuple[int, int], ...]


def per_dim(op: str, name: str, value: Any, n: int, least: int = 1) -> Ints:
    """One number per spatial dimension from a number or a sequence of them.

    Raises:
        RuntimeError: the wrong number of them, or one is too small. TypeError: these are no whole numbers.
    """
    if isinstance(value, int):
        values: Ints = (value,) * n
    else:
        try:
            values = tuple(map(operator.index, value if hasattr(value, "__len__") else (value,)))
        except TypeError as error:
            kind = type(value).__name__
            raise TypeError(f"{op}(): argument '{name}' must be tuple of ints, not {kind} ({value!r})") from error
        values *= n if len(values) == 1 else 1
    if len(values) != n:
        raise ShapeError(
            f"{op}: expected {name} to be a single integer value or a list of {n} values to match the convolution "
            f"dimensions, but got {name}={list(values)}"
        )
    if any(v < least for v in values):
        kind = {0: "negative", 1: "non-positive"}[least]
        hint = "dilation should be greater than zero, but got " if name == "dilation" else f"got {name}="
        raise ShapeError(f"{op}: {kind} {name} is not supported, {hint}{list(values)}")
    return values


def paddings(op: str, padding: Any, kernel: Ints, stride: Ints, dilation: Ints) -> Pairs:
    """What is put before and behind each spatial dimension.

    Raises:
        RuntimeError: ``padding`` is no known word, or does not go with the stride.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(kernel)
        if padding != "same":
            raise ShapeError(f"{op}: Invalid padding string: {padding!r}, should be one of 'valid', 'same'")
        if any(s != 1 for s in stride):
            raise ShapeError(f"{op}: padding='same' is not supported for strided convolutions (stride={list(stride)})")
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        if any(t % 2 for t in totals):
            warn(
                "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the "
                "input be created"
            )
        return tuple((t // 2, t - t // 2) for t in totals)
    return tuple((p, p) for p in per_dim(op, "padding", padding, len(kernel), 0))


def check_ranks(op: str, n: int, input: Any, weight: Any, bias: Any) -> None:
    """Check that these are tensors, and their numbers of dimensions."""
    for name, value in (("input", input), ("weight", weight), ("bias", bias)):
        if not isinstance(value, TensorBase) and (value is not None or name != "bias"):
            raise TypeError(
                f"{op}() received an invalid combination of arguments: argument '{name}' must be Tensor, not "
                f"{type(value).__name__}"
            )
    x, w = input._data, weight._data
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {op}, but got input of size: {list(x.shape)}"
        )
    if w.ndim < 3:
        raise ShapeError(f"{op}: weight should have at least three dimensions, but its shape is {list(w.shape)}")
    if w.ndim != n + 2:
        raise ShapeError(
            f"{op}: Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight{list(w.shape)}, but got "
            f"{n + 2}-dimensional input of size {[*[1] * (n + 2 - x.ndim), *x.shape]} instead"
        )


def check_channels(op: str, n: int, x: Any, w: Any, b: Any, groups: int, transposed: bool) -> None:
    """Check groups, channels and bias against the weight."""
    weight, shape = list(w.shape), [*[1] * (n + 2 - x.ndim), *x.shape]
    if groups < 1:
        raise ShapeError(f"{op}: non-positive groups is not supported, got groups={groups}")
    if w.shape[0] < groups or w.shape[0] % groups:
        kind = "at least" if w.shape[0] < groups else "divisible by"
        raise ShapeError(
            f"{op}: Given groups={groups}, expected weight to be {kind} {groups} at dimension 0, but got weight "
            f"of size {weight} instead"
        )
    given = "transposed=1" if transposed else f"groups={groups}"
    channels, outputs = (w.shape[0], w.shape[1] * groups) if transposed else (w.shape[1] * groups, w.shape[0])
    if shape[1] != channels:
        raise ShapeError(
            f"{op}: Given {given}, weight of size {weight}, expected input{shape} to have {channels} channels, "
            f"but got {shape[1]} channels instead; "
            + (
                "they seem to be last: move them with movedim(-1, 1)"
                if shape[-1] == channels
                else f"make the layer with in_channels={shape[1]}, or bring the input to {channels}"
            )
        )
    if b is not None and b.shape != (outputs,):
        raise ShapeError(
            f"{op}: Given {'transposed=1, ' if transposed else ''}weight of size {weight}, expected bias to be "
            f"1-dimensional with {outputs} elements, but got bias of size {list(b.shape)} instead"
        )


def check_types(op: str, input: Any, weight: Any, bias: Any, integers: tuple[str, ...]) -> None:
    """Check that the operands are of one element type, which the op knows, and on one device."""
    x = input._data
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value._data.dtype != x.dtype:
            name = name if bias is None or bias._data.dtype == x.dtype else "bias"  # PyTorch names the bias
            ours, theirs = c_name(x.dtype), c_name(value._data.dtype)
            raise DTypeError(
                f"{op}: Input type ({ours}) and {name} type ({theirs}) should be the same (expected scalar type "
                f"{scalar_type(FROM_NUMPY[x.dtype])} but found {scalar_type(FROM_NUMPY[value._data.dtype])}); convert "
                "one of them, for example with .to(other.dtype)"
            )
        if value is not None and type(value._data) is not type(x) and value.device != input.device:
            raise DeviceError(
                f"{op}: Expected all tensors to be on the same device, but found {input.device} and {value.device}; "
                f"move one with .to({str(input.device)!r})"
            )
    if x.dtype.kind not in "fcV" and x.dtype.name not in integers:
        raise unsupported(op, FROM_NUMPY[x.dtype])
