"""Say of every pixel whether it belongs to a disc, a square, a triangle or the background: segmentation with a U-Net.

    python examples/unet_shapes.py --out runs/unet_shapes

Every batch has new images. Shapes differ in size, place and brightness, hide one another, and lie below noise, so a
pixel's own value does not say which shape it is of: the network has to look at the outline. With --out, segmented.png
has images that it never saw, below them the truth, and last what it made of them. Measured in 49 s on one core: the
mean intersection over union is 0.952 on 256 new images (background 0.999, disc 0.934, square 0.953, triangle 0.920),
and 99.2 % of their pixels are right.
"""

from __future__ import annotations

from typing import Any

import options
import wengert as wg
from image_files import save_images
from models import UNet
from wengert import optim
from wengert.nn import functional as F

CLASSES = ("background", "disc", "square", "triangle")


def draw(count: int, size: int, device: Any) -> tuple[wg.Tensor, wg.Tensor]:
    """Images (N, 1, size, size) and the class of each of their pixels (N, size, size)."""
    down, right = wg.meshgrid(wg.arange(size, device=device), wg.arange(size, device=device), indexing="ij")
    images = wg.empty(count, 1, 1, device=device).uniform_(0, 0.3).expand(count, size, size)
    labels = wg.zeros(count, size, size, dtype=wg.int64, device=device)
    for shape in range(1, len(CLASSES)):
        radius = wg.empty(count, 1, 1, device=device).uniform_(0.12, 0.25) * size
        y = down - wg.rand(count, 1, 1, device=device) * size
        x = right - wg.rand(count, 1, 1, device=device) * size
        inside = {
            "disc": x**2 + y**2 <= radius**2,
            "square": wg.maximum(x.abs(), y.abs()) <= radius,
            "triangle": (2 * x.abs() <= y + radius) & (y <= radius),
        }[CLASSES[shape]]
        images = wg.where(inside, wg.empty(count, 1, 1, device=device).uniform_(0.5, 1), images)
        labels = labels.masked_fill(inside, shape)
    return (images + 0.1 * wg.randn_like(images)).unsqueeze(1), labels


def intersection_over_union(guesses: wg.Tensor, labels: wg.Tensor) -> list[float]:
    """Of each class: pixels that are in both, per pixel that is in either."""
    both = [((guesses == c) & (labels == c)).sum() for c in range(len(CLASSES))]
    either = [((guesses == c) | (labels == c)).sum() for c in range(len(CLASSES))]
    return [(b / e).item() for b, e in zip(both, either, strict=True)]


@wg.no_grad()
def segment(model: UNet, images: wg.Tensor) -> wg.Tensor:
    """The most likely class of each pixel."""
    model.eval()
    guesses = wg.cat([model(batch).argmax(dim=1) for batch in images.split(64)])
    model.train()
    return guesses


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Train on new images all the time, and test on images that are kept apart."""
    args = options.parser(__doc__, steps=1500, lr=0.005, batch_size=16, size=32, width=8).parse_args(argv)
    device = options.start(args)
    steps = 30 if args.quick else args.steps

    test_images, test_labels = draw(256, args.size, device)
    model = UNet(channels=1, classes=len(CLASSES), width=args.width, depth=3).to(device)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=steps)
    for step in range(1, steps + 1):
        images, labels = draw(args.batch_size, args.size, device)
        loss = F.cross_entropy(model(images), labels)  # (N, 4, H, W) and (N, H, W)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % max(1, steps // 10) == 0:
            iou = intersection_over_union(segment(model, test_images), test_labels)
            print(f"step {step:4d}   loss {loss.item():.3f}   mean IoU {sum(iou) / len(iou):.3f}", flush=True)

    guesses = segment(model, test_images)
    iou = intersection_over_union(guesses, test_labels)
    if args.out is not None:
        shown = [v[:16].view(16, 1, args.size, args.size) for v in (test_images, test_labels / 3, guesses / 3)]
        save_images(wg.cat(shown), args.out / "segmented.png", columns=16)
    metrics = dict(zip([f"iou_{name}" for name in CLASSES], iou, strict=True))
    metrics |= {"mean_iou": sum(iou) / len(iou), "pixel_accuracy": (guesses == test_labels).float().mean().item()}
    return options.finish(args, metrics, model)


if __name__ == "__main__":
    main()
