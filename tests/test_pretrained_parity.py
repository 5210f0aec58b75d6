"""Weights of torchvision, timm and transformers, from files into ``examples/models``: outputs are the same.

The models of those libraries have random weights here; names, shapes and formats are those of the published files.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert as wg
from benchmarks.programs import example
from examples import models
from examples.models.pretrained import compare, load_pretrained
from examples.models.renaming import renamed, source_of

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

pytestmark = [pytest.mark.parity, pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@functools.cache
def vision_library(name: str) -> ModuleType:
    """torchvision or timm; torchvision is imported without its compiled part where that is for another PyTorch."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        pytest.skip(f"needs {error.name}")
    except RuntimeError:
        operators = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            operators.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        vision_library.operators = operators  # they last as long as this does
        return importlib.import_module(name)


@functools.cache
def transformers() -> Any:
    vision_library("torchvision")  # which it imports
    return pytest.importorskip("transformers")


def torchvision_model(name: str, **options: Any) -> Any:
    return getattr(vision_library("torchvision").models, name)(**options)


def torchvision_vgg(name: str) -> Any:
    """One with narrow linear layers: the published ones have 100 million weights."""
    model = torchvision_model(name, num_classes=7)
    model.classifier[0] = torch.nn.Linear(512 * 49, 64)
    model.classifier[3] = torch.nn.Linear(64, 64)
    model.classifier[6] = torch.nn.Linear(64, 7)
    return model


def timm_model(name: str, **options: Any) -> Any:
    vision_library("torchvision")
    return vision_library("timm").create_model(name, **options)


def timm_vgg(name: str) -> Any:
    """As `torchvision_vgg`."""
    model = timm_model(name, num_classes=7)
    model.pre_logits.fc1, model.pre_logits.fc2 = torch.nn.Conv2d(512, 64, 7), torch.nn.Conv2d(64, 64, 1)
    model.head.fc = torch.nn.Linear(64, 7)
    return model


def hugging_face_vit(classes: int = 7) -> Any:
    t = transformers()
    config = t.ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=32,
        patch_size=8,
        num_labels=classes,
    )
    return t.ViTForImageClassification(config)


def hugging_face_resnet(kind: str, depths: list[int], sizes: list[int]) -> Any:
    t = transformers()
    return t.ResNetForImageClassification(
        t.ResNetConfig(embedding_size=64, hidden_sizes=sizes, depths=depths, layer_type=kind, num_labels=7)
    )


def small_vit() -> Any:
    return models.ViT(32, 8, depth=2, heads=2, width=16, hidden=24, classes=7)


# Name: the other library's model, the one of this folder, and the size of images.
MODELS: dict[str, tuple[Callable[[], Any], Callable[[], Any], int]] = {
    "torchvision resnet18": (lambda: torchvision_model("resnet18"), models.resnet18, 64),
    "torchvision resnet50": (lambda: torchvision_model("resnet50"), models.resnet50, 64),
    "torchvision wide_resnet50_2": (lambda: torchvision_model("wide_resnet50_2"), models.wide_resnet50_2, 32),
    "torchvision resnext50_32x4d": (lambda: torchvision_model("resnext50_32x4d"), models.resnext50_32x4d, 32),
    "torchvision vgg11": (lambda: torchvision_vgg("vgg11"), lambda: models.vgg11(7, hidden=64), 32),
    "torchvision vgg13_bn": (lambda: torchvision_vgg("vgg13_bn"), lambda: models.vgg13_bn(7, hidden=64), 32),
    "torchvision vit": (
        lambda: vision_library("torchvision").models.VisionTransformer(32, 8, 2, 2, 16, 24, num_classes=7),
        small_vit,
        32,
    ),
    "timm resnet18.a1_in1k": (lambda: timm_model("resnet18.a1_in1k"), models.resnet18, 64),
    "timm resnext50_32x4d": (lambda: timm_model("resnext50_32x4d"), models.resnext50_32x4d, 32),
    "timm vgg11_bn": (lambda: timm_vgg("vgg11_bn"), lambda: models.vgg11_bn(7, hidden=64), 224),
    "timm vit": (
        lambda: timm_model(
            "vit_base_patch16_224",
            **{"img_size": 32, "patch_size": 8, "depth": 2, "num_heads": 2, "embed_dim": 16, "mlp_ratio": 1.5},
            num_classes=7,
        ),
        small_vit,
        32,
    ),
    "Hugging Face vit": (hugging_face_vit, small_vit, 32),
    "Hugging Face resnet-18": (
        lambda: hugging_face_resnet("basic", [2, 2, 2, 2], [64, 128, 256, 512]),
        lambda: models.resnet18(7),
        64,
    ),
    "Hugging Face resnet-50": (
        lambda: hugging_face_resnet("bottleneck", [3, 4, 6, 3], [256, 512, 1024, 2048]),
        lambda: models.resnet50(7),
        64,
    ),
}

EPS = {"Hugging Face vit": 1e-12}  # of norms; what configurations of the Hub say


def settled(model: Any) -> Any:
    """The model with numbers that no layer starts from, ready to predict."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.add_(torch.randn_like(p) * (0.1 if p.dim() == 1 or "pos" in name or "token" in name else 0.02))
        for name, b in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                b.copy_(torch.rand_like(b) + 0.5)
    return model.eval()


def written(state: Any, path: Path) -> Path:
    if path.suffix == ".safetensors":
        safetensors_torch.save_file({name: value.clone().contiguous() for name, value in state.items()}, path)
    else:
        torch.save(state, path)
    return path


def near(mine: Any, theirs: Any, tolerance: float = 1e-4) -> None:
    x, y = mine.detach().numpy(), theirs.detach().numpy()
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * np.abs(y).max())


@pytest.mark.parametrize("name", MODELS)
def test_classifiers(name: str, tmp_path: Path):
    make, mine, size = MODELS[name]
    theirs = settled(make())
    file = written(theirs.state_dict(), tmp_path / ("w.safetensors" if "timm" in name else "w.pth"))
    model = load_pretrained(mine(), file).eval()
    x = np.random.default_rng(0).normal(size=(2, 3, size, size)).astype("float32")
    with torch.no_grad(), wg.no_grad():
        expected = theirs(torch.from_numpy(x))
        near(model(wg.from_numpy(x)), getattr(expected, "logits", expected))
    assert {m.eps for m in model.modules() if isinstance(m, wg.nn.LayerNorm)} <= {EPS.get(name, 1e-6)}


def test_positions_for_larger_images():
    options = {"patch_size": 8, "depth": 2, "num_heads": 2, "embed_dim": 16, "mlp_ratio": 1.5, "num_classes": 7}
    theirs = settled(timm_model("vit_base_patch16_224", img_size=32, **options))
    larger = timm_model("vit_base_patch16_224", img_size=48, dynamic_img_size=True, **options).eval()
    state = {name: wg.from_numpy(value.numpy()) for name, value in theirs.state_dict().items()}
    positions = vision_library("timm").layers.resample_abs_pos_embed(theirs.pos_embed.detach(), (6, 6))
    larger.load_state_dict({**theirs.state_dict(), "pos_embed": positions})
    mine = models.ViT(48, 8, depth=2, heads=2, width=16, hidden=24, classes=7)
    with pytest.raises(RuntimeError, match=r"encoder.pos_embedding: \[1, 37, 16\] here, \[1, 17, 16\]"):
        load_pretrained(mine, state)
    load_pretrained(mine, state, resize_positions=True).eval()
    x = np.random.default_rng(0).normal(size=(2, 3, 48, 48)).astype("float32")
    with torch.no_grad(), wg.no_grad():
        near(mine(wg.from_numpy(x)), larger(torch.from_numpy(x)))


@pytest.fixture(scope="module")
def gpt2() -> Any:
    t = transformers()
    config = t.GPT2Config(vocab_size=61, n_positions=24, n_embd=16, n_layer=3, n_head=2, bos_token_id=0, eos_token_id=0)
    return settled(t.GPT2LMHeadModel(config))


def small_gpt() -> Any:
    return models.GPT(61, context=24, depth=3, heads=2, width=16)


def hub_forms(state: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same weights in the forms in which they are published and kept."""
    bare = {name.removeprefix("transformer."): value for name, value in state.items() if name != "lm_head.weight"}
    masks = {f"h.{i}.attn.bias": torch.ones(1, 1, 24, 24).tril() for i in range(3)}
    masks |= {f"h.{i}.attn.masked_bias": torch.tensor(-1e4) for i in range(3)}
    turned = {
        n: v.t() if n.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")) else v for n, v in state.items()
    }
    return {
        "of a GPT2LMHeadModel": written(state, folder / "model.safetensors"),
        "of the Hub": written(bare | masks, folder / "pytorch_model.bin"),
        "a training's": written(
            {"model": {f"_orig_mod.{n}": v for n, v in turned.items()}, "step": 3}, folder / "c.pt"
        ),
        "a dictionary": {name: wg.from_numpy(value.numpy()) for name, value in state.items()},
    }


def test_gpt2(gpt2: Any, tmp_path: Path):
    tokens = np.random.default_rng(0).integers(0, 61, (2, 24))
    with torch.no_grad():
        expected = gpt2(torch.from_numpy(tokens)).logits
    for form in hub_forms(gpt2.state_dict(), tmp_path).values():
        model = load_pretrained(small_gpt(), form).eval()
        near(model(wg.from_numpy(tokens))[0], expected)
        assert model.lm_head.weight is model.transformer["wte"].weight


@pytest.mark.parametrize("size", ["1KB", "1GB"])
def test_gpt2_from_a_folder(gpt2: Any, tmp_path: Path, size: str):
    gpt2.save_pretrained(tmp_path, max_shard_size=size)
    assert (tmp_path / "model.safetensors.index.json").exists() == (size == "1KB")
    tokens = np.random.default_rng(0).integers(0, 61, (1, 9))
    with torch.no_grad():
        near(
            load_pretrained(small_gpt(), tmp_path).eval()(wg.from_numpy(tokens))[0],
            gpt2(torch.from_numpy(tokens)).logits,
        )


def test_gpt2_continues_as_theirs_does(gpt2: Any):
    model = load_pretrained(small_gpt(), {n: wg.from_numpy(v.numpy()) for n, v in gpt2.state_dict().items()}).eval()
    tokens = np.random.default_rng(0).integers(1, 61, (1, 5))
    theirs = gpt2.generate(
        torch.from_numpy(tokens), max_new_tokens=19, do_sample=False, pad_token_id=0, eos_token_id=None
    )
    assert model.generate(wg.from_numpy(tokens), 19, temperature=0).tolist() == theirs.tolist()


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [(name, "torchvision") for name in ("resnet101", "resnet152", "wide_resnet101_2", "resnext101_32x8d")]
    + [(name, "torchvision") for name in ("resnext101_64x4d", "vgg16", "vgg19_bn", "vit_b_16", "vit_b_32", "vit_l_16")]
    + [("vit_s_16", "vit_small_patch16_224"), ("vit_ti_16", "vit_tiny_patch16_224")]
    + [("gpt2", {}), ("gpt2_medium", {"n_embd": 1024, "n_layer": 24, "n_head": 16})]
    + [("gpt2_large", {"n_embd": 1280, "n_layer": 36, "n_head": 20})]
    + [("gpt2_xl", {"n_embd": 1600, "n_layer": 48, "n_head": 25})],
)
def test_large_ones_have_the_published_shapes(mine: str, theirs: Any):
    """Names and shapes only, of tensors without memory."""
    with torch.device("meta"):
        if isinstance(theirs, dict):
            other = transformers().GPT2LMHeadModel(transformers().GPT2Config(**theirs)).transformer
        else:
            other = torchvision_model(mine) if theirs == "torchvision" else timm_model(theirs)
        own = getattr(example(torch, "models"), mine)()
    state = other.state_dict()
    fit = compare(own, renamed(state, type(own).__name__, source_of(state)), "", "-")
    assert str(fit) == ""
    assert len(fit.weights) >= len(state)
