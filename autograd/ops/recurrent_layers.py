"""Recurrent networks of several layers, and single steps, as functions with PyTorch's argument orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends.errors import ShapeError
from ..autocast import casting_in
from .dropout import dropout as drop
from .join import cat, stack
from .linear import linear
from .recurrent import (
    Sizes,
    States,
    gru_layer,
    gru_sequence,
    gru_step,
    lstm_layer,
    lstm_sequence,
    lstm_step,
    rnn_sequence,
    rnn_step,
)
from .shape import flatten, t, transpose, unflatten
from .splitting import unbind

if TYPE_CHECKING:
    from ..tensor import Tensor

Weights = Sequence[Any]  # input and recurrent weight, their biases or None, the projection or None


def both(first: Any, second: Any) -> Any:
    """The sum of two biases that are there together or not at all."""
    return None if first is None or second is None else first + second


def one_layer(mode: str, x: Any, states: States, weights: Weights, sizes: Sizes, reverse: bool) -> tuple[Any, States]:
    """One layer in one direction: its outputs over time and its last states."""
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    if (
        mode in ("LSTM", "GRU")
        and w_hr is None
        and (b_ih is None) == (b_hh is None)
        and sizes[:1] * len(sizes) == sizes
    ):
        layer = lstm_layer if mode == "LSTM" else gru_layer
        return layer(x, states, weights[:4], sizes, reverse)
    if mode == "GRU":
        return gru_sequence(linear(x, w_ih, b_ih), states, w_hh, b_hh, sizes, reverse)
    drive = linear(x, w_ih, both(b_ih, b_hh))
    if mode == "LSTM":
        return lstm_sequence(drive, states, w_hh, w_hr, sizes, reverse)
    return rnn_sequence(drive, states, w_hh, mode == "RNN_RELU", sizes, reverse)


def all_layers(
    mode: str, x: Any, start: States, layers: Sequence[Weights], directions: int, p: float, sizes: Sizes
) -> tuple[Any, States]:
    """All layers over time steps that stand one after the other, of ``sizes`` sequences each.

    Args:
        mode: ``RNN_TANH``, ``RNN_RELU``, ``LSTM`` or ``GRU``.
        x: (M, I).
        start: the states, (L * D, N, H) each.
        layers: the weights of each layer and direction, L * D of them.
        directions: D.
        p: the probability of a zero after each layer but the last.
        sizes: as in `lstm_sequence`.

    Returns:
        The last layer's outputs (M, D * H), and the last states of all layers.
    """
    starts = list(zip(*(unbind(state, 0) for state in start), strict=True))
    ends = []
    for first in range(0, len(layers), directions):
        if first and p:
            x = drop(x, p, True)
        outputs = []
        for i in range(first, first + directions):
            output, end = one_layer(mode, x, starts[i], layers[i], sizes, i > first)
            outputs.append(output)
            ends.append(end)
        x = outputs[0] if directions == 1 else cat(outputs, -1)
    return x, tuple(stack(parts) for parts in zip(*ends, strict=True))


def _grouped(params: Sequence[Any], has_biases: bool, count: int) -> list[Weights]:
    """A flat list of parameters as the weights of ``count`` layers and directions."""
    each, rest = divmod(len(params), count)
    least = 4 if has_biases else 2
    if rest or each not in (least, least + 1):
        raise ShapeError(
            f"recurrent layers: {count} layers and directions take {least} parameters each, or one more with a "
            f"projection, but there are {len(params)}"
        )
    groups: list[Weights] = []
    for i in range(0, len(params), each):
        given = list(params[i : i + each])
        biases = given[2:4] if has_biases else [None, None]
        groups.append((*given[:2], *biases, given[least] if each > least else None))
    return groups


def _network(mode: str, x: Any, second: Any, third: Any, *rest: Any) -> tuple[Any, States]:
    """A network on (input, states, parameters, ...), or on (packed data, batch sizes, states, parameters, ...)."""
    packed = isinstance(rest[0], (list, tuple))
    if packed:
        sizes, states = tuple(second.tolist()), third
        params, has_biases, layers, p, train, bidirectional = rest
        batch_first = False
    else:
        states, params = second, third
        has_biases, layers, p, train, bidirectional, batch_first = rest
        x = transpose(x, 0, 1) if batch_first else x
        steps, batch = x.shape[:2]
        sizes, x = (batch,) * steps, flatten(x, 0, 1)
    start = tuple(states) if mode == "LSTM" else (states,)
    directions = 2 if bidirectional else 1
    weights = _grouped(params, has_biases, layers * directions)
    y, ends = all_layers(mode, x, start, weights, directions, p if train else 0.0, sizes)
    if not packed:
        y = unflatten(y, 0, (steps, batch))
        y = transpose(y, 0, 1) if batch_first else y
    return y, ends


def lstm(input: Tensor, hx: Any, params: Any, *settings: Any) -> tuple[Tensor, Tensor, Tensor]:
    """An LSTM of several layers over whole sequences; `nn.LSTM` is built on the same functions.

    Args:
        input: (T, N, I), or (N, T, I) with ``batch_first``.
        hx: the states h and c, (L * D, N, H) each.
        params: all parameters in a row: for each layer and direction input weight, recurrent weight, their biases
            with ``has_biases``, and the projection if there is one.
        settings: has_biases, num_layers, dropout, train, bidirectional, batch_first. For packed sequences the
            arguments are data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional.

    Returns:
        The outputs over time, and the last h and c.

    Example:
        >>> import wengert as wg
        >>> x, h = wg.ones(5, 2, 3), wg.zeros(1, 2, 4)
        >>> weights = [wg.ones(16, 3), wg.ones(16, 4)]
        >>> y, h, c = wg.lstm(x, (h, h), weights, False, 1, 0.0, False, False, False)
        >>> y.shape, c.shape
        (wengert.Size([5, 2, 4]), wengert.Size([1, 2, 4]))
    """
    y, (h, c) = _network("LSTM", input, hx, params, *settings)
    return y, h, c


def gru(input: Tensor, hx: Any, params: Any, *settings: Any) -> tuple[Tensor, Tensor]:
    """Gated recurrent units in several layers over whole sequences; arguments as for `lstm`, with one state."""
    y, (h,) = _network("GRU", input, hx, params, *settings)
    return y, h


def rnn_tanh(input: Tensor, hx: Any, params: Any, *settings: Any) -> tuple[Tensor, Tensor]:
    """An Elman network with tanh in several layers over whole sequences; arguments as for `lstm`, with one state."""
    y, (h,) = _network("RNN_TANH", input, hx, params, *settings)
    return y, h


def rnn_relu(input: Tensor, hx: Any, params: Any, *settings: Any) -> tuple[Tensor, Tensor]:
    """An Elman network with ReLU in several layers over whole sequences; arguments as for `lstm`, with one state."""
    y, (h,) = _network("RNN_RELU", input, hx, params, *settings)
    return y, h


def lstm_cell(
    input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM: (N, I) and the states h and c (N, H) give the next h and c; weights as in `nn.LSTMCell`."""
    h, c = hx
    return lstm_step(linear(input, w_ih, both(b_ih, b_hh)), h, c, t(w_hh), None)


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of gated recurrent units: (N, I) and the state (N, H) give the next; weights as in `nn.GRUCell`."""
    return gru_step(linear(input, w_ih, b_ih), hx, t(w_hh), b_hh)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of an Elman network with tanh; weights as in `nn.RNNCell`."""
    return rnn_step("RNN_TANH", linear(input, w_ih, both(b_ih, b_hh)), hx, t(w_hh))


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of an Elman network with ReLU; weights as in `nn.RNNCell`."""
    return rnn_step("RNN_RELU", linear(input, w_ih, both(b_ih, b_hh)), hx, t(w_hh))


casting_in(globals())
