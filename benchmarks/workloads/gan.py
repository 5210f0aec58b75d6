"""DCGAN: a step of both networks, and images from noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.programs import example

from . import workload

NOISE = 100
SIZES = {"batch": 32, "width": 64, "size": 32}
TINY = {"batch": 2, "width": 4, "size": 8}


@workload("DCGAN 64, 32x32, batch 32", "training", sizes=SIZES, tiny=TINY, jax="jax_gan.dcgan", chart=True)
def dcgan(lib: Any, at: Any, batch: int, width: int, size: int) -> Callable[[], Any]:
    """The discriminator learns from real images and made ones, then the generator from what it says of the latter."""
    models = example(lib, "models")
    generator = at.placed(lib, models.Generator(NOISE, width, 3, size))
    discriminator = at.placed(lib, models.Discriminator(width, 3, size))
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    ours, theirs = (lib.optim.Adam(m.parameters(), **adam) for m in (generator, discriminator))
    z = at.tensor(lib, at.normal(batch, NOISE, 1, 1))
    real = at.tensor(lib, at.normal(batch, 3, size, size))
    yes, no = lib.ones(batch, device=at.device), lib.zeros(batch, device=at.device)
    judge = lib.nn.functional.binary_cross_entropy_with_logits
    make = at.compiled(generator)
    judge_both = at.compiled(lambda real, made: judge(discriminator(real), yes) + judge(discriminator(made), no))
    persuade = at.compiled(lambda made: judge(discriminator(made), yes))

    def step() -> Any:
        made = make(z)
        loss = judge_both(real, made.detach())
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        persuaded = persuade(made)
        ours.zero_grad()
        persuaded.backward()
        ours.step()
        return loss

    return step


@workload(
    "DCGAN 64 generator, 32x32, inference",
    "inference",
    sizes={**SIZES, "batch": 1},
    tiny={**TINY, "batch": 1},
    jax="jax_gan.generate",
    chart=True,
)
def generate(lib: Any, at: Any, batch: int, width: int, size: int) -> Callable[[], Any]:
    generator = at.placed(lib, example(lib, "models").Generator(NOISE, width, 3, size)).eval()
    z = at.tensor(lib, at.normal(batch, NOISE, 1, 1))
    compute = at.compiled(generator)

    def call() -> Any:
        with lib.no_grad():
            return compute(z)

    return call
