"""What nodes keep for backward: saved arrays with the version they had, or what the user's hooks made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backends.errors import GraphError, ModifiedError, WengertError
from .base import TensorBase, version_of
from .grad_mode import INFERENCE, mode

if TYPE_CHECKING:
    from .node import Node

# A saved array is kept as ``(array, source, version, count)``: ``source`` is an input's position, or the complement
# (``~i``) of an output's, or, in a user's Function, the edge of a value that is neither (None if it has none);
# ``count`` is what the version said then. A plain tuple, because one is made per saved value.
Saved = tuple[Any, Any, list[Any], int]


def unpack(node: Node, saved: Saved) -> Any:
    """The saved array, if nobody has overwritten it."""
    array, source, version, count = saved
    if version[0] != count:
        raise ModifiedError(_modified(node, array, source, version, count))
    return array


def _modified(node: Node, array: Any, source: Any, version: list[Any], count: int) -> str:
    which = "intermediate" if type(source) is not int else f"input {source}" if source >= 0 else f"output {~source}"
    writer = "" if version[1] is None else f" The last write was {version[1]}."
    made = f", recorded at {node.site}," if node.site is not None else " (wengert.debug.record_lines() tells where)"
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{array.dtype.name} tensor of shape {list(array.shape)}], which {node.name()}{made} saved as its {which}, is "
        f"at version {version[0]}; expected version {count} instead.{writer} "
        "Write out of place (x = x + y), or clone() the value before it is overwritten"
    )


def pack(node: Any, values: tuple[Any, ...], arrays: Any, outputs: tuple[Any, ...]) -> None:
    """Replace what the rule saved by `Saved` tuples that know the input or output each one is.

    ``values`` are the op's inputs as Tensors (or plain), ``arrays`` the same as arrays, ``outputs`` its Tensors.
    """
    if mode_has_savers and mode.savers:
        _pack_with_hooks(node, values, arrays, outputs)
        return
    packed: list[Any] = []
    holds = False
    inputs = len(arrays)
    for i, value in enumerate(node._saved):
        if value is not None:
            if i < inputs and arrays[i] is value:  # rules save inputs in their order, nearly always
                source = values[i]
            else:
                i, source = _source_of(node, value, values, arrays, outputs)
            if isinstance(source, TensorBase):
                version = source._ver
                if version is None:
                    version = source._ver = [0, None]
                elif version is INFERENCE:
                    raise inference_error(node, f"input {i}")
                value = (value, i, version, version[0])
                holds = True
        packed.append(value)
    # A list says that there is something to release; a tuple of plain numbers survives any number of backwards.
    node._saved = packed if holds else tuple(packed)


mode_has_savers = False  # whether any thread has used hooks on saved tensors; asked first, since it is quicker to ask


def use_savers() -> None:
    """From now on, ask the thread's state about hooks on saved tensors."""
    global mode_has_savers
    mode_has_savers = True


def _pack_with_hooks(node: Any, values: tuple[Any, ...], arrays: Any, outputs: tuple[Any, ...]) -> None:
    """`pack` where the user's functions keep the tensors."""
    hooks = mode.savers[-1]
    saved, node._saved = node._saved, ()
    pack_saved: list[Any] = []
    for value in saved:
        i = next((i for i, array in enumerate(arrays) if array is value and value is not None), None)
        o = next((~o for o, output in enumerate(outputs) if output._data is value), None)
        if i is not None and isinstance(values[i], TensorBase):
            pack_saved.append(Packed(values[i], i, hooks))
        elif i is None and o is not None:
            pack_saved.append(Packed(outputs[~o], o, hooks))
        else:
            pack_saved.append(value)
    node._saved = pack_saved


def pack_one(node: Any, a: Any, x: Any, output: Any) -> None:
    """`pack` for an op on one Tensor: without its loop where the input or the output was saved, and nothing else."""
    saved = node._saved
    if len(saved) == 1 and not mode_has_savers and a._ver is not INFERENCE:
        value = saved[0]
        source = a if value is x else output if value is output._data else None
        if source is not None:
            version = source._ver
            if version is None:
                version = source._ver = [0, None]
            node._saved = [(value, 0 if source is a else ~0, version, version[0])]
            return
    pack(node, (a,), (x,), (output,))


def pack_two(node: Any, a: Any, b: Any, x: Any, y: Any, output: Any) -> None:
    """`pack` for an op on two Tensors: without its loop where both were saved in their order, or only one of them."""
    saved = node._saved
    if len(saved) == 2 and not mode_has_savers and a._ver is not INFERENCE and b._ver is not INFERENCE:
        first, second = saved
        if (first is x and (second is y or second is None)) or (first is None and second is y):
            if first is not None:
                version = a._ver
                if version is None:
                    version = a._ver = [0, None]
                first = (x, 0, version, version[0])
            if second is not None:
                version = b._ver
                if version is None:
                    version = b._ver = [0, None]
                second = (y, 1, version, version[0])
            node._saved = [first, second]
            return
    pack(node, (a, b), (x, y), (output,))


def _source_of(node: Node, value: Any, values: Any, arrays: Any, outputs: tuple[Any, ...]) -> tuple[int, Any]:
    """Which input, or complement of an output, a saved array is, and its Tensor; None for what is no array."""
    for i, array in enumerate(arrays):
        if array is value:
            return i, values[i]
    for i, output in enumerate(outputs):
        if output._data is value:
            return ~i, output
    if not hasattr(value, "dtype"):
        return 0, None
    raise WengertError(f"{node.op.__name__} saved a value that is neither an input nor an output; use ctx.cache for it")


def inference_error(node: Node, what: str) -> GraphError:
    """The error for saving a tensor that nobody counts the writes to."""
    return GraphError(
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
        "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it "
        f"in autograd, or use `no_grad()` instead of `inference_mode()`: it is {what} of {node.op.__name__}"
    )


class Packed:
    """A saved tensor that went through the functions of `wengert.autograd.graph.saved_tensors_hooks`.

    Attributes:
        value: what the packing function returned.
        unpack: the function that makes a tensor of it again.
        source: as in `Saved`.
    """

    __slots__ = ("source", "unpack", "value")

    def __init__(self, tensor: Any, source: Any, hooks: tuple[Any, Any]) -> None:
        packing, self.unpack = hooks
        self.source = source
        version = version_of(tensor)
        count, before = version[0], mode.grad
        mode.grad = False
        try:
            self.value = packing(tensor)
        finally:
            mode.grad = before
        if version[0] != count:
            raise GraphError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can "
                "not be modified by in-place operations as this can lead to unexpected side-effects; write to a clone()"
            )

    def unpacked(self) -> Any:
        """The tensor."""
        tensor = self.unpack(self.value)
        if not isinstance(tensor, TensorBase):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(tensor).__name__}"
            )
        return tensor


class SavedTensor:
    """What a node's ``_raw_saved_...`` attributes give: one saved tensor, to put hooks on."""

    __slots__ = ("index", "node")

    def __init__(self, node: Node, index: int) -> None:
        self.node, self.index = node, index

    def register_hooks(self, pack_hook: Any, unpack_hook: Any) -> None:
        """Keep ``pack_hook(tensor)``, and read ``unpack_hook`` of that.

        Raises:
            RuntimeError: there are hooks already, or the value has been given back.
        """
        saved = self.node._saved
        if saved is None:
            raise GraphError(
                "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the "
                "graph are freed when you call .backward() or autograd.grad()."
            )
        if type(saved[self.index]) is Packed:
            raise GraphError("Calling register_hooks on a saved tensor whose hooks have already been set.")
        s = saved[self.index]
        tensor = self.node._attach(s)
        packed = list(saved)
        packed[self.index] = Packed(tensor, s[1], (pack_hook, unpack_hook))
        self.node._saved = packed
