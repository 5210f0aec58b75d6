"""What is said of a state_dict that does not fit a module, and what it may come from."""

from __future__ import annotations

import difflib
from typing import Any

from ..autograd.base import TensorBase
from ..backends.errors import WengertError

PREFIXES = ("module.", "_orig_mod.", "model.")  # what wrappers put in front of every name


class StateDictError(WengertError, RuntimeError):
    """A state_dict that does not fit the module it was to be loaded into."""


def quoted(names: list[str]) -> str:
    """The names as they stand in the messages."""
    return ", ".join(f'"{name}"' for name in names)


def mismatch(key: str, value: Any, source: Any) -> str | None:
    """Why ``source`` cannot be loaded into ``value``, or None."""
    if not isinstance(source, TensorBase):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(source)}"
        )
    given: Any = source
    if given.shape == value.shape or (given.shape == (1,) and value.shape == ()):
        return None
    return (
        f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
        f"the shape in current model is {value.shape}."
    )


def hint_for(missing: list[str], unexpected: list[str], expected: list[str], given: dict[str, Any]) -> str:
    """What the names suggest: a wrapper's prefix on one side, or a spelling."""
    for prefix in PREFIXES:
        if unexpected and all(key.startswith(prefix) for key in given):
            fixed = "{k.removeprefix(" + repr(prefix) + "): v for k, v in state_dict.items()}"
            if any(key.removeprefix(prefix) in expected for key in given):
                return f"Hint: every name in the state_dict begins with {prefix!r}, as a wrapper adds it; load {fixed}"
        if missing and all(key.startswith(prefix) for key in expected) and not given.keys() & set(expected):
            return (
                f"Hint: the names in the state_dict lack {prefix!r}; load it into the module inside: model.{prefix}..."
            )
    pairs = []
    for key in unexpected[:8]:
        close = difflib.get_close_matches(key, missing, 1, 0.6)
        if close:
            pairs.append(f'"{key}" may be "{close[0]}"')
    return f"Hint: did you mean: {', '.join(pairs)}?" if pairs else ""
