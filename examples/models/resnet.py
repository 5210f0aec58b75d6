"""Residual networks: ResNet, wide ones, and ResNeXt, whose blocks have grouped convolutions."""

from __future__ import annotations

from typing import ClassVar

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


def conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps the image's size, or divides it by ``stride``; a norm follows, so it needs no bias."""
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, groups=groups, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion: ClassVar[int] = 1

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        group_width: int = 64,
    ) -> None:
        super().__init__()
        if (groups, group_width) != (1, 64):
            raise ValueError("BasicBlock: only a Bottleneck has groups and widths of its own")
        self.conv1 = conv(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 ones that narrow and widen, beside a shortcut.

    The stride is in the 3x3 convolution, as in torchvision, not in the first 1x1 of the paper.
    """

    expansion: ClassVar[int] = 4

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        group_width: int = 64,
    ) -> None:
        super().__init__()
        inner = width * group_width // 64 * groups
        self.conv1 = conv(inputs, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = conv(inner, inner, 3, stride, groups)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = conv(inner, width * 4, 1)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.downsample = downsample

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Four stages of residual blocks.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        counts: how many blocks each stage has.
        classes: how many classes.
        small: for images of about 32x32, as in the paper's CIFAR experiments: a 3x3 convolution at the start
            instead of a 7x7 one with stride and pooling.
        channels: of the images.
        groups: of each `Bottleneck`'s 3x3 convolution; more than 1 make it a ResNeXt.
        group_width: channels of each group in the first stage, 64 of the one group of a ResNet, more of a wide one.

    References:
        K. He et al., "Deep residual learning for image recognition", arXiv:1512.03385.
        S. Zagoruyko, N. Komodakis, "Wide residual networks", arXiv:1605.07146.
        S. Xie et al., "Aggregated residual transformations for deep neural networks", arXiv:1611.05431.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        counts: tuple[int, int, int, int],
        classes: int = 1000,
        *,
        small: bool = False,
        channels: int = 3,
        groups: int = 1,
        group_width: int = 64,
    ) -> None:
        super().__init__()
        self.groups, self.group_width = groups, group_width
        self.conv1 = conv(channels, 64, 3) if small else conv(channels, 64, 7, stride=2)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        self.inputs = 64
        self.layer1 = self.stage(block, 64, counts[0])
        self.layer2 = self.stage(block, 128, counts[1], stride=2)
        self.layer3 = self.stage(block, 256, counts[2], stride=2)
        self.layer4 = self.stage(block, 512, counts[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stage(self, block: type[BasicBlock] | type[Bottleneck], width: int, count: int, stride: int = 1) -> nn.Module:
        """``count`` blocks; the first takes the stride, and a 1x1 shortcut where the shape changes."""
        outputs = width * block.expansion
        downsample = None
        if stride != 1 or self.inputs != outputs:
            downsample = nn.Sequential(conv(self.inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        grouping = {"groups": self.groups, "group_width": self.group_width}
        blocks = [block(self.inputs, width, stride, downsample, **grouping)]
        self.inputs = outputs
        return nn.Sequential(*blocks, *(block(outputs, width, **grouping) for _ in range(count - 1)))

    def forward(self, x: wg.Tensor) -> wg.Tensor:  # (N, 3, H, W)
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))  # (N, 64, H/4, W/4); H and W where small
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, 512 or 2048, H/32, W/32)
        return self.fc(self.avgpool(x).flatten(1))  # (N, classes)


def resnet18(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-18: 11.7 million parameters."""
    return ResNet(BasicBlock, (2, 2, 2, 2), classes, small=small, channels=channels)


def resnet34(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-34: 21.8 million parameters."""
    return ResNet(BasicBlock, (3, 4, 6, 3), classes, small=small, channels=channels)


def resnet50(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-50: 25.6 million parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), classes, small=small, channels=channels)


def resnet101(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-101: 44.5 million parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), classes, small=small, channels=channels)


def resnet152(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-152: 60.2 million parameters."""
    return ResNet(Bottleneck, (3, 8, 36, 3), classes, small=small, channels=channels)


def wide_resnet50_2(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-50 with inner convolutions of twice the width: 68.9 million parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), classes, small=small, channels=channels, group_width=128)


def wide_resnet101_2(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNet-101 with inner convolutions of twice the width: 126.9 million parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), classes, small=small, channels=channels, group_width=128)


def resnext50_32x4d(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNeXt-50 with 32 groups of 4 channels: 25.0 million parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), classes, small=small, channels=channels, groups=32, group_width=4)


def resnext101_32x8d(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNeXt-101 with 32 groups of 8 channels: 88.8 million parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), classes, small=small, channels=channels, groups=32, group_width=8)


def resnext101_64x4d(classes: int = 1000, *, small: bool = False, channels: int = 3) -> ResNet:
    """ResNeXt-101 with 64 groups of 4 channels: 83.5 million parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), classes, small=small, channels=channels, groups=64, group_width=4)
