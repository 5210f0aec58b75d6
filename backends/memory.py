"""Memory that is kept for the next time, and how it is given back."""

from __future__ import annotations

from . import registry

__all__ = ["empty_cache"]


def empty_cache() -> None:
    """Give back the memory that is kept for reuse and that nothing is in.

    On the CPU these are the scratch buffers of compiled kernels, those of all threads, and what freed arrays left to
    the C library; on a GPU, the free blocks of its memory pool. Tensors stay as they are, and so does what a kernel
    is working on in another thread. ``WENGERT_SCRATCH_MB`` limits the scratch buffers of a thread (16 unless told),
    and ``MALLOC_TRIM_THRESHOLD_`` what the C library keeps (see `show_config`).

    Example:
        >>> import wengert as wg
        >>> wg.empty_cache()
    """
    for backend in registry.loaded():
        backend.empty_cache()
