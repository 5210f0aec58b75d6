"""Switches between how modules are converted now and how they may be one day, with PyTorch's names."""

from __future__ import annotations

from .nn.conversion import Options

__all__ = [
    "get_overwrite_module_params_on_conversion",
    "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion",
    "set_swap_module_params_on_conversion",
]


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Whether ``module.to(...)`` and the like put new parameters in the place of the module's.

    Args:
        value: False, as it is at the start, gives the same parameters other data, so that optimizers still hold them.

    Example:
        >>> import wengert as wg
        >>> wg.__future__.set_overwrite_module_params_on_conversion(True)
        >>> layer = wg.nn.Linear(2, 3)
        >>> weight = layer.weight
        >>> layer.double().weight is weight
        False
        >>> wg.__future__.set_overwrite_module_params_on_conversion(False)
    """
    Options.overwrite = value


def get_overwrite_module_params_on_conversion() -> bool:
    """Whether conversions put new parameters in the place of a module's."""
    return Options.overwrite


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Whether conversions exchange what a module's parameters hold with new ones, as `utils.swap_tensors` does.

    Args:
        value: accepted as in PyTorch. Parameters keep their identity and take other data either way; it is stronger
            than `set_overwrite_module_params_on_conversion`.
    """
    Options.swap = value


def get_swap_module_params_on_conversion() -> bool:
    """What `set_swap_module_params_on_conversion` has set."""
    return Options.swap
