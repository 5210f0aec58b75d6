"""Writes `gallery.md` and its pictures: ``python -m docs.gallery_page``; with ``--pages FOLDER`` the pages to play."""

from __future__ import annotations

import argparse
import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wengert as wg
from wengert import nn, viz
from wengert.nn import functional as F

HERE = Path(__file__).parent
PAGE, PICTURES = HERE / "gallery.md", HERE / "images" / "gallery"
sys.path[:0] = [str(HERE.parent / "examples"), str(HERE.parent / "examples" / "models")]

HEAD = """# Gallery: graphs to look at

`viz.draw` makes the pictures below, `viz.view` a page for each: one file that needs no network, in which modules open
and close, every operation shows its values and gradients, and the forward and the backward pass play step by step.
`viz.record` notes modules, values and times while the program runs. `python -m docs.gallery_page` writes this page.

```python
from wengert import viz

with viz.record(model):  # optional: modules, values, lines, times
    loss = criterion(model(x), y)

loss.graph  # in a notebook: the picture
viz.draw({"loss": loss}, path="loss.svg")  # or .dot, .json, .txt
viz.view({"loss": loss}, path="loss.html")  # the page
print(viz.explain(loss, wrt=w))  # the chain rule in words; .latex has it in formulas
for step in loss.backward_steps():  # backward, one operation at a time
    print(step)
```
"""


@dataclass(frozen=True)
class Entry:
    """A program of the gallery: it returns outputs, and names for the leaves."""

    title: str
    text: str
    program: Callable[[], tuple[Any, Any]]

    @property
    def name(self) -> str:
        return self.program.__name__


def circuit():
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    f = (x + y) * z
    f.backward(retain_graph=True)
    return {"f": f}, {"x": x, "y": y, "z": z}


def digits():
    from digits import DigitNet

    model, images, labels = DigitNet(8), wg.randn(32, 1, 8, 8), wg.arange(32) % 10
    with recorded(model):
        loss = F.cross_entropy(model(images), labels)
    return {"loss": loss}, {"images": images, "labels": labels}


def resnet():
    from resnet import resnet18

    model, images, labels = resnet18(), wg.randn(2, 3, 32, 32), wg.tensor([1, 2])
    with recorded(model):
        loss = F.cross_entropy(model(images), labels)
    return {"loss": loss}, {"images": images, "labels": labels}


def gpt():
    from gpt import GPT

    model, tokens = GPT(vocabulary=65, context=32, depth=4, heads=4, width=64), wg.arange(64).reshape(2, 32)
    with recorded(model):
        _, loss = model(tokens, tokens)
    return {"loss": loss}, {"tokens": tokens}


def lstm():
    cell, head = nn.LSTMCell(8, 16), nn.Linear(16, 4)
    h = c = wg.zeros(2, 16)
    with recorded({"cell": cell, "head": head}):
        for x in wg.randn(64, 2, 8):
            h, c = cell(x, (h, c))
        loss = F.cross_entropy(head(h), wg.tensor([1, 2]))
    return {"loss": loss}, None


def gan():
    from dcgan import Discriminator, Generator

    generator, critic = Generator(width=16, size=32), Discriminator(width=16, size=32)
    real, noise = wg.randn(4, 3, 32, 32), wg.randn(4, 100, 1, 1)
    with recorded({"G": generator, "D": critic}):
        fake = generator(noise)
        judge = F.binary_cross_entropy_with_logits
        loss_d = judge(critic(real).flatten(), wg.ones(4)) + judge(critic(fake.detach()).flatten(), wg.zeros(4))
        loss_g = judge(critic(fake).flatten(), wg.ones(4))
    return {"loss of D": loss_d, "loss of G": loss_g}, {"real": real, "noise": noise}


def hessian():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    x, y, parameters = wg.randn(16, 4), wg.randn(16, 1), list(model.parameters())
    with recorded(model):
        loss = F.mse_loss(model(x), y)
        gradients = wg.autograd.grad(loss, parameters, create_graph=True)
        product = sum((g * wg.ones_like(g)).sum() for g in gradients)
    return {"g·v": product}, {"x": x, "y": y}


ENTRIES = (
    Entry("A circuit", "Scalars show their numbers, and leaves the gradients that have arrived.", circuit),
    Entry("A network that reads digits", "Parameters stand at the side of what reads them.", digits),
    Entry("ResNet-18", "134 nodes in about fifty boxes. Blocks that are alike are drawn once.", resnet),
    Entry("A GPT of four layers", "The block is drawn once, ×4; a hundred layers would take no more room.", gpt),
    Entry("An LSTM over 64 steps", "A cell that is called 64 times: more than a thousand nodes.", lstm),
    Entry("A step of adversarial training", "Two outputs, and a module that is called three times.", gan),
    Entry("A Hessian-vector product", "The graph of a gradient: its own gradient is the Hessian times v.", hessian),
)  # fmt: skip

details = False  # whether values, lines and times are recorded: for pages, not for pictures, which stay the same


def recorded(models: Any) -> Any:
    """`viz.record`, with what the output needs."""
    return viz.record(models, values=details, lines=False, times=details)


def run(entry: Entry) -> viz.Graph:
    """The graph of a program."""
    wg.manual_seed(0)
    outputs, names = entry.program()
    return viz.Graph(outputs, names)


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for entry in ENTRIES:
        code = textwrap.dedent(inspect.getsource(entry.program)).replace("recorded(", "viz.record(")
        parts.append(
            f"## {entry.title}\n\n{entry.text} "
            f'<a href="pages/{entry.name}.html">Open its page</a> (`make docs` writes it).\n\n'
            f"```python\n{code}```\n\n"
            f"![{entry.title}](images/gallery/{entry.name}.svg)\n"
        )
    return "\n".join(parts)


def main() -> None:
    """Write the page and its pictures, or the pages to play."""
    global details
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, help="write the pages that can be played into this folder, and no more")
    args = parser.parse_args()
    details = args.pages is not None
    for entry in ENTRIES:
        graph = run(entry)
        if args.pages is not None:
            viz.view(graph, path=args.pages / f"{entry.name}.html", title=entry.title)
        else:
            viz.draw(graph, path=PICTURES / f"{entry.name}.svg", engine="builtin")
    if args.pages is None:
        PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
