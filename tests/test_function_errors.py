"""What a user's Function may not do: each mistake is named, and no gradient is accumulated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import Function


def leaf(*values: float) -> Any:
    return wg.tensor([float(v) for v in values], requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


def function(forward: Callable[..., Any], backward: Callable[..., Any] = lambda ctx, *gs: gs[0]) -> Any:
    """A Function made of two plain functions."""
    return type("Made", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


@pytest.mark.parametrize(
    ("returned", "kind", "message"),
    [
        (lambda g: g, RuntimeError, r"incorrect number of gradients \(expected 2, got 1\)"),
        (lambda g: (g, None, g), RuntimeError, "incorrect number of gradients"),
        (lambda g: (g, g), RuntimeError, "different than None at position 2"),
        (lambda g: (wg.ones(3), None), RuntimeError, r"got \[3\] but expected shape compatible with \[2\]"),
        (lambda g: (wg.ones(1), None), RuntimeError, "invalid gradient at index 0"),
        (lambda g: (3, None), RuntimeError, r"expected Variable or None \(got int\)"),
    ],
)
def test_wrong_gradients_are_named(returned: Any, kind: type[Exception], message: str):
    x = leaf(1, 2)
    y = function(lambda ctx, x, k: x * k, lambda ctx, g: returned(g))(x, 2)
    with pytest.raises(kind, match=message) as error:
        y.sum().backward()
    assert "MadeBackward" in str(error.value)
    assert x.grad is None


def test_more_nones_than_arguments_are_fine():
    x = leaf(1, 2)
    function(lambda ctx, x: x * 2, lambda ctx, g: (g, None, None))(x).sum().backward()
    same(x.grad, [1, 1])


def test_no_gradient_at_all():
    x = leaf(1, 2)
    function(lambda ctx, x: x * 2, lambda ctx, g: None)(x).sum().backward()
    assert x.grad is None


def test_functions_are_not_made_into_objects():
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        made = Function()
    with pytest.raises(RuntimeError, match="apply"):
        made(wg.ones(2))


def test_what_is_not_written_is_named():
    class Empty(Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(leaf(1))

    class NoBackward(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

    y = NoBackward.apply(leaf(1))
    with pytest.raises(NotImplementedError, match="either the backward or vjp"):
        y.backward()


def test_vjp_is_another_name_of_backward():
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def vjp(ctx: Any, g: Any) -> Any:
            return g * 2

    x = leaf(1)
    Twice.apply(x).backward()
    same(x.grad, [2])


def test_an_error_in_forward_changes_nothing():
    def forward(ctx: Any, x: Any) -> Any:
        raise ValueError("no")

    x = leaf(1)
    with pytest.raises(ValueError, match="no"):
        function(forward)(x)
    assert wg.is_grad_enabled()
