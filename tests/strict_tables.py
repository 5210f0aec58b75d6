"""What CuPy 14.2 has, lacks and waits for, as tables; `tests/strict.py` acts on them.

``tests/test_strict.py`` compares the tables with CuPy itself where it is installed: importing it needs no GPU.
"""

from __future__ import annotations


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What NumPy has and CuPy 14.2 lacks. Names that only some versions of NumPy have may be listed.
MISSING = names("""
    asmatrix block bmat busday_count busday_offset busdaycalendar datetime_as_string datetime_data einsum_path
    errstate frompyfunc fromregex geomspace get_include getbufsize geterr geterrcall histogram_bin_edges info insert
    is_busday isnat matvec memmap nanpercentile nanquantile ndenumerate nditer nested_iters polyder polydiv polyint
    recarray record matrix setbufsize seterr seterrcall show_runtime spacing test unstack vecdot vecmat
    bytes_ character clongdouble complex256 datetime64 flexible float128 longdouble object_ str_ timedelta64 void
    False_ True_ ScalarType little_endian sctypeDict typecodes""")
MISSING_LINALG = names("diagonal matrix_norm multi_dot outer svdvals tensordot test trace vecdot vector_norm")
MISSING_METHODS = names("ctypes getfield resize setfield setflags to_device")
MODULES = ("linalg", "fft", "lib", "stride_tricks")  # the others are not for kernels
UNUSED = names("c_ flat mgrid ogrid poly1d r_ vectorize")  # CuPy has these; the stand-in does without
CONVERTERS = names("array asarray asanyarray ascontiguousarray asfortranarray")

OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "divmod": "divmod",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "matmul": "matmul",
}
COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}

# Keywords of NumPy's that CuPy's function of the same name does not have.
FORBIDDEN = {
    name: names(keywords)
    for functions, keywords in {
        "sum prod max min amax amin nansum nanprod nanmax nanmin": "initial where",
        "all any mean nanmean": "where",
        "std var nanstd nanvar": "where mean correction",
        "arange empty full ones zeros eye asarray asanyarray array": "device like",
        "ascontiguousarray asfortranarray identity tri require": "like",
        "empty_like full_like ones_like zeros_like linspace astype fftfreq rfftfreq": "device",
        "argsort sort": "order stable",
        "argpartition partition": "kind order",
        "fft fft2 fftn hfft ifft ifft2 ifftn ihfft irfft irfft2 irfftn rfft rfft2 rfftn": "out",
        "broadcast_arrays broadcast_to copy": "subok",
        "einsum": "out optimize",
        "concatenate stack": "arrays",
        "clip": "min max",
        "count_nonzero": "keepdims",
        "reshape unravel_index": "shape",
        "take": "mode",
        "take_along_axis extract": "arr",
        "flip fliplr flipud rot90 cov": "m",
        "corrcoef": "x",
        "delete": "obj",
        "ediff1d": "ary",
        "histogram matrix_power": "a",
        "indices": "sparse",
        "intersect1d union1d": "ar1 ar2",
        "isin": "kind",
        "lexsort trim_zeros": "axis",
        "percentile quantile": "weights",
        "unique": "sorted",
        "unpackbits": "count",
        "cholesky": "upper",
        "matrix_rank": "A hermitian rtol",
        "pinv": "hermitian rtol",
        "svd": "hermitian",
    }.items()
    for name in functions.split()
}

# Functions whose result depends on values, so that the host waits for them.
SYNCING = names("""
    argwhere array2string array_repr array_str asnumpy bincount choose compress dump dumps extract flatnonzero
    intersect1d item nonzero place put save savetxt savez setdiff1d setxor1d tobytes tofile tolist trim_zeros union1d
    unique unique_all unique_counts unique_inverse unique_values""")
SEQUENCES = names("array concatenate hstack vstack dstack column_stack stack lexsort select")
RESULT_ARRAYS = names("allclose array_equal array_equiv count_nonzero")  # a Python value in NumPy only
ELEMENTWISE = names("where clip nan_to_num round around fix")
NO_BFLOAT16 = names("""
    bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor divmod float_power gcd invert lcm left_shift logical_not logical_xor right_shift argsort einsum lexsort
    median partition argpartition percentile quantile searchsorted sort unique""")
PRODUCTS = names("matmul dot inner outer tensordot vdot")
AT = {
    **dict.fromkeys(("add", "subtract"), "iIlLqQefd"),
    **dict.fromkeys(("maximum", "minimum"), "iIlLqQfd"),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), "iIlLqQ"),
}
