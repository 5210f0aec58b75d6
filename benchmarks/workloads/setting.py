"""What a workload is given besides the library: the device, and numbers that are the same for every library."""

from __future__ import annotations

import functools
import math
import sys
from typing import Any


class Setting:
    """One run of a workload.

    NumPy is imported by the methods: wengert chooses BLAS kernels when it is imported before NumPy.

    Args:
        device: ``cpu`` or ``cuda``.
        compile: whether `compiled` compiles, which is PyTorch's column of that name.
    """

    def __init__(self, device: str = "cpu", *, compile: bool = False) -> None:
        self.device = device
        self.compiles = compile

    @functools.cached_property
    def _data(self) -> Any:
        import numpy as np

        return np.random.default_rng(1)

    @functools.cached_property
    def _weights(self) -> Any:
        import numpy as np

        return np.random.default_rng(2)

    def normal(self, *shape: int) -> Any:
        """Normal float32 numbers, as an array."""
        return self._data.standard_normal(shape, dtype="float32")

    def integers(self, high: int, *shape: int) -> Any:
        """Numbers below ``high``, as an array."""
        return self._data.integers(0, high, shape)

    def weight(self, *shape: int) -> Any:
        """Numbers for a parameter of at least two dimensions, as an array: uniform, of a variance of 1 / inputs."""
        edge = math.sqrt(3 / math.prod(shape[1:]))
        return (self._weights.random(shape, dtype="float32") * 2 - 1) * edge

    def tensor(self, lib: Any, array: Any, *, requires_grad: bool = False) -> Any:
        """An array as a tensor on the device."""
        return lib.tensor(array, device=self.device).requires_grad_(requires_grad)

    def placed(self, lib: Any, model: Any) -> Any:
        """The model on the device, with the same numbers in every library: biases 0, weights of norms 1."""
        with lib.no_grad():
            for name, p in model.named_parameters():
                if p.dim() >= 2:
                    p.copy_(lib.tensor(self.weight(*p.shape)))
                else:
                    p.fill_(0.0 if "bias" in name else 1.0)
        return model.to(self.device)

    def compiled(self, function: Any) -> Any:
        """The function as ``torch.compile`` makes it, where the column says so."""
        return sys.modules["torch"].compile(function, dynamic=False) if self.compiles else function
