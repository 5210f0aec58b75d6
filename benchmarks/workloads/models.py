"""Training steps: forward, loss, backward, optimizer."""

from __future__ import annotations

from typing import Any

from . import workload


def training_step(lib: Any, model: Any, optimizer: Any, x: Any, y: Any) -> Any:
    cross_entropy = lib.nn.functional.cross_entropy

    def step() -> None:
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def batch(lib: Any, device: str, *shape: int) -> tuple[Any, Any]:
    lib.manual_seed(0)
    return lib.randn(*shape, device=device), lib.randint(0, 10, (shape[0],), device=device)


@workload("MLP 64-64-64-10, batch 32, SGD step", target=0.7)
def small_mlp(lib: Any, device: str) -> Any:
    nn = lib.nn
    x, y = batch(lib, device, 32, 64)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
    return training_step(lib, model, lib.optim.SGD(model.parameters(), lr=0.01), x, y)


@workload("LeNet-5, 28x28, batch 128, SGD step", unit="ms", threads=0)
def lenet(lib: Any, device: str) -> Any:
    nn = lib.nn
    x, y = batch(lib, device, 128, 1, 28, 28)
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    ).to(device)
    return training_step(lib, model, lib.optim.SGD(model.parameters(), lr=0.01), x, y)
