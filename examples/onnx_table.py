"""Every model of ``examples/models`` as an ONNX file, and how far runtimes are from it: the table of ``docs/onnx.md``.

    python -m examples.onnx_table              # the table
    python -m examples.onnx_table --opset 20

Each model is exported with a batch of 2 and a batch of any size, checked by the package ``onnx``, and run at two sizes
by its interpreter, by onnxruntime, and as a module again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wengert as wg
from wengert.utils.onnx import differences

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import models
else:
    from . import models

BATCHES = (2, 5)
RUNTIMES = ("reference", "onnxruntime", "import")


def lively(model: Any) -> Any:
    """A model none of whose outputs is zero because it has not been trained."""
    with wg.no_grad():
        for p in model.parameters():
            if not p.any():
                p.normal_(0, 0.1)
    return model


@dataclass
class Row:
    """One line of the table."""

    name: str
    nodes: int
    opset: int
    differences: dict[str, float]
    dynamic: bool


def images(channels: int, size: int) -> Callable[[int], Any]:
    return lambda batch: wg.randn(batch, channels, size, size)


def tokens(vocabulary: int, length: int) -> Callable[[int], Any]:
    return lambda batch: wg.randint(0, vocabulary, (batch, length))


# Name, model, inputs, and which outputs are drawn at random and so differ from run to run.
MODELS: list[tuple[str, Callable[[], Any], Callable[[int], Any], Sequence[int]]] = [
    ("LeNet-5", lambda: models.LeNet5(), images(1, 28), ()),
    ("VGG-11", lambda: models.VGG(11, 10, hidden=64, spatial=1), images(3, 32), ()),
    ("VGG-11, batch norm", lambda: models.VGG(11, 10, batch_norm=True, hidden=64, spatial=1), images(3, 32), ()),
    ("ResNet-18", lambda: models.resnet18(10, small=True), images(3, 8), ()),
    ("ResNet-50", lambda: models.resnet50(10), images(3, 32), ()),
    ("U-Net", lambda: models.UNet(3, 2, width=8, depth=2), images(3, 16), ()),
    ("ViT", lambda: models.ViT(16, 4, depth=2, heads=4, width=64, hidden=128, classes=10), images(3, 16), ()),
    ("GPT", lambda: models.GPT(65, context=32, depth=2, heads=2, width=32), tokens(65, 16), ()),
    ("Char-LSTM", lambda: models.CharLSTM(20, 32, layers=2), tokens(20, 12), ()),
    ("DCGAN generator", lambda: models.Generator(16, width=8, size=32), lambda n: wg.randn(n, 16, 1, 1), ()),
    ("DCGAN discriminator", lambda: models.Discriminator(width=8, size=32), images(3, 32), ()),
    ("VAE", lambda: models.VAE(64, 32, 8), lambda n: wg.rand(n, 64), (0,)),
]


def rows(runtimes: Sequence[str] = RUNTIMES, opset: int | None = None) -> Iterator[Row]:
    """The table, line by line."""
    import onnx

    for name, make, inputs, drawn in MODELS:
        wg.manual_seed(0)
        model = lively(make().eval())
        axes = {"x": {0: "batch"}}
        program = wg.onnx.export(model, inputs(2), input_names=["x"], dynamic_axes=axes, opset_version=opset)
        proto = program.model_proto
        onnx.checker.check_model(proto, full_check=True)
        worst = dict.fromkeys(runtimes, 0.0)
        for batch in BATCHES:
            x = inputs(batch)
            for runtime in runtimes:
                found = differences(model, x, program, runtime)
                worst[runtime] = max([worst[runtime], *[d for i, d in enumerate(found) if i not in drawn]])
        dynamic = all(v.type.tensor_type.shape.dim[0].dim_param == "batch" for v in proto.graph.output[:1])
        yield Row(name, len(proto.graph.node), proto.opset_import[0].version, worst, dynamic)


def table(lines: Iterator[Row]) -> Iterator[str]:
    """The table as Markdown."""
    yield "| model | nodes | opset | reference | onnxruntime | read again | any batch |"
    yield "|---|---|---|---|---|---|---|"
    for row in lines:
        worst = " | ".join([f"{row.differences[r]:.1e}" for r in RUNTIMES])
        yield f"| {row.name} | {row.nodes} | {row.opset} | {worst} | {'yes' if row.dynamic else 'no'} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opset", type=int, help="version of ONNX's operators (18 unless told)")
    for line in table(rows(opset=parser.parse_args().opset)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
