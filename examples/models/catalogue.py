"""The models of this folder by name, each with the shapes of what it is called with; ``wengert graph`` reads it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from . import char_lstm, dcgan, gpt, lenet, resnet, unet, vae, vgg, vit

IMAGE, TOKENS = "1x3x224x224", "1x16:int64"
IMAGE_MODELS = (
    *(resnet.resnet18, resnet.resnet34, resnet.resnet50, resnet.resnet101, resnet.resnet152),
    *(resnet.wide_resnet50_2, resnet.wide_resnet101_2),
    *(resnet.resnext50_32x4d, resnet.resnext101_32x8d, resnet.resnext101_64x4d),
    *(vgg.vgg11, vgg.vgg11_bn, vgg.vgg13, vgg.vgg13_bn, vgg.vgg16, vgg.vgg16_bn, vgg.vgg19, vgg.vgg19_bn),
    *(vit.vit_ti_16, vit.vit_s_16, vit.vit_b_16, vit.vit_b_32, vit.vit_l_16, vit.vit_l_32),
)

# name -> how it is made, and shapes of its inputs, with their types where they are not float32
CATALOGUE: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "lenet5": (lenet.LeNet5, ("1x1x28x28",)),
    **{make.__name__: (make, (IMAGE,)) for make in IMAGE_MODELS},
    "unet": (unet.UNet, ("1x3x128x128",)),
    "vae": (vae.VAE, ("1x1x28x28",)),
    "dcgan_generator": (dcgan.Generator, ("1x100x1x1",)),
    "dcgan_discriminator": (dcgan.Discriminator, ("1x3x64x64",)),
    "char_lstm": (partial(char_lstm.CharLSTM, 65), (TOKENS,)),
    "gpt": (partial(gpt.GPT, 65, context=64, depth=4, heads=4, width=128), (TOKENS,)),  # of characters
    **{make.__name__: (make, (TOKENS,)) for make in (gpt.gpt2, gpt.gpt2_medium, gpt.gpt2_large, gpt.gpt2_xl)},
}

# timm's names of these; what it writes after a dot says how the weights were trained.
OTHERS = {
    "vit_tiny_patch16_224": "vit_ti_16",
    "vit_small_patch16_224": "vit_s_16",
    "vit_base_patch16_224": "vit_b_16",
    "vit_base_patch32_224": "vit_b_32",
    "vit_large_patch16_224": "vit_l_16",
}


def known(name: str) -> str:
    """The name here of a published model: ``gpt2-medium`` and ``resnet18.a1_in1k`` are found, too."""
    plain = name.lower().partition(".")[0].replace("-", "_")
    return OTHERS.get(plain, plain)
