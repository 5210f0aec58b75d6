"""Models: each is written once, and gives a training step and inference at batch 1."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.programs import example

from . import workload


def output(model: Any, x: Any) -> Any:
    return model(x)


def logits_first(model: Any, x: Any) -> Any:
    """For models that return logits and something else."""
    return model(x)[0]


@dataclass(frozen=True)
class Parts:
    """A model, a batch for it, and how it is trained.

    Attributes:
        model: not yet on the device.
        batch: inputs and targets, as arrays.
        optimizer: made from the parameters.
        output: logits of the model and inputs.
        classes: the dimension of the logits that has the classes.
    """

    model: Any
    batch: tuple[Any, Any]
    optimizer: Callable[[Any], Any]
    output: Callable[[Any, Any], Any] = output
    classes: int = -1


def training(lib: Any, at: Any, parts: Parts) -> Callable[[], Any]:
    """A step: forward, loss, backward, optimizer. With ``torch.compile``, forward, loss and backward are compiled."""
    model = at.placed(lib, parts.model)
    optimizer = parts.optimizer(model.parameters())
    x, y = (at.tensor(lib, array) for array in parts.batch)
    cross_entropy = lib.nn.functional.cross_entropy

    def loss_of(x: Any, y: Any) -> Any:
        logits = parts.output(model, x)
        if parts.classes == -1:
            return cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        return cross_entropy(logits, y)

    compute = at.compiled(loss_of)

    def step() -> Any:
        loss = compute(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def inference(lib: Any, at: Any, parts: Parts) -> Callable[[], Any]:
    """The model's output without gradients."""
    model = at.placed(lib, parts.model).eval()
    x = at.tensor(lib, parts.batch[0])
    compute = at.compiled(functools.partial(parts.output, model))

    def call() -> Any:
        with lib.no_grad():
            return compute(x)

    return call


def model(name: str, *, jax: str, sizes: dict[str, Any], tiny: dict[str, Any], infer: bool = True, **settings: Any):
    """Make both workloads of a function that returns `Parts`; ``batch`` among the sizes is the training step's."""

    def add(parts: Callable[..., Parts]) -> Callable[..., Parts]:
        title = f"{name}, batch {sizes['batch']}"
        workload(title, "training", sizes=sizes, tiny=tiny, jax=jax, chart=True, **settings)(
            lambda lib, at, **sizes: training(lib, at, parts(lib, at, **sizes))
        )
        if infer:
            workload(
                f"{name}, inference",
                "inference",
                sizes={**sizes, "batch": 1},
                tiny={**tiny, "batch": 1},
                jax=f"{jax}_inference",
                chart=True,
                quick=name == "LeNet-5",
            )(lambda lib, at, **sizes: inference(lib, at, parts(lib, at, **sizes)))
        return parts

    return add


def images(at: Any, batch: int, channels: int, size: int, classes: int = 10) -> tuple[Any, Any]:
    return at.normal(batch, channels, size, size), at.integers(classes, batch)


def sequences(at: Any, batch: int, length: int, vocabulary: int) -> tuple[Any, Any]:
    """Tokens, and for each the one that follows."""
    tokens = at.integers(vocabulary, batch, length + 1)
    return tokens[:, :-1].copy(), tokens[:, 1:].copy()


def mlp(lib: Any, *widths: int) -> Any:
    """Linear layers with ReLU between them."""
    nn = lib.nn
    layers: list[Any] = []
    for d, e in itertools.pairwise(widths):
        layers += [nn.Linear(d, e), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@model(
    "MLP 64-64-64-10",
    jax="jax_vision.small_mlp",
    sizes={"batch": 32},
    tiny={"batch": 4},
    quick=True,
    target=0.7,
    infer=False,
)
def small_mlp(lib: Any, at: Any, batch: int) -> Parts:
    data = at.normal(batch, 64), at.integers(10, batch)
    return Parts(mlp(lib, 64, 64, 64, 10), data, lambda p: lib.optim.SGD(p, lr=0.01))


@model(
    "MLP 784-512-512-10",
    jax="jax_vision.large_mlp",
    sizes={"batch": 128, "width": 512},
    tiny={"batch": 4, "width": 16},
    quick=True,
    numpy=True,
)
def large_mlp(lib: Any, at: Any, batch: int, width: int) -> Parts:
    data = at.normal(batch, 784), at.integers(10, batch)
    return Parts(mlp(lib, 784, width, width, 10), data, lambda p: lib.optim.Adam(p, lr=1e-3))


@model("LeNet-5", jax="jax_vision.lenet", sizes={"batch": 128}, tiny={"batch": 4}, quick=True, numpy=True)
def lenet(lib: Any, at: Any, batch: int) -> Parts:
    net = example(lib, "models").LeNet5()
    return Parts(net, images(at, batch, 1, 28), lambda p: lib.optim.SGD(p, lr=0.01))


def resnet18(lib: Any, at: Any, batch: int, size: int) -> Parts:
    """The form for CIFAR's images."""
    net = example(lib, "models").resnet18(10, small=True)
    return Parts(net, images(at, batch, 3, size), lambda p: lib.optim.SGD(p, lr=0.01, momentum=0.9))


RESNET: dict[str, Any] = {"jax": "jax_vision.resnet18", "tiny": {"batch": 4, "size": 8}}
model("ResNet-18, CIFAR", sizes={"batch": 32, "size": 32}, quick=True, numpy=True, **RESNET)(resnet18)
model("ResNet-18, CIFAR", sizes={"batch": 128, "size": 32}, infer=False, **RESNET)(resnet18)


@model(
    "VGG-11, CIFAR",
    jax="jax_vision.vgg11",
    sizes={"batch": 32, "hidden": 512},
    tiny={"batch": 1, "hidden": 16},
    numpy=True,
)
def vgg11(lib: Any, at: Any, batch: int, hidden: int) -> Parts:
    """Without dropout, so that libraries agree on the loss."""
    net = example(lib, "models").VGG(11, 10, hidden=hidden, spatial=1, dropout=0.0)
    return Parts(net, images(at, batch, 3, 32), lambda p: lib.optim.SGD(p, lr=0.01, momentum=0.9))


CHARACTERS: dict[str, Any] = {
    "sizes": {"batch": 32, "length": 64, "width": 256},
    "tiny": {"batch": 2, "length": 5, "width": 8},
}


@model("char LSTM 256, 64 steps", jax="jax_sequence.char_lstm", quick=True, numpy=True, **CHARACTERS)
def char_lstm(lib: Any, at: Any, batch: int, length: int, width: int) -> Parts:
    net = example(lib, "models").CharLSTM(65, width)
    data = sequences(at, batch, length, 65)
    return Parts(net, data, lambda p: lib.optim.Adam(p, lr=1e-3), logits_first)


@model("char GRU 256, 64 steps", jax="jax_sequence.char_gru", **CHARACTERS)
def char_gru(lib: Any, at: Any, batch: int, length: int, width: int) -> Parts:
    nn = lib.nn

    class CharGRU(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(65, width)
            self.gru = nn.GRU(width, width, batch_first=True)
            self.head = nn.Linear(width, 65)

        def forward(self, x: Any) -> Any:
            return self.head(self.gru(self.embedding(x))[0])

    return Parts(CharGRU(), sequences(at, batch, length, 65), lambda p: lib.optim.Adam(p, lr=1e-3))


def gpt(lib: Any, at: Any, batch: int, length: int, depth: int, heads: int, width: int, vocabulary: int) -> Parts:
    net = example(lib, "models").GPT(vocabulary, length, depth, heads, width)
    data = sequences(at, batch, length, vocabulary)
    return Parts(net, data, lambda p: lib.optim.AdamW(p, lr=1e-3), logits_first)


GPT: dict[str, Any] = {
    "jax": "jax_sequence.gpt",
    "tiny": {"batch": 2, "length": 6, "depth": 2, "heads": 2, "width": 8, "vocabulary": 11},
}
SMALL = {"batch": 8, "length": 128, "depth": 4, "heads": 6, "width": 192, "vocabulary": 65}
LARGE = {"batch": 8, "length": 128, "depth": 12, "heads": 6, "width": 384, "vocabulary": 256}
model("GPT 4 x 192, 128 tokens", sizes=SMALL, quick=True, numpy=True, **GPT)(gpt)
model("GPT 12 x 384, 128 tokens", sizes=LARGE, **GPT)(gpt)


@model(
    "ViT-tiny, 32x32 in patches of 4",
    jax="jax_vision.vit",
    sizes={"batch": 32, "size": 32, "depth": 12, "heads": 3, "width": 192},
    tiny={"batch": 2, "size": 8, "depth": 2, "heads": 2, "width": 8},
)
def vit(lib: Any, at: Any, batch: int, size: int, depth: int, heads: int, width: int) -> Parts:
    net = example(lib, "models").ViT(size, 4, depth, heads, width, 4 * width, 10)
    return Parts(net, images(at, batch, 3, size), lambda p: lib.optim.AdamW(p, lr=1e-3))


@model(
    "U-Net 16, 128x128",
    jax="jax_vision.unet",
    sizes={"batch": 4, "size": 128, "width": 16, "depth": 3},
    tiny={"batch": 1, "size": 8, "width": 4, "depth": 2},
)
def unet(lib: Any, at: Any, batch: int, size: int, width: int, depth: int) -> Parts:
    net = example(lib, "models").UNet(3, 2, width, depth)
    data = at.normal(batch, 3, size, size), at.integers(2, batch, size, size)
    return Parts(net, data, lambda p: lib.optim.Adam(p, lr=1e-3), classes=1)
