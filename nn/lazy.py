"""Layers that learn the width of their input from the first one they see.

Until then their parameters are there, so that they can be listed and moved, but have no shape. After the first call
the layer becomes the ordinary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import ops
from ..backends.dtypes import int64
from ..backends.errors import ArgumentError, ShapeError
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Sizes
from .linear import Linear
from .uninitialized import UninitializedBuffer, UninitializedParameter, is_lazy

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LazyModuleMixin",
]


class LazyModuleMixin:
    """Makes a module lazy; it stands before `Module` in the bases.

    The subclass gives itself parameters of `UninitializedParameter` and writes ``initialize_parameters``, which gets
    the arguments of the first call and materializes them. If ``cls_to_become`` is a class, the module then becomes one.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.LazyLinear(3)
        >>> _ = layer(wg.ones(2, 5))
        >>> layer
        Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become: ClassVar[type | None] = None

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, with the arguments of the first call; a subclass writes it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self: Any) -> bool:
        """Whether one of the module's own parameters or buffers has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.__dict__.get("_seen_input", False):
            self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise ArgumentError(
                    f"module {type(self).__name__} has not been fully initialized; initialize_parameters() must "
                    "materialize all parameters and buffers"
                )
            if self.cls_to_become is not None:
                self.__class__ = self.cls_to_become
                return self(*args, **kwargs)
            self.__dict__["_seen_input"] = True
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def _load_from_state_dict(self: Any, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        waiting = {}  # what has no shape on either side: there is nothing to compare or copy
        for name, mine in (*self._parameters.items(), *self._buffers.items()):
            given = state_dict.get(prefix + name)
            if is_lazy(mine) and is_lazy(given):
                waiting[name] = mine
            elif is_lazy(mine) and given is not None:
                mine.materialize(given.shape)
        self.__dict__.update(dict.fromkeys(waiting))
        known = {key: value for key, value in state_dict.items() if key.removeprefix(prefix) not in waiting}
        super()._load_from_state_dict(known, prefix, *args)  # type: ignore[misc]
        self.__dict__.update(waiting)


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` whose ``in_features`` is the size of the first input's last dimension.

    Args:
        out_features: E.
        bias: whether there is one.
        device, dtype: of the parameters.

    Example:
        >>> import wengert as wg
        >>> wg.nn.LazyLinear(30)(wg.ones(128, 20)).shape
        wengert.Size([128, 30])
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the width of ``input``."""
        fresh = self.has_uninitialized_params()
        self.in_features = self.in_features or input.shape[-1]
        if fresh:
            materialize(self, weight=(self.out_features, self.in_features), bias=(self.out_features,))
            self.reset_parameters()


def materialize(module: Any, **shapes: tuple[int, ...]) -> None:
    """Give the named parameters and buffers, where they have none, their shapes."""
    for name, shape in shapes.items():
        if is_lazy(member := module.__dict__[name]):
            member.materialize(shape)


class LazyConvolution(LazyModuleMixin):
    """What lazy convolutions share; they take ``in_channels`` from the first input."""

    def _become_lazy(self: Any, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self: Any) -> None:
        """Draw the parameters anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Take the number of channels of ``input``."""
        n = self.dims
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {type(self).__name__}, but got input "
                f"of size: {input.shape}"
            )
        fresh = self.has_uninitialized_params()
        self.in_channels = self.in_channels or input.shape[-n - 1]
        self._check()
        if fresh:
            first, second = self.out_channels, self.in_channels
            if self.transposed:
                first, second = second, first
            weight = (first, second // self.groups, *self.kernel_size)
            materialize(self, weight=weight, bias=(self.out_channels,))
            self.reset_parameters()


class LazyConvNd(LazyConvolution):
    """The constructor of lazy convolutions that are not transposed."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = (kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        super().__init__(0, 0, *settings)  # type: ignore[call-arg]
        self._become_lazy(out_channels, bias, device, dtype)


class LazyConv1d(LazyConvNd, Conv1d):  # type: ignore[misc]
    """A `Conv1d` that takes ``in_channels`` from its first input; the other arguments are those of `Conv1d`."""

    cls_to_become = Conv1d


class LazyConv2d(LazyConvNd, Conv2d):  # type: ignore[misc]
    """A `Conv2d` that takes ``in_channels`` from its first input; the other arguments are those of `Conv2d`.

    Example:
        >>> import wengert as wg
        >>> wg.nn.LazyConv2d(8, 3)(wg.ones(2, 3, 5, 5)).shape
        wengert.Size([2, 8, 3, 3])
    """

    cls_to_become = Conv2d


class LazyConv3d(LazyConvNd, Conv3d):  # type: ignore[misc]
    """A `Conv3d` that takes ``in_channels`` from its first input; the other arguments are those of `Conv3d`."""

    cls_to_become = Conv3d


class LazyConvTransposeNd(LazyConvolution):
    """The constructor of lazy transposed convolutions."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = (kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype)
        super().__init__(0, 0, *settings)  # type: ignore[call-arg]
        self._become_lazy(out_channels, bias, device, dtype)


class LazyConvTranspose1d(LazyConvTransposeNd, ConvTranspose1d):  # type: ignore[misc]
    """A `ConvTranspose1d` that takes ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(LazyConvTransposeNd, ConvTranspose2d):  # type: ignore[misc]
    """A `ConvTranspose2d` that takes ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(LazyConvTransposeNd, ConvTranspose3d):  # type: ignore[misc]
    """A `ConvTranspose3d` that takes ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose3d


class LazyNorm(LazyModuleMixin):
    """What lazy batch and instance norms share; they take ``num_features`` from the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype)  # type: ignore[call-arg]
        own: Any = self
        own.affine = affine
        own.track_running_stats = track_running_stats
        options = {"device": device, "dtype": dtype}
        if affine:
            own.weight = UninitializedParameter(**options)
            own.bias = UninitializedParameter(**options) if bias else None
        if track_running_stats:
            own.running_mean = UninitializedBuffer(**options)
            own.running_var = UninitializedBuffer(**options)
            own.num_batches_tracked = ops.zeros((), dtype=int64, device=device)

    def reset_parameters(self: Any) -> None:
        """Start again, if the parameters have a shape."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor) -> None:
        """Take the number of channels of ``input``."""
        self._check_input_dim(input)
        fresh = self.has_uninitialized_params()
        dims = getattr(self, "dims", None)  # only an instance norm, which has them, takes an input without a batch
        self.num_features = self.num_features or input.shape[1 if dims is None else input.ndim - dims - 1]
        if fresh:
            shape = (self.num_features,)
            materialize(self, weight=shape, bias=shape, running_mean=shape, running_var=shape)
            self.reset_parameters()


class LazyBatchNorm1d(LazyNorm, BatchNorm1d):
    """A `BatchNorm1d` that takes ``num_features`` from its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyNorm, BatchNorm2d):
    """A `BatchNorm2d` that takes ``num_features`` from its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyNorm, BatchNorm3d):
    """A `BatchNorm3d` that takes ``num_features`` from its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(LazyNorm, InstanceNorm1d):
    """An `InstanceNorm1d` that takes ``num_features`` from its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyNorm, InstanceNorm2d):
    """An `InstanceNorm2d` that takes ``num_features`` from its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyNorm, InstanceNorm3d):
    """An `InstanceNorm3d` that takes ``num_features`` from its first input."""

    cls_to_become = InstanceNorm3d
