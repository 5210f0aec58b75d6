"""Compile the CPU's kernels ahead of time, so that no program waits for them: ``python -m wengert.kernels``."""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .autograd import ops
from .backends.cpu import compiled
from .backends.errors import BackendUnavailableError
from .nn import functional as F
from .optim import SGD, AdamW

__all__ = ["compile_kernels"]


def compile_kernels(jobs: int | None = None, verbose: bool = True) -> None:
    """Compile the CPU's kernels now, and keep them on disk, instead of when a program first has use for them.

    A program that has never run on a machine pauses for some seconds where it does its first large amount of work.
    Later ones load in milliseconds what is kept; so an installation script or an image of a container calls this once.

    Args:
        jobs: how many processes compile at a time; as many as there are processors unless told.
        verbose: whether a line on stderr says what has been compiled.

    Raises:
        RuntimeError: Numba is not installed, or one of the processes failed.

    Example:
        >>> import wengert as wg
        >>> wg.compile_kernels()  # doctest: +SKIP
        wengert: compiled convolutions of 3x3 ...
    """
    if importlib.util.find_spec("numba") is None:
        raise BackendUnavailableError("compile_kernels: there is no Numba; pip install wengert[fast]")

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for message in pool.map(_in_a_process, PROGRAMS):
            if verbose:
                sys.stderr.write(message)
    compiled.start()


def _in_a_process(name: str) -> str:
    """Compile one group; what there is to say of it."""
    begun = time.perf_counter()
    code = f"from wengert.kernels import exercise; exercise({name!r})"
    path = os.pathsep.join([folder or os.getcwd() for folder in sys.path])
    environment = {**os.environ, "WENGERT_NUMBA": "1", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackendUnavailableError(f"compile_kernels: {name} failed\n{done.stderr[-2000:]}")
    return f"wengert: compiled {name} ({time.perf_counter() - begun:.1f} s)\n"


def exercise(name: str) -> None:
    """Run what makes one group of kernels compile; `compile_kernels` does this in processes of their own."""
    PROGRAMS[name]()


def _both_ways(function: Callable[..., Any], *tensors: Any) -> None:
    y = function(*[t.detach().requires_grad_(t.is_floating_point()) for t in tensors])
    y.backward(ops.randn_like(y))


def _images(channels: int = 32, size: int = 16) -> Any:
    return ops.randn(4, channels, size, size)


def _convolutions_of_3x3() -> None:
    for layout in (ops.contiguous_format, ops.channels_last):
        for x in (_images(), _images(64, 8)):
            w = ops.randn(32, x.shape[1], 3, 3)
            _both_ways(lambda x, w: F.conv2d(x, w, padding=1), x.contiguous(memory_format=layout), w)


def _other_convolutions() -> None:
    for layout in (ops.contiguous_format, ops.channels_last):
        x = _images().contiguous(memory_format=layout)
        for kernel, step, groups in ((1, 1, 1), (5, 1, 1), (3, 2, 1), (3, 1, 32)):
            w = ops.randn(32, 32 // groups, kernel, kernel)
            _both_ways(lambda x, w, s=step, g=groups: F.conv2d(x, w, stride=s, groups=g), x, w)
    _both_ways(lambda x, w: F.conv2d(x, w), ops.randn(32, 1, 28, 28), ops.randn(6, 1, 5, 5))
    _both_ways(lambda x, w: F.conv_transpose2d(x, w, stride=2), _images(), ops.randn(32, 16, 2, 2))


def _pooling() -> None:
    for layout in (ops.contiguous_format, ops.channels_last):
        x = _images().contiguous(memory_format=layout)
        for pool in (F.max_pool2d, F.avg_pool2d):
            _both_ways(lambda x, pool=pool: pool(x, 2), x)
            _both_ways(lambda x, pool=pool: pool(x, 3, 2, 1), x)


def _rows() -> None:
    """Softmax, losses and normalisation."""
    x, w = ops.randn(64, 256), ops.randn(256)
    for function in (F.softmax, F.log_softmax):
        _both_ways(lambda x, function=function: function(x, dim=1), x)
    _both_ways(lambda x: F.cross_entropy(x, ops.arange(64)), x)
    _both_ways(lambda x: ops.cumsum(x, 1), x)
    _both_ways(lambda x, w: F.layer_norm(x, (256,), w, w), x, w)
    _both_ways(lambda x: F.layer_norm(x, (256,)), x)
    _both_ways(lambda x, w: F.rms_norm(x, (256,), w), x, w)
    _both_ways(lambda x, w: F.batch_norm(x, None, None, w, w, True), x, w)
    w = ops.randn(32)
    for layout in (ops.contiguous_format, ops.channels_last):
        image = _images().contiguous(memory_format=layout)
        _both_ways(lambda x, w: F.batch_norm(x, None, None, w, w, True), image, w)
        _both_ways(lambda x, w: F.group_norm(x, 4, w, w), image, w)
    for causal in (False, True):
        attention = functools.partial(F.scaled_dot_product_attention, is_causal=causal)
        _both_ways(attention, *[ops.randn(2, 4, 64, 32) for _ in range(3)])


def _elements() -> None:
    """Activations, dropout, casts and random numbers."""
    x = ops.randn(1 << 16)
    for name in ("relu", "sigmoid", "tanh", "silu", "gelu", "softplus", "logsigmoid", "mish", "elu"):
        _both_ways(getattr(F, name), x)
    _both_ways(lambda x: F.gelu(x, approximate="tanh"), x)
    _both_ways(ops.erf, x)
    _both_ways(F.dropout, x)
    x.half().float()
    x.bfloat16().float()
    for draw in (ops.rand, ops.randn, ops.randperm):
        draw(1 << 16)


def _training() -> None:
    """Optimizers, embeddings and recurrent layers."""
    for kind in (lambda p: AdamW(p), lambda p: SGD(p, 0.1, momentum=0.9)):
        weights = [ops.randn(300, 300).requires_grad_() for _ in range(2)]
        optimizer = kind(weights)
        for w in weights:
            w.grad = ops.ones(300, 300)
        optimizer.step()
    _both_ways(lambda table: F.embedding(ops.arange(1000) % 50, table), ops.randn(50, 64))


PROGRAMS: dict[str, Callable[[], None]] = {
    "convolutions of 3x3": _convolutions_of_3x3,
    "other convolutions": _other_convolutions,
    "softmax, losses and normalisation": _rows,
    "pooling": _pooling,
    "activations, casts and random numbers": _elements,
    "optimizers and embeddings": _training,
}

if __name__ == "__main__":
    compile_kernels()
