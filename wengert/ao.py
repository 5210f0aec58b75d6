"""PyTorch's names for integer arithmetic. Models may be marked for it, and compute as they are."""

from __future__ import annotations

from typing import Any, NoReturn

from .autograd import ops as _ops
from .backends.paths import add_path as _add_path
from .nn.module import Module as _Module

__path__: list[str] = []  # a package, since it has something below it


class QuantStub(_Module):
    """Where a converted model would begin to use integers: the identity.

    Args:
        qconfig: kept if given.
    """

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x: Any) -> Any:
        """``x``."""
        return x


class DeQuantStub(QuantStub):
    """Where a converted model would end using integers: the identity."""


class FloatFunctional(_Module):
    """Operations as methods, so that a converted model could have others in their place."""

    def forward(self, x: Any) -> NoReturn:
        """Refuse: the methods are what is called.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("FloatFunctional is not intended to use the 'forward'. Please use the underlying operation")

    def add(self, x: Any, y: Any) -> Any:
        """``x + y``."""
        return _ops.add(x, y)

    add_scalar = add

    def mul(self, x: Any, y: Any) -> Any:
        """``x * y``."""
        return _ops.mul(x, y)

    mul_scalar = mul

    def cat(self, x: Any, dim: int = 0) -> Any:
        """The tensors, one after another."""
        return _ops.cat(x, dim=dim)

    def add_relu(self, x: Any, y: Any) -> Any:
        """``relu(x + y)``."""
        return _ops.relu(_ops.add(x, y))

    def matmul(self, x: Any, y: Any) -> Any:
        """``x @ y``."""
        return _ops.matmul(x, y)


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Refuse to convert a model.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("quantization: there is no integer arithmetic of models here; the model runs as it is")


_names = "convert prepare prepare_qat quantize quantize_dynamic quantize_qat fuse_modules get_default_qconfig"
quantization = _add_path(
    f"{__name__}.quantization",
    {"QuantStub": QuantStub, "DeQuantStub": DeQuantStub, **dict.fromkeys(_names.split(), _refuse)},
)
_quantized = _add_path(f"{__name__}.nn.quantized", {"FloatFunctional": FloatFunctional})
nn = _add_path(f"{__name__}.nn", {"quantized": _quantized})
vars(nn)["__path__"] = []
