"""Looking at what was recorded: the graph of a tensor, and its backward pass step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..graph import Graph
from ..stepping import BackwardStep, backward_steps

if TYPE_CHECKING:
    from ..tensor import Tensor


class ViewMethods:
    """Looking at what was recorded."""

    __slots__ = ()

    @property
    def graph(self) -> Graph:
        """What was recorded on the way to this tensor, to be walked, printed or drawn."""
        return Graph(self)

    def backward_steps(
        self: Any,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
    ) -> Iterator[BackwardStep]:
        """``backward``, one operation at a time: see `wengert.autograd.backward_steps`."""
        return backward_steps(self, gradient, retain_graph, create_graph, inputs)
