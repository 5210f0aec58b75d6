"""The CUDA backend's own kernels on a GPU: the calls that `tests/test_cuda_kernels.py` makes without one."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from wengert.backends import Device, cuda, get_backend
from wengert.backends.definitions import random as plain_random

from .cuda_calls import CALLS, FUSED, Call, Draw, compare, rounded

pytestmark = pytest.mark.gpu
DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@pytest.fixture
def gpu() -> Any:
    return get_backend("cuda")


def there(gpu: Any, value: Any) -> Any:
    """NumPy arrays in ``value`` on the device; the rest as it is."""
    if isinstance(value, np.ndarray):
        return gpu.from_numpy(value, Device("cuda"))
    return type(value)(there(gpu, v) for v in value) if isinstance(value, list | tuple) else value


def here(gpu: Any, value: Any) -> Any:
    """The arrays of the device in ``value`` as NumPy arrays."""
    if isinstance(value, gpu.array_type):
        return gpu.to_numpy(value)
    return type(value)(here(gpu, v) for v in value) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_kernels_compute_what_is_defined(call: Call, dtype: str, gpu: Any):
    with np.errstate(all="ignore"):
        for number, arguments in enumerate(call.arguments(Draw(0))):
            arguments = rounded(arguments, DTYPES[dtype])
            given, expected = there(gpu, arguments), call.expected(*arguments)
            found = call.kernel(gpu.kernels)(*given)
            if call.in_place:
                found, expected = given, arguments
            compare(call.seen(here(gpu, found)), call.seen(expected), dtype, f"{call} {number}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUSED)
def test_fused_kernels_compute_what_their_parts_do(name: str, dtype: str, gpu: Any):
    for arguments, expected in FUSED[name](Draw(0), DTYPES[dtype]):
        found = here(gpu, expected.kernel(cuda)(*there(gpu, arguments)))
        compare(found, expected.values(*arguments), dtype, name)


@pytest.mark.parametrize("n", [1, 1001, 2**22 + 3])
def test_the_mask_of_dropout_is_the_cpus(n: int, gpu: Any):
    x = there(gpu, np.ones(n, np.float32))
    y = here(gpu, gpu.kernels.seeded_dropout(x, 77, 2**64 - 9, 0.7, 1 / 0.7))
    np.testing.assert_array_equal(y != 0, plain_random.random_bernoulli(np, 77, 2**64 - 9, 0.7, (n,)))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_results_repeat_to_the_bit(call: Call, gpu: Any):
    arguments = rounded(list(call.arguments(Draw(0)))[-1], np.float32)
    results = []
    for _ in range(3):
        given = there(gpu, arguments)
        found = call.kernel(gpu.kernels)(*given)
        results.append(call.seen(here(gpu, given if call.in_place else found)))
    for other in results[1:]:
        np.testing.assert_equal(other, results[0])


@pytest.mark.parametrize("call", [call for call in CALLS if not call.in_place], ids=str)
def test_kernels_can_be_captured(call: Call, gpu: Any):
    if call.name in ("sum", "mean", "sum_rows", "sum_channels"):
        pytest.skip("of other types than 16 bits, this is CuPy's")
    if "sequence" in call.name or call.name == "embedding_grad":
        pytest.skip("there is a product of matrices in it, or a sort")
    arguments = there(gpu, rounded(next(iter(call.arguments(Draw(0)))), np.float32))
    kernel = call.kernel(gpu.kernels)
    expected = here(gpu, kernel(*arguments))
    stream = gpu.xp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        found = kernel(*arguments)
        graph = stream.end_capture()
        graph.launch(stream)
        stream.synchronize()
    np.testing.assert_equal(here(gpu, found), expected)
