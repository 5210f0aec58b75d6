"""The table of optimizers: arguments, and a textbook version in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Memory = dict[str, Any]
Rule = Callable[..., Any]  # (parameter, gradient, what the rule remembers, number of the step, **arguments)


@dataclass(frozen=True)
class OptimizerCase:
    """One optimizer with one set of arguments.

    Attributes:
        name: the class in ``wengert.optim``.
        options: arguments.
        rule: the same in NumPy: takes parameter, gradient, a dictionary to remember things in and the number of the
            step, and returns the new parameter. ``options`` are passed on.
        shapes: of the parameters.
        torch: whether PyTorch has it, with these arguments.
        differentiable: whether a step can be recorded.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    rule: Rule | None = None
    shapes: tuple[tuple[int, ...], ...] = ((3, 4), (4,), (), (2, 3, 2))
    torch: bool = True
    differentiable: bool = True

    def __str__(self) -> str:
        return self.name + "".join(f"-{k}={v}" for k, v in self.options.items())


def sgd(p, g, s, t, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    if momentum:
        s["b"] = g if t == 1 else momentum * s["b"] + (1 - dampening) * g
        g = g + momentum * s["b"] if nesterov else s["b"]
    return p - lr * g


def adam(p, g, s, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False, shrink=0):
    g = (-g if maximize else g) + weight_decay * p
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    s["top"] = np.maximum(s.get("top", 0), s["v"]) if amsgrad else s["v"]
    m_hat, v_hat = s["m"] / (1 - betas[0] ** t), s["top"] / (1 - betas[1] ** t)
    return p * (1 - lr * shrink) - lr * m_hat / (np.sqrt(v_hat) + eps)


def adamw(p, g, s, t, weight_decay=1e-2, **options):
    return adam(p, g, s, t, shrink=weight_decay, **options)


def adamax(p, g, s, t, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["u"] = np.maximum(betas[1] * s.get("u", 0), abs(g) + eps)
    return p - lr / (1 - betas[0] ** t) * s["m"] / s["u"]


def nadam(p, g, s, t, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
          decoupled_weight_decay=False, maximize=False):  # fmt: skip
    g = -g if maximize else g
    p, g = (p * (1 - lr * weight_decay), g) if decoupled_weight_decay else (p, g + weight_decay * p)
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    mu, ahead = (betas[0] * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1))
    s["mu"] = np.float32(s.get("mu", 1)) * np.float32(mu)  # kept in float32, as its tensor is
    product = float(s["mu"])
    m_hat = ahead * s["m"] / (1 - product * ahead) + (1 - mu) * g / (1 - product)
    return p - lr * m_hat / (np.sqrt(s["v"] / (1 - betas[1] ** t)) + eps)


def radam(p, g, s, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False,
          maximize=False):  # fmt: skip
    g = -g if maximize else g
    p, g = (p * (1 - lr * weight_decay), g) if decoupled_weight_decay else (p, g + weight_decay * p)
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    m_hat = s["m"] / (1 - betas[0] ** t)
    limit = 2 / (1 - betas[1]) - 1
    rho = limit - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
    if rho <= 5:
        return p - lr * m_hat
    r = np.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
    return p - lr * m_hat * r * np.sqrt(1 - betas[1] ** t) / (np.sqrt(s["v"]) + eps)


def rmsprop(p, g, s, t, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    s["v"] = alpha * s.get("v", 0) + (1 - alpha) * g**2
    s["a"] = alpha * s.get("a", 0) + (1 - alpha) * g
    s["b"] = momentum * s.get("b", 0) + g / (np.sqrt(s["v"] - centered * s["a"] ** 2) + eps)
    return p - lr * s["b"]


def adagrad(p, g, s, t, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    s["sum"] = s.get("sum", initial_accumulator_value) + g**2
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["sum"]) + eps)


def adadelta(p, g, s, t, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g**2
    d = np.sqrt(s.get("d", 0) + eps) / np.sqrt(s["v"] + eps) * g
    s["d"] = rho * s.get("d", 0) + (1 - rho) * d**2
    return p - lr * d


def asgd(p, g, s, t, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    eta = float(np.float32(lr / (1 + lambd * lr * (t - 1)) ** alpha))
    return p * (1 - lambd * eta) - eta * g


def rprop(p, g, s, t, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), maximize=False):
    g = -g if maximize else g
    agree = g * s.get("g", 0)
    s["size"] = np.clip(np.where(agree > 0, etas[1], np.where(agree < 0, etas[0], 1)) * s.get("size", lr), *step_sizes)
    s["g"] = np.where(agree < 0, 0, g)
    return p - np.sign(s["g"]) * s["size"]


def adafactor(p, g, s, t, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False):
    g, new = (-g if maximize else g), t**beta2_decay
    eps1 = np.finfo(p.dtype).eps if eps[0] is None else eps[0]
    alpha = max(eps[1], np.sqrt(np.mean(p**2))) * min(lr, 1 / np.sqrt(t))
    s["rows"] = (1 - new) * s.get("rows", 0) + new * np.mean(g**2, axis=-1, keepdims=True) if g.ndim > 1 else None
    s["columns"] = (1 - new) * s.get("columns", 0) + new * np.mean(g**2, axis=-2, keepdims=True) if g.ndim > 1 else None
    s["all"] = (1 - new) * s.get("all", 0) + new * g**2
    v = s["all"]
    if g.ndim > 1:
        v = s["rows"] @ s["columns"] / np.maximum(np.mean(s["rows"], axis=-2, keepdims=True), eps1)
    u = g / np.sqrt(np.maximum(v, eps1**2))
    return p * (1 - lr * weight_decay) - alpha * u / max(1, np.sqrt(np.mean(u**2)) / d)


def muon(p, g, s, t, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_steps=5, adjust_lr_fn=None):
    s["b"] = momentum * s.get("b", 0) + (1 - momentum) * g
    x = momentum * s["b"] + (1 - momentum) * g if nesterov else s["b"]
    u, size, v = np.linalg.svd(x, full_matrices=False)
    size = size / np.linalg.norm(size)
    for _ in range(ns_steps):  # the polynomial acts on the singular values alone
        size = 3.4445 * size - 4.775 * size**3 + 2.0315 * size**5
    rows, columns = p.shape
    rate = 0.2 * max(rows, columns) ** 0.5 if adjust_lr_fn == "match_rms_adamw" else max(1, rows / columns) ** 0.5
    return p * (1 - lr * weight_decay) - lr * rate * u @ np.diag(size) @ v


def lion(p, g, s, t, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
    g, m = -g if maximize else g, s.get("m", 0)
    s["m"] = betas[1] * m + (1 - betas[1]) * g
    return p - lr * (np.sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * p)


def lamb(p, g, s, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01, maximize=False):
    r = (p - adam(p, g, s, t, lr=1, betas=betas, eps=eps, maximize=maximize)) + weight_decay * p
    size, length = np.linalg.norm(p), np.linalg.norm(r)
    return p - lr * (size / length if size and length else 1) * r


def lars(p, g, s, t, lr=0.1, momentum=0.9, weight_decay=0.0, trust_coefficient=0.001, eps=1e-8, nesterov=False,
         maximize=False):  # fmt: skip
    size, slope = np.linalg.norm(p), np.linalg.norm(g)
    local = trust_coefficient * size / (slope + weight_decay * size + eps) if size and slope else 1
    g = ((-g if maximize else g) + weight_decay * p) * local
    s["b"] = momentum * s.get("b", 0) + g
    return p - lr * (g + momentum * s["b"] if nesterov else s["b"])


def sophia(p, g, s, t, lr=1e-4, betas=(0.965, 0.99), rho=0.04, weight_decay=0.1, batch_size=1, maximize=False):
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * (-g if maximize else g)
    return p * (1 - lr * weight_decay) - lr * np.clip(s["m"] / 1e-15, -1, 1)  # no curvature known yet


def sparse_adam(p, g, s, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
    p, g = p.copy(), -g if maximize else g
    s.setdefault("m", np.zeros_like(p)), s.setdefault("v", np.zeros_like(p))
    for row in range(len(p)):
        if np.any(g[row]):
            s["m"][row] += (1 - betas[0]) * (g[row] - s["m"][row])
            s["v"][row] += (1 - betas[1]) * (g[row] ** 2 - s["v"][row])
            rate = lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
            p[row] -= rate * s["m"][row] / (np.sqrt(s["v"][row]) + eps)
    return p


def soap(
    p, g, s, t, lr=3e-3, betas=(0.95, 0.95), eps=1e-8, weight_decay=0.01, precondition_frequency=10, maximize=False
):
    g = -g if maximize else g
    if p.ndim != 2:
        return adam(p, g, s, t, lr=lr, betas=betas, eps=eps, shrink=weight_decay)
    for name, now in (("left", g @ g.T), ("right", g.T @ g)):
        s[name] = now if t == 1 else betas[1] * s[name] + (1 - betas[1]) * now
        if t == 1:
            s[name + " axes"] = np.linalg.eigh(s[name])[1]
        elif t % precondition_frequency == 0:
            s[name + " axes"] = np.linalg.qr(s[name] @ s[name + " axes"])[0]
    a, b = s["left axes"], s["right axes"]
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * (a.T @ g @ b) ** 2
    u = (a.T @ s["m"] @ b) / (1 - betas[0] ** t) / (np.sqrt(s["v"] / (1 - betas[1] ** t)) + eps)
    return p * (1 - lr * weight_decay) - lr * a @ u @ b.T


def _rows(name: str, rule: Rule, *options: dict[str, Any], **others: Any) -> list[OptimizerCase]:
    return [OptimizerCase(name, o, rule, **others) for o in options]


MATRICES = ((3, 4), (5, 2), (3, 3))
VECTORS_AND_MATRICES = ((3, 4), (4,), (5, 2))
TUNED = {"lr": 0.1, "weight_decay": 0.1, "maximize": True}

CASES = [
    *_rows("SGD", sgd, {}, {"lr": 0.1, "momentum": 0.9}, {**TUNED, "momentum": 0.9, "dampening": 0.3},
           {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    *_rows("Adam", adam, {}, TUNED, {"lr": 0.1, "amsgrad": True, "betas": (0.8, 0.95), "eps": 1e-3}),
    *_rows("AdamW", adamw, {}, TUNED, {"lr": 0.1, "amsgrad": True}),
    *_rows("Adamax", adamax, {}, {**TUNED, "betas": (0.8, 0.95), "eps": 1e-3}),
    *_rows("NAdam", nadam, {}, {**TUNED, "betas": (0.8, 0.95), "momentum_decay": 0.1},
           {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    *_rows("RAdam", radam, {}, {**TUNED, "betas": (0.8, 0.95)},
           {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    *_rows("RMSprop", rmsprop, {}, {**TUNED, "alpha": 0.9, "momentum": 0.9}, {"centered": True, "eps": 1e-3},
           {"centered": True, "momentum": 0.5, "lr": 0.1}),
    *_rows("Adagrad", adagrad, {}, {**TUNED, "lr_decay": 0.1}, {"initial_accumulator_value": 0.5}),
    *_rows("Adadelta", adadelta, {}, {**TUNED, "rho": 0.7}),
    *_rows("ASGD", asgd, {}, {**TUNED, "lambd": 0.01, "alpha": 0.5, "t0": 3}),
    *_rows("Rprop", rprop, {}, {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.2), "maximize": True}),
    *_rows("Adafactor", adafactor, {}, {**TUNED, "beta2_decay": -0.5, "d": 2.0}, {"eps": (1e-6, 1e-2)},
           differentiable=False),
    *_rows("Muon", muon, {}, {"lr": 0.1, "nesterov": False},
           {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "weight_decay": 0.0},
           shapes=MATRICES, differentiable=False),
    *_rows("SparseAdam", sparse_adam, {}, {"lr": 0.1, "betas": (0.8, 0.95), "maximize": True}, shapes=((6, 3), (6,)),
           torch=False, differentiable=False),
    *_rows("Lion", lion, {}, {**TUNED, "betas": (0.8, 0.95)}, torch=False),
    *_rows("LAMB", lamb, {}, TUNED, torch=False, differentiable=False),
    *_rows("LARS", lars, {}, {**TUNED, "nesterov": True, "trust_coefficient": 0.1}, torch=False, differentiable=False),
    *_rows("SophiaG", sophia, {}, {"lr": 0.1, "weight_decay": 0.3}, torch=False, differentiable=False),
    *_rows("SOAP", soap, {}, {"lr": 0.1, "precondition_frequency": 3, "maximize": True}, shapes=VECTORS_AND_MATRICES,
           torch=False, differentiable=False),
]  # fmt: skip
ELSEWHERE = {"LBFGS", "Lookahead", "SAM"}  # they need a closure or another optimizer, and have tests of their own
