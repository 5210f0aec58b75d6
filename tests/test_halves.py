"""Large arrays of 16-bit floats, which the CPU computes in float32, are treated as small ones are."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg

F = wg.nn.functional
OPS = ("relu", "leaky_relu", "hardswish", "elu", "gelu", "silu", "mish", "softplus", "sigmoid", "tanh", "logsigmoid")


@pytest.mark.parametrize("dtype", [wg.float16, wg.bfloat16], ids=str)
@pytest.mark.parametrize("name", [*OPS, "softmax", "layer_norm"])
def test_large_arrays_are_as_small_ones(name: str, dtype: wg.dtype):
    op = {"softmax": lambda x: F.softmax(x, 1), "layer_norm": lambda x: F.layer_norm(x, (64,))}.get(
        name, getattr(F, name)
    )
    x = wg.randn(1200, 64).to(dtype)
    parts = []
    for rows in (x, *x.split(100)):
        rows = rows.clone().requires_grad_()
        y = op(rows)
        y.backward(wg.full_like(y, 0.5))
        assert y.dtype == rows.grad.dtype == dtype
        parts.append((y.detach().float().numpy(), rows.grad.float().numpy()))
    step = 2.0**-10 if dtype == wg.float16 else 2.0**-7
    for found, expected in zip(parts[0], map(np.concatenate, zip(*parts[1:], strict=True)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=step, atol=step / 8)


@pytest.mark.parametrize("dtype", [wg.float32, wg.float64], ids=str)
def test_values_without_a_loop_of_vectors(dtype: wg.dtype):
    """Finite arrays go a faster way than those with infinities or NaN; both are the definition's."""
    x, y = wg.randn(3000, dtype=dtype) * 5, wg.randn(3000, dtype=dtype) * 5
    for op, exact in ((wg.logaddexp, np.logaddexp), (wg.logaddexp2, np.logaddexp2)):
        for a in (x, wg.cat([x[:-3], wg.tensor([np.inf, -np.inf, np.nan], dtype=dtype)])):
            expected = exact(a.double().numpy(), y.double().numpy())
            eps = float(np.finfo(a.numpy().dtype).eps)
            np.testing.assert_allclose(op(a, y).numpy(), expected, rtol=4 * eps, atol=eps)
    odd = wg.cat([x, wg.tensor([np.inf, -np.inf, np.nan], dtype=dtype)])
    np.testing.assert_array_equal(wg.nan_to_num(odd, 1.0, 2.0, 3.0).numpy()[-3:], [2, 3, 1])
    assert wg.nan_to_num(x).data_ptr() != x.data_ptr()
    np.testing.assert_array_equal(wg.angle(x).numpy(), np.where(x.numpy() < 0, np.pi, 0).astype(x.numpy().dtype))
    assert wg.angle(odd).isnan().sum() == 1
    rows = x.reshape(3, 1000)
    np.testing.assert_allclose(rows.norm(dim=1).numpy(), np.linalg.norm(rows.double().numpy(), axis=1), rtol=1e-6)
    np.testing.assert_allclose(x.norm().item(), np.linalg.norm(x.double().numpy()), rtol=1e-6)
