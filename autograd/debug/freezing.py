"""Writes behind autograd's back: through a NumPy array that shares a tensor's memory."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

from ...backends import kernels_of
from ...backends.call_site import call_site
from ...backends.errors import ModifiedError
from ..base import version_of
from ..saved_hooks import saved_tensors_hooks
from ..tensor import Tensor

__all__ = ["freeze"]


class freeze(contextlib.ContextDecorator):
    """A block that catches what is written to saved values through an alias that autograd knows nothing of.

    A tensor counts the writes of its own methods, but not those of a NumPy array on the same memory
    (``x.numpy()[0] = 1``, or the array that ``from_numpy`` took). Within this block

    * ``x.numpy()`` and ``np.asarray(x)`` give arrays that cannot be written, so that the writing line itself raises
      NumPy's ``ValueError: assignment destination is read-only``;
    * what an operation saves is summed up, and compared when backward reads it: an alias that was there before is
      found out then.

    It reads everything that is saved once more, and is meant for finding a mistake.

    Raises:
        ModifiedError: in backward, for a saved tensor whose values have changed though no operation wrote to it.

    Example:
        >>> import numpy as np
        >>> import wengert as wg
        >>> data = np.ones(3, dtype=np.float32)
        >>> x = wg.from_numpy(data).requires_grad_()
        >>> with wg.debug.freeze():
        ...     y = (x * x).sum()
        ...     data[0] = 5
        ...     y.backward()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        wengert.backends.errors.ModifiedError: a saved [3] float32 tensor was changed behind autograd's back: ...
    """

    def __enter__(self) -> freeze:
        def pack(tensor: Any) -> Any:
            return tensor, _checksum(tensor), version_of(tensor)[0], call_site()

        def unpack(packed: Any) -> Any:
            tensor, checksum, version, site = packed
            now, writer = version_of(tensor)[:2]
            if now != version:
                raise ModifiedError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"[{tensor._data.dtype} tensor of shape {list(tensor.shape)}], saved at {site}, is at version "
                    f"{now}; expected version {version} instead. The last write was {writer}. Write out of place "
                    "(x = x + y), or clone() the value before it is overwritten"
                )
            if _checksum(tensor) != checksum:
                raise ModifiedError(
                    f"a saved {list(tensor.shape)} {tensor._data.dtype} tensor was changed behind autograd's back: it "
                    f"was saved at {site}, and written since through an array that shares its memory (x.numpy(), "
                    "from_numpy(array), DLPack). Write to a copy: x.detach().clone().numpy(), from_numpy(array.copy())"
                )
            return tensor

        self._hooks = saved_tensors_hooks(pack, unpack)
        self._hooks.__enter__()
        if not _depth[0]:
            _lock()
        _depth[0] += 1
        return self

    def __exit__(self, *exc: object) -> None:
        _depth[0] -= 1
        if not _depth[0]:
            _unlock()
        self._hooks.__exit__(*exc)

    def _recreate_cm(self) -> freeze:
        return type(self)()


_depth = [0]
_before: dict[str, Any] = {}


def _checksum(tensor: Any) -> int:
    array = tensor._data
    k = kernels_of[type(array)]
    return zlib.crc32(k.backend.to_numpy(array).tobytes())


def _lock() -> None:
    for name in ("numpy", "__array__"):
        method = _before[name] = getattr(Tensor, name)
        setattr(Tensor, name, _read_only(method))


def _read_only(method: Any) -> Any:
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        array = method(self, *args, **kwargs)
        if array.base is not None:  # it shares the tensor's memory
            array.flags.writeable = False
        return array

    run.__name__, run.__doc__ = method.__name__, method.__doc__
    return run


def _unlock() -> None:
    for name, method in _before.items():
        setattr(Tensor, name, method)
