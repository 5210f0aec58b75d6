"""The operators and methods of ``Tensor``, by family: alias lines to the functions of ``ops/``.

Each class here is a base of ``Tensor``; signature, documentation and rule of a method are written at its function.
"""

from .arithmetic import ArithmeticMethods as ArithmeticMethods
from .comparison import ComparisonMethods as ComparisonMethods
from .conversion import ConversionMethods as ConversionMethods
from .elementwise import ElementwiseMethods as ElementwiseMethods
from .filling import FillingMethods as FillingMethods
from .indexing import IndexingMethods as IndexingMethods
from .linalg import LinalgMethods as LinalgMethods
from .reduction import ReductionMethods as ReductionMethods
from .shape import ShapeMethods as ShapeMethods
from .sparse import SparseMethods as SparseMethods
from .view import ViewMethods as ViewMethods
