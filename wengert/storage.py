"""The memory below tensors; see `UntypedStorage` and `TypedStorage`."""

from __future__ import annotations

from .autograd.ops.storage import TypedStorage as TypedStorage
from .autograd.ops.storage import UntypedStorage as UntypedStorage
