"""Models that people know, written with wengert's layers: to read, to train, and to load published weights into.

Where a reference model exists its parameters have the names, shapes and numbers of that model's, so that a state
dictionary saved elsewhere fits: torchvision for VGG, ResNet and ViT, GPT-2's for the GPT.
"""

from __future__ import annotations

from .char_lstm import CharLSTM
from .dcgan import Discriminator, Generator
from .gpt import GPT
from .lenet import LeNet5
from .resnet import ResNet, resnet18, resnet34, resnet50
from .unet import UNet
from .vae import VAE
from .vgg import VGG
from .vit import ViT

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
    "resnet18",
    "resnet34",
    "resnet50",
]
