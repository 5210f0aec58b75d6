"""Images as PNG files, many in one picture."""

from __future__ import annotations

from pathlib import Path

import wengert as wg
from wengert.nn import functional as F


def save_images(images: wg.Tensor, path: Path, columns: int = 8, zoom: int = 4) -> None:
    """Write grey images (N, 1, H, W) from 0 to 1 side by side, each pixel ``zoom`` pixels wide."""
    from matplotlib.image import imsave

    images = F.interpolate(images.detach().float().cpu().clamp(0, 1), scale_factor=zoom, mode="nearest")
    images = F.pad(images, (2, 2, 2, 2), value=0.5)  # a frame around each
    missing = -len(images) % columns
    images = wg.cat([images, wg.full((missing, *images.shape[1:]), 0.5)])
    rows = images.unflatten(0, (-1, columns)).squeeze(2)  # (rows, columns, H, W)
    picture = rows.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, picture.numpy(), cmap="gray", vmin=0, vmax=1)
