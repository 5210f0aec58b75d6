"""Recurrent networks over whole sequences: RNN, LSTM, GRU.

A layer multiplies the input of all time steps by its input weight at once; only the recurrent product is left for
the loop over time, which is one operation (`autograd.ops.recurrent`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..autograd.autocast_state import is_autocast_enabled
from ..autograd.ops.recurrent_layers import all_layers
from ..backends.errors import DTypeError, InvalidValueError, ShapeError
from ..backends.strictness import doubt
from .cells import GATES, reset_uniform
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

States = tuple[Any, ...]  # (h,), or (h, c) of an LSTM


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share; their settings are explained at `LSTM`.

    Args:
        mode: ``RNN_TANH``, ``RNN_RELU``, ``LSTM`` or ``GRU``.
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size: see `LSTM`.
        device, dtype: of the parameters.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout: float = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_settings()
        for layer, suffix in self._places():
            width = input_size if layer == 0 else self._out_size * (1 + bidirectional)
            self._add_parameters(width, suffix, {"device": device, "dtype": dtype})
        self.reset_parameters()

    def _check_settings(self) -> None:
        for name in ("input_size", "hidden_size"):
            value = self.__dict__[name]
            if not isinstance(value, int):
                raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        for name in ("bias", "batch_first"):
            value = self.__dict__[name]
            if not isinstance(value, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if self.__dict__[name] <= 0:
                raise ValueError(f"{name} must be greater than zero, not {self.__dict__[name]}")
        p = self.dropout
        if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed, "
                f"but it is {p!r}"
            )
        if p > 0 and self.num_layers == 1:
            doubt(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={p} and num_layers={self.num_layers}"
            )
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"proj_size has to be smaller than hidden_size: {self.proj_size}, {self.hidden_size}")
        if self.mode not in GATES:
            raise ValueError(f"Unrecognized RNN mode: {self.mode}")
        if self.proj_size and self.mode != "LSTM":
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")

    @property
    def _out_size(self) -> int:
        return self.proj_size or self.hidden_size

    def _places(self) -> list[tuple[int, str]]:
        """The layers' numbers and the ends of their parameters' names, one for each direction."""
        ends = ("", "_reverse")[: 1 + self.bidirectional]
        return [(layer, f"_l{layer}{end}") for layer, end in itertools.product(range(self.num_layers), ends)]

    def _names(self, suffix: str) -> list[str]:
        names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if self.bias else [])]
        return [name + suffix for name in (*names, *(["weight_hr"] if self.proj_size else []))]

    def _add_parameters(self, width: int, suffix: str, options: dict[str, Any]) -> None:
        rows = GATES[self.mode] * self.hidden_size
        shapes: dict[str, Any] = {
            "weight_ih": (rows, width),
            "weight_hh": (rows, self._out_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
            "weight_hr": (self.proj_size, self.hidden_size),
        }
        for name in self._names(suffix):
            self.register_parameter(name, Parameter(ops.empty(shapes[name.removesuffix(suffix)], **options)))

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in ±1/sqrt(hidden_size)."""
        reset_uniform(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Nothing: the parameters need no common memory. It is here for programs that call it."""

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for _, suffix in self._places() for name in self._names(suffix)]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in self._names(suffix)] for _, suffix in self._places()]

    @property
    def _all_weights(self) -> list[list[str]]:
        return [self._names(suffix) for _, suffix in self._places()]

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the default."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = (("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0))
        for name, default in (*defaults, ("bidirectional", False)):
            value = self.__dict__[name]
            if value != default:
                text += f", {name}={value}"
        return text

    # ------------------------------------------------------------------ checks

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise an error unless the input, (T, N, I) or packed (sum of lengths, I), fits the weights."""
        weight: Any = self.all_weights[0][0]
        if input.dtype != weight.dtype and not any(map(is_autocast_enabled, ("cpu", "cuda"))):
            raise InvalidValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.ndim != dims:
            raise ShapeError(f"input must have {dims} dimensions, got {input.ndim}")
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )
        if input.shape[0] == 0:
            raise ShapeError("Expected sequence length to be larger than 0 in RNN")

    def _sizes(self) -> tuple[int, ...]:
        """The widths of the states."""
        return (self._out_size, self.hidden_size) if self.mode == "LSTM" else (self.hidden_size,)

    def _start(self, hx: Any, input: Tensor, batch: int, dims: int | None) -> States:
        """The states (L * D, N, H) that are given, checked, or zeros."""
        layers, sizes = len(self._places()), self._sizes()
        if hx is None:
            return tuple(ops.zeros((layers, batch, n), dtype=input.dtype, device=input.device) for n in sizes)
        given = tuple(hx) if len(sizes) == 2 else (hx,)
        if dims is not None and any(state.ndim != dims for state in given):
            kind, names = ("batched", "hx and cx") if dims == 3 else ("unbatched", "hx and cx")
            names = names if len(sizes) == 2 else "hx"
            got = ", ".join(f"{state.ndim}-D" for state in given)
            got = f"({got}) tensors" if len(sizes) == 2 else f"{got} tensor"
            raise ShapeError(f"For {kind} {dims}-D input, {names} should also be {dims}-D but got {got}")
        for state in given:
            if state.dtype != input.dtype:
                raise DTypeError(
                    f"Input and hidden tensors are not the same dtype, found input tensor with {input.dtype} and "
                    f"hidden tensor with {state.dtype}; convert one of them, for example with .to(input.dtype)"
                )
        if dims == 2:
            given = tuple(ops.unsqueeze(state, 1) for state in given)
        for i, (state, size) in enumerate(zip(given, sizes, strict=True)):
            if tuple(state.shape) != (layers, batch, size):
                which = f"hidden[{i}]" if len(sizes) == 2 else "hidden"
                raise ShapeError(f"Expected {which} size {(layers, batch, size)}, got {list(state.shape)}")
        return given

    # ------------------------------------------------------------------ the computation

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The last layer's outputs over time, and the last states of all layers.

        Args:
            input: (T, N, I), (N, T, I) with ``batch_first``, (T, I) for one sequence, or a `PackedSequence`.
            hx: the states to begin with, (L * D, N, H); zeros when left out.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        batched = input.ndim == 3
        x = input if batched else ops.unsqueeze(input, 1)
        if batched and self.batch_first:
            x = ops.transpose(x, 0, 1)
        self.check_input(x, None)
        start = self._start(hx, x, x.shape[1], 3 if batched else 2)
        steps, batch = x.shape[:2]
        x, ends = self._run(ops.flatten(x, 0, 1), start, (batch,) * steps)
        x = ops.unflatten(x, 0, (steps, batch))
        if not batched:
            return ops.squeeze(x, 1), self._result(tuple(ops.squeeze(end, 1) for end in ends))
        return (ops.transpose(x, 0, 1) if self.batch_first else x), self._result(ends)

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        data, batch_sizes, order, back = packed
        self.check_input(data, batch_sizes)
        sizes = batch_sizes.tolist()
        start = self._start(hx, data, sizes[0], 3 if hx is not None else None)
        if order is not None and hx is not None:
            start = tuple(ops.index_select(state, 1, order) for state in start)
        data, ends = self._run(data, start, tuple(sizes))
        if back is not None:
            ends = tuple(ops.index_select(end, 1, back) for end in ends)
        return PackedSequence(data, batch_sizes, order, back), self._result(ends)

    def _result(self, ends: States) -> Any:
        return ends if self.mode == "LSTM" else ends[0]

    def _run(self, x: Any, start: States, sizes: tuple[int, ...]) -> tuple[Any, States]:
        """All layers over time steps that stand one after the other, of ``sizes`` sequences each."""
        own = self.__dict__
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        layers = [tuple(own.get(name + suffix) for name in names) for _, suffix in self._places()]
        p = self.dropout if self.training else 0.0
        return all_layers(self.mode, x, start, layers, 1 + self.bidirectional, p, sizes)


class RNN(RNNBase):
    """Elman network: ``h_t = act(weight_ih @ x_t + bias_ih + weight_hh @ h_(t-1) + bias_hh)``.

    Args:
        args, kwargs: input_size, hidden_size, num_layers, nonlinearity (``tanh`` or ``relu``), and then as for `LSTM`.

    Shape: as for `LSTM`, with one state only.

    Raises:
        ValueError: the nonlinearity is none of the two; otherwise as for `LSTM`.

    Example:
        >>> import wengert as wg
        >>> output, h = wg.nn.RNN(10, 20, num_layers=2)(wg.ones(5, 3, 10))
        >>> output.shape, h.shape
        (wengert.Size([5, 3, 20]), wengert.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if len(args) > 3:
            nonlinearity, args = args[3], args[:3] + args[4:]
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity {nonlinearity!r}. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory: `LSTMCell` over time, in one or more layers and one or two directions.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: L; each takes the outputs of the one before.
        bias: whether there are biases.
        batch_first: inputs and outputs are (N, T, *) instead of (T, N, *). The states keep their shape.
        dropout: the probability with which an output of a layer, the last excepted, is dropped in training.
        bidirectional: a second network, D = 2, goes through time backwards; outputs of both stand side by side.
        proj_size: P, to which the outputs are projected; 0 for no projection and P = H.
        device, dtype: of the parameters.

    Shape: input (T, N, I) and states (h, c) of (L * D, N, P) and (L * D, N, H) to output (T, N, D * P) and such states;
    without N for one sequence. A `PackedSequence` gives one. Parameters are ``weight_ih_l0``, ``weight_hh_l0``,
    ``bias_ih_l0``, ``bias_hh_l0``, ``weight_hr_l0`` and so on, ``_reverse`` at the end for the second direction.

    Raises:
        ValueError: a setting is out of its range. RuntimeError: a shape does not fit.

    Example:
        >>> import wengert as wg
        >>> output, (h, c) = wg.nn.LSTM(10, 20, bidirectional=True)(wg.ones(5, 3, 10))
        >>> output.shape, h.shape
        (wengert.Size([5, 3, 40]), wengert.Size([2, 3, 20]))

    References:
        S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units: `GRUCell` over time.

    Args:
        args, kwargs: as for `LSTM`, without ``proj_size``.

    Shape: as for `LSTM`, with one state only.

    Raises:
        ValueError: a setting is out of its range. RuntimeError: a shape does not fit.

    References:
        K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014, arXiv:1406.1078.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)
