"""The graph that rules write to: nodes, initializers, and numbers that depend on sizes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ...backends.traced import Step, Value
from .errors import OnnxExporterError
from .sizes import Sizes
from .types import code_of, tensor_of
from .varying import Varying

__all__ = ["RULES", "Graph", "rule"]

RULES: dict[str, Callable[..., Any]] = {}  # kernels and functions -> what they are in ONNX
F = TypeVar("F", bound=Callable[..., Any])
FOLDED = 1 << 22  # elements of the largest constant that is written out instead of computed


def rule(names: str) -> Callable[[F], F]:
    """How the kernels of these names are written: a function of the graph and of the kernel's arguments.

    It returns what `Graph.op` returned: the name of a tensor, or one for each result.
    """

    def keep(function: F) -> F:
        RULES.update(dict.fromkeys(names.split(), function))
        return function

    return keep


class Graph:
    """An ONNX graph that is being written.

    Attributes:
        opset: the version of the operator set.
        nodes: what was added, in order.
        initializers: arrays by name.
        step: the step that is being written; `out` is its first result.
    """

    def __init__(self, opset: int, fold: bool = True) -> None:
        self.opset, self.fold = opset, fold
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.sizes = Sizes(self)
        self.step: Step = Step("", (), {}, [], "", "")
        self.domains: set[str] = set()
        self.dtypes: dict[str, Any] = {}
        self.makers: dict[int, Step] = {}  # values -> the steps that compute them
        self.reshaped: dict[str, tuple[str, tuple[Any, ...]]] = {}  # what was reshaped -> of what, and its shape
        self.resized: dict[str, Any] = {}  # likewise
        self.transposed: dict[str, tuple[str, list[int]]] = {}  # likewise
        self.tops: dict[str, tuple[str, int, str]] = {}  # positions of sorted elements -> of what, where, and those
        self._names: dict[int, str] = {}
        self._constants: dict[Any, str] = {}
        self._used: set[str] = set()

    @property
    def out(self) -> Value:
        """The first result of the step that is being written."""
        return next(v for v in self.step.outputs if v is not None)  # type: ignore[no-any-return]

    # ------------------------------------------------------------------ names

    def fresh(self, wanted: str) -> str:
        """A name that is not in use yet."""
        name, count = wanted, 0
        while name in self._used:
            count += 1
            name = f"{wanted}_{count}"
        self._used.add(name)
        return name

    def call(self, value: Value, name: str) -> None:
        """Let a value have a name in the graph."""
        self._names[value.number] = name
        self.dtypes[name] = value.dtype
        if value.kind != "constant":
            self.sizes.learn(name, value.shape)

    def is_named(self, value: Value) -> bool:
        """Whether a value has a name already."""
        return value.number in self._names

    def name(self, x: Any) -> str:
        """The name of an operand: a value, a name, an array, or None for one that is left out."""
        if x is None:
            return ""
        if isinstance(x, str):
            return x
        if isinstance(x, Value):
            if x.number not in self._names:
                self._names[x.number] = self._constant_value(x)
            return self._names[x.number]
        return self.constant(x, np.asarray(x).dtype)

    def _constant_value(self, value: Value) -> str:
        if value.kind in ("parameter", "buffer"):
            name = self.fresh(value.name)
            self.initializers[name] = value.real
            self.dtypes[name] = value.dtype
            return name
        if value.real is None:
            raise OnnxExporterError("a value is used before it is computed")
        return self.constant(value.real, value.dtype)

    def constant(self, value: Any, dtype: Any) -> str:
        """The name of a constant; equal ones are one."""
        array = np.asarray(value).astype(dtype)
        key = array.dtype.name, array.shape, array.tobytes()
        if key not in self._constants:
            name = self._constants[key] = self.fresh("constant")
            self.initializers[name] = array
            self.dtypes[name] = array.dtype
        return self._constants[key]

    def known(self, x: Any) -> Any:
        """The array of a constant that is no parameter, or None."""
        if isinstance(x, Value):
            return None if x.depends or x.trained or any(isinstance(n, Varying) for n in x.shape) else x.real
        return None

    # ------------------------------------------------------------------ nodes

    def op(self, kind: str, *inputs: Any, outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        """Add a node.

        Args:
            kind: the operator.
            inputs: values, names, arrays, or None for an input that is left out.
            outputs: how many results it has.
            domain: of the operator, where it is not ONNX's own.
            attributes: its attributes; None leaves one out. A suffix as in PyTorch's ``alpha_f`` is taken off.

        Returns:
            The name of the result, or a tuple of names.
        """
        from onnx import helper

        if kind.count("::") == 1:
            domain, kind = kind.split("::")
        if not domain:
            self._check(kind, attributes)
        names = [self.name(x) for x in inputs]
        while names and not names[-1]:
            names.pop()
        path = "/".join(self.step.place.split(".")[1:])
        label = self.fresh(f"/{path}/{kind}" if path else f"/{kind}")
        made = [self.fresh(f"{label}_output_{i}") for i in range(outputs)]
        plain = {_bare(k): v for k, v in attributes.items()}
        for key, value in plain.items():
            for n in value if isinstance(value, list | tuple) else [value]:
                if isinstance(n, Varying):
                    raise OnnxExporterError(
                        f"{self.step.name}{self.place}: ONNX's {kind} has a fixed {key}, but here it depends on the "
                        "size of an input; give that dimension a fixed size"
                    )
        node = helper.make_node(
            kind, names, made, name=label, domain=domain, **{k: v for k, v in plain.items() if v is not None}
        )
        self.domains.add(domain)
        self.nodes.append(node)
        return made[0] if outputs == 1 else tuple(made)

    def _check(self, kind: str, attributes: dict[str, Any]) -> None:
        """Raise unless this version of ONNX has an operator, with these attributes."""
        known = _attributes(kind, self.opset)
        if known is None:
            raise NotImplementedError(f"the operator {kind}, which is newer")
        for key, value in attributes.items():
            if value is not None and _bare(key) not in known:
                raise NotImplementedError(f"{kind} with {_bare(key)}, which is newer")

    @property
    def place(self) -> str:
        """Where the step that is being written ran, for messages."""
        return (f" in {self.step.place}" if self.step.place else "") + f" ({self.step.line})"

    # ------------------------------------------------------------------ operands

    def cast(self, x: Any, dtype: Any) -> str:
        """An operand as ``dtype``."""
        dtype = np.dtype(dtype)
        name = self.name(x)
        if self.dtypes.get(name) == dtype:
            return name
        made = str(self.op("Cast", name, to=code_of(dtype)))
        self.dtypes[made] = dtype
        return made

    def operand(self, x: Any, dtype: Any) -> str:
        """A value or a number as an operand of type ``dtype``."""
        if isinstance(x, Varying):
            return self.scalar(x, dtype)
        if isinstance(x, int | float):
            return self.constant(_within(x, np.dtype(dtype)), dtype)
        return self.cast(x, dtype)

    def scalar(self, n: Any, dtype: Any) -> str:
        """A number that may depend on sizes, as a tensor without dimensions."""
        if not isinstance(n, Varying):
            return self.constant(n, dtype)
        if any(isinstance(v, float) for v in n.values):
            found = self.sizes.float_formula(n.values)
            pair = self.sizes.ratio(n.values) if found is None else None
            if pair is not None:
                kind = np.dtype("float32") if np.dtype(dtype).kind not in "fV" else dtype
                return str(self.op("Div", *[self.scalar(size, kind) for size in pair]))
            if found is None:
                raise OnnxExporterError(
                    f"{self.step.name}{self.place}: a number of the model is {', '.join(map(str, n.values))} for the "
                    "sizes that were tried; give the dimension that it depends on a fixed size"
                )
            whole, kind = found
            name = self.scalar(whole, np.dtype("float32") if np.dtype(dtype).kind not in "fV" else dtype)
            name = str(self.op("Sqrt", name)) if "root" in kind else name
            return str(self.op("Reciprocal", name)) if "reciprocal" in kind else name
        made = str(self.op("Squeeze", self.sizes.vector(n), self.constant([0], "int64")))
        self.dtypes[made] = np.dtype("int64")
        return self.cast(made, dtype)

    def ints(self, numbers: Sequence[Any]) -> str:
        """Numbers, some of which may depend on sizes, as a vector of int64."""
        if not any(isinstance(n, Varying) for n in numbers):
            return self.constant(np.array(numbers, dtype="int64").reshape(len(numbers)), "int64")
        parts = [self.sizes.vector(n) for n in numbers]
        return parts[0] if len(parts) == 1 else str(self.op("Concat", *parts, axis=0))

    # ------------------------------------------------------------------ what many rules need

    def reshape(self, x: Any, shape: Sequence[Any], old: Sequence[Any] | None = None) -> str:
        """``x`` in another shape; sizes that are not known are copied or worked out."""
        old = x.shape if old is None and isinstance(x, Value) else old
        name, shape = self.name(x), tuple(shape)
        if old is not None and tuple(old) == shape:
            return name
        if name in self.reshaped:  # what was reshaped before is reshaped once, or not at all
            name, old = self.reshaped[name]
            if tuple(old) == shape:
                return name
        if 0 in shape:
            made = str(self.op("Reshape", name, self.ints(shape), allowzero=1))
        else:
            made = str(self.op("Reshape", name, self.ints(_copied_or_left(shape, old))))
        if old is not None:
            self.reshaped[made] = name, tuple(old)
        return made

    def transpose(self, x: Any, order: Sequence[int]) -> str:
        """``x`` with its dimensions in another order."""
        order, name = [int(a) for a in order], self.name(x)
        if name in self.transposed:  # what was transposed before is transposed once, or not at all
            name, earlier = self.transposed[name]
            order = [earlier[a] for a in order]
        if order == list(range(len(order))):
            return name
        made = str(self.op("Transpose", name, perm=order))
        self.transposed[made] = name, order
        return made

    def unsqueeze(self, x: Any, axes: Sequence[int]) -> str:
        """``x`` with new dimensions of size 1."""
        return str(self.op("Unsqueeze", x, self.ints(list(axes)))) if axes else self.name(x)

    def squeeze(self, x: Any, axes: Sequence[int]) -> str:
        """``x`` without dimensions of size 1."""
        return str(self.op("Squeeze", x, self.ints(list(axes)))) if axes else self.name(x)

    def expand(self, x: Any, shape: Sequence[Any]) -> str:
        """``x`` repeated to a shape."""
        if isinstance(x, Value) and tuple(x.shape) == tuple(shape):
            return self.name(x)
        return str(self.op("Expand", x, self.ints(list(shape))))

    def reduce(self, kind: str, x: Any, axes: Any, keep: bool) -> str:
        """A reduction over some dimensions; None is all of them."""
        if axes is not None and not isinstance(axes, int) and not len(axes):
            return self.name(x) if kind not in ("SumSquare", "L1", "L2") else str(self.op("Abs", x))
        axes = None if axes is None else [axes] if isinstance(axes, int) else list(axes)
        if self.opset >= 18 or kind == "Sum":
            return str(self.op(f"Reduce{kind}", x, None if axes is None else self.ints(axes), keepdims=int(keep)))
        return str(self.op(f"Reduce{kind}", x, axes=axes, keepdims=int(keep)))

    def tensor(self, array: Any, name: str = "") -> Any:
        """An array as an attribute."""
        return tensor_of(np.asarray(array), name)

    def cast_from(self, x: Any, dtype: Any, to: Any) -> str:
        """A tensor that is of type ``dtype`` as another."""
        self.dtypes[x] = np.dtype(dtype)
        return self.cast(x, to)

    def filling(self, x: Any) -> Any:
        """The number that all elements of a value are, if that is known; else None."""
        known = self.known(x)
        if known is not None:
            first = known.reshape(-1)[:1]
            return first[0] if known.size and (known == first).all() else None
        maker = self.makers.get(x.number)
        if maker is None or maker.name not in ("zeros", "empty", "ones", "full"):
            return None
        number = maker.args[1] if len(maker.args) > 1 else {"ones": 1}.get(maker.name, 0)
        return number if isinstance(number, int | float) else None

    def where(self, condition: Any, x: Any, y: Any) -> str:
        """``x`` where the condition holds, else ``y``."""
        return str(self.op("Where", condition, x, y))


def _bare(name: str) -> str:
    return name[:-2] if name[-2:] in ("_i", "_f", "_s", "_t") else name


@functools.cache
def _attributes(kind: str, opset: int) -> frozenset[str] | None:
    """The attributes of an operator in a version of ONNX, or None where it is not there."""
    from onnx import defs

    try:
        return frozenset(defs.get_schema(kind, opset, "").attributes)
    except defs.SchemaError:
        return None


def _within(x: Any, dtype: Any) -> Any:
    """A number that the type holds: infinite bounds of integers are their limits."""
    if dtype.kind in "iu" and isinstance(x, float) and math.isinf(x):
        info = np.iinfo(dtype)
        return info.max if x > 0 else info.min
    return x


def _copied_or_left(shape: tuple[Any, ...], old: Any) -> list[Any]:
    """A shape with 0 for sizes that stay as they are, and -1 for one that follows from the others."""
    sizes: list[Any] = list(shape)
    varying = [i for i, n in enumerate(shape) if isinstance(n, Varying)]
    for i in varying:
        if old is not None and i < len(old) and old[i] == shape[i]:
            sizes[i] = 0
    rest = [i for i in varying if sizes[i] is shape[i]]
    if rest:
        sizes[rest[-1]] = -1
    return sizes
