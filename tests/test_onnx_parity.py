"""ONNX files that PyTorch writes are read, and compute what the model computes there."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")
pytest.importorskip("onnx")


def first(layer: Any) -> Any:
    """A recurrent layer without its states."""

    class First(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Any) -> Any:
            return self.layer(x)[0]

    return First()


def function(f: Any) -> Any:
    """A function as a module."""

    class Function(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return f(x)

    return Function()


def models() -> dict[str, tuple[Any, tuple[int, ...]]]:
    nn, F = torch.nn, torch.nn.functional
    return {
        "convolutions": (
            nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1),
                nn.GroupNorm(2, 4),
                nn.InstanceNorm2d(4, affine=True),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(4, 5),
            ),
            (3, 8, 8),
        ),
        "activations": (
            nn.Sequential(nn.LayerNorm(6), nn.GELU(), nn.SiLU(), nn.Mish(), nn.Softplus(), nn.Hardswish(), nn.PReLU()),
            (6,),
        ),
        "LSTM": (first(nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)), (5, 3)),
        "GRU": (first(nn.GRU(3, 4, batch_first=True)), (5, 3)),
        "RNN": (first(nn.RNN(3, 4, batch_first=True)), (5, 3)),
        "resizing": (nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample(size=6)), (2, 4, 4)),
        "padding": (nn.Sequential(nn.ReflectionPad2d(1), nn.ZeroPad2d((1, 0, 2, 0)), nn.PixelShuffle(2)), (4, 6, 6)),
        "positions": (function(lambda x: x[:, [1, 0]] + x[:, -2:] + x.roll(1, 1)[:, :2]), (4, 3)),
        "reductions": (function(lambda x: (x.topk(2)[0], x.argmax(1), x.cumsum(1), x.std(1), x.norm(dim=1))), (5,)),
        "attention": (function(lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True)), (2, 5, 4)),
    }


@pytest.mark.parametrize("opset", [14, 17, 20])
@pytest.mark.parametrize("name", models())
def test_files_of_pytorch(name: str, opset: int):
    torch.manual_seed(0)
    model, shape = models()[name]
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            torch.randn(2, *shape),
            file,
            dynamo=False,
            opset_version=opset,
            input_names=["x"],
            dynamic_axes={"x": {0: "batch"}},
        )
    x = torch.randn(3, *shape)
    with torch.no_grad():
        wanted = model(x)
    found = wg.onnx.load(file.getvalue())(wg.from_numpy(x.numpy()))
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours.detach().numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5)
