"""What is measured on a GPU: models of the size that GPUs are for, with the precisions that are used there.

Each step gets another of several batches. ``tf32`` lets float32 products round their factors; ``bfloat16`` is autocast,
which JAX has no like of: there products round their factors to bfloat16.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
from collections.abc import Callable
from typing import Any

from . import Workload
from .models import Parts, char_lstm, gpt, large_mlp, resnet18, small_mlp

BATCHES = 4
GPU: dict[str, Workload] = {}
ENVIRONMENT = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # JAX would take most of the memory from the others
JAX_PRECISION = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": "bfloat16"}


def exactness(lib: Any, at: Any, precision: str) -> Callable[[], Any]:
    """Set what a library may round, and return what makes the context of a forward pass."""
    if not hasattr(lib, "set_float32_matmul_precision"):
        return contextlib.nullcontext
    exact = precision == "float32"
    lib.set_float32_matmul_precision("highest" if exact else "high")
    lib.backends.cudnn.allow_tf32 = not exact
    lib.backends.cudnn.benchmark = True
    if precision != "bfloat16":
        return contextlib.nullcontext
    return lambda: lib.autocast(at.device, dtype=lib.bfloat16)


def training(lib: Any, at: Any, make: Callable[..., Parts], precision: str, **sizes: Any) -> Callable[[], Any]:
    """A step on the next of several batches: forward, loss, backward, optimizer."""
    context = exactness(lib, at, precision)
    made = [make(lib, at, **sizes)]
    model, output, classes = at.placed(lib, made[0].model), made[0].output, made[0].classes
    made += [make(lib, at, **sizes) for _ in range(BATCHES - 1)]
    batches = itertools.cycle([[at.tensor(lib, array) for array in parts.batch] for parts in made])
    optimizer = made[0].optimizer(model.parameters())
    cross_entropy = lib.nn.functional.cross_entropy

    def loss_of(x: Any, y: Any) -> Any:
        with context():
            logits = output(model, x)
        if classes == -1:
            return cross_entropy(logits.reshape(-1, logits.shape[-1]).float(), y.reshape(-1))
        return cross_entropy(logits.float(), y)

    compute = at.compiled(loss_of)

    def step() -> Any:
        loss = compute(*next(batches))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def jax_version(path: str, at: Any, precision: str, **sizes: Any) -> Any:
    """The JAX version of a model, from the workloads for the CPU."""
    import jax

    jax.config.update("jax_default_matmul_precision", JAX_PRECISION[precision])
    module, function = path.split(".")
    return getattr(importlib.import_module(f"{__package__}.{module}"), function)(at, **sizes)


class OnGPU(Workload):
    """A workload whose JAX version takes a precision."""

    def start(self, column: str, library: Any, at: Any, *, tiny: bool = False) -> Any:
        sizes = {**self.sizes, **(self.tiny if tiny else {})}
        if self.jax and column == "jax":
            return jax_version(self.jax, at, **sizes)
        return self.prepare(library, at, **sizes)


def add(name: str, prepare: Callable[..., Any], jax: str = "", compile: bool = True, **settings: Any) -> None:
    """Put a workload into the table of GPUs."""
    without = {} if compile else {"compile": "left out, as compiling takes longer than there is time"}
    GPU[name] = OnGPU(
        name, prepare, "training", jax=jax, environment=ENVIRONMENT, without=without, chart=False, **settings
    )


def model(name: str, make: Callable[..., Parts], jax: str, precisions: str, sizes: Any, tiny: Any, **more: Any) -> None:
    """A training step in each of several precisions."""
    for precision in precisions.split():
        add(
            f"{name}, {precision}",
            lambda lib, at, precision, **sizes: training(lib, at, make, precision, **sizes),
            jax=jax,
            sizes={**sizes, "precision": precision},
            tiny=tiny,
            **more,
        )


def attention(lib: Any, at: Any, batch: int, heads: int, length: int, width: int, precision: str) -> Callable[[], Any]:
    """Causal attention, forward and backward, on views of one projection."""
    exactness(lib, at, precision)
    dtype = lib.bfloat16 if precision == "bfloat16" else lib.float32
    sets = []
    for _ in range(BATCHES):
        packed = at.tensor(lib, at.normal(batch, length, 3, heads, width)).to(dtype).requires_grad_()
        g = at.tensor(lib, at.normal(batch, heads, length, width)).to(dtype)
        sets.append((packed, g))
    each = itertools.cycle(sets)
    attend = at.compiled(lib.nn.functional.scaled_dot_product_attention)

    def call() -> None:
        packed, g = next(each)
        packed.grad = None
        q, k, v = (packed[:, :, i].transpose(1, 2) for i in range(3))
        attend(q, k, v, is_causal=True).backward(g)

    return call


# In the order of what one would like to know first, for when there is not time for all.
GPT = {"batch": 8, "length": 1024, "depth": 12, "heads": 12, "width": 768, "vocabulary": 50304}
TINY_GPT = {"batch": 2, "length": 6, "depth": 2, "heads": 2, "width": 16, "vocabulary": 11}
IMAGES = {"batch": 128, "size": 32}
TINY_IMAGES = {"batch": 4, "size": 8}
HEADS: dict[str, Any] = {"batch": 8, "heads": 12, "length": 1024, "width": 64}
TINY_HEADS = {"batch": 1, "heads": 2, "length": 8, "width": 8}

model("GPT 12 x 768, 8 x 1024 tokens", gpt, "jax_sequence.gpt", "bfloat16", GPT, TINY_GPT)
model("ResNet-18, CIFAR, batch 128", resnet18, "jax_vision.resnet18", "bfloat16", IMAGES, TINY_IMAGES)
model(
    "MLP 784-1024-1024-10, batch 256",
    large_mlp,
    "jax_vision.large_mlp",
    "float32",
    {"batch": 256, "width": 1024},
    {"batch": 4, "width": 16},
)
add(
    "attention 8 x 12 x 1024 x 64, bfloat16",
    attention,
    sizes={**HEADS, "precision": "bfloat16"},
    tiny=TINY_HEADS,
    compile=False,
)
model("GPT 12 x 768, 8 x 1024 tokens", gpt, "jax_sequence.gpt", "tf32", GPT, TINY_GPT, compile=False)
model("ResNet-18, CIFAR, batch 128", resnet18, "jax_vision.resnet18", "tf32", IMAGES, TINY_IMAGES, compile=False)
model(
    "char LSTM 256, 64 steps, batch 32",
    char_lstm,
    "jax_sequence.char_lstm",
    "float32",
    {"batch": 32, "length": 64, "width": 256},
    {"batch": 2, "length": 5, "width": 8},
    compile=False,
)
model("MLP 64-64-64-10, batch 32", small_mlp, "jax_vision.small_mlp", "float32", {"batch": 32}, {"batch": 4})
add(
    "attention 8 x 12 x 1024 x 64, tf32",
    attention,
    sizes={**HEADS, "precision": "tf32"},
    tiny=TINY_HEADS,
    compile=False,
)
