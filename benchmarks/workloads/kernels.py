"""Layers and losses by themselves, on arrays of the sizes that models have, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import workload


def both_ways(lib: Any, at: Any, function: Callable[..., Any], leaves: Sequence[Any]) -> Callable[[], Any]:
    """``function(*leaves)`` and its gradients, for some gradient of its own; returns the first leaf's."""
    compute = at.compiled(function)
    with lib.no_grad():
        g = at.tensor(lib, at.normal(*function(*leaves).shape))

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        compute(*leaves).backward(g)
        return leaves[0].grad

    return step


def kernel(
    name: str,
    shape: tuple[int, ...],
    tiny: tuple[int, ...],
    function: Callable[[Any, Any], Any],
    *,
    jax: str = "",
    **settings: Any,
) -> None:
    """A workload of ``function(lib, x)``; ``jax`` names its version there unless the name does."""

    @workload(
        f"{name}, {' x '.join(f'{n:,}' for n in shape)}",
        "kernels",
        sizes={"shape": shape},
        tiny={"shape": tiny},
        jax=f"jax_kernels.{jax or name}",
        target=1.0,
        compile=False,
        **settings,
    )
    def prepare(lib: Any, at: Any, shape: tuple[int, ...]) -> Callable[[], Any]:
        x = at.tensor(lib, at.normal(*shape), requires_grad=True)
        return both_ways(lib, at, lambda x: function(lib, x), [x])


kernel("softmax of rows", (4096, 1024), (5, 4), lambda lib, x: lib.softmax(x, 1), jax="softmax_rows", chart=True)
kernel("softmax of columns", (4096, 1024), (5, 4), lambda lib, x: lib.softmax(x, 0), jax="softmax_columns", chart=True)
kernel("layer_norm", (1024, 768), (3, 6), lambda lib, x: lib.nn.functional.layer_norm(x, x.shape[1:]))
kernel("group_norm", (32, 64, 32, 32), (2, 16, 3, 3), lambda lib, x: lib.nn.functional.group_norm(x, 8))
kernel("gelu", (1000, 1000), (3, 4), lambda lib, x: lib.nn.functional.gelu(x))
kernel("silu", (1000, 1000), (3, 4), lambda lib, x: lib.nn.functional.silu(x))
kernel("dropout", (1000, 1000), (3, 4), lambda lib, x: lib.nn.functional.dropout(x, 0.1), draws=True)
kernel("cumsum", (1000, 1000), (3, 4), lambda lib, x: lib.cumsum(x, 1))


@workload(
    "cross_entropy, 4096 x 1000",
    "kernels",
    sizes={"shape": (4096, 1000)},
    tiny={"shape": (4, 5)},
    jax="jax_kernels.cross_entropy",
    target=1.0,
    compile=False,
)
def cross_entropy(lib: Any, at: Any, shape: tuple[int, int]) -> Callable[[], Any]:
    x = at.tensor(lib, at.normal(*shape), requires_grad=True)
    target = at.tensor(lib, at.integers(shape[1], shape[0]))
    return both_ways(lib, at, lambda x: lib.nn.functional.cross_entropy(x, target), [x])


def batch_norm(layout: str) -> None:
    @workload(
        f"batch_norm, 32 x 64 x 32 x 32, {layout}",
        "kernels",
        sizes={"shape": (32, 64, 32, 32)},
        tiny={"shape": (2, 3, 4, 4)},
        jax=f"jax_kernels.batch_norm_{layout}",
        target=1.0,
        compile=False,
    )
    def prepare(lib: Any, at: Any, shape: tuple[int, ...]) -> Callable[[], Any]:
        x = at.tensor(lib, at.normal(*shape)).contiguous(memory_format=getattr(lib, layout)).requires_grad_()
        layer = lib.nn.BatchNorm2d(shape[1]).to(at.device)
        return both_ways(lib, at, lambda x, *_: layer(x), [x, *layer.parameters()])


batch_norm("contiguous_format")
batch_norm("channels_last")


def attention(*shape: int) -> None:
    @workload(
        f"causal attention, {' x '.join(map(str, shape))}",
        "kernels",
        sizes={"shape": shape},
        tiny={"shape": (2, 2, 5, 4)},
        jax="jax_kernels.attention",
        target=1.0,
        compile=False,
    )
    def prepare(lib: Any, at: Any, shape: tuple[int, ...]) -> Callable[[], Any]:
        leaves = [at.tensor(lib, at.normal(*shape), requires_grad=True) for _ in range(3)]
        call = lib.nn.functional.scaled_dot_product_attention
        return both_ways(lib, at, lambda q, k, v: call(q, k, v, is_causal=True), leaves)


attention(8, 6, 128, 32)
attention(1, 6, 2048, 64)


@workload(
    "embedding, 8192 rows of 50,000 x 128",
    "kernels",
    sizes={"rows": 50_000, "width": 128, "shape": (32, 256)},
    tiny={"rows": 7, "width": 3, "shape": (2, 4)},
    jax="jax_kernels.embedding",
    target=1.0,
    compile=False,
    chart=True,
)
def embedding(lib: Any, at: Any, rows: int, width: int, shape: tuple[int, int]) -> Callable[[], Any]:
    table = at.tensor(lib, at.normal(rows, width), requires_grad=True)
    index = at.tensor(lib, at.integers(rows, *shape))
    return both_ways(lib, at, lambda table: lib.nn.functional.embedding(index, table), [table])


def drawn(name: str, size: int) -> None:
    """Random numbers, without gradients."""

    @workload(
        f"{name}, {size:,}",
        "kernels",
        sizes={"size": size},
        tiny={"size": 10},
        jax=f"jax_kernels.{name}",
        target=1.0,
        draws=True,
        without={"compile": "there is nothing to fuse"},
    )
    def prepare(lib: Any, at: Any, size: int) -> Callable[[], Any]:
        return lambda: getattr(lib, name)(size, device=at.device)


drawn("randn", 1_000_000)
drawn("randperm", 100_000)
