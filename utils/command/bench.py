"""``wengert bench``, where the package is installed: a few timings of this machine."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from ... import optim
from ...autograd import ops
from ...autograd.grad_mode import no_grad
from ...backends import Device
from ...backends.dtypes import int64
from ...backends.flops import counted_flops
from ...nn import Conv2d, Flatten, Linear, Module, ReLU, Sequential, TransformerEncoderLayer
from ...nn import functional as F
from .failing import UsageError

__all__ = ["WORKLOADS", "bench", "timings"]

Work = Callable[[], Any]


def bench(patterns: list[str], device: str, seconds: float) -> int:
    """Print the table.

    Args:
        patterns: parts of the names of workloads; all of them when there is none.
        device: where to compute.
        seconds: how long each is repeated.
    """
    for line in timings(patterns, Device(device), seconds):
        print(line, flush=True)
    return 0


def timings(patterns: list[str], device: Any, seconds: float) -> Iterator[str]:
    """Lines of a table: how long each workload takes, and how much arithmetic that is in a second."""
    names = [name for name in WORKLOADS if not patterns or any(re.search(p, name, re.IGNORECASE) for p in patterns)]
    if not names:
        raise UsageError(f"no workload matches {' or '.join(patterns)}; there are {', '.join(WORKLOADS)}")
    width = max(map(len, names))
    yield f"{'':<{width}}  {'median':>10}  {'GFLOP/s':>8}"
    for name in names:
        work = WORKLOADS[name](device)
        count: list[int] = []
        with counted_flops(count.append):
            work()
        median = _median(work, seconds)
        rate = f"{sum(count) / median / 1e9:8.1f}" if sum(count) else f"{'-':>8}"
        yield f"{name:<{width}}  {median * 1e3:>7.3f} ms  {rate}"


def _median(work: Work, seconds: float) -> float:
    """The median time of a call; the first ones, in which kernels may be compiled, do not count."""
    for _ in range(2):
        work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def _value(result: Any) -> None:
    """Wait until a result is there, on a device that computes on its own."""
    result.flatten()[0].item()


def _product(device: Any) -> Work:
    a, b = ops.randn(512, 512, device=device), ops.randn(512, 512, device=device)
    return lambda: _value(a @ b)


def _elementwise(device: Any) -> Work:
    x, y = ops.randn(1_000_000, device=device), ops.randn(1_000_000, device=device)
    return lambda: _value(x * y + x)


def _softmax(device: Any) -> Work:
    x = ops.randn(256, 1000, device=device)
    return lambda: _value(F.softmax(x, 1))


def _small(device: Any) -> Work:
    x = ops.randn(4, device=device, requires_grad=True)

    def work() -> None:
        y = x
        for _ in range(100):
            y = y * 1.01 + 0.1
        y.sum().backward()
        _value(x.grad)

    return work


def _step(model: Module, x: Any) -> Work:
    """A step of training with the images ``x``, all of one class."""
    model.to(x.device)
    y = ops.zeros(len(x), dtype=int64, device=x.device)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def work() -> None:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        _value(loss)

    return work


def _network(device: Any) -> Work:
    return _step(Sequential(Linear(784, 256), ReLU(), Linear(256, 10)), ops.randn(64, 784, device=device))


def _convolutions(device: Any) -> Work:
    layers = (Conv2d(1, 16, 3, padding=1), ReLU(), Conv2d(16, 32, 3, stride=2, padding=1), ReLU(), Flatten())
    return _step(Sequential(*layers, Linear(32 * 14 * 14, 10)), ops.randn(32, 1, 28, 28, device=device))


def _transformer(device: Any) -> Work:
    layer = TransformerEncoderLayer(128, 4, 512, batch_first=True).to(device).eval()
    x = ops.randn(8, 64, 128, device=device)

    def work() -> None:
        with no_grad():
            _value(layer(x))

    return work


WORKLOADS: dict[str, Callable[[Any], Work]] = {
    "product of 512x512": _product,
    "a million x * y + x": _elementwise,
    "softmax of 256x1000": _softmax,
    "200 small operations, backward": _small,
    "network, step of training": _network,
    "convolutions, step of training": _convolutions,
    "transformer layer, inference": _transformer,
}
