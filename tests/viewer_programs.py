"""Programs whose graphs the tests of the page look at."""

from __future__ import annotations

import random
import sys
from itertools import pairwise
from pathlib import Path

import wengert as wg
from wengert import nn, viz
from wengert.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))


def circuit() -> tuple[dict[str, wg.Tensor], dict[str, wg.Tensor]]:
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    return {"f": (x + y) * z}, {"x": x, "y": y, "z": z}


def gpt() -> tuple[dict[str, wg.Tensor], None]:
    from models.gpt import GPT

    wg.manual_seed(0)
    model, tokens = GPT(20, 8, 4, 2, 16), wg.arange(8).reshape(1, 8)
    with viz.record(model):
        _, loss = model(tokens, tokens)
    return {"loss": loss}, None


def resnet() -> tuple[dict[str, wg.Tensor], dict[str, wg.Tensor]]:
    from models.resnet import resnet18

    wg.manual_seed(0)
    model, images = resnet18(), wg.randn(1, 3, 32, 32)
    with viz.record(model):
        loss = F.cross_entropy(model.eval()(images), wg.tensor([1]))
    return {"loss": loss}, {"images": images}


def lstm() -> tuple[dict[str, wg.Tensor], None]:
    cell, head = nn.LSTMCell(8, 16), nn.Linear(16, 4)
    h = c = wg.zeros(2, 16)
    with viz.record({"cell": cell, "head": head}):
        for x in wg.randn(64, 2, 8):
            h, c = cell(x, (h, c))
        loss = F.cross_entropy(head(h), wg.tensor([1, 2]))
    return {"loss": loss}, None


def hvp() -> tuple[dict[str, wg.Tensor], None]:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    parameters = list(model.parameters())
    with viz.record(model):
        loss = F.mse_loss(model(wg.randn(6, 4)), wg.randn(6, 1))
        grads = wg.autograd.grad(loss, parameters, create_graph=True)
        product = sum((g * wg.ones_like(p)).sum() for g, p in zip(grads, parameters, strict=True))
    return {"product": product}, None


def gan() -> tuple[dict[str, wg.Tensor], None]:
    from models.dcgan import Discriminator, Generator

    g, d = Generator(width=8), Discriminator(width=8)
    with viz.record({"G": g, "D": d}):
        loss = F.binary_cross_entropy_with_logits(d(g(wg.randn(2, 100, 1, 1))).flatten(), wg.ones(2))
    return {"loss": loss}, None


def many_branches() -> tuple[dict[str, wg.Tensor], dict[str, wg.Tensor]]:
    x, w = wg.tensor(2.0, requires_grad=True), wg.randn(40, requires_grad=True)
    return {"y": wg.stack([(x + w[i]).sin() for i in range(0, 40, 3)]).sum(), "z": w.split(20)[1].max()}, {
        "x": x,
        "w": w,
    }


def long_names() -> tuple[dict[str, wg.Tensor], nn.Module]:
    name = "a_very_long_name_of_a_module_that_goes_on_and_on_and_on_and_on"
    model = nn.ModuleDict({name: nn.Sequential(nn.Linear(3, 3), nn.ReLU())})
    with viz.record(model):
        return {"an output with a rather long name, too, <b>&amp;</b>": model[name](wg.ones(1, 3)).sum()}, model


def scalars() -> tuple[dict[str, wg.Tensor], None]:
    """A network whose every weight is a tensor of its own."""
    choose = random.Random(0)

    def number(grad: bool) -> wg.Tensor:
        return wg.tensor(choose.uniform(-1, 1), requires_grad=grad)

    sizes = [2, 4, 4, 1]
    layers = [[[number(True) for _ in range(a + 1)] for _ in range(b)] for a, b in pairwise(sizes)]
    loss = number(False)
    for _ in range(12):
        x = [number(False), number(False)]
        for layer in layers:
            x = [(sum(w * v for w, v in zip(ws, x, strict=False)) + ws[-1]).tanh() for ws in layer]
        loss = loss + (x[0] - 1) ** 2
    return {"loss": loss}, None


def nothing() -> tuple[wg.Tensor, None]:
    return wg.ones(3), None


PROGRAMS = [circuit, gpt, resnet, lstm, hvp, gan, many_branches, long_names, scalars, nothing]


def thousands(count: int) -> dict[str, wg.Tensor]:
    choose = random.Random(0)
    values = [wg.ones(4, requires_grad=True)]
    while len(values) < count:
        other = values[choose.randrange(max(0, len(values) - 20), len(values))]
        values.append(choose.choice([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a.sin()])(values[-1], other))
    return {"out": values[-1].sum()}
