"""How tensors print: as PyTorch prints them.

Numbers of one tensor share one format: whole floats as ``1.``, others with four decimals, and powers of ten where the
sizes differ by more than a factor of 1000. Large tensors show their edges only.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..backends import kernels_of
from ..backends.batched import BatchedArray
from ..backends.sparse import SparseArray
from .base import wrap
from .promotion import get_default_dtype

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["printoptions", "set_printoptions", "tensor_repr"]


@dataclass
class Options:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {"default": Options(), "short": Options(precision=2, edgeitems=2), "full": Options(threshold=math.inf)}
_options = [Options()]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is left out stays as it is, except ``sci_mode``, which goes back to automatic.

    Args:
        precision: digits after the point (4).
        threshold: the number of elements above which only the edges are shown (1000).
        edgeitems: how many elements are shown at each edge of a dimension (3).
        linewidth: characters per line (80).
        profile: ``"default"``, ``"short"`` or ``"full"``: a set of the values above.
        sci_mode: powers of ten always (True), never (False), or where they help (None).

    Raises:
        ValueError: the profile is unknown.
    """
    chosen = _options[0]
    if profile is not None:
        if profile.lower() not in PROFILES:
            raise ValueError(f"unknown profile {profile!r}; the profiles are {', '.join(PROFILES)}")
        chosen = PROFILES[profile.lower()]
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options[0] = replace(chosen, sci_mode=sci_mode, **changes)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` until the end of the block.

    Example:
        >>> import wengert as wg
        >>> with wg.autograd.printing.printoptions(precision=2):
        ...     print(wg.tensor([0.12345]))
        tensor([0.12])
    """
    before = _options[0]
    try:
        set_printoptions(**options)
        yield
    finally:
        _options[0] = before


# ---------------------------------------------------------------------- one number


def _formatter(values: Sequence[Any]) -> tuple[Callable[[Any], str], int]:
    """What turns one of these numbers into text, and the width that all of them need."""
    if values and isinstance(values[0], float):
        return _float_formatter(values)
    width = max([1, *[len(str(v)) for v in values]])
    return lambda v: str(v).rjust(width), width


def _float_formatter(values: Sequence[float]) -> tuple[Callable[[Any], str], int]:
    options = _options[0]
    sizes = [abs(v) for v in values if v and math.isfinite(v)]
    finite = [v for v in values if v and math.isfinite(v)]
    whole = all(v == math.floor(v) for v in sizes)
    scientific = False
    if sizes:
        least, most = min(sizes), max(sizes)
        scientific = most / least > 1000 or most > 1e8 or (not whole and least < 1e-4)
        if options.sci_mode is not None:
            scientific = options.sci_mode
    code = f".{options.precision}e" if scientific else ".0f" if whole else f".{options.precision}f"
    point = "." if whole and not scientific else ""

    def text(v: float) -> str:
        return format(v, code) + (point if math.isfinite(v) else "")

    width = max([1, *[len(text(v)) for v in finite]])
    return lambda v: text(v).rjust(width), width


def _complex_formatter(values: Sequence[complex]) -> tuple[Callable[[Any], str], int]:
    real, real_width = _formatter([v.real for v in values])
    imaginary, imaginary_width = _formatter([v.imag for v in values])

    def text(v: complex) -> str:
        part = imaginary(v.imag).lstrip() + "j"
        return real(v.real) + (part if part[0] in "+-" else "+" + part)

    return text, real_width + imaginary_width + 1


# ---------------------------------------------------------------------- nested lists of them


def _nested(items: Any, indent: int, shape: tuple[int, ...], text: Callable[[Any], str], width: int, cut: bool) -> str:
    """The brackets and numbers of (what is shown of) a tensor of ``shape``.

    Args:
        items: nested lists of numbers, without what is left out.
        indent: how far the next line is from the left.
        shape: of the tensor, with what is left out.
        text: how one number is written.
        width: the characters that one number takes.
        cut: whether long dimensions are shown by their edges.
    """
    edge = _options[0].edgeitems
    shortened = cut and shape[0] > 2 * edge
    if len(shape) == 1:
        cells = [text(v) for v in items]
        if shortened:
            cells = [*cells[:edge], " ..." if edge else "...", *cells[edge:]]
        per_line = max(1, (_options[0].linewidth - indent) // (width + 2))
        lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = [_nested(row, indent + 1, shape[1:], text, width, cut) for row in items]
    if shortened:
        rows = [*rows[:edge], "...", *rows[edge:]]
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(rows) + "]"


def _shown(x: Any, cut: bool) -> Any:
    """The elements that are printed, as a NumPy array in a type that formats well."""
    k = kernels_of[type(x)]
    edge = _options[0].edgeitems
    if cut:
        for dim, n in enumerate(x.shape):
            if n > 2 * edge:
                lead = (slice(None),) * dim
                ends = [x[(*lead, slice(0, edge))], x[(*lead, slice(n - edge, n))]]
                x = k.concatenate(ends, axis=dim) if edge else ends[0]
    if x.dtype.kind in "fV" and x.dtype.itemsize == 2:
        x = k.astype(x, "float32")
    return k.backend.to_numpy(x)


def _flat(items: Any) -> list[Any]:
    while items and isinstance(items[0], list):
        items = [v for row in items for v in row]
    return items  # type: ignore[no-any-return]


def _numbers(x: Any, indent: int) -> str:
    cut = x.size > _options[0].threshold
    items = _shown(x, cut).tolist()
    flat = _flat(items) if isinstance(items, list) else [items]
    text, width = (_complex_formatter if x.dtype.kind == "c" else _formatter)(flat)
    if not x.ndim:
        return text(items)
    return _nested(items, indent, x.shape, text, width, cut)


# ---------------------------------------------------------------------- the whole


def tensor_repr(tensor: Tensor, prefix: str = "") -> str:
    """The text of a tensor: its numbers, and what is not as usual about it.

    Args:
        tensor: any tensor.
        prefix: what the text begins with, of whose length the other lines are indented; a subclass's name unless told.
    """
    if isinstance(tensor._data, BatchedArray):
        return _batched_text(tensor._data)
    kind = type(tensor)
    prefix = prefix or kind.__dict__.get("_printed_as", kind.__name__) + "("
    x = tensor._data
    indent = len(prefix)
    notes = []
    if tensor.device.type != "cpu":
        notes.append(f"device='{tensor.device}'")
    if isinstance(x, SparseArray):
        return _sparse_text(tensor, prefix, notes)
    if x.size:
        body = _numbers(x, indent)
        usual = tensor.dtype in (get_default_dtype(), get_default_dtype().to_complex()) or tensor.dtype.name in (
            "int64",
            "bool",
        )
        if not _options[0].edgeitems:
            notes.append(f"size={tuple(x.shape)}")
    else:
        body = "[]"
        usual = tensor.dtype is get_default_dtype()
        if x.ndim != 1:
            notes.append(f"size={tuple(x.shape)}")
    if not usual:
        notes.append(f"dtype={tensor.dtype!r}")
    return _with_notes(prefix + body, notes + _place_in_graph(tensor), indent)


def _batched_text(x: Any) -> str:
    """One of a batch: all examples, within the level of ``vmap`` that they belong to."""
    inside = _batched_text(x._all) if isinstance(x._all, BatchedArray) else repr(wrap(x._all))
    lines = inside.replace("\n", "\n    ")
    return f"BatchedTensor(lvl={x.depth}, bdim=0, value=\n    {lines}\n)"


def _place_in_graph(tensor: Tensor) -> list[str]:
    grad_fn = tensor.grad_fn
    if grad_fn is not None:
        return [f"grad_fn=<{grad_fn.name().rpartition('::')[2]}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _sparse_text(tensor: Tensor, prefix: str, notes: list[str]) -> str:
    from .sparse.printing import sparse_repr

    def show(part: Tensor, indent: int) -> str:
        return _numbers(part._data, indent) if part._data.size else "[]"

    return sparse_repr(tensor, prefix, notes + _place_in_graph(tensor), _with_notes, show)


def _with_notes(text: str, notes: list[str], indent: int) -> str:
    """``text`` and the notes behind it, each on a new line if it would make the last one too long.

    A dtype counts as long as PyTorch writes it, so that lines break where they do there.
    """
    length = len(text) - text.rfind("\n") + 1
    for note in notes:
        size = len(note.replace("wengert.", "torch."))
        if length + size + 2 > _options[0].linewidth:
            text += ",\n" + " " * indent + note
            length = indent + size
        else:
            text += ", " + note
            length += size + 2
    return text + ")"


def formatted(tensor: Tensor, spec: str) -> str:
    """``format(x, spec)``: of the number, for a tensor without dimensions.

    Raises:
        TypeError: the tensor has dimensions and ``spec`` is not empty.
    """
    if not tensor._data.ndim:
        return format(tensor.item(), spec)
    return object.__format__(tensor, spec)
