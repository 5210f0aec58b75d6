"""What surrounds training: files, and data."""

from __future__ import annotations

from . import checkpoint as checkpoint
from . import data as data
from .serialization import load as load
from .serialization import save as save
