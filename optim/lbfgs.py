"""L-BFGS, with or without a line search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import enable_grad, no_grad
from ..autograd.ops import cat, view_as_real
from ..backends.errors import ArgumentError
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, Params
from .options import check_not_negative, given, plain

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """The quasi-Newton method that keeps the last few steps and changes of the gradient instead of a matrix.

    ``step`` needs a closure that clears the gradients, computes the loss, calls ``backward`` and returns the loss.

    Args:
        params: parameters, in one group.
        lr: the length of a step, in units of the quasi-Newton step.
        max_iter: iterations a step.
        max_eval: calls of the closure a step; ``1.25 * max_iter`` when None.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when neither parameters nor loss change by more.
        history_size: how many steps are kept.
        line_search_fn: ``"strong_wolfe"`` or None.

    Raises:
        ValueError: more than one group, or a negative rate. RuntimeError: an unknown line search.

    Example:
        >>> import wengert as wg
        >>> p = wg.tensor([3.0, -2.0], requires_grad=True)
        >>> optimizer = wg.optim.LBFGS([p], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (p[0] - 1) ** 2 + 10 * (p[1] - p[0]) ** 2
        ...     loss.backward()
        ...     return loss
        >>> _ = optimizer.step(closure)
        >>> (p - 1).abs().max().item() < 1e-4
        True

    References:
        J. Nocedal, S. Wright, "Numerical Optimization", 2nd edition, 2006, algorithms 7.4 and 3.5.
    """

    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        super().__init__(params, given(locals()))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr")

    # ------------------------------------------------------------------ all parameters as one vector

    @property
    def _params(self) -> list[Any]:
        return self.param_groups[0]["params"]  # type: ignore[no-any-return]

    def _gradient(self) -> Any:
        parts = [p.new_zeros(p.shape) if p.grad is None else p.grad.to_dense() for p in self._params]
        return cat([_real(part).reshape(-1) for part in parts])

    def _move(self, t: float, d: Any) -> None:
        """Go ``t * d`` from here."""
        start = 0
        for p in map(_real, self._params):
            p.add_(d[start : start + p.numel()].reshape(p.shape), alpha=t)
            start += p.numel()

    def _evaluate(self, closure: Callable[[], Any], start: list[Any], t: float, d: Any) -> Point:
        """Loss, gradient and slope at ``start + t * d``; the parameters are back at ``start`` afterwards."""
        self._move(t, d)
        with enable_grad():
            loss = float(closure())
        g = self._gradient()
        for p, value in zip(self._params, start, strict=True):
            p.copy_(value)
        return Point(t, loss, g, float(g.dot(d)))

    # ------------------------------------------------------------------ the step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to ``max_iter`` iterations.

        Args:
            closure: computes the loss again, with gradients, and returns it.

        Returns:
            The loss before the first iteration.

        Raises:
            TypeError: no closure. RuntimeError: an unknown line search.
        """
        group = self.param_groups[0]
        if closure is None:
            raise TypeError(
                "LBFGS.step() missing 1 required positional argument: 'closure', which computes loss and gradient and "
                "returns the loss"
            )
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(f"only 'strong_wolfe' is supported as line_search_fn, not {group['line_search_fn']!r}")
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first = closure()
        state["func_evals"] += 1
        with no_grad():
            loss, g = float(first), self._gradient()
            if _largest(g) > group["tolerance_grad"]:
                self._iterate(closure, group, state, loss, g)
        return first

    def _iterate(
        self, closure: Callable[[], Any], group: dict[str, Any], state: dict[str, Any], loss: float, g: Any
    ) -> None:
        evaluations, lr = 1, plain(group["lr"])
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                state.update(d=g.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
                t = min(1.0, float(1.0 / g.abs().sum())) * lr  # a gradient of zeros gives an infinity
            else:
                self._remember(state, g, group["history_size"])
                state["d"] = _direction(state, g, group["history_size"])
                t = lr
            state.update(prev_flat_grad=g.clone(), prev_loss=loss, t=t)
            d, before = state["d"], loss
            slope = float(g.dot(d))
            if slope > -group["tolerance_change"]:
                break
            calls = 0
            if group["line_search_fn"] is not None:
                start = [p.detach().clone() for p in self._params]
                here = Point(0.0, loss, g, slope)
                most = group["max_eval"] - evaluations
                found, calls = strong_wolfe(lambda t: self._evaluate(closure, start, t, d), here, t, _largest(d), most)  # noqa: B023
                loss, g, t = found.loss, found.g, found.t
                self._move(t, d)
            else:
                self._move(t, d)
                if iteration != group["max_iter"]:  # the next step computes it anew
                    with enable_grad():
                        loss = float(closure())
                    g, calls = self._gradient(), 1
            state["t"] = t
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"]
                or _largest(g) <= group["tolerance_grad"]
                or _largest(d) * abs(t) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break

    @staticmethod
    def _remember(state: dict[str, Any], g: Any, most: int) -> None:
        """Keep the last step and its change of the gradient, if the curvature along it is positive."""
        y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
        ys = y.dot(s)
        if float(ys) > 1e-10:
            if len(state["old_dirs"]) == most:
                for name in ("old_dirs", "old_stps", "ro"):
                    state[name].pop(0)
            state["old_dirs"].append(y)
            state["old_stps"].append(s)
            state["ro"].append(1.0 / ys)
            state["H_diag"] = ys / y.dot(y)


def _real(x: Any) -> Any:
    """A complex tensor as pairs of numbers, in the same memory."""
    return view_as_real(x) if x.is_complex() else x


def _direction(state: dict[str, Any], g: Any, most: int) -> Any:
    """Minus the gradient times the approximate inverse Hessian: Nocedal and Wright's two loops."""
    q = g.neg()
    known = list(zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True))
    weights = []
    for y, s, rho in reversed(known):
        weights.append(s.dot(q) * rho)
        q = q - weights[-1] * y
    state["al"] = [*reversed(weights), *[None] * (most - len(weights))]
    r = q * state["H_diag"]
    for (y, s, rho), weight in zip(known, reversed(weights), strict=True):
        r = r + s * (weight - y.dot(r) * rho)
    return r


def _largest(x: Any) -> float:
    return float(x.abs().max()) if x.numel() else 0.0
