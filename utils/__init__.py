"""What surrounds training: files, and data."""

from __future__ import annotations

from .serialization import load as load
from .serialization import save as save
