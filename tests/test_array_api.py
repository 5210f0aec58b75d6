"""`wengert.array_api` beside `array_api_strict`, an exact implementation of the Python array API standard.

Every function of the standard's namespace is there with its signature, and gives the same element type, shape and
values on arrays of every element type: no elements, no dimensions, mixed types, Python numbers, infinities, NaN and
zeros of both signs. What departs is listed in docs/array_api.md.
"""

from __future__ import annotations

import inspect
import itertools
import math
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.array_api as xp

strict = pytest.importorskip("array_api_strict")
strict.set_array_api_strict_flags(api_version="2024.12")

SIGNED, UNSIGNED = ("int8", "int16", "int32", "int64"), ("uint8", "uint16", "uint32", "uint64")
INTEGERS, REAL, COMPLEX = SIGNED + UNSIGNED, ("float32", "float64"), ("complex64", "complex128")
FLOATING, NUMBERS, NUMERIC = REAL + COMPLEX, INTEGERS + REAL, INTEGERS + REAL + COMPLEX
ALL = ("bool", *NUMERIC)
INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -7.25, INF, -INF, NAN]
WHOLE = [0, 1, 2, 3, 7, 100, 127, 5]


def values(dtype: str) -> Any:
    """Typical and rare values of an element type, as a NumPy array of one dimension."""
    if dtype == "bool":
        return np.array([True, False, True, True])
    if dtype in COMPLEX:
        parts = [0.0, 1.0, -0.5, 2.5, -3.0]
        return np.array([complex(a, b) for a in parts for b in parts], dtype)
    if dtype in REAL:
        return np.array(SPECIAL, dtype)
    limits = np.iinfo(dtype)
    return np.array([*WHOLE, limits.max] + ([-1, -3, limits.min] if limits.min else []), dtype)


def both(array: Any) -> tuple[Any, Any]:
    """The array in the namespace of wengert and in the strict one."""
    return xp.asarray(array.copy()), strict.asarray(array.copy())


def as_numpy(x: Any) -> Any:
    return x.detach().numpy() if isinstance(x, wg.Tensor) else np.from_dlpack(x) if x.shape else np.asarray(x._array)


def dtype_name(x: Any) -> str:
    return str(x.dtype).rpartition(".")[2].replace("bool_", "bool").strip("'>")


def same(ours: Any, theirs: Any, what: str, digits: int = 4) -> None:
    """Both results have one type, shape and values, to the precision that floats have."""
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs), what
        for a, b in zip(ours, theirs, strict=True):
            same(a, b, what, digits)
        return
    if not hasattr(theirs, "dtype"):
        assert ours == theirs, what
        return
    a, b = as_numpy(ours), np.asarray(theirs._array)
    assert a.dtype == b.dtype, f"{what}: {a.dtype} is to be {b.dtype}"
    assert a.shape == b.shape, f"{what}: {a.shape} is to be {b.shape}"
    if a.dtype.kind in "fc":
        tolerance = 10.0**-digits if a.dtype in ("float32", "complex64") else 10.0 ** (-2 * digits)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=what)
        if a.dtype.kind == "f":
            zero = (a == 0) & (b == 0)
            np.testing.assert_array_equal(np.signbit(a[zero]), np.signbit(b[zero]), err_msg=f"{what}: signs of zeros")
    else:
        np.testing.assert_array_equal(a, b, err_msg=what)


ONE = {
    **dict.fromkeys(["abs", "negative", "positive", "sign", "square"], NUMERIC),
    **dict.fromkeys(["ceil", "floor", "trunc"], NUMBERS),
    "round": NUMERIC,
    **dict.fromkeys(["isfinite", "isinf", "isnan"], NUMERIC),
    **dict.fromkeys(["conj", "imag", "real"], COMPLEX),
    "bitwise_invert": ("bool", *INTEGERS),
    "logical_not": ("bool",),
    "signbit": REAL,
    **dict.fromkeys(["acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1"], FLOATING),
    **dict.fromkeys(["log", "log1p", "log2", "log10", "reciprocal", "sin", "sinh", "sqrt", "tan", "tanh"], FLOATING),
}
TWO = {
    **dict.fromkeys(["add", "multiply", "subtract", "equal", "not_equal"], NUMERIC),
    **dict.fromkeys(["maximum", "minimum", "greater", "greater_equal", "less", "less_equal"], NUMBERS),
    **dict.fromkeys(["floor_divide", "remainder"], NUMBERS),
    **dict.fromkeys(["bitwise_and", "bitwise_or", "bitwise_xor"], ("bool", *INTEGERS)),
    **dict.fromkeys(["bitwise_left_shift", "bitwise_right_shift"], INTEGERS),
    **dict.fromkeys(["logical_and", "logical_or", "logical_xor"], ("bool",)),
    **dict.fromkeys(["atan2", "copysign", "hypot", "logaddexp", "nextafter"], REAL),
    "divide": FLOATING,
    "pow": NUMERIC,
}


def quietly(function: Any, *args: Any, **options: Any) -> Any:
    with np.errstate(all="ignore"):
        return function(*args, **options)


@pytest.mark.parametrize("name", ONE)
def test_functions_of_each_element(name: str):
    for dtype in ONE[name]:
        for array in (
            values(dtype),
            values(dtype)[:4].reshape(2, 2).T,
            values(dtype)[1:2].reshape(()),
            values(dtype)[:0],
        ):
            ours, theirs = both(array)
            what = f"{name}({array!r})"
            same(getattr(xp, name)(ours), quietly(getattr(strict, name), theirs), what)


def operands(name: str, dtype: str) -> tuple[Any, Any]:
    """Every value with every other that the function is defined for, as a column and a row."""
    a = b = values(dtype)
    if name.endswith("_shift"):
        b = np.array([0, 1, 3, 7], dtype)
    if dtype in INTEGERS and name in ("floor_divide", "remainder"):
        b = b[b != 0]
    if dtype in INTEGERS and name == "pow":
        b = b[(b >= 0) & (b < 8)]
    return a[:, None], b


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_elements(name: str):
    for dtype in TWO[name]:
        a, b = operands(name, dtype)
        (x1, y1), (x2, y2) = both(a), both(b)
        same(getattr(xp, name)(x1, x2), quietly(getattr(strict, name), y1, y2), f"{name} of {dtype}")


@pytest.mark.parametrize("name", TWO)
def test_types_meet_as_in_the_standard(name: str):
    """Whatever the dimensions: an array without any counts as much as the others."""
    for one, other in itertools.product(TWO[name], repeat=2):
        if one == other:
            continue
        a, b = np.ones((2,), one), np.ones((), other)
        (x1, y1), (x2, y2) = both(a), both(b)
        for first, second, third, fourth in ((x1, x2, y1, y2), (x2, x1, y2, y1)):
            try:
                expected = getattr(strict, name)(third, fourth)
            except TypeError:
                if {one, other} & {"uint64"} and {one, other} & set(SIGNED):
                    with pytest.raises(RuntimeError, match="no integer type holds both"):
                        getattr(xp, name)(first, second)
                continue
            same(getattr(xp, name)(first, second), expected, f"{name} of {one} and {other}")


@pytest.mark.parametrize("name", TWO)
def test_numbers_take_the_type_of_arrays(name: str):
    for dtype in TWO[name]:
        numbers: list[Any] = [True] if dtype == "bool" else [2] if dtype in INTEGERS else [2, 2.5]
        x, y = both(np.ones(3, dtype))
        for number in numbers:
            same(getattr(xp, name)(x, number), getattr(strict, name)(y, number), f"{name} of {dtype} and {number}")
            same(getattr(xp, name)(number, x), getattr(strict, name)(number, y), f"{name} of {number} and {dtype}")


# ---------------------------------------------------------------------- names and signatures

FUNCTIONS = sorted(n for n in strict.__all__ if inspect.isfunction(getattr(strict, n)) and "flags" not in n)
EXTENSIONS = [("linalg", n) for n in strict.linalg.__all__] + [("fft", n) for n in strict.fft.__all__]
BOTH_WAYS = inspect.Parameter.POSITIONAL_OR_KEYWORD
DEFAULTS = {("astype", "device"), ("from_dlpack", "device"), ("from_dlpack", "copy"), ("expand_dims", "axis")}


@pytest.mark.parametrize(("place", "name"), [("", n) for n in FUNCTIONS] + EXTENSIONS)
def test_signatures(place: str, name: str):
    ours, theirs = (getattr(getattr(m, place, m) if place else m, name) for m in (xp, strict))
    found, wanted = (list(inspect.signature(f).parameters.values()) for f in (ours, theirs))
    assert [p.name for p in found] == [p.name for p in wanted]
    for mine, p in zip(found, wanted, strict=True):
        assert mine.kind in (p.kind, BOTH_WAYS), f"{name}: {p}"
        if p.kind is p.POSITIONAL_ONLY:
            assert mine.kind is p.kind, f"{name}: {p}"
        if (name, p.name) not in DEFAULTS:
            assert mine.default == p.default, f"{name}: {p}"
    assert ours.__name__ == name
    assert ours.__doc__


def test_every_name_of_the_standard_is_there():
    assert not [n for n in strict.__all__ if hasattr(np, n) and n != "__version__" and not hasattr(xp, n)]
    assert xp.__array_api_version__ == "2024.12"
    assert (xp.e, xp.pi, xp.inf, xp.newaxis) == (math.e, math.pi, math.inf, None)
    assert math.isnan(xp.nan)
    assert not set(xp.__all__) - set(dir(xp))
    assert (
        xp.__array_namespace_info__().capabilities().keys() == strict.__array_namespace_info__().capabilities().keys()
    )


# ---------------------------------------------------------------------- everything else, call by call

CUBE = np.arange(24.0).reshape(2, 3, 4) % 7 - 3
SQUARE = np.array([[4.0, 1.0, -2.0], [1.0, 5.0, 0.5], [-2.0, 0.5, 6.0]])
STACK = np.stack([SQUARE, SQUARE + 3 * np.eye(3)])
EMPTY = np.zeros((0, 3))
ORDER = np.array([[3, 1, 2, 1], [0, 3, 3, -1]])
AXES = (None, 0, -1, (0, 2), (), (1,), (-1, 0, 1))


def of(x: Any, dtype: str) -> Any:
    return np.asarray(np.abs(x)).astype(dtype) if dtype in UNSIGNED else x.astype(dtype)


def calls() -> Any:
    """What to call: a name, positional arguments (arrays of NumPy's are converted), options."""
    for name, kinds in (("sum", NUMERIC), ("prod", NUMERIC), ("max", NUMBERS), ("min", NUMBERS), ("mean", REAL)):
        for dtype in kinds:
            yield from ((name, (of(CUBE, dtype),), {"axis": a, "keepdims": k}) for a in AXES for k in (False, True))
            yield name, (of(np.array(3.0), dtype),), {"keepdims": True}
    for name in ("sum", "prod", "mean", "var", "std", "any", "all", "count_nonzero"):
        yield name, (EMPTY,), {"axis": 1}
    for name in ("sum", "prod"):
        yield name, (EMPTY,), {"axis": 0}
        yield name, (CUBE.astype("float32"),), {"dtype": "float64"}
        yield name, (CUBE.astype("int8"),), {"dtype": "int16", "axis": (0, 1)}
    for name in ("var", "std"):
        for dtype in REAL:
            for correction in (0, 1, 0.5):
                for axis in AXES:
                    if axis != () or correction == 0:
                        yield name, (of(CUBE, dtype),), {"axis": axis, "correction": correction, "keepdims": axis == 0}
    for name in ("any", "all", "count_nonzero"):
        for dtype in ALL:
            yield from ((name, (of(CUBE, dtype),), {"axis": a, "keepdims": k}) for a in AXES for k in (False, True))
            yield name, (of(np.array(2.0), dtype),), {}
    for name in ("argmax", "argmin"):
        for dtype in NUMBERS:
            yield from (
                (name, (of(CUBE, dtype),), {"axis": a, "keepdims": k}) for a in (None, 0, -1) for k in (False, True)
            )
    for name in ("sort", "argsort"):
        for dtype in NUMBERS:
            yield from (
                (name, (of(ORDER, dtype),), {"axis": a, "descending": d}) for a in (0, -1) for d in (False, True)
            )
    for name in ("cumulative_sum", "cumulative_prod"):
        for dtype in NUMERIC:
            yield from (
                (name, (of(CUBE, dtype),), {"axis": a, "include_initial": i}) for a in (0, -1) for i in (False, True)
            )
        yield name, (np.arange(4),), {"dtype": "float32"}
    yield from arrangements()
    yield from products()
    yield from creations()
    yield from transforms()


def arrangements() -> Any:
    for dtype in ALL:
        x = of(CUBE, dtype)
        yield from (("flip", (x,), {"axis": a}) for a in (None, 0, (0, -1)))
        yield from (
            ("roll", (x, s), {"axis": a}) for s, a in ((2, None), (-1, 1), ((1, 2), (0, 2)), (1, (0, 1)), (1, ()))
        )
        yield from ((name, (x,), {"k": k}) for name in ("tril", "triu") for k in (-1, 0, 2))
        yield from (("repeat", (x, 2), {"axis": a}) for a in (None, 1))
        yield "unique_all", (x,), {}
        yield "unique_inverse", (x,), {}
        yield "nonzero", (x,), {}
        yield "where", (of(CUBE, "bool"), x, x[0]), {}
        yield "take", (x, np.array([2, 0, 2])), {"axis": 1}
        yield "take", (x, np.array([-1, 0])), {"axis": -1}
        yield "take_along_axis", (x, np.array([[[1, -1, 0, 0]]])), {"axis": 1}
        yield "concat", ([x, x[:1]],), {}
        yield "concat", ([x, x[0]],), {"axis": None}
        yield "stack", ([x, x],), {"axis": -1}
        yield "unstack", (x,), {"axis": 1}
        yield "tile", (x, (2, 1, 1, 2)), {}
    yield "repeat", (ORDER, np.array([1, 0, 2, 1])), {"axis": 1}
    yield "repeat", (np.array(4), 3), {}
    yield from (("reshape", (CUBE, s), {"copy": c}) for s in ((4, 6), (-1,), (2, -1, 2)) for c in (None, True, False))
    yield from (("expand_dims", (CUBE,), {"axis": a}) for a in (0, 2, -1))
    yield "squeeze", (CUBE[:1], 0), {}
    yield "squeeze", (CUBE[:1, :, :1], (0, -1)), {}
    yield "permute_dims", (CUBE, (2, 0, 1)), {}
    yield "moveaxis", (CUBE, 0, -1), {}
    yield "moveaxis", (CUBE, (0, 1), (2, 0)), {}
    yield "matrix_transpose", (CUBE,), {}
    yield "broadcast_to", (CUBE[0], (2, 3, 4)), {}
    yield "broadcast_arrays", (CUBE[0], np.array(1), CUBE[:, :1]), {}
    yield "meshgrid", (np.arange(2), np.arange(3), np.arange(4)), {}
    yield "meshgrid", (np.arange(2), np.arange(3)), {"indexing": "ij"}
    for dtype in NUMBERS:
        x = np.sort(of(ORDER, dtype).reshape(-1))
        yield from (("searchsorted", (x, of(ORDER, dtype)), {"side": s}) for s in ("left", "right"))
        yield "searchsorted", (x[::-1].copy(), of(np.array([1.0, 7]), dtype)), {"sorter": np.arange(8)[::-1].copy()}
        yield "clip", (of(CUBE, dtype), 1, 2), {}
        yield "clip", (of(CUBE, dtype), None, 2), {}
        yield "clip", (of(CUBE, dtype), of(CUBE[0], dtype)), {}
        yield "clip", (of(CUBE, dtype),), {"min": 1}
    for dtype in NUMERIC:
        yield from (("diff", (of(ORDER, dtype),), {"n": n, "axis": a}) for n in (1, 2) for a in (-1, 0) if n == 1 or a)
        yield "diff", (of(ORDER, dtype),), {"prepend": of(ORDER[:, :1], dtype), "append": of(ORDER, dtype)}
    yield "unique_counts", (np.array([NAN, 1, NAN, 0.0, -0.0]),), {}
    yield "unique_values", (np.array([[1j, 1, 1], [1j, 0, 2]]),), {}
    yield "unique_all", (EMPTY,), {}


def products() -> Any:
    for dtype in NUMERIC:
        x = of(CUBE, dtype)
        yield "matmul", (x, x[0].T), {}
        yield "matmul", (x, x[0, 0]), {}
        yield "matmul", (x[0, 0], x[0, 0]), {}
        yield "vecdot", (x, x[0, 0]), {}
        yield "vecdot", (x, x), {"axis": 0 - 3}
        yield from (("tensordot", (x, x), {"axes": a}) for a in (3, ((1, 2), (1, 2))))
        yield "tensordot", (x[0, 0], x[0, 1]), {"axes": 0}
        yield "linalg.outer", (x[0, 0], x[0, 1]), {}
        yield "linalg.trace", (x,), {"offset": 1}
        yield "linalg.diagonal", (x,), {"offset": -1}
        yield "linalg.cross", (x[..., :3], x[:1, :, 1:]), {}
    for dtype in FLOATING:
        x, digits = of(STACK, dtype), dtype
        if digits in COMPLEX:
            x = x + 1j * np.triu(np.ones((3, 3)), 1).astype(dtype) - 1j * np.tril(np.ones((3, 3)), -1).astype(dtype)
        yield from (("linalg.cholesky", (x,), {"upper": u}) for u in (False, True))
        yield from (
            (f"linalg.{n}", (x,), {}) for n in ("det", "inv", "slogdet", "eigvalsh", "svdvals", "matrix_rank", "pinv")
        )
        yield from (("linalg.matrix_power", (x, n), {}) for n in (-1, 0, 3))
        yield from (("linalg.matrix_norm", (x,), {"ord": o}) for o in (1, -1, 2, -2, INF, -INF, "fro", "nuc"))
        yield "linalg.matrix_norm", (x,), {"keepdims": True}
        for axis in AXES:
            yield from (
                ("linalg.vector_norm", (of(CUBE, dtype),), {"axis": axis, "ord": o}) for o in (0, 1, 2, 3.5, INF, -INF)
            )
        yield "linalg.solve", (x, x[0]), {}
        yield "linalg.solve", (x, x[0, 0]), {}
        yield "linalg.solve", (x[0], x), {}
        yield "linalg.pinv", (x,), {"rtol": 0.1}
        yield "linalg.matrix_rank", (x,), {"rtol": 0.5}
    yield "linalg.solve", (STACK[:, :2, :2].copy(), np.ones((2, 2))), {}


def creations() -> Any:
    for dtype in (None, *ALL):
        yield from ((n, (s,), {"dtype": dtype}) for n in ("zeros", "ones") for s in (3, (2, 3), (), (0, 2)))
        yield from (("eye", s, {"k": k, "dtype": dtype}) for s in ((3,), (2, 4), (0, 3)) for k in (-1, 0, 1, 9))
        yield from ((n, (CUBE,), {"dtype": dtype}) for n in ("zeros_like", "ones_like"))
    yield from (("full", (s, v), {}) for s in (2, (2, 3), ()) for v in (True, 3, 2.5, 1j))
    yield from (("full_like", (of(CUBE, d), 1), {}) for d in NUMERIC)
    for dtype in (None, "int8", "int64", "float32"):
        yield from (("arange", a, {"dtype": dtype}) for a in ((5,), (2, 7), (7, 2, -2), (3, 3), (5, 2), (0, 10, 3)))
    yield from (("arange", a, {}) for a in ((2.5,), (0, 1, 0.25), (1.0, 0.0)))
    yield from (
        ("linspace", a, {"endpoint": e})
        for a in ((0, 1, 5), (2.0, -2.0, 4), (0, 1, 1), (0, 1, 0))
        for e in (True, False)
    )
    yield "linspace", (0, 1j, 3), {}
    yield from (("asarray", (v,), {}) for v in (True, 3, 2.5, 1j, [1, 2], [[1.0, 2], [3, 4]], [], [[True], [False]]))
    yield from (("asarray", ([1, 2],), {"dtype": d}) for d in NUMERIC)
    yield from (("astype", (of(CUBE, a), b), {}) for a in ALL for b in ALL if a not in COMPLEX or b in COMPLEX)


def transforms() -> Any:
    for dtype in FLOATING:
        x = of(CUBE, dtype)
        for norm in ("backward", "ortho", "forward"):
            for name in ("fft", "ifft", "irfft", "hfft") if dtype in COMPLEX else ("rfft", "ihfft"):
                yield from (
                    (f"fft.{name}", (x,), {"norm": norm, "n": n, "axis": a}) for n in (None, 3, 6) for a in (-1, 1)
                )
            for name in ("fftn", "ifftn", "irfftn") if dtype in COMPLEX else ("rfftn",):
                yield f"fft.{name}", (x,), {"norm": norm}
                yield f"fft.{name}", (x,), {"norm": norm, "axes": (0, 2), "s": (3, 4)}
        yield from ((f"fft.{n}", (x,), {"axes": a}) for n in ("fftshift", "ifftshift") for a in (None, 0, (1, 2)))
    yield from ((f"fft.{name}", (n,), {"d": d}) for name in ("fftfreq", "rfftfreq") for n in (4, 5) for d in (1.0, 0.5))


def converted(value: Any, namespace: Any) -> Any:
    """Arrays of NumPy's as arrays of a namespace, and names of types as its types."""
    if isinstance(value, np.ndarray):
        return namespace.asarray(value.copy())
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return [converted(v, namespace) for v in value]
    return getattr(namespace, value) if isinstance(value, str) and value in ALL else value


def found(namespace: Any, name: str, args: Any, options: Any) -> Any:
    function = namespace
    for part in name.split("."):
        function = getattr(function, part)
    given = [converted(a, namespace) for a in args]
    return quietly(
        function, *given, **{k: converted(v, namespace) for k, v in options.items() if v is not None or k != "dtype"}
    )


def groups() -> dict[str, list[Any]]:
    by_name: dict[str, list[Any]] = {}
    for name, args, options in calls():
        by_name.setdefault(name, []).append((args, options))
    return by_name


CALLS = groups()
# The standard leaves the default float type to the library; wengert's is PyTorch's.
DEFAULT_FLOAT = {"zeros", "ones", "eye", "full", "arange", "linspace", "asarray", "fft.fftfreq", "fft.rfftfreq"}
NARROW = {"float64": "float32", "complex128": "complex64"}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str):
    for args, options in CALLS[name]:
        what = f"{name}{args} {options}"
        expected = found(strict, name, args, options)
        result = found(xp, name, args, options)
        if name in DEFAULT_FLOAT and not options.get("dtype"):
            expected = strict.astype(expected, getattr(strict, NARROW.get(dtype_name(expected), dtype_name(expected))))
        same(result, expected, what)
