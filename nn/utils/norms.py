"""Weight and spectral norm as hooks: PyTorch's older ways, which compute the weight before each ``forward``.

The newer ones are in ``parametrizations``; what both compute with is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ...autograd import ops
from ...autograd.grad_mode import no_grad
from ...backends.call_site import warn
from .. import functional as F
from ..conv import ConvTransposeNd
from ..parameter import Parameter
from ..uninitialized import is_lazy

if TYPE_CHECKING:
    from ...autograd.tensor import Tensor
    from ..module import Module

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound="Module")


def weight_of(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """``g * v / |v|``."""
    return v * (g / ops.norm_except_dim(v, 2, dim))  # type: ignore[no-any-return]


def _plain(module: Any, name: str, value: Any) -> None:
    """Let a computed tensor be an attribute, which no list of parameters shows."""
    object.__setattr__(module, name, value)


class WeightNorm:
    """The hook of `weight_norm`."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """The weight of its two parts."""
        return weight_of(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        _plain(module, self.name, self.compute_weight(module))


class SpectralNorm:
    """The hook of `spectral_norm`."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got n_power_iterations=" + str(n_power_iterations)
            )
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def matrix(self, weight: Tensor) -> Tensor:
        """``weight`` as a matrix, with ``dim`` as its rows."""
        if self.dim:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.reshape(weight.shape[0], -1)  # type: ignore[no-any-return]

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """The weight over its largest singular value."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = self.matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(ops.mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(ops.mv(matrix, v), dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()  # the next call writes to the buffers
        return weight / ops.dot(u, ops.mv(matrix, v))

    def __call__(self, module: Module, inputs: Any) -> None:
        _plain(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


class SpectralNormVersion:
    """The hook that notes in a ``state_dict`` of which layout it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        versions[f"{self.name}.version"] = 1


class SpectralNormUpgrade:
    """The hook that reads a ``state_dict`` of the layout before 1: it had the weight, and no ``v``.

    ``u = W v / |W v|`` and ``u W v = sigma`` held then, from which ``v`` follows.
    """

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm, self.name = norm, norm.name

    def __call__(
        self, module: Module, state: dict[str, Any], prefix: str, local_metadata: dict[str, Any], strict: bool,
        missing: list[str], *rest: Any,
    ) -> None:  # fmt: skip
        version = local_metadata.get("spectral_norm", {}).get(f"{self.name}.version")
        if version is not None and version >= 1:
            return
        name = prefix + self.name
        if version is None and name not in state and all(name + end in state for end in ("_orig", "_u", "_v")):
            return  # of today's layout, only without its note
        absent = [name + end for end in ("_orig", "", "_u") if name + end not in state]
        if absent:
            missing += absent if strict else []
            return
        with no_grad():
            original, u = state[f"{name}_orig"], state[f"{name}_u"]
            sigma = (original / state.pop(name)).mean()
            matrix = self.norm.matrix(original)
            v = ops.mv(ops.mm(ops.pinverse(ops.mm(matrix.t(), matrix)), matrix.t()), u)
            state[f"{name}_v"] = v * (sigma / ops.dot(u, ops.mv(matrix, v)))


def _entry(table: Any, kind: type, name: str) -> Any:
    """The id and the hook of this kind for this name, or None."""
    for key, entry in table.items():
        if isinstance(entry.call, kind) and entry.call.name == name:  # type: ignore[attr-defined]
            return key, entry.call
    return None


def _hooked(module: Any, kind: type, name: str) -> Any:
    """The same among a module's hooks before ``forward``."""
    return None if module._hooks is None else _entry(module._hooks.forward_pre, kind, name)


def _initialized(weight: Any, what: str) -> Any:
    if is_lazy(weight):
        raise ValueError(
            f"The module passed to `{what}` can't have uninitialized parameters. Call it with a dummy batch before "
            "applying the norm"
        )
    return weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Train the length and the direction of a weight apart, as ``<name>_g`` and ``<name>_v``.

    Args:
        module: the owner of the weight.
        name: the weight's name.
        dim: one length for each index of this dimension; None for one length altogether.

    Returns:
        ``module``.

    Raises:
        RuntimeError: the weight has weight norm already.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.utils.weight_norm(wg.nn.Linear(20, 40))
        >>> list(layer.state_dict())
        ['bias', 'weight_g', 'weight_v']

    References:
        T. Salimans and D. P. Kingma, "Weight normalization", arXiv:1602.07868.
    """
    warn(
        "`wengert.nn.utils.weight_norm` is deprecated in favor of `wengert.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
    )
    if _hooked(module, WeightNorm, name):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight = _initialized(getattr(module, name), "WeightNorm")
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(ops.norm_except_dim(weight.detach(), 2, hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    _plain(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make a weight with `weight_norm` a plain parameter again, with the values that it has.

    Raises:
        ValueError: it has no weight norm.
    """
    found = _hooked(module, WeightNorm, name)
    if found is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    key, hook = found
    weight = hook.compute_weight(module)
    delattr(module, name)
    delattr(module, f"{name}_g")
    delattr(module, f"{name}_v")
    setattr(module, name, Parameter(weight.detach()))
    module._hooks.forward_pre.pop(key)  # type: ignore[union-attr]
    return module


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value before each ``forward``; ``<name>_orig`` is trained.

    Args:
        module: the owner of the weight.
        name: the weight's name.
        n_power_iterations: steps of power iteration each time in training.
        eps: keeps norms away from zero.
        dim: the dimension of the outputs; 1 for transposed convolutions and 0 for all else when left out.

    Returns:
        ``module``.

    Raises:
        RuntimeError: the weight has spectral norm already.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.utils.spectral_norm(wg.nn.Linear(20, 40))
        >>> list(layer.state_dict())
        ['bias', 'weight_orig', 'weight_u', 'weight_v']

    References:
        T. Miyato et al., "Spectral normalization for generative adversarial networks", arXiv:1802.05957.
    """
    if _hooked(module, SpectralNorm, name):
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    if dim is None:
        dim = 1 if isinstance(module, ConvTransposeNd) else 0
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = getattr(module, name)
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    _initialized(weight, "SpectralNorm")
    with no_grad():
        h, w = hook.matrix(weight).shape
        u = F.normalize(weight.new_empty(h).normal_(0, 1), dim=0, eps=eps)
        v = F.normalize(weight.new_empty(w).normal_(0, 1), dim=0, eps=eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    _plain(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    module._register_state_dict_hook(SpectralNormVersion(name))
    module.register_load_state_dict_pre_hook(SpectralNormUpgrade(hook))
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make a weight with `spectral_norm` a plain parameter again, with the values that it has.

    Raises:
        ValueError: it has no spectral norm.
    """
    found = _hooked(module, SpectralNorm, name)
    if found is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    key, hook = found
    with no_grad():
        weight = hook.compute_weight(module, do_power_iteration=False)
    for suffix in ("", "_u", "_v", "_orig"):
        delattr(module, name + suffix)
    module.register_parameter(name, Parameter(weight.detach()))
    hooks: Any = module._hooks
    hooks.forward_pre.pop(key)
    for table, kind in ((hooks.state_dict, SpectralNormVersion), (hooks.load_state_dict_pre, SpectralNormUpgrade)):
        entry = _entry(table, kind, name)
        if entry is not None:
            table.pop(entry[0])
    return module
