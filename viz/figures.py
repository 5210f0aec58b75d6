"""The figure that pictures are drawn in. Only `plotting.new_figure` imports this: it needs matplotlib."""

from __future__ import annotations

import io

from matplotlib.figure import Figure as Plain

__all__ = ["Figure"]


class Figure(Plain):  # type: ignore[misc, unused-ignore]
    """A figure that a notebook shows, also where ``pyplot`` has not told it how to show figures."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()
