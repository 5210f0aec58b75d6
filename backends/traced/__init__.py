"""Arrays that write down what is computed with them: what lets a program be recorded while it runs.

A `TracedArray` holds an ordinary array, and knows which value of a `Recording` it is. Its type is a backend like any
other: ops, layers and programs run on it as they are, with the numbers they would have had. What the recording lists
are kernels and functions of the array namespace, in the order in which they ran. A kernel that the reader of the
recording does not know runs by its definition, in functions that it may know.
"""

from __future__ import annotations

from .array import TracedArray as TracedArray
from .array import TraceError as TraceError
from .level import tracing as tracing
from .recording import Recording as Recording
from .recording import Step as Step
from .recording import Value as Value
