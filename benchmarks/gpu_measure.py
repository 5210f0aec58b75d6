"""What only a GPU can tell, in one run that writes JSON: ``make gpu-measure``, or ``python -m benchmarks.gpu_measure``.

Versions; the host's cost of a call of each kind; whether calls of all libraries can be captured into one graph and
give the same when it is replayed; products and convolutions beside PyTorch's; kernels that move memory as part of what
a copy reaches. Each part is tried by itself, and what fails is written down with its traceback.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .cuda_device import stand_in
from .gpu import path_for

PARTS: dict[str, Callable[[Any], Any]] = {}


def part(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Measure it, in this order."""
    PARTS[function.__name__] = function
    return function


class Bench:
    """What the parts share.

    Args:
        tiny: sizes that only try the program.
    """

    def __init__(self, *, tiny: bool) -> None:
        import wengert as wg

        self.wg, self.tiny = wg, tiny
        self.backend = wg.backends.get_backend("cuda")
        self.cupy, self.k = self.backend.xp, self.backend.kernels
        self.rounds = 2 if tiny else 20
        try:
            import torch

            self.torch = torch if torch.cuda.is_available() else None
        except ImportError:
            self.torch = None

    def size(self, n: int) -> int:
        """``n``, or little of it."""
        return min(n, 16) if self.tiny else n

    def array(self, *shape: int, dtype: str = "float32") -> Any:
        """Normal numbers on the device."""
        return self.wg.randn(*shape, device="cuda").to(getattr(self.wg, dtype))._data

    def gpu(self, call: Callable[[], Any]) -> float:
        """Median seconds of a call by events, after warming up."""
        cuda = self.cupy.cuda
        for _ in range(3):
            call()
        times = []
        for _ in range(self.rounds):
            start, end = cuda.Event(), cuda.Event()
            start.record()
            call()
            end.record()
            end.synchronize()
            times.append(cuda.get_elapsed_time(start, end) / 1e3)
        return statistics.median(times)

    def host(self, call: Callable[[], Any], n: int = 200) -> float:
        """Microseconds that the host needs to ask for a call."""
        n = 3 if self.tiny else n
        call()
        self.backend.synchronize()
        times = []
        for _ in range(3 if self.tiny else 7):
            start = time.perf_counter()
            for _ in range(n):
                call()
            times.append((time.perf_counter() - start) / n * 1e6)
            self.backend.synchronize()
        return round(statistics.median(times), 3)

    def torch_gpu(self, call: Callable[[], Any]) -> float:
        """`gpu` in PyTorch's events."""
        events = self.torch.cuda.Event
        for _ in range(3):
            call()
        times = []
        for _ in range(self.rounds):
            start, end = events(enable_timing=True), events(enable_timing=True)
            start.record()
            call()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) / 1e3)
        return statistics.median(times)


@part
def versions(b: Bench) -> Any:
    """The device, driver and libraries; cuDNN's description of the device, with which plans can be made without one."""
    from wengert.backends.cuda import cudnn_graph, libraries, product

    runtime = b.cupy.cuda.runtime
    product.library()
    graphs = cudnn_graph.library()
    found = {
        "gpu": b.wg.cuda.get_device_properties()._asdict(),
        "driver": runtime.driverGetVersion(),
        "runtime": runtime.runtimeGetVersion(),
        "cupy": b.cupy.__version__,
        "libraries": libraries.report(),
        "bf16 header": [str(p) for p in Path("/usr/local").glob("cuda*/include/cuda_bf16.h")],
    }
    if graphs is not None and hasattr(graphs.frontend, "create_device_properties"):
        found["device properties"] = list(graphs.frontend.create_device_properties(0).serialize())
    return found


@part
def host_cost(b: Bench) -> Any:
    """Microseconds that the host needs for one call."""
    x, w = b.array(32, 64), b.array(64, 64)
    tx, tw = (b.wg.randn(*s, device="cuda", requires_grad=True) for s in ((32, 64), (64, 64)))
    image, filters = b.array(4, 16, 8, 8), b.array(16, 16, 3, 3)
    one = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    q = b.array(1, 2, 16, 64, dtype="bfloat16")
    found = {
        "cupy.add": b.host(lambda: b.cupy.add(x, x)),
        "cupy.empty": b.host(lambda: b.cupy.empty((32, 64), np.float32)),
        "get_current_stream": b.host(b.cupy.cuda.get_current_stream),
        "cublasLt product": b.host(lambda: b.k.matmul(x, w)),
        "cupy.matmul": b.host(lambda: b.cupy.matmul(x, w)),
        "cudnn convolution": b.host(lambda: b.k.conv(image, filters, None, *one)),
        "cudnn attention": b.host(lambda: b.k.attention(q, q, q, None, None, 0.125, True, 1.0)),
        "wengert add": b.host(lambda: tx + tx),
        "wengert linear": b.host(lambda: b.wg.nn.functional.linear(tx, tw)),
        "wengert linear and backward": b.host(lambda: b.wg.nn.functional.linear(tx, tw).sum().backward(), 50),
    }
    if b.torch is not None:
        t = b.torch
        ux, uw = (t.randn(*s, device="cuda", requires_grad=True) for s in ((32, 64), (64, 64)))
        found |= {
            "torch add": b.host(lambda: ux + ux),
            "torch linear": b.host(lambda: t.nn.functional.linear(ux, uw)),
            "torch linear and backward": b.host(lambda: t.nn.functional.linear(ux, uw).sum().backward(), 50),
        }
    return found


@part
def graph_launches(b: Bench) -> Any:
    """Microseconds to launch a graph of so many kernels, for the host and in all."""
    cupy, found = b.cupy, {}
    x = b.array(1024)
    for n in (10, 100, 1000):
        stream = cupy.cuda.Stream(non_blocking=True)
        with stream:
            cupy.add(x, 1, out=x)
            stream.begin_capture()
            for _ in range(n):
                cupy.add(x, 1, out=x)
            graph = stream.end_capture()
            graph.launch(stream)
            stream.synchronize()
            found[str(n)] = {"host": b.host(lambda g=graph, s=stream: g.launch(s), 20)}
            start = time.perf_counter()
            for _ in range(20):
                graph.launch(stream)
            stream.synchronize()
            found[str(n)]["each"] = (time.perf_counter() - start) / 20 * 1e6
    return found


@part
def capture(b: Bench) -> Any:
    """Products, convolutions, attention and elementwise kernels in one graph, replayed while others use the memory."""
    cupy, k = b.cupy, b.k
    x, w = b.array(64, 128, dtype="bfloat16"), b.array(128, 64, dtype="bfloat16")
    image, filters = b.array(4, 16, 8, 8), b.array(32, 16, 3, 3)
    q = b.array(2, 4, 64, 64, dtype="bfloat16")

    def step() -> list[Any]:
        y = k.matmul(x, w)
        z = k.conv(image, filters, None, (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
        o, _ = k.attention(q, q, q, None, None, 0.125, True, 1.0)
        return [cupy.tanh(y), cupy.exp(z), o * o]

    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    b.backend.synchronize()
    with stream:
        expected = [cupy.asnumpy(y).astype(np.float32) for y in (step(), step())[1]]
        with cupy.cuda.using_allocator(pool.malloc):
            stream.begin_capture()
            outputs = step()
            graph = stream.end_capture()
        wrong = 0
        for _ in range(20):
            poison = [cupy.full(1 << 16, np.nan, np.float32) for _ in range(8)]
            for output in outputs:
                output.fill(0)
            graph.launch(stream)
            del poison
            got = [cupy.asnumpy(y).astype(np.float32) for y in outputs]
            wrong += not all(np.array_equal(g, e) for g, e in zip(got, expected, strict=True))
    return {"replays": 20, "that differ": wrong}


@part
def products(b: Bench) -> Any:
    """TFLOP/s of products that GPT and the MLP need, with either factor transposed, beside PyTorch's."""
    from wengert.backends.cuda import product

    shapes = {"qkv": (8192, 768, 2304), "up": (8192, 768, 3072), "logits": (8192, 768, 50304), "mlp": (256, 1024, 1024)}
    found: dict[str, Any] = {}
    for (name, (n, d, m)), dtype in ((s, t) for s in shapes.items() for t in ("bfloat16", "float32")):
        n, d, m = b.size(n), b.size(d), b.size(m)
        for form in ("NN", "NT", "TN"):
            x = b.array(d, n, dtype=dtype).T if form[0] == "T" else b.array(n, d, dtype=dtype)
            w = b.array(m, d, dtype=dtype).T if form[1] == "T" else b.array(d, m, dtype=dtype)
            b.wg.set_float32_matmul_precision("high")
            row = {"wengert": rate(n, d, m, b.gpu(lambda x=x, w=w: b.k.matmul(x, w)))}
            if b.torch is not None:
                b.torch.set_float32_matmul_precision("high")
                tx, tw = b.torch.from_dlpack(x), b.torch.from_dlpack(w)
                row["torch"] = rate(n, d, m, b.torch_gpu(lambda x=tx, w=tw: x @ w))
            found[f"{name} {dtype} {form}"] = row
        x, w, bias = b.array(n, d, dtype=dtype), b.array(m, d, dtype=dtype), b.array(m, dtype=dtype)
        for activation in ("", "gelu"):
            call = lambda x=x, w=w, bias=bias, a=activation: product.linear_activation(x, w, bias, a)  # noqa: E731
            found[f"{name} {dtype} bias {activation}"] = {"wengert": rate(n, d, m, b.gpu(call))}
    b.wg.set_float32_matmul_precision("highest")
    return found


def rate(n: int, d: int, m: int, seconds: float) -> float:
    """TFLOP/s of a product."""
    return round(2 * n * d * m / max(seconds, 1e-9) / 1e12, 2)


LAYERS = [  # of ResNet-18 for CIFAR: channels, size, filters, kernel, stride
    (3, 32, 64, 3, 1),
    (64, 32, 64, 3, 1),
    (64, 32, 128, 3, 2),
    (128, 16, 128, 3, 1),
    (128, 16, 256, 3, 2),
    (256, 8, 256, 3, 1),
    (256, 8, 512, 3, 2),
    (512, 4, 512, 3, 1),
    (256, 8, 512, 1, 2),
]


@part
def convolutions(b: Bench) -> Any:
    """Milliseconds of each layer of ResNet-18 at batch 128, forward and its two gradients, in both layouts."""
    layers = [(3, 8, 4, 3, 1), (4, 8, 4, 1, 2)] if b.tiny else LAYERS
    found: dict[str, Any] = {}
    b.wg.backends.cudnn.allow_tf32 = True
    for c, size, filters, kernel, stride in layers:
        for dtype in ("bfloat16", "float32"):
            n, pad = 2 if b.tiny else 128, kernel // 2
            how = ((stride, stride), ((pad, pad), (pad, pad)), (1, 1), 1)
            w = b.array(filters, c, kernel, kernel, dtype=dtype)
            row = {}
            for last in (False, True):
                x = (
                    b.array(n, size, size, c, dtype=dtype).transpose(0, 3, 1, 2)
                    if last
                    else b.array(n, c, size, size, dtype=dtype)
                )
                g = b.k.conv(x, w, None, *how)
                times = [
                    b.gpu(lambda x=x, w=w, how=how: b.k.conv(x, w, None, *how)),
                    b.gpu(lambda g=g, w=w, how=how, size=size: b.k.conv_input(g, w, (size, size), *how)),
                    b.gpu(lambda x=x, g=g, how=how, kernel=kernel: b.k.conv_weight(x, g, (kernel, kernel), *how)),
                ]
                row["NHWC" if last else "NCHW"] = [round(t * 1e3, 4) for t in times]
            if b.torch is not None:
                row["torch"] = torch_convolution(b, c, size, filters, kernel, stride, dtype)
            found[f"{c}x{size}x{size} to {filters}, {kernel}x{kernel} / {stride}, {dtype}"] = row
    return found


def torch_convolution(b: Bench, c: int, size: int, filters: int, kernel: int, stride: int, dtype: str) -> Any:
    """PyTorch's milliseconds for one layer, channels last."""
    t = b.torch
    kind = getattr(t, dtype)
    x = t.randn(128, c, size, size, device="cuda", dtype=kind).to(memory_format=t.channels_last)
    w = t.randn(filters, c, kernel, kernel, device="cuda", dtype=kind).to(memory_format=t.channels_last)
    y = t.conv2d(x, w, stride=stride, padding=kernel // 2)
    g, pad = t.randn_like(y), [kernel // 2] * 2

    def back(mask: list[bool]) -> Callable[[], Any]:
        return lambda: t.ops.aten.convolution_backward(g, x, w, None, [stride] * 2, pad, [1, 1], False, [0, 0], 1, mask)

    calls = [
        lambda: t.conv2d(x, w, stride=stride, padding=pad),
        back([True, False, False]),
        back([False, True, False]),
    ]
    return [round(b.torch_gpu(call) * 1e3, 4) for call in calls]


@part
def memory_bound(b: Bench) -> Any:
    """GB/s of kernels that are bound by memory, and their part of what a plain copy reaches."""
    n = b.size(1 << 26)
    x = b.array(n)
    y = b.cupy.empty_like(x)
    copied = 2 * x.nbytes / max(b.gpu(lambda: b.cupy.copyto(y, x)), 1e-9) / 1e9
    f, rows = b.wg.nn.functional, b.wg.randn(b.size(8192), b.size(4096), device="cuda")
    targets = b.wg.zeros(len(rows), dtype=b.wg.int64, device="cuda")
    p = b.wg.nn.Parameter(b.wg.randn(n, device="cuda"))
    p.grad = b.wg.randn(n, device="cuda")
    adam = b.wg.optim.AdamW([p])
    calls = {
        "relu": (2 * x.nbytes, lambda: b.k.relu(x)),
        "add": (3 * x.nbytes, lambda: b.k.add(x, x)),
        "sum": (x.nbytes, lambda: b.k.sum(x)),
        "softmax": (2 * rows._data.nbytes, lambda: f.softmax(rows, 1)),
        "layer_norm": (2 * rows._data.nbytes, lambda: f.layer_norm(rows, rows.shape[1:])),
        "cross_entropy": (rows._data.nbytes, lambda: f.cross_entropy(rows, targets)),
        "AdamW": (7 * x.nbytes, adam.step),
    }
    found: dict[str, Any] = {"copy": round(copied, 1)}
    for name, (size, call) in calls.items():
        speed = size / max(b.gpu(call), 1e-9) / 1e9
        found[name] = {"GB/s": round(speed, 1), "part": round(speed / copied, 3)}
    return found


def main(given: list[str] | None = None) -> int:
    """Measure all parts, or those that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--budget", type=float, default=150, help="seconds after which no further part is begun")
    parser.add_argument("--stand-in", action="store_true", help="try the program on the tests' stand-in, tiny ones")
    args = parser.parse_args(given)
    if args.stand_in:
        os.environ["WENGERT_STAND_IN"] = "1"
        stand_in()
    start, bench, found, failed = time.monotonic(), Bench(tiny=args.stand_in), {}, []
    path = args.json or path_for(bench.wg.cuda.get_device_name()).with_suffix(".measured.json")
    for name in args.parts or PARTS:
        if time.monotonic() - start > args.budget:
            found[name] = {"error": "not measured, as the time was up"}
            continue
        try:
            found[name] = PARTS[name](bench)
        except Exception as error:
            failed.append(name)
            found[name] = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        shown = dict(found[name])
        shown.pop("device properties", None)
        print(f"{name}: {json.dumps(shown, indent=1, default=str)}", flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, default=str) + "\n")
    print(
        f"\nresults: {os.path.relpath(path)}; {time.monotonic() - start:.0f} s; failed: {', '.join(failed) or 'none'}"
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
