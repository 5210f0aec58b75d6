"""Sequences of different lengths in one tensor: padded to the longest, or packed without padding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ...autograd import ops
from ...autograd.base import TensorBase
from ...backends.dtypes import bfloat16, float16, float32, float64, int8, int16, int32, int64, uint8
from ...backends.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from ...autograd.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Packed(NamedTuple):
    """The fields of a `PackedSequence`."""

    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Packed):
    """Sequences sorted by falling length and laid out one time step after the other, without padding.

    Args:
        data: (sum of the lengths, *), the elements of all sequences at time 0, then those at time 1, ...
        batch_sizes: (T,), how many sequences reach each time step; integers in main memory.
        sorted_indices: (N,), which of the given sequences stands at each place; None where they keep their order.
        unsorted_indices: (N,), the way back.

    Example:
        >>> import wengert as wg
        >>> packed = wg.nn.utils.rnn.pack_sequence([wg.tensor([1, 2, 3]), wg.tensor([4, 5])])
        >>> packed.data, packed.batch_sizes
        (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if batch_sizes is None:
            data, batch_sizes = data
        if batch_sizes.device.type == "cuda":
            raise ValueError(
                f"batch_sizes should always be on CPU, but they are on {batch_sizes.device}; use batch_sizes.cpu()"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a CUDA device."""
        return bool(self.data.device.type == "cuda")

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The data with another dtype or on another device; the indices follow it to the device."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [None if i is None else i.to(data.device) for i in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self) -> PackedSequence:
        """In main memory."""
        return self.to("cpu")

    def cuda(self, device: Any = "cuda") -> PackedSequence:
        """On a CUDA device."""
        return self.to(device)

    def float(self) -> PackedSequence:
        """With float32 data."""
        return self.to(float32)

    def double(self) -> PackedSequence:
        """With float64 data."""
        return self.to(float64)

    def half(self) -> PackedSequence:
        """With float16 data."""
        return self.to(float16)

    def bfloat16(self) -> PackedSequence:
        """With bfloat16 data."""
        return self.to(bfloat16)

    def long(self) -> PackedSequence:
        """With int64 data."""
        return self.to(int64)

    def int(self) -> PackedSequence:
        """With int32 data."""
        return self.to(int32)

    def short(self) -> PackedSequence:
        """With int16 data."""
        return self.to(int16)

    def char(self) -> PackedSequence:
        """With int8 data."""
        return self.to(int8)

    def byte(self) -> PackedSequence:
        """With uint8 data."""
        return self.to(uint8)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation``, (N,); None for None."""
    return None if permutation is None else ops.argsort(permutation)


def _numbers(lengths: Any) -> list[int]:
    return [int(n) for n in (lengths.tolist() if isinstance(lengths, TensorBase) else lengths)]  # type: ignore[attr-defined]


def _spans(batch_sizes: list[int]) -> Iterator[tuple[int, int, int]]:
    """Stretches of time with one batch size: first step, step after the last, size."""
    start = 0
    for t in range(1, len(batch_sizes) + 1):
        if t == len(batch_sizes) or batch_sizes[t] != batch_sizes[start]:
            yield start, t, batch_sizes[start]
            start = t


def _counts(numbers: list[int]) -> list[int]:
    """How many of the falling ``numbers`` exceed 0, 1, ...: batch sizes of lengths, and lengths of batch sizes."""
    result, reached = [], len(numbers)
    for t in range(numbers[0]):
        while numbers[reached - 1] <= t:
            reached -= 1
        result.append(reached)
    return result


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Drop the padding of a batch of sequences.

    Args:
        input: (T, N, *), or (N, T, *) with ``batch_first``.
        lengths: (N,), how much of each sequence counts; a tensor in main memory or a list.
        batch_first: the first dimension is the batch.
        enforce_sorted: the lengths fall already; False sorts the sequences, and `pad_packed_sequence` puts them back.

    Raises:
        RuntimeError: the lengths do not fall, do not fit the input, or one of them is not positive.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([[1, 2, 3], [4, 5, 0]])
        >>> wg.nn.utils.rnn.pack_padded_sequence(x, [3, 2], batch_first=True).data
        tensor([1, 4, 2, 5, 3])
    """
    numbers = _numbers(lengths)
    x = ops.transpose(input, 0, 1) if batch_first else input
    steps, batch = x.shape[:2]
    if not numbers or 0 in x.shape[:2]:
        raise ArgumentError("pack_padded_sequence: Cannot pack empty tensors.")
    if len(numbers) != batch:
        raise ShapeError(
            f"pack_padded_sequence: Expected `len(lengths)` to be equal to batch_size, but got {len(numbers)} "
            f"(batch_size={batch})"
        )
    order = sorted(range(batch), key=numbers.__getitem__, reverse=True)
    falling = [numbers[i] for i in order]
    if falling[-1] <= 0:
        raise ArgumentError(
            "pack_padded_sequence: Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if falling[0] > steps:
        raise ShapeError(f"pack_padded_sequence: a length of {falling[0]} does not fit into {steps} time steps")
    sorted_indices = None
    if not enforce_sorted:
        sorted_indices = ops.tensor(order, dtype=int64, device=input.device)
        x = ops.index_select(x, 1, sorted_indices)
    elif falling != numbers:
        raise ArgumentError(
            "pack_padded_sequence: `lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
            "requirement if you do not need ONNX exportability."
        )
    sizes = _counts(falling)
    parts = [ops.flatten(x[start:end, :size], 0, 1) for start, end, size in _spans(sizes)]
    return PackedSequence(ops.cat(parts), ops.tensor(sizes, dtype=int64, device="cpu"), sorted_indices)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`.

    Args:
        sequence: the packed sequences.
        batch_first: make the batch the first dimension.
        padding_value: what stands after the end of a sequence.
        total_length: T; the longest length when left out.

    Returns:
        The padded sequences, (T, N, *) or (N, T, *), and their lengths (N,), in the order of before packing.

    Raises:
        ValueError: ``total_length`` is less than the longest length.
    """
    sizes = _numbers(sequence.batch_sizes)
    steps, batch = len(sizes), sizes[0]
    total = steps if total_length is None else total_length
    if total < steps:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total} and max sequence length being {steps}"
        )
    data = sequence.data

    def padding(*sizes: int) -> Tensor:
        return ops.full((*sizes, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device)

    parts, at = [], 0
    for start, end, size in _spans(sizes):
        block = ops.unflatten(data[at : at + (end - start) * size], 0, (end - start, size))
        at += (end - start) * size
        parts.append(block if size == batch else ops.cat([block, padding(end - start, batch - size)], 1))
    if total > steps:
        parts.append(padding(total - steps, batch))
    padded, lengths = ops.cat(parts), ops.tensor(_counts(sizes), dtype=int64, device="cpu")
    if sequence.unsorted_indices is not None:
        padded = ops.index_select(padded, 1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return (ops.transpose(padded, 0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of different lengths in one tensor, filled up to the longest.

    Args:
        sequences: tensors (L, *), which agree in all dimensions but the first.
        batch_first: (N, T, *) out instead of (T, N, *).
        padding_value: what they are filled up with.
        padding_side: ``right`` or ``left``.

    Raises:
        RuntimeError: ``sequences`` is not iterable or empty, or the padding side is none of the two.

    Example:
        >>> import wengert as wg
        >>> wg.nn.utils.rnn.pad_sequence([wg.tensor([1, 2]), wg.tensor([3])], batch_first=True)
        tensor([[1, 2],
                [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise ArgumentError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences).__name__}"
        )
    if padding_side not in ("left", "right"):
        raise ArgumentError(f"pad_sequence: Expected padding_side to be one of left or right, but got {padding_side}.")
    parts: list[Tensor] = list(sequences)
    if not parts:
        raise ArgumentError("pad_sequence: received an empty list of sequences")
    longest = max(part.shape[0] for part in parts)
    filled = []
    for part in parts:
        missing = longest - part.shape[0]
        if missing:
            fill = ops.full((missing, *part.shape[1:]), padding_value, dtype=part.dtype, device=part.device)
            part = ops.cat([part, fill] if padding_side == "right" else [fill, part])
        filled.append(part)
    return ops.stack(filled, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """Undo `pad_sequence`: the first ``lengths[i]`` elements of each sequence.

    Args:
        padded_sequences: (T, N, *), or (N, T, *) with ``batch_first``.
        lengths: (N,).
        batch_first: the first dimension is the batch.
    """
    x = padded_sequences if batch_first else ops.transpose(padded_sequences, 0, 1)
    return [x[i, :length] for i, length in enumerate(_numbers(lengths))]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of tensors (L, *) of different lengths; see `pack_padded_sequence`."""
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
