"""NumPy as the plain definitions see it on the CPU: with a `where` that does not branch on every element, and so on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .elementwise import select
from .logarithms import logaddexp


class Namespace:
    """NumPy, less what is slow in it. What is looked up once is an attribute from then on."""

    def __init__(self) -> None:
        self.where = select
        self.logaddexp = logaddexp

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        setattr(self, name, found)
        return found


FASTER = Namespace()
