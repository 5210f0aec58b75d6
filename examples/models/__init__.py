"""Models that people know, written with wengert's layers: to read, to train, and to load published weights into.

Where a reference model exists its parameters have the names, shapes and numbers of that model's, so that a state
dictionary saved elsewhere fits: torchvision for VGG, ResNet and ViT, GPT-2's for the GPT. `pretrained.load_pretrained`
reads files of torchvision, timm and the Hugging Face Hub, and says what does not fit.
"""

from __future__ import annotations

from .char_lstm import CharLSTM
from .dcgan import Discriminator, Generator
from .gpt import GPT, gpt2, gpt2_large, gpt2_medium, gpt2_xl
from .lenet import LeNet5
from .resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    resnext101_64x4d,
    wide_resnet50_2,
    wide_resnet101_2,
)
from .unet import UNet
from .vae import VAE
from .vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from .vit import ViT, vit_b_16, vit_b_32, vit_l_16, vit_l_32, vit_s_16, vit_ti_16

__all__ = [
    "GPT",
    "VAE",
    "VGG",
    "CharLSTM",
    "Discriminator",
    "Generator",
    "LeNet5",
    "ResNet",
    "UNet",
    "ViT",
    "gpt2",
    "gpt2_large",
    "gpt2_medium",
    "gpt2_xl",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "vit_b_16",
    "vit_b_32",
    "vit_l_16",
    "vit_l_32",
    "vit_s_16",
    "vit_ti_16",
    "wide_resnet50_2",
    "wide_resnet101_2",
]
