"""What `gradcheck` does beside comparing gradients: tangents of forward mode, and gradients of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .batched_backward import gradients_of_rows
from .forward_ad import dual_level, make_dual, unpack_dual

__all__ = ["batched_gradients", "tangents"]


def tangents(check: Any, outputs_of: Any, like: Any, flat: Any, error: type[Exception]) -> None:
    """Compare forward mode along a random direction of each input with central differences."""
    for j, x in enumerate(check.inputs):
        direction = check.random.standard_normal(flat(x).size)
        numerical = check.along(x, direction)
        with dual_level():
            dual = make_dual(x, like(x, direction))
            found = outputs_of(check.func(*[dual if a is x else a for a in check.args]))
            dots = [unpack_dual(o).tangent for o in found]
        for i, (n, d) in enumerate(zip(numerical, dots, strict=True)):
            a = check.xp.zeros_like(n) if d is None else flat(d)
            if not check.xp.allclose(a, n, rtol=check.rtol, atol=check.atol * max(1.0, abs(direction).sum())):
                raise error(
                    f"Jacobian computed with forward mode mismatch for output {i} with respect to input {j},\n"
                    f"numerical:{n}\nanalytical:{a}\n"
                    f"along one random direction; largest difference {abs(a - n).max():.3g}"
                )


def batched_gradients(check: Any, outputs: Sequence[Any], like: Any, flat: Any, error: type[Exception]) -> None:
    """Compare a backward pass for two rows at once with two passes."""
    from .ops.join import stack

    for i, output in enumerate(outputs):
        vs = [check.random.standard_normal(flat(output).size) for _ in range(2)]
        rows = stack([like(output, v) for v in vs]).detach()
        found = gradients_of_rows([output], [rows], check.inputs, True)
        for row, v in enumerate(vs):
            for j, (g, e) in enumerate(zip(found, check.backward(outputs, output, v), strict=True)):
                a = check.xp.zeros_like(e) if g is None else flat(g[row])
                if not check.xp.allclose(a, e, rtol=check.rtol, atol=check.atol):
                    raise error(
                        f"While considering the gradient of output {i} for a batch of incoming gradients: the gradient "
                        f"of input {j} is {a}, and {e} for that gradient by itself"
                    )
