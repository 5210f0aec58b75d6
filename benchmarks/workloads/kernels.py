"""Fused kernels on arrays of the sizes that models have, forward and backward, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import workload


def both_ways(lib: Any, function: Callable[[], Any], leaves: Sequence[Any]) -> Callable[[], None]:
    """``function`` and its gradients."""
    g = lib.ones_like(function())

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        function().backward(g)

    return step


def kernel(name: str, shape: tuple[int, ...], function: Callable[[Any, Any], Any]) -> None:
    """A workload of ``function(lib, x)``."""

    @workload(f"{name}, {' x '.join(map(str, shape))}", target=1.0)
    def prepare(lib: Any, device: str) -> Any:
        x = lib.randn(*shape, device=device, requires_grad=True)
        return both_ways(lib, lambda: function(lib, x), [x])


kernel("softmax of rows", (4096, 1024), lambda lib, x: lib.softmax(x, 1))
kernel("layer_norm", (1024, 768), lambda lib, x: lib.nn.functional.layer_norm(x, (768,)))
kernel("group_norm", (32, 64, 32, 32), lambda lib, x: lib.nn.functional.group_norm(x, 8))
kernel("gelu", (1000, 1000), lambda lib, x: lib.nn.functional.gelu(x))
kernel("silu", (1000, 1000), lambda lib, x: lib.nn.functional.silu(x))
kernel("dropout", (1000, 1000), lambda lib, x: lib.nn.functional.dropout(x, 0.1))
kernel("cumsum", (1000, 1000), lambda lib, x: lib.cumsum(x, 1))


@workload("cross_entropy, 4096 x 1000", target=1.0)
def cross_entropy(lib: Any, device: str) -> Any:
    x = lib.randn(4096, 1000, device=device, requires_grad=True)
    target = lib.randint(0, 1000, (4096,), device=device)
    return both_ways(lib, lambda: lib.nn.functional.cross_entropy(x, target), [x])


def batch_norm(layout: str) -> None:
    @workload(f"batch_norm, 32 x 64 x 32 x 32, {layout}", target=1.0)
    def prepare(lib: Any, device: str) -> Any:
        x = lib.randn(32, 64, 32, 32, device=device).contiguous(memory_format=getattr(lib, layout)).requires_grad_()
        layer = lib.nn.BatchNorm2d(64).to(device)
        return both_ways(lib, lambda: layer(x), [x, *layer.parameters()])


batch_norm("contiguous_format")
batch_norm("channels_last")


def attention(batch: int, heads: int, length: int, width: int) -> None:
    @workload(f"causal attention, {batch} x {heads} x {length} x {width}", unit="ms", target=1.0)
    def prepare(lib: Any, device: str) -> Any:
        shape = batch, heads, length, width
        q, k, v = (lib.randn(*shape, device=device, requires_grad=True) for _ in range(3))
        call = lib.nn.functional.scaled_dot_product_attention
        return both_ways(lib, lambda: call(q, k, v, is_causal=True), [q, k, v])


attention(8, 6, 128, 32)
attention(1, 6, 2048, 64)


@workload("embedding, 8192 rows of 50,000 x 128", target=1.0)
def embedding(lib: Any, device: str) -> Any:
    table = lib.randn(50_000, 128, device=device, requires_grad=True)
    index = lib.randint(0, 50_000, (32, 256), device=device)
    return both_ways(lib, lambda: lib.nn.functional.embedding(index, table), [table])


def drawn(name: str, function: Callable[[Any], Any]) -> None:
    """A workload without gradients."""

    @workload(name, target=1.0)
    def prepare(lib: Any, device: str) -> Any:
        return lambda: function(lib)


drawn("randn, 1,000,000", lambda lib: lib.randn(1_000_000))
drawn("randperm, 100,000", lambda lib: lib.randperm(100_000))
