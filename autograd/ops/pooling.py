"""The public pooling functions, with PyTorch's names and signatures.

What they do is in ``pool.py`` and ``adaptive_pool.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..out import write_out
from . import adaptive_pool, pool

if TYPE_CHECKING:
    from ..tensor import Tensor


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window over one dimension; see `max_pool2d`."""
    return pool.max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool1d` with its indices."""
    result: tuple[Tensor, Tensor] = pool.max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return result


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: size of the window, a number or one per dimension.
        stride: step of the window; its size unless told.
        padding: rows and columns around the input that lose every comparison; at most half the window.
        dilation: distance of the window's elements.
        ceil_mode: let a last window hang over the end.
        return_indices: return also where each maximum is in the flattened spatial dimensions, for `max_unpool2d`.

    Raises:
        RuntimeError: the input's rank, the padding, or an output without elements.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.max_pool2d(wg.ones(1, 3, 8, 8), 2).shape
        wengert.Size([1, 3, 4, 4])
    """
    return pool.max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool2d` with its indices."""
    result: tuple[Tensor, Tensor] = pool.max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return result


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window over three dimensions; see `max_pool2d`."""
    return pool.max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool3d` with its indices."""
    result: tuple[Tensor, Tensor] = pool.max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return result


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window over one dimension; see `avg_pool2d`."""
    y: Tensor = pool.avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)
    return y


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The mean of each window.

    Args:
        input: (N, C, H, W) or (C, H, W), floating or int64.
        kernel_size: size of the window, a number or one per dimension.
        stride: step of the window; its size unless told.
        padding: zeros around the input; at most half the window.
        ceil_mode: let a last window hang over the end.
        count_include_pad: whether padding counts as elements.
        divisor_override: divide each sum by this instead of the number of elements.
        out: where to put the result.
    """
    y: Tensor = pool.avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return y if out is None else write_out(out, y, "avg_pool2d")


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The mean of each window over three dimensions; see `avg_pool2d`."""
    y: Tensor = pool.avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return y if out is None else write_out(out, y, "avg_pool3d")


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Average pooling of one dimension to a given size; see `adaptive_avg_pool2d`."""
    y: Tensor = adaptive_pool.adaptive_avg_pool(1, input, output_size)
    return y


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Average pooling to a given size: bin ``i`` of ``o`` covers places ``floor(i n / o)`` to ``ceil((i + 1) n / o)``.

    Args:
        input: (N, C, H, W) or (C, H, W), floating.
        output_size: a number or one per dimension; None keeps a dimension.
    """
    y: Tensor = adaptive_pool.adaptive_avg_pool(2, input, output_size)
    return y


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Average pooling of three dimensions to a given size; see `adaptive_avg_pool2d`."""
    y: Tensor = adaptive_pool.adaptive_avg_pool(3, input, output_size)
    return y


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Max pooling to a given size, over the bins of `adaptive_avg_pool1d`; with indices as in `max_pool1d`."""
    return adaptive_pool.adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Max pooling to a given size, over the bins of `adaptive_avg_pool2d`; with indices as in `max_pool2d`."""
    return adaptive_pool.adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Max pooling to a given size, over the bins of `adaptive_avg_pool3d`; with indices as in `max_pool3d`."""
    return adaptive_pool.adaptive_max_pool(3, input, output_size, return_indices)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """The partial inverse of `max_pool1d`; see `max_unpool2d`."""
    y: Tensor = pool.max_unpool(1, input, indices, kernel_size, stride, padding, output_size)
    return y


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Puts each value back to the place it was the maximum of, as `max_pool2d` reported it; zeros elsewhere.

    Args:
        input: (N, C, H, W) or (C, H, W).
        indices: places, int64, of the input's shape.
        kernel_size: those of the pool.
        stride: likewise.
        padding: likewise.
        output_size: the pooled input's size, where the stride leaves it open.

    Raises:
        RuntimeError: an index out of range. ValueError: ``output_size`` is impossible.
    """
    y: Tensor = pool.max_unpool(2, input, indices, kernel_size, stride, padding, output_size)
    return y


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """The partial inverse of `max_pool3d`; see `max_unpool2d`."""
    y: Tensor = pool.max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
    return y


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` with its indices."""
    result: tuple[Tensor, Tensor] = adaptive_pool.adaptive_max_pool(1, input, output_size, True)
    return result


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d` with its indices."""
    result: tuple[Tensor, Tensor] = adaptive_pool.adaptive_max_pool(2, input, output_size, True)
    return result


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool3d` with its indices."""
    result: tuple[Tensor, Tensor] = adaptive_pool.adaptive_max_pool(3, input, output_size, True)
    return result
