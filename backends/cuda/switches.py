"""Switches of CUDA libraries that programs set, as ``wengert.backends.cuda``: how exact products are, which attention.

Attention has one implementation here, so its switches only remember what was asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..settings import get_float32_matmul_precision, set_float32_matmul_precision

_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}
_preferred = {"linalg": "default", "blas": "default"}


class MatmulSwitches:
    """``wengert.backends.cuda.matmul``: how products of matrices are computed.

    ``allow_tf32`` is another name for `wengert.set_float32_matmul_precision` being other than ``"highest"``.
    """

    __slots__ = (
        "allow_bf16_reduced_precision_reduction",
        "allow_fp16_accumulation",
        "allow_fp16_reduced_precision_reduction",
    )

    def __init__(self) -> None:
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True
        self.allow_fp16_accumulation = False

    @property
    def allow_tf32(self) -> bool:
        """Whether factors may be rounded to TF32."""
        return get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        set_float32_matmul_precision("high" if value else "highest")

    @property
    def fp32_precision(self) -> str:
        """``"tf32"`` where factors may be rounded, else ``"ieee"``."""
        return "tf32" if self.allow_tf32 else "ieee"

    @fp32_precision.setter
    def fp32_precision(self, value: str) -> None:
        self.allow_tf32 = value == "tf32"


matmul = MatmulSwitches()


def is_built() -> bool:
    """Whether this library can use CUDA at all; `wengert.cuda.is_available` says whether it can here."""
    return True


def flash_sdp_enabled() -> bool:
    """What `enable_flash_sdp` set."""
    return _attention["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Allow flash attention, or not."""
    _attention["flash"] = bool(enabled)


def mem_efficient_sdp_enabled() -> bool:
    """What `enable_mem_efficient_sdp` set."""
    return _attention["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Allow memory-efficient attention, or not."""
    _attention["mem_efficient"] = bool(enabled)


def math_sdp_enabled() -> bool:
    """What `enable_math_sdp` set."""
    return _attention["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Allow attention by plain products, or not."""
    _attention["math"] = bool(enabled)


def cudnn_sdp_enabled() -> bool:
    """What `enable_cudnn_sdp` set."""
    return _attention["cudnn"]


def enable_cudnn_sdp(enabled: bool) -> None:
    """Allow cuDNN's attention, or not."""
    _attention["cudnn"] = bool(enabled)


@contextlib.contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[None]:
    """Set the four switches of attention until the end of the block."""
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield
    finally:
        _attention.update(before)


def preferred_linalg_library(backend: str | None = None) -> str:
    """The library asked for, after setting it if ``backend`` is given; CuPy chooses itself."""
    _preferred["linalg"] = backend or _preferred["linalg"]
    return _preferred["linalg"]


def preferred_blas_library(backend: str | None = None) -> str:
    """The library asked for, after setting it if ``backend`` is given; CuPy chooses itself."""
    _preferred["blas"] = backend or _preferred["blas"]
    return _preferred["blas"]
