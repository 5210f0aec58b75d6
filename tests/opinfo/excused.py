"""Differences from PyTorch that are meant, each with its reason."""

from __future__ import annotations

import re

ROUNDING = "PyTorch rounds intermediate results to 16 bits; here they are float32, as on the whole"
CANCELLATION = "a difference of nearly equal float32 numbers: none of its digits is determined"
NO_HALF_COMPLEX = "NumPy has no complex type of two 16-bit floats"
NOT_RESIZABLE = "PyTorch's tensor was made from an array, and cannot be resized for that reason alone"
GARBAGE = "at a pole PyTorch's int8 and int16 give a large number of either sign; here it is infinite"
PHASE = "eigenvectors are determined up to a sign or a phase, which out= does not hide"
SPREAD = "PyTorch keeps the gaps of a strided input in a copy of it; here the copy is contiguous"
LAPACK = "the order of memory that PyTorch's LAPACK call leaves; the values are the same"
WORDS = "PyTorch's text is about its own code or parser; here it says what is wrong"
DIMENSIONS = "NumPy has at most 64 dimensions"

# (op, form, type, kind, reason): regular expressions that must match as a whole.
EXCUSED: tuple[tuple[str, str, str, str, str], ...] = (
    ("addbmm", ".*", "b?float16", "value", ROUNDING),
    ("gradient", ".*", "bfloat16", "value", ROUNDING),
    (r"nn\.functional\.binary_cross_entropy_with_logits", ".*", "b?float16", "value", ROUNDING),
    (r"nn\.functional\.(hinge_embedding_loss|embedding_bag)", ".*", "b?float16", "value", ROUNDING),
    (r"nn\.functional\.(conv_transpose[23]d|bilinear|grid_sample)", ".*", "b?float16", "value", ROUNDING),
    (r"nn\.functional\.multi_head_attention_forward", ".*", "b?float16", "value", ROUNDING),
    ("grid_sampler_[23]d", ".*", "b?float16", "value", ROUNDING),
    ("cov", ".*", "float32|complex128", "(grad2? )?value", CANCELLATION),
    (r"nn\.functional\.layer_norm", ".*", "float32", "grad value", CANCELLATION),
    ("matrix_exp", ".*", "float32", "value", "a sum whose largest terms cancel; both have float32's error"),
    ("view_as_complex", ".*", "float16", "raises", NO_HALF_COMPLEX),
    ("complex", ".*", "float16", "dtype", NO_HALF_COMPLEX),
    ("addbmm", "inplace", ".*", "accepts", NOT_RESIZABLE),
    ("gather|cat", "error", "", "no error", NOT_RESIZABLE),
    (r"polygamma\..*|special\.polygamma\..*", ".*", "int8|int16", "value", GARBAGE),
    (r"linalg\.eig(vals)?", ".*", "complex64", "value", "the order of eigenvalues is not determined"),
    (r"linalg\.eigh?", "out", ".*", "out value", PHASE),
    (r"special\.bessel_(j0|y1)", ".*", "float64", "(out )?value", "PyTorch's own value is off in the sixth digit"),
    (r"fft\.ihfft[2n]", "out", ".*", "out value", "PyTorch does not write out= for one dimension"),
    (
        "as_strided_scatter",
        ".*",
        ".*",
        ".*",
        "PyTorch's gradient keeps what was overwritten; and it reads strided memory",
    ),
    (r"nn\.functional\.linear_cross_entropy\.chunked", ".*", ".*", "grad2 none", "PyTorch's pieces give zeros there"),
    ("(diagonal|select|slice)_scatter|histogramdd", ".*", ".*", "stride", SPREAD),
    (r"linalg\.(lstsq.*|matrix_norm|solve(_ex|_triangular)?)|triangular_solve", ".*", ".*", "stride", LAPACK),
    ("unique|logcumsumexp", ".*", ".*", "stride", "sizes of 1, and another order of the loop over a dimension"),
    (r"normal\.in_place|(lin|log)space(\..*)?|narrow_copy|neg|ormqr|eye|multinomial", "error", "", "message", WORDS),
    (r"nn\.functional\.max_pool3d", "error", "", "message", WORDS),
    ("amax|amin|aminmax", "error", "", "unconvertible", DIMENSIONS),
    ("gradient", "error", "", "unconvertible", "there is no device that holds no memory"),
)


def reason(failure: dict[str, str]) -> str | None:
    """Why a difference is excused, or None."""
    place = [failure[key] for key in ("op", "form", "dtype", "kind")]
    for *patterns, why in EXCUSED:
        if all(re.fullmatch(pattern, value) for pattern, value in zip(patterns, place, strict=True)):
            return why
    return None
