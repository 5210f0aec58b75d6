"""Loss scaling, and the pieces of autocast's state."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import wengert as wg
from wengert import nn, optim

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

LIBRARIES = [wg] if torch is None else [wg, torch]
both = pytest.mark.parametrize("T", LIBRARIES, ids=lambda T: T.__name__)


def scaled(T: Any, p: Any = None, **options: Any) -> tuple[Any, Any]:
    """A scaler after a scaled backward pass, and an optimizer of the parameter."""
    p = T.ones(2, requires_grad=True) if p is None else p
    scaler = T.amp.GradScaler("cpu", **options)
    scaler.scale((p * 2).sum()).backward()
    return scaler, T.optim.SGD([p], lr=0.1)


def chained(*calls: str) -> Callable[[Any], None]:
    def run(T: Any) -> None:
        scaler, optimizer = scaled(T)
        for call in calls:
            getattr(scaler, call)(*([optimizer] if call != "update" else []))

    return run


def half(T: Any) -> None:
    scaler, optimizer = scaled(T, T.ones(2, dtype=T.float16, requires_grad=True))
    scaler.step(optimizer)


BAD: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "growth": (AssertionError, "growth factor", lambda T: T.amp.GradScaler("cpu", growth_factor=1.0)),
    "backoff": (AssertionError, "backoff factor", lambda T: T.amp.GradScaler("cpu", backoff_factor=1.0)),
    "step first": (AssertionError, "_scale is None", lambda T: T.amp.GradScaler("cpu").step(scaled(T)[1])),
    "update first": (AssertionError, "_scale is None", lambda T: T.amp.GradScaler("cpu").update()),
    "unscale first": (AssertionError, "_scale is None", lambda T: T.amp.GradScaler("cpu").unscale_(scaled(T)[1])),
    "update alone": (AssertionError, "No inf checks", chained("update")),
    "unscaled twice": (RuntimeError, "already been called on this optimizer", chained("unscale_", "unscale_")),
    "stepped twice": (RuntimeError, "already been called since", chained("step", "step")),
    "unscaled after": (RuntimeError, "being called after step", chained("step", "unscale_")),
    "float16": (ValueError, "Attempting to unscale FP16 gradients", half),
    "no gradients": (AssertionError, "No inf checks", lambda T: scaled(T)[0].step(T.optim.SGD([T.ones(1)]))),
    "closure": (RuntimeError, "Closure use", lambda T: scaled(T)[0].step(scaled(T)[1], closure=lambda: 1)),
    "number": (ValueError, "Tensor or an iterable", lambda T: T.amp.GradScaler("cpu").scale(3)),
    "empty state": (RuntimeError, "state dict is empty", lambda T: T.amp.GradScaler("cpu").load_state_dict({})),
    "two scales": (AssertionError, "1-element", lambda T: scaled(T)[0].update(T.ones(2))),
    "pickled inside": (AssertionError, "only be pickled", lambda T: unscaled_pickle(T)),
}


def unscaled_pickle(T: Any) -> None:
    scaler, optimizer = scaled(T)
    scaler.unscale_(optimizer)
    pickle.dumps(scaler)


@both
@pytest.mark.parametrize("name", BAD)
def test_bad_use(name: str, T: Any):
    kind, text, call = BAD[name]
    with pytest.raises(kind, match=text):
        call(T)


@both
def test_the_scale_goes_up_and_down(T: Any):
    scale, tracker, found = T.full((1,), 4.0), T.full((1,), 0, dtype=T.int32), T.zeros(1)
    seen = []
    for infinite in (0, 0, 1, 0, 0, 1, 1, 0):
        T._amp_update_scale_(scale, tracker, found.fill_(infinite), 2.0, 0.25, 2)
        seen.append((scale.item(), tracker.item()))
    assert seen == [(4, 1), (8, 0), (2, 0), (2, 1), (4, 0), (1, 0), (0.25, 0), (0.25, 1)]
    big = T.full((1,), 3e38)
    T._amp_update_scale_(big, tracker.fill_(0), found.fill_(0), 2.0, 0.5, 1)
    assert math.isfinite(big.item())


@both
def test_gradients_that_are_not_finite(T: Any):
    for bad, values in itertools.product((0.0, math.inf, math.nan), ([8.0, 4.0], [[8.0], [4.0]])):
        grads, found = [T.tensor(values), T.tensor([bad])], T.zeros(1)
        T._amp_foreach_non_finite_check_and_unscale_(grads, found, T.full((1,), 0.25))
        assert grads[0].flatten().tolist() == [2, 1]
        assert found.item() == (0.0 if bad == 0 else 1.0)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
@pytest.mark.parametrize("options", [{}, {"fused": True}], ids=["plain", "fused"])
def test_steps_with_a_scaler_are_those_without(name: str, options: dict[str, Any]):
    wg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    twin = copy.deepcopy(model)
    one, two = (getattr(optim, name)(m.parameters(), lr=0.1, **options) for m in (model, twin))
    scaler = wg.amp.GradScaler("cpu", init_scale=128.0, growth_interval=1)
    for i in range(4):
        x = wg.randn(5, 3)
        one.zero_grad()
        two.zero_grad()
        model(x).pow(2).mean().backward()
        scaler.scale(twin(x).pow(2).mean()).backward()
        if i == 2:
            twin[0].weight.grad[0, 0] = math.inf
        else:
            one.step()
        scaler.step(two)
        scaler.update()
    assert scaler.get_scale() == 128 * 2**3 / 2
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        wg.testing.assert_close(p, q)
    assert not hasattr(two, "found_inf")


def test_an_optimizer_that_takes_the_scaler():
    class Own(optim.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {})
            self._step_supports_amp_scaling = True

    class Older(Own):
        def step(self, closure: Any = None, *, grad_scaler: Any = None) -> Any:
            assert isinstance(grad_scaler, wg.amp.GradScaler)

    class Newer(Own):
        def step(self, closure: Any = None) -> Any:
            return self.grad_scale.item(), self.found_inf.item()  # type: ignore[attr-defined]

    p = wg.ones(2, requires_grad=True)
    scaler, _ = scaled(wg, p, init_scale=8.0)
    with pytest.warns(FutureWarning, match="passing itself"):
        scaler.step(older := Older([p]))  # kept, since the scaler knows optimizers by their addresses
    assert scaler.step(newer := Newer([p])) == (8.0, 0.0)
    assert older is not newer
    scaler.update()


def test_state():
    scaler = wg.amp.GradScaler("cpu", init_scale=3.0, growth_factor=4.0, growth_interval=2)
    other = wg.amp.GradScaler("cpu")
    other.scale(wg.ones(1))
    other.load_state_dict(scaler.state_dict())
    for same in (other, pickle.loads(pickle.dumps(scaler)), copy.deepcopy(scaler)):
        assert same.state_dict() == scaler.state_dict()
        assert same.scale(wg.ones(1)).item() == 3
    off = wg.amp.GradScaler("cpu", enabled=False)
    assert (off.state_dict(), off.get_scale(), off.scale(5)) == ({}, 1.0, 5)


# ------------------------------------------------------------------ autocast's state, piece by piece


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    for T in LIBRARIES:
        T.set_autocast_enabled("cpu", False)
        T.set_autocast_dtype("cpu", T.bfloat16)
        T.set_autocast_cache_enabled(True)


def state(T: Any) -> list[str]:
    x = T.ones(2, 2)
    shown = [T.is_autocast_enabled("cpu"), T.is_autocast_enabled(), T.get_autocast_dtype("cpu"), (x @ x).dtype]
    return [str(s).split(".")[-1] for s in [*shown, T.get_autocast_dtype("cuda"), T.is_autocast_cache_enabled()]]


STEPS: list[Callable[[Any], Any]] = [
    lambda T: T.set_autocast_enabled("cpu", True),
    lambda T: T.set_autocast_dtype("cpu", T.float16),
    lambda T: T.set_autocast_enabled("cpu", False),
    lambda T: T.set_autocast_enabled(True),
    lambda T: T.set_autocast_enabled(False),
    lambda T: T.set_autocast_dtype("cuda", T.bfloat16),
    lambda T: T.set_autocast_dtype("cuda", T.float16),
    lambda T: T.set_autocast_cache_enabled(False),
    lambda T: T.set_autocast_enabled("cpu", True),
    lambda T: T.autocast_increment_nesting(),
    lambda T: T.autocast_increment_nesting(),
    lambda T: T.autocast_decrement_nesting(),
    lambda T: T.autocast_decrement_nesting(),
    lambda T: T.set_autocast_cache_enabled(True),
    lambda T: T.clear_autocast_cache(),
    lambda T: T.set_autocast_enabled("cpu", False),
    lambda T: T.set_autocast_dtype("cpu", T.bfloat16),
]


@pytest.mark.parity
def test_state_by_pieces():
    pytest.importorskip("torch")
    for step in STEPS:
        results = [step(T) for T in LIBRARIES]
        assert results[0] == results[1]
        assert state(wg) == state(torch)
    assert wg.autograd.grad_mode.mode.casting is None, "nothing is left, so nothing is asked"


@both
def test_blocks_and_pieces(T: Any):
    x = T.ones(2, 2)
    T.set_autocast_dtype("cpu", T.float16)
    with T.autocast("cpu"):
        assert (x @ x).dtype is T.float16
        T.set_autocast_enabled("cpu", False)
        assert (x @ x).dtype is T.float32
    assert not T.is_autocast_enabled("cpu")
    with T.autocast("cpu", T.bfloat16, enabled=False):
        assert T.get_autocast_dtype("cpu") is T.bfloat16
    assert T.get_autocast_dtype("cpu") is T.float16


@both
def test_pieces_are_checked(T: Any):
    for kind, call in (
        (TypeError, lambda: T.set_autocast_enabled("cpu")),
        (TypeError, lambda: T.set_autocast_enabled("cpu", 1)),
        (TypeError, lambda: T.set_autocast_dtype("cpu", "float16")),
        (TypeError, lambda: T.set_autocast_cache_enabled(1)),
        (RuntimeError, lambda: T.set_autocast_enabled("nowhere", True)),
        (RuntimeError, lambda: T.get_autocast_dtype("nowhere")),
        (TypeError, lambda: T.autocast("cpu")(3)),
    ):
        with pytest.raises(kind):
            call()


OLDER: dict[str, Callable[[Any], list[Any]]] = {
    "is_autocast_cpu_enabled": lambda T: [],
    "get_autocast_cpu_dtype": lambda T: [],
    "get_autocast_gpu_dtype": lambda T: [],
    "set_autocast_cpu_enabled": lambda T: [False],
    "set_autocast_cpu_dtype": lambda T: [T.bfloat16],
    "set_autocast_gpu_dtype": lambda T: [T.float16],
}


@both
@pytest.mark.parametrize("name", OLDER)
def test_older_names_of_pieces(name: str, T: Any):
    with pytest.warns(DeprecationWarning, match=f"torch.{name}.* is deprecated. Please use torch."):
        getattr(T, name)(*OLDER[name](T))


@both
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_older_names_of_blocks_and_scalers(kind: str, T: Any):
    names = getattr(T, kind).amp
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*CUDA is not available")
        with pytest.warns(FutureWarning, match=rf"`torch.{kind}.amp.autocast\(args...\)` is deprecated"):
            assert isinstance(names.autocast(), T.amp.autocast)
        with pytest.warns(FutureWarning, match=rf"`torch.{kind}.amp.GradScaler\(args...\)` is deprecated"):
            assert isinstance(names.GradScaler(init_scale=2.0), T.amp.GradScaler)
    if kind == "cuda":
        with pytest.warns(FutureWarning, match="custom_fwd"):
            assert callable(names.custom_fwd(lambda ctx: None))


def test_blocks_without_with():
    block = wg.amp._enter_autocast("cpu")
    assert wg.is_autocast_enabled("cpu")
    wg.amp._exit_autocast(block)
    assert not wg.is_autocast_enabled("cpu")
