"""The version of this library, and what it was built with: nothing, as it is all Python."""

from __future__ import annotations

from . import __version__ as __version__

cuda: str | None = None
hip: str | None = None
xpu: str | None = None
rocm: str | None = None
git_version = "unknown"
debug = False
