"""Balance a pole on a cart by REINFORCE: the policy gradient, with a learned baseline.

    python examples/reinforce_cartpole.py

Each step plays 16 games at once, for 500 moves or until all poles have fallen. Then every move becomes more likely by
as much as the return that followed it exceeded what the value network had expected there (Williams, "Simple statistical
gradient-following algorithms for connectionist reinforcement learning", 1992). The cart has the physics of Barto,
Sutton and Anderson (1983) and the limits of Gymnasium's CartPole-v1, which counts as solved at a mean of 475 moves over
100 games in a row. Measured on one core: solved with each of the seeds 0 to 4, after 65, 52, 62, 49 and 90 steps (784
to 1,440 games), in 10 to 26 s.
"""

from __future__ import annotations

import math
from typing import Any

import options
import wengert as wg
from wengert import nn, optim
from wengert.distributions import Categorical
from wengert.nn import functional as F

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
FARTHEST, STEEPEST, LONGEST = 2.4, math.radians(12), 500  # metres from the middle, angle, moves
GAMES, SOLVED = 16, 475.0


class CartPole:
    """Carts with poles; ``state`` has their positions, velocities, angles and angular velocities (N, 4)."""

    def __init__(self, count: int, device: Any) -> None:
        self.state = wg.empty(count, 4, device=device).uniform_(-0.05, 0.05)

    def step(self, action: wg.Tensor) -> wg.Tensor:
        """Push each cart to the left (0) or to the right (1). The result says which poles (N,) still stand."""
        _, speed, angle, turning = self.state.unbind(dim=1)
        force = FORCE * (2 * action - 1)
        push = (force + POLE * HALF_LENGTH * turning**2 * angle.sin()) / (CART + POLE)
        inertia = HALF_LENGTH * (4 / 3 - POLE * angle.cos() ** 2 / (CART + POLE))
        twist = (GRAVITY * angle.sin() - push * angle.cos()) / inertia
        pull = push - POLE * HALF_LENGTH * twist * angle.cos() / (CART + POLE)
        self.state = self.state + SECONDS * wg.stack([speed, pull, turning, twist], dim=1)
        return (self.state[:, 0].abs() <= FARTHEST) & (self.state[:, 2].abs() <= STEEPEST)


@wg.no_grad()
def play(policy: nn.Module, longest: int, device: Any) -> tuple[wg.Tensor, wg.Tensor, wg.Tensor]:
    """Play all games to their end: states (T, N, 4), actions (T, N), and a reward (T, N) of 1 while the pole stands."""
    carts = CartPole(GAMES, device)
    states, actions, rewards = [], [], []
    stands = wg.ones(GAMES, dtype=wg.bool, device=device)
    while stands.any() and len(states) < longest:
        action = Categorical(logits=policy(carts.state)).sample()
        states.append(carts.state)
        actions.append(action)
        rewards.append(stands.float())
        stands = stands & carts.step(action)
    return wg.stack(states), wg.stack(actions), wg.stack(rewards)


def discounted(rewards: wg.Tensor, discount: float) -> wg.Tensor:
    """The return after each move: the rewards from there on, each worth less than the one before it."""
    returns, total = [], wg.zeros_like(rewards[0])
    for reward in rewards.flip(0):
        total = reward + discount * total
        returns.append(total)
    return wg.stack(returns).flip(0)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Play, learn from it, and stop when the game is solved."""
    args = options.parser(__doc__, steps=200, lr=0.01, discount=0.99).parse_args(argv)
    device = options.start(args)
    steps, longest = (15, 100) if args.quick else (args.steps, LONGEST)

    policy = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 2)).to(device)
    value = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1)).to(device)
    optimizer = optim.Adam([*policy.parameters(), *value.parameters()], lr=args.lr)

    lengths: list[float] = []
    for step in range(1, steps + 1):
        states, actions, rewards = play(policy, longest, device)
        returns = discounted(rewards, args.discount)
        played = rewards.bool()
        states, actions, returns = states[played], actions[played], returns[played]  # (moves, ...)

        expected = value(states).squeeze(-1)
        advantage = (returns - expected).detach()
        log_prob = Categorical(logits=policy(states)).log_prob(actions)
        policy_loss = -(log_prob * advantage / advantage.std()).mean()
        value_loss = F.smooth_l1_loss(expected, returns)
        optimizer.zero_grad()
        (policy_loss + value_loss).backward()
        optimizer.step()

        lengths += rewards.sum(dim=0).tolist()
        mean = sum(lengths[-100:]) / len(lengths[-100:])
        if step % 5 == 0 or step == 1:
            print(f"step {step:4d}   mean of the last 100 games {mean:5.1f}")
        if len(lengths) >= 100 and mean >= SOLVED:
            print(f"solved after {step} steps, {len(lengths)} games")
            break
    metrics = {"steps": float(step), "games": float(len(lengths)), "mean_return": mean, "solved": float(mean >= SOLVED)}
    return options.finish(args, metrics, policy)


if __name__ == "__main__":
    main()
