"""The layers of one step of a recurrent network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..autograd.autocast import casting_in
from ..autograd.ops.recurrent import gru_step, lstm_step, rnn_step
from ..autograd.ops.recurrent_layers import both
from ..backends.errors import ArgumentError, ShapeError
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}  # rows of the weights, in multiples of hidden_size


class RNNCellBase(Module):
    """What the cells share: sizes, weights and how these start.

    Args:
        input_size: I.
        hidden_size: H.
        bias: whether there are biases.
        num_chunks: the number of gates, G.
        device, dtype: of the parameters.

    Shape: ``weight_ih`` is (G * H, I), ``weight_hh`` (G * H, H), ``bias_ih`` and ``bias_hh`` (G * H,), all uniform in
    ±1/sqrt(H) at first.
    """

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = num_chunks * hidden_size
        options = {"device": device, "dtype": dtype}
        self.bias = bias
        self.weight_ih = Parameter(ops.empty((rows, input_size), **options))
        self.weight_hh = Parameter(ops.empty((rows, hidden_size), **options))
        self.register_parameter("bias_ih", Parameter(ops.empty(rows, **options)) if bias else None)
        self.register_parameter("bias_hh", Parameter(ops.empty(rows, **options)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in ±1/sqrt(hidden_size)."""
        reset_uniform(self, self.hidden_size)

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the default."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.__dict__.get("nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.__dict__['nonlinearity']}"
        return text

    def _states(self, input: Tensor, given: Any, count: int) -> tuple[bool, Any, list[Any]]:
        """Whether there is a batch, the input with one, and ``count`` states with one; zeros for those not given."""
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}; the "
                f"input's shape is {list(input.shape)}"
            )
        batched = input.ndim == 2
        x = input if batched else ops.unsqueeze(input, 0)
        if given is None:
            return batched, x, [ops.zeros((x.shape[0], self.hidden_size), dtype=x.dtype, device=x.device)] * count
        states = []
        for i, state in enumerate(given):
            if state.ndim not in (1, 2):
                which = "hidden" if count == 1 else f"hx[{i}]"
                raise ValueError(f"{name}: Expected {which} to be 1D or 2D, got {state.ndim}D instead")
            state = state if state.ndim == 2 else ops.unsqueeze(state, 0)
            if state.shape[0] != x.shape[0]:
                raise ShapeError(
                    f"{name}: Input batch size {x.shape[0]} doesn't match hidden{i} batch size {state.shape[0]}"
                )
            if state.shape[1] != self.hidden_size:
                raise ShapeError(
                    f"{name}: hidden{i} has inconsistent hidden_size: got {state.shape[1]}, expected {self.hidden_size}"
                )
            states.append(state)
        return batched, x, states


def reset_uniform(module: Module, hidden_size: int) -> None:
    """Draw all parameters of ``module`` uniform in ±1/sqrt(hidden_size)."""
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0.0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


class RNNCell(RNNCellBase):
    """``h' = act(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)``.

    Args:
        input_size: I.
        hidden_size: H.
        bias: whether there are biases.
        nonlinearity: ``tanh`` or ``relu``.
        device, dtype: of the parameters.

    Shape: input (N, I) or (I,), state (N, H) or (H,), zeros when left out; the new state has the state's shape.

    Raises:
        RuntimeError: a size does not fit, or the nonlinearity is neither of the two (when called).

    Example:
        >>> import wengert as wg
        >>> wg.nn.RNNCell(10, 20)(wg.ones(3, 10)).shape
        wengert.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        batched, x, (h,) = self._states(input, None if hx is None else (hx,), 1)
        if self.nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"Unknown nonlinearity: {self.nonlinearity}; it is 'tanh' or 'relu'")
        drive = F.linear(x, self.weight_ih, both(self.bias_ih, self.bias_hh))
        h = rnn_step(f"RNN_{self.nonlinearity.upper()}", drive, h, ops.t(self.weight_hh))
        return h if batched else ops.squeeze(h, 0)


class LSTMCell(RNNCellBase):
    """``c' = f * c + i * g``, ``h' = o * tanh(c')``, with three gates and a candidate of x and h.

    ``i, f, o`` are ``sigmoid`` and ``g`` is ``tanh`` of ``weight_ih @ x + bias_ih + weight_hh @ h + bias_hh``, whose
    rows are those of i, f, g and o in this order.

    Args:
        input_size: I.
        hidden_size: H.
        bias: whether there are biases.
        device, dtype: of the parameters.

    Shape: input (N, I) or (I,), states (h, c) of (N, H) or (H,) each, zeros when left out, and such a pair out.

    Raises:
        RuntimeError: a size does not fit.

    Example:
        >>> import wengert as wg
        >>> h, c = wg.nn.LSTMCell(10, 20)(wg.ones(3, 10))
        >>> c.shape
        wengert.Size([3, 20])

    References:
        S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """The next state and cell."""
        batched, x, (h, c) = self._states(input, hx, 2)
        drive = F.linear(x, self.weight_ih, both(self.bias_ih, self.bias_hh))
        h, c = lstm_step(drive, h, c, ops.t(self.weight_hh), None)
        return (h, c) if batched else (ops.squeeze(h, 0), ops.squeeze(c, 0))


class GRUCell(RNNCellBase):
    """``h' = (1 - z) * n + z * h`` with a reset gate r, an update gate z and a candidate n.

    ``r`` and ``z`` are ``sigmoid(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)``, by their rows, and
    ``n = tanh(weight_ih @ x + bias_ih + r * (weight_hh @ h + bias_hh))``.

    Args:
        input_size: I.
        hidden_size: H.
        bias: whether there are biases.
        device, dtype: of the parameters.

    Shape: input (N, I) or (I,), state (N, H) or (H,), zeros when left out; the new state has the state's shape.

    Raises:
        RuntimeError: a size does not fit.

    References:
        K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014, arXiv:1406.1078.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        batched, x, (h,) = self._states(input, None if hx is None else (hx,), 1)
        drive = F.linear(x, self.weight_ih, self.bias_ih)
        h = gru_step(drive, h, ops.t(self.weight_hh), self.bias_hh)
        return h if batched else ops.squeeze(h, 0)


casting_in(globals())
