"""A vision transformer: an image as a sequence of patches."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import wengert as wg
from wengert import nn


class EncoderBlock(nn.Module):
    """Self-attention and a two-layer network, each beside a shortcut and after a norm."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width), nn.Dropout(dropout)
        )

    def forward(self, x: wg.Tensor) -> wg.Tensor:  # (N, T, C)
        y = self.ln_1(x)
        x = x + self.dropout(self.self_attention(y, y, y, need_weights=False)[0])
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Positions, blocks and a last norm."""

    def __init__(self, length: int, depth: int, heads: int, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(wg.empty(1, length, width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        blocks = [EncoderBlock(width, heads, hidden, dropout) for _ in range(depth)]
        self.layers = nn.Sequential(OrderedDict((f"encoder_layer_{i}", block) for i, block in enumerate(blocks)))
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        return self.ln(self.layers(self.dropout(x + self.pos_embedding)))


class ViT(nn.Module):
    """A classifier of images. The defaults are ViT-B/16: 86.6 million parameters.

    Args:
        image_size: side of the images.
        patch_size: side of a patch, which divides it.
        depth, heads, width, hidden: of the transformer.
        classes: how many classes.
        channels: of the images.
        dropout: in the blocks and after the embedding.

    References:
        A. Dosovitskiy et al., "An image is worth 16x16 words: transformers for image recognition at scale",
        arXiv:2010.11929.
    """

    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 16,
        depth: int = 12,
        heads: int = 12,
        width: int = 768,
        hidden: int = 3072,
        classes: int = 1000,
        *,
        channels: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"ViT: image_size {image_size} is not a multiple of patch_size {patch_size}")
        self.class_token = nn.Parameter(wg.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(channels, width, patch_size, stride=patch_size)
        self.encoder = Encoder((image_size // patch_size) ** 2 + 1, depth, heads, width, hidden, dropout)
        self.heads = nn.Sequential(OrderedDict(head=nn.Linear(width, classes)))
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / (channels * patch_size**2)))
        nn.init.zeros_(self.conv_proj.bias)
        nn.init.zeros_(self.heads.head.weight)
        nn.init.zeros_(self.heads.head.bias)

    def forward(self, x: wg.Tensor) -> wg.Tensor:  # (N, channels, H, W)
        x = self.conv_proj(x).flatten(2).transpose(1, 2)  # (N, patches, C)
        x = wg.cat([self.class_token.expand(len(x), -1, -1), x], dim=1)  # (N, patches + 1, C)
        return self.heads(self.encoder(x)[:, 0])  # (N, classes)


def vit_b_16(classes: int = 1000, *, image_size: int = 224, **options: Any) -> ViT:
    """ViT-B/16: 86.6 million parameters; options as for `ViT`."""
    return ViT(image_size, 16, 12, 12, 768, 3072, classes, **options)


def vit_b_32(classes: int = 1000, *, image_size: int = 224, **options: Any) -> ViT:
    """ViT-B/32: 88.2 million parameters; options as for `ViT`."""
    return ViT(image_size, 32, 12, 12, 768, 3072, classes, **options)


def vit_l_16(classes: int = 1000, *, image_size: int = 224, **options: Any) -> ViT:
    """ViT-L/16: 304.3 million parameters; options as for `ViT`."""
    return ViT(image_size, 16, 24, 16, 1024, 4096, classes, **options)


def vit_l_32(classes: int = 1000, *, image_size: int = 224, **options: Any) -> ViT:
    """ViT-L/32: 306.5 million parameters; options as for `ViT`."""
    return ViT(image_size, 32, 24, 16, 1024, 4096, classes, **options)


def vit_s_16(classes: int = 1000, *, image_size: int = 224, **options: Any) -> ViT:
    """ViT-S/16: 22.1 million parameters; options as for `ViT`."""
    return ViT(image_size, 16, 12, 6, 384, 1536, classes, **options)


def vit_ti_16(classes: int = 1000, *, image_size: int = 224, **options: Any) -> ViT:
    """ViT-Ti/16: 5.7 million parameters; options as for `ViT`."""
    return ViT(image_size, 16, 12, 3, 192, 768, classes, **options)
