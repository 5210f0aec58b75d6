"""What compiled kernels are built from: vectors of float32, memory by address, and one tile of a matrix product.

Numba leaves it to LLVM which loops become vector instructions, and with many arrays in one loop it gives up. Here a
vector is a type of its own: ``load`` and ``store`` move one, ``+``, ``-`` and ``*`` work on all its lanes. Addresses
are integers and offsets count elements, so that a kernel is compiled once for arrays of every rank and layout.

`tile` is the heart of every convolution: a block of rows times vectors whose sums stay in registers to the end.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import numba
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from .jit_numba import inlined, instructions

__all__: list[str] = []  # found through the modules that are built on it

_features = {name for name, there in binding.get_host_cpu_features().items() if there}
if "avx512f" in _features:
    LANES, ROWS = 16, 14  # 28 sums, 2 vectors and a scalar: 31 of 32 registers
elif "avx2" in _features:
    LANES, ROWS = 8, 6  # 12 sums of 16 registers
else:
    LANES, ROWS = 4, 6
WIDE = 2 * LANES  # columns of a tile

FLOAT = ir.FloatType()
LANE = ir.VectorType(FLOAT, LANES)
INT = ir.IntType(64)
FAST = ("contract",)  # a product and a sum may become one instruction


class VectorType(types.Type):  # type: ignore[misc]
    """Several float32 that one instruction works on."""

    def __init__(self) -> None:
        super().__init__(name=f"float32x{LANES}")


VECTOR = VectorType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, LANE)


def _filled(builder: Any, value: Any) -> Any:
    """A vector with ``value`` in every lane."""
    first = builder.insert_element(ir.Constant(LANE, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        first, ir.Constant(LANE, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    )


def _pointer(builder: Any, address: Any, offset: Any, kind: Any) -> Any:
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [offset])


def _vector_at(builder: Any, address: Any, offset: Any) -> Any:
    """A pointer to the vector that starts ``offset`` float32 behind ``address``."""
    return builder.bitcast(_pointer(builder, address, offset, FLOAT), LANE.as_pointer())


def _operator(op: Any, emit: str) -> None:
    class Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            if VECTOR in args and all(a == VECTOR or isinstance(a, types.Float) for a in args):
                return signature(VECTOR, *args)
            return None

    infer_global(op)(Template)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        lanes = [
            a if kind == VECTOR else _filled(builder, context.cast(builder, a, kind, types.float32))
            for a, kind in zip(args, sig.args, strict=True)
        ]
        return getattr(builder, emit)(*lanes, flags=FAST)

    for kinds in ((VectorType, VectorType), (types.Float, VectorType), (VectorType, types.Float)):
        lower_builtin(op, *kinds)(lower)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")


@instructions
def load(typingctx: Any, address: Any, offset: Any) -> Any:
    """The vector at ``offset`` float32 from ``address``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_vector_at(builder, *args), align=4)

    return VECTOR(types.int64, types.int64), codegen


@instructions
def store(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
    """Write a vector at ``offset`` float32 from ``address``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _vector_at(builder, *args[:2]), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, VECTOR), codegen


@instructions
def fill(typingctx: Any, value: Any) -> Any:
    """A vector with one number in every lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _filled(builder, args[0])

    return VECTOR(types.float32), codegen


@instructions
def choose_larger(typingctx: Any, x: Any, y: Any, a: Any, b: Any) -> Any:
    """``a`` in lanes where ``x`` is larger than ``y`` or is NaN, else ``b``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        larger = builder.fcmp_ordered(">", args[0], args[1])
        return builder.select(builder.or_(larger, builder.fcmp_unordered("uno", args[0], args[0])), args[2], args[3])

    return VECTOR(VECTOR, VECTOR, VECTOR, VECTOR), codegen


@instructions
def choose_equal(typingctx: Any, x: Any, y: Any, a: Any, b: Any) -> Any:
    """``a`` in lanes where ``x`` is equal to ``y``, else ``b``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("==", args[0], args[1]), args[2], args[3])

    return VECTOR(VECTOR, VECTOR, VECTOR, VECTOR), codegen


def _bytes_at(builder: Any, address: Any, offset: Any) -> Any:
    byte = ir.IntType(8)
    pointer = builder.gep(builder.inttoptr(address, byte.as_pointer()), [offset])
    return builder.bitcast(pointer, ir.VectorType(byte, LANES).as_pointer())


@instructions
def load_bytes(typingctx: Any, address: Any, offset: Any) -> Any:
    """The bytes at ``offset`` from ``address``, as a vector of float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.uitofp(builder.load(_bytes_at(builder, args[0], args[1]), align=1), LANE)

    return VECTOR(types.int64, types.int64), codegen


@instructions
def store_bytes(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
    """Write a vector of whole numbers as bytes at ``offset`` from ``address``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        small = builder.fptoui(args[2], ir.VectorType(ir.IntType(8), LANES))
        builder.store(small, _bytes_at(builder, args[0], args[1]), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, VECTOR), codegen


@instructions
def get(typingctx: Any, address: Any, offset: Any) -> Any:
    """The float32 at ``offset`` from ``address``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], args[1], FLOAT))

    return types.float32(types.int64, types.int64), codegen


@instructions
def put(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
    """Write a float32 at ``offset`` from ``address``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(builder, args[0], args[1], FLOAT))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float32), codegen


@instructions
def entry(typingctx: Any, address: Any, offset: Any) -> Any:
    """The int64 at ``offset`` int64 from ``address``: an entry of a table."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], args[1], INT))

    return types.int64(types.int64, types.int64), codegen


def _call(builder: Any, name: str, emit: Any, args: Any) -> None:
    """Call a function whose body is emitted once in a module: inlined at each call, it would take long to compile."""
    function = builder.module.globals.get(name)
    if function is None:
        function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [INT] * len(args)), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        body = ir.IRBuilder(function.append_basic_block("entry"))
        emit(body, *function.args)
        body.ret_void()
    builder.call(function, args)


@instructions
def note(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
    """Write an int64 at ``offset`` int64 from ``address``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(builder, args[0], args[1], INT))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _tile(vectors: int) -> Any:
    """The tile of ``ROWS`` rows and so many vectors."""

    @instructions
    def tile(
        typingctx: Any,
        a: Any,
        rows: Any,
        runs: Any,
        count: Any,
        depth: Any,
        step: Any,
        b: Any,
        b_step: Any,
        c: Any,
        c_step: Any,
        more: Any,
    ) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _call(builder, f"wengert_tile{vectors}", functools.partial(_emit_tile, vectors), args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 11), codegen

    return tile


def _emit_tile(
    vectors: int, builder: Any, a: Any, rows: Any, runs: Any, count: Any, depth: Any, step: Any, b: Any, b_step: Any,
    c: Any, c_step: Any, more: Any,
) -> None:  # fmt: skip
    """``c[i] = [c[i] if more] + sum over runs r, l of a[rows[i] + runs[r] + l * step] * b[(r * depth + l) * b_step]``.

    ``a`` and ``c`` have ROWS rows, ``rows`` and ``runs`` are tables of offsets, ``b`` and ``c`` rows of vectors.
    """
    places = [(i, j) for i in range(ROWS) for j in range(vectors)]
    sums = {p: cgutils.alloca_once(builder, LANE) for p in places}

    def result(i: int, j: int) -> Any:
        offset = builder.add(builder.mul(c_step, ir.Constant(INT, i)), ir.Constant(INT, j * LANES))
        return _vector_at(builder, c, offset)

    with builder.if_else(builder.icmp_signed("!=", more, ir.Constant(INT, 0))) as (then, otherwise):
        with then:
            for p in places:
                builder.store(builder.load(result(*p), align=4), sums[p])
        with otherwise:
            for p in places:
                builder.store(ir.Constant(LANE, [0.0] * LANES), sums[p])
    starts = [builder.load(_pointer(builder, rows, ir.Constant(INT, i), INT)) for i in range(ROWS)]
    with cgutils.for_range(builder, count) as run:
        shift = builder.load(_pointer(builder, runs, run.index, INT))
        row = [_pointer(builder, a, builder.add(s, shift), FLOAT) for s in starts]
        first = builder.mul(builder.mul(run.index, depth), b_step)
        with cgutils.for_range(builder, depth) as inner:
            base = builder.add(first, builder.mul(inner.index, b_step))
            right = [
                builder.load(_vector_at(builder, b, builder.add(base, ir.Constant(INT, j * LANES))), align=4)
                for j in range(vectors)
            ]
            along = builder.mul(inner.index, step)
            for i in range(ROWS):
                left = _filled(builder, builder.load(builder.gep(row[i], [along])))
                for j in range(vectors):
                    product = builder.fmul(left, right[j], flags=FAST)
                    builder.store(builder.fadd(builder.load(sums[i, j]), product, flags=FAST), sums[i, j])
    for p in places:
        builder.store(builder.load(sums[p]), result(*p), align=4)


tile2, tile1 = _tile(2), _tile(1)


def _emit_transpose(builder: Any, source: Any, step: Any, target: Any, distance: Any) -> None:
    """``target[j * distance + i] = source[i * step + j]`` for LANES of ``i`` and ``j``, in registers.

    At each stage, rows that differ in one bit of their number exchange the lanes that differ in it (Eklundh 1972).
    """
    rows = [
        builder.load(_vector_at(builder, source, builder.mul(step, ir.Constant(INT, i))), align=4) for i in range(LANES)
    ]
    mask = ir.VectorType(ir.IntType(32), LANES)
    bit = 1
    while bit < LANES:
        low = ir.Constant(mask, [n if not n & bit else LANES + (n ^ bit) for n in range(LANES)])
        high = ir.Constant(mask, [n ^ bit if not n & bit else LANES + n for n in range(LANES)])
        for i in range(LANES):
            if not i & bit:
                a, b = rows[i], rows[i | bit]
                rows[i], rows[i | bit] = builder.shuffle_vector(a, b, low), builder.shuffle_vector(a, b, high)
        bit *= 2
    for j in range(LANES):
        offset = builder.mul(distance, ir.Constant(INT, j))
        builder.store(rows[j], _vector_at(builder, target, offset), align=4)


@instructions
def _transpose(typingctx: Any, source: Any, step: Any, target: Any, distance: Any) -> Any:
    """A square block of ``source``, transposed."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, "wengert_transpose", _emit_transpose, args)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), codegen


@inlined
def transpose(source: int, step: int, rows: int, columns: int, target: int, distance: int) -> None:
    """``target[j * distance + i] = source[i * step + j]`` for ``i < rows`` and ``j < columns``."""
    if rows < LANES or columns < LANES:
        for i in range(rows):
            for j in range(columns):
                put(target, j * distance + i, get(source, i * step + j))
        return
    for i in range(0, rows, LANES):  # the last blocks overlap those before them
        top = min(i, rows - LANES)
        for j in range(0, columns, LANES):
            left = min(j, columns - LANES)
            _transpose(source + 4 * (top * step + left), step, target + 4 * (left * distance + top), distance)


@inlined
def copy(source: int, target: int, count: int) -> None:
    """``count`` float32 from one address to another."""
    whole = count - count % LANES
    for i in range(0, whole, LANES):
        store(target, i, load(source, i))
    for i in range(whole, count):
        put(target, i, get(source, i))


@inlined
def clear(target: int, count: int) -> None:
    """Zeros at ``target``."""
    zero = fill(numba.float32(0))
    whole = count - count % LANES
    for i in range(0, whole, LANES):
        store(target, i, zero)
    for i in range(whole, count):
        put(target, i, numba.float32(0))
