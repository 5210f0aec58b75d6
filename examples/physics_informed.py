"""Solve Burgers' equation with a network: no data, only the equation, its start and its boundaries.

    python examples/physics_informed.py --out runs/physics_informed

The network u(t, x) is trained until u_t + u u_x - (0.01 / pi) u_xx is zero at random points, with u(0, x) = -sin(pi x)
and u(t, -1) = u(t, 1) = 0. A shock builds up at x = 0. The derivatives in the loss come from `autograd.grad` with
create_graph=True, so that the loss can be differentiated once more, by the weights (Raissi, Perdikaris, Karniadakis,
"Physics-informed neural networks", 2019). With --out, solution.png has the exact solution above the learnt one.
Measured in 64 s on one core: the error is 1.3 % of the exact solution, both in the L2 norm over 101 x 257 points.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import options
import wengert as wg
from wengert import nn, optim

VISCOSITY = 0.01 / math.pi


class Field(nn.Module):
    """Times from 0 to 1 and places from -1 to 1, (N, 1) each, to velocities (N, 1)."""

    def __init__(self, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(2, width), nn.Tanh()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.Tanh()]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, t: wg.Tensor, x: wg.Tensor) -> wg.Tensor:
        return self.layers(wg.cat([2 * t - 1, x], dim=1))


def residual(field: nn.Module, t: wg.Tensor, x: wg.Tensor) -> wg.Tensor:
    """What the equation says is zero, at points (t, x) that require gradients."""
    u = field(t, x)
    u_t, u_x = wg.autograd.grad(u.sum(), (t, x), create_graph=True)
    (u_xx,) = wg.autograd.grad(u_x.sum(), x, create_graph=True)
    return u_t + u * u_x - VISCOSITY * u_xx


def exact(t: Any, x: Any) -> Any:
    """The solution by the substitution of Cole and Hopf, its two integrals by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite.hermgauss(100)
    y = x[..., None] - np.sqrt(4 * VISCOSITY * t[..., None]) * nodes
    density = weights * np.exp(-np.cos(np.pi * y) / (2 * np.pi * VISCOSITY))
    return -(np.sin(np.pi * y) * density).sum(-1) / density.sum(-1)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Train, and compare with the exact solution."""
    args = options.parser(__doc__, steps=8000, lr=0.005, points=1000).parse_args(argv)
    device = options.start(args)
    steps = 100 if args.quick else args.steps

    field = Field().to(device)
    optimizer = optim.Adam(field.parameters(), lr=args.lr)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(1, steps + 1):
        t = wg.rand(args.points, 1, device=device, requires_grad=True)
        x = wg.empty(args.points, 1, device=device).uniform_(-1, 1).requires_grad_()
        start = wg.zeros_like(t)
        wall = wg.ones_like(x)

        equation = residual(field, t, x).square().mean()
        initial = (field(start, x) + wg.sin(math.pi * x)).square().mean()
        boundary = field(t, wall).square().mean() + field(t, -wall).square().mean()
        loss = equation + initial + boundary
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % max(1, steps // 10) == 0:
            print(f"step {step:5d}   equation {equation.item():.1e}   loss {loss.item():.1e}", flush=True)

    times, places = np.meshgrid(np.linspace(0, 1, 101), np.linspace(-1, 1, 257), indexing="ij")
    truth = exact(times, places)
    with wg.no_grad():
        t, x = (wg.tensor(v.reshape(-1, 1), dtype=wg.float32, device=device) for v in (times, places))
        found = field(t, x).cpu().numpy().reshape(truth.shape)
    if args.out is not None:
        from matplotlib.image import imsave

        imsave(args.out / "solution.png", np.concatenate([truth.T, found.T]), cmap="RdBu_r")  # exact above learnt
    error = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
    return options.finish(args, {"loss": loss.item(), "relative_l2_error": error}, field)


if __name__ == "__main__":
    main()
