"""Arrays that are one example each of a batch: what lets ``vmap`` run a program once for all examples.

A `BatchedArray` holds a physical array with the batch as first dimension, and looks like one of its examples. Its type
is a backend like any other: it has a namespace and a table of kernels, so that ops, their gradients and programs
written for one example run on it as they are. A kernel with a rule in ``rules.py`` runs once on the physical array, one
without by its definition, in functions that have rules; what is left runs once for each example, and the results are
stacked.
"""

from __future__ import annotations

from .array import BatchedArray as BatchedArray
from .array import BatchError as BatchError
from .array import all_in as all_in
from .array import any_in as any_in
from .array import every as every
from .array import physical as physical
from .level import level_type as level_type
from .level import lifted as lifted
