"""Initialisers and what layers start from, drawn many times with fixed seeds: formulas, and PyTorch's distributions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.nn import init

from .cases import composite_layers, layers, loss_layers  # noqa: F401  (their rows are in CASES)
from .cases.layer_case import CASES, LayerCase
from .test_layers import make_layer, torch_tensor


def numbers(t: Any) -> np.ndarray:
    return t.detach().double().cpu().numpy() if hasattr(t, "detach") else np.asarray(t)


# Each row: the initialiser, the shape that it fills, its arguments, then the mean, the standard deviation and the
# largest distance from the mean that follow from its definition.
ROWS: list[tuple[str, tuple[int, ...], dict[str, Any], float, float, float]] = []
INFINITE = math.inf


def row(name: str, shape: tuple[int, ...], mean: float, std: float, bound: float = INFINITE, /, **kwargs: Any) -> None:
    ROWS.append((name, shape, kwargs, mean, std, bound))


row("uniform_", (300, 100), 0.5, 1 / math.sqrt(12), 0.5)
row("uniform_", (100, 20, 9), 1.0, 6 / math.sqrt(12), 3.0, a=-2, b=4)
row("normal_", (300, 100), 0.0, 1.0)
row("normal_", (40_000,), -3.0, 0.2, INFINITE, mean=-3, std=0.2)
row("trunc_normal_", (300, 100), 0.0, 0.87962566, 2.0)
row("trunc_normal_", (300, 100), 0.0, 0.02, std=0.02)
row("trunc_normal_", (200, 200), 0.45986241, 0.28273971, 0.54013760, a=0.0, b=1.0)
row("constant_", (3, 4), 0.3, 0.0, 0.0, val=0.3)
row("ones_", (3, 4), 1.0, 0.0, 0.0)
row("zeros_", (3, 4), 0.0, 0.0, 0.0)
for shape in ((200, 100), (64, 32, 3, 3), (50, 40, 5)):
    kernel = math.prod(shape[2:])
    fan_in, fan_out = shape[1] * kernel, shape[0] * kernel
    for gain in (1.0, math.sqrt(2.0)):
        std = gain * math.sqrt(2 / (fan_in + fan_out))
        row("xavier_uniform_", shape, 0.0, std, std * math.sqrt(3), gain=gain)
        row("xavier_normal_", shape, 0.0, std, gain=gain)
    for mode, fan in (("fan_in", fan_in), ("fan_out", fan_out)):
        for given, gain in (
            ({}, math.sqrt(2)),
            ({"a": math.sqrt(5)}, math.sqrt(1 / 3)),
            ({"nonlinearity": "relu"}, math.sqrt(2)),
            ({"nonlinearity": "tanh"}, 5 / 3),
            ({"nonlinearity": "selu"}, 0.75),
            ({"nonlinearity": "linear"}, 1.0),
        ):
            std = gain / math.sqrt(fan)
            row("kaiming_uniform_", shape, 0.0, std, std * math.sqrt(3), mode=mode, **given)
            row("kaiming_normal_", shape, 0.0, std, mode=mode, **given)
# Of matrices with orthonormal columns or rows the squares add up to the smaller side.
row("orthogonal_", (150, 60), 0.0, math.sqrt(60 / (150 * 60)))
row("orthogonal_", (60, 10, 3, 5), 0.0, 2.0 * math.sqrt(60 / (60 * 150)), gain=2.0)
row("sparse_", (100, 200), 0.0, 0.5 * math.sqrt(0.75), sparsity=0.25, std=0.5)
row("eye_", (40, 40), 1 / 40, math.sqrt(1 / 40 - 1 / 1600), 39 / 40)
row("dirac_", (8, 8, 5, 5), 1 / 200, math.sqrt(1 / 200 - 1 / 200**2), 199 / 200)
row("dirac_", (8, 4, 3), 1 / 12, math.sqrt(1 / 12 - 1 / 144), 11 / 12, groups=2)


def shown(name: str, shape: tuple[int, ...], kwargs: dict[str, Any]) -> str:
    given = [f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in kwargs.items()]
    return f"{name}({', '.join([str(list(shape)), *given])})"


IDS = [shown(*r[:3]) for r in ROWS]
SKETCHES = {"float64": 1.0, "float32": 1.0, "bfloat16": 3.0, "float16": 1.0}  # how many times the tolerance


def test_every_initialiser_has_a_row():
    assert {name for name, *_ in ROWS} == {name for name in init.__all__ if name.endswith("_")}


@pytest.mark.parametrize("dtype", SKETCHES)
@pytest.mark.parametrize(("name", "shape", "kwargs", "mean", "std", "bound"), ROWS, ids=IDS)
def test_moments_and_bounds(
    name: str, shape: tuple[int, ...], kwargs: dict[str, Any], mean: float, std: float, bound: float, dtype: str
):
    t = wg.nn.Parameter(wg.full(shape, 7.0, dtype=getattr(wg, dtype)))
    assert getattr(init, name)(t, **kwargs) is t
    assert t.is_leaf
    assert t.requires_grad
    assert t.grad is None
    x = numbers(t)
    rounding = SKETCHES[dtype] * 2e-3 * max(std, abs(mean))
    assert abs(x.mean() - mean) <= 5 * std / math.sqrt(x.size) + rounding
    assert abs(x.std() - std) <= 0.02 * std * SKETCHES[dtype] + rounding
    assert np.abs(x - mean).max() <= bound * (1 + 4e-3 * SKETCHES[dtype]) + rounding


def test_uniform_numbers_leave_out_the_upper_bound():
    for dtype in (wg.float16, wg.bfloat16, wg.float32, wg.float64):
        assert (init.uniform_(wg.empty(20_000, dtype=dtype), 1.0, 2.0) < 2.0).all()


# ---------------------------------------------------------------------- beside PyTorch


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """The largest distance of two samples' distribution functions, times what makes it comparable among sizes."""
    a, b = np.sort(a.ravel()), np.sort(b.ravel())
    both = np.concatenate([a, b])
    distance = np.searchsorted(a, both, "right") / a.size - np.searchsorted(b, both, "right") / b.size
    return float(np.abs(distance).max() * math.sqrt(a.size * b.size / (a.size + b.size)))


SAME = 1.9  # two samples of one distribution exceed it once in 700 times; all seeds are fixed


def same_distribution(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two samples may come from one distribution; constants must be equal."""
    if b.std() < 1e-12:
        return bool(np.allclose(a, b, rtol=1e-6, atol=1e-12))
    return kolmogorov_smirnov(a, b) < SAME


@pytest.mark.parity
@pytest.mark.parametrize(("name", "shape", "kwargs"), [r[:3] for r in ROWS], ids=IDS)
def test_the_distribution_is_that_of_torch(name: str, shape: tuple[int, ...], kwargs: dict[str, Any]):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    mine, theirs = wg.zeros(shape), torch.zeros(shape)
    getattr(init, name)(mine, **kwargs)
    getattr(torch.nn.init, name)(theirs, **kwargs)
    if name in ("eye_", "dirac_"):
        np.testing.assert_array_equal(numbers(mine), numbers(theirs))
    elif name == "orthogonal_":  # elements are not independent, a random projection of each matrix is
        assert abs(numbers(mine).std() / numbers(theirs).std() - 1) < 0.02
    else:
        assert same_distribution(numbers(mine), numbers(theirs))


def refused_or_done(call: Callable[[Any], Any], T: Any) -> tuple[Any, list[tuple[str, str]]]:
    """What a call gives or raises, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result: Any = call(T)
            result = numbers(result).tolist() if hasattr(result, "tolist") else result
        except Exception as error:
            result = error
    return result, [(w.category.__name__, str(w.message)) for w in caught]


EDGES: dict[str, Callable[[Any], Any]] = {
    "gain of nothing": lambda T: T.nn.init.calculate_gain("nope"),
    "gain of a flag": lambda T: T.nn.init.calculate_gain("leaky_relu", True),
    "gain of text": lambda T: T.nn.init.calculate_gain("leaky_relu", "1"),
    "gain of an integer": lambda T: T.nn.init.calculate_gain("leaky_relu", 1),
    "gain with a parameter it ignores": lambda T: T.nn.init.calculate_gain("relu", 5),
    "eye of 1": lambda T: T.nn.init.eye_(T.empty(3)),
    "eye of 3": lambda T: T.nn.init.eye_(T.empty(3, 2, 2)),
    "eye of integers": lambda T: T.nn.init.eye_(T.empty(3, 2, dtype=T.int64)),
    "dirac of 2": lambda T: T.nn.init.dirac_(T.empty(3, 3)),
    "dirac of 6": lambda T: T.nn.init.dirac_(T.empty(3, 3, 1, 1, 1, 1)),
    "dirac groups": lambda T: T.nn.init.dirac_(T.empty(3, 3, 1), 2),
    "xavier of 1": lambda T: T.nn.init.xavier_uniform_(T.empty(3)),
    "xavier of 0": lambda T: T.nn.init.xavier_normal_(T.empty(())),
    "xavier of no fan": lambda T: T.nn.init.xavier_uniform_(T.empty(0, 0)),
    "kaiming of 1": lambda T: T.nn.init.kaiming_uniform_(T.empty(3)),
    "kaiming mode": lambda T: T.nn.init.kaiming_uniform_(T.empty(3, 3), mode="both"),
    "kaiming mode in capitals": lambda T: T.nn.init.kaiming_uniform_(T.empty(3, 3), mode="FAN_OUT").shape[0],
    "kaiming nonlinearity": lambda T: T.nn.init.kaiming_normal_(T.empty(3, 3), nonlinearity="gelu"),
    "kaiming of nothing": lambda T: T.nn.init.kaiming_normal_(T.empty(0, 3)),
    "kaiming uniform of nothing": lambda T: T.nn.init.kaiming_uniform_(T.empty(0)),
    "orthogonal of 1": lambda T: T.nn.init.orthogonal_(T.empty(3)),
    "orthogonal of nothing": lambda T: T.nn.init.orthogonal_(T.empty(0, 3)),
    "sparse of 1": lambda T: T.nn.init.sparse_(T.empty(3), 0.1),
    "sparse of everything": lambda T: T.nn.init.sparse_(T.empty(3, 4), 1.5),
    "mean far above": lambda T: T.nn.init.trunc_normal_(T.empty(3), 10.0, 1.0).shape[0],
    "mean far below": lambda T: T.nn.init.trunc_normal_(T.empty(3), -10.0, 1.0).shape[0],
    "no deviation": lambda T: T.nn.init.trunc_normal_(T.empty(3), 0.0, 0.0),
    "negative deviation": lambda T: T.nn.init.normal_(T.empty(3), 0, -1),
    "bounds in the wrong order": lambda T: T.nn.init.uniform_(T.empty(3), 2, 1),
    "normal integers": lambda T: T.nn.init.normal_(T.empty(3, dtype=T.int64)),
    "uniform integers": lambda T: T.nn.init.uniform_(T.empty(3, dtype=T.int64)),
    "kaiming integers": lambda T: T.nn.init.kaiming_normal_(T.empty(3, 2, dtype=T.int64)),
    "constant integers": lambda T: T.nn.init.constant_(T.empty(3, dtype=T.int64), 2.7),
    "ones of a part": lambda T: T.nn.init.ones_(T.zeros(2, 3)[:, 1:]),
    "what is no leaf": lambda T: T.nn.init.ones_(T.ones(2, requires_grad=True) * 2).requires_grad,
    "by keyword": lambda T: T.nn.init.uniform_(tensor=T.empty(2), a=1.0, b=1.0),
    "an old name": lambda T: T.nn.init.constant(T.empty(2), 3.0),
    "writes are counted": lambda T: [f(T.nn.Parameter(T.empty(3, 3)))._version for f in filling(T)],
    "the same object": lambda T: [f(t := T.empty(3, 3)) is t for f in filling(T)],
    "fans": lambda T: T.nn.init._calculate_fan_in_and_fan_out(T.empty(3, 4, 5)),
}


def filling(T: Any) -> list[Any]:
    names = ("uniform_", "normal_", "ones_", "zeros_", "eye_", "xavier_uniform_", "kaiming_normal_")
    return [getattr(T.nn.init, name) for name in names]


@pytest.mark.parity
@pytest.mark.parametrize("what", EDGES)
def test_edges_are_those_of_torch(what: str):
    torch = pytest.importorskip("torch")
    expected, their_warnings = refused_or_done(EDGES[what], torch)
    found, my_warnings = refused_or_done(EDGES[what], wg)
    assert my_warnings == their_warnings
    if not isinstance(expected, Exception):
        assert found == expected
        return
    theirs = next(t for t in type(expected).__mro__ if t.__module__ == "builtins")
    assert isinstance(found, theirs)
    if "not implemented for" not in str(expected):  # PyTorch names its kernel there
        assert str(expected) in str(found)


# ---------------------------------------------------------------------- what layers start from

WITH_PARAMETERS = [c for c in CASES if c.parity]
TIMES = 60


def draws(case: LayerCase, T: Any, change: Any) -> dict[str, np.ndarray]:
    """The starting values of every parameter and buffer, of many layers made one after the other."""
    drawn: dict[str, list[np.ndarray]] = {}
    for _ in range(TIMES):
        for key, value in make_layer(case, T, change).state_dict().items():
            drawn.setdefault(key, []).append(numbers(value))
    return {key: np.stack(found) for key, found in drawn.items()}


@pytest.fixture
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parity
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("case", WITH_PARAMETERS, ids=str)
def test_layers_start_like_torch_s(case: LayerCase):
    """Each parameter and buffer: the same constants, the same elements that are always zero, the same distribution."""
    torch = pytest.importorskip("torch")
    if not make_layer(case, wg, wg.tensor).state_dict():
        pytest.skip("nothing to start from")
    torch.manual_seed(1)
    theirs, mine = draws(case, torch, torch_tensor(torch, "float64")), draws(case, wg, wg.tensor)
    assert list(mine) == list(theirs)
    for key, expected in theirs.items():
        found = mine[key]
        np.testing.assert_array_equal(found.any(axis=0), expected.any(axis=0), err_msg=f"{key}: elements that are zero")
        assert same_distribution(found, expected), key
        spread = expected.std(axis=0).mean()  # among layers, which the whole sample does not tell from that within one
        assert abs(found.std(axis=0).mean() - spread) < 0.2 * spread + 1e-12, key


def bounded(bound: float) -> tuple[float, float]:
    return bound, bound / math.sqrt(3)


# A layer, and for each parameter the largest magnitude and standard deviation that its definition gives.
STARTS: dict[str, tuple[Callable[[], Any], dict[str, tuple[float, float]]]] = {
    "RNN": (
        lambda: wg.nn.RNN(50, 64, 2, bidirectional=True),
        {f"{kind}_l{layer}{way}": bounded(1 / 8) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
         for layer in (0, 1) for way in ("", "_reverse")},
    ),
    "LSTM": (
        lambda: wg.nn.LSTM(50, 64, proj_size=16),
        {name: bounded(1 / 8) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0")},
    ),
    "GRUCell": (
        lambda: wg.nn.GRUCell(50, 100),
        {name: bounded(0.1) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    ),
    "MultiheadAttention": (
        lambda: wg.nn.MultiheadAttention(96, 4),
        {
            "in_proj_weight": bounded(math.sqrt(6 / (96 + 3 * 96))),
            "in_proj_bias": (0.0, 0.0),
            "out_proj.weight": bounded(1 / math.sqrt(96)),
            "out_proj.bias": (0.0, 0.0),
        },
    ),
    "MultiheadAttention with other sizes": (
        lambda: wg.nn.MultiheadAttention(96, 4, kdim=48, vdim=24, add_bias_kv=True),
        {
            "q_proj_weight": bounded(math.sqrt(6 / (96 + 96))),
            "k_proj_weight": bounded(math.sqrt(6 / (96 + 48))),
            "v_proj_weight": bounded(math.sqrt(6 / (96 + 24))),
            "in_proj_bias": (0.0, 0.0),
            "bias_k": (INFINITE, math.sqrt(2 / (96 + 96))),  # (1, 1, E): both fans are E
            "bias_v": (INFINITE, math.sqrt(2 / (96 + 96))),
            "out_proj.weight": bounded(1 / math.sqrt(96)),
            "out_proj.bias": (0.0, 0.0),
        },
    ),
    "TransformerEncoderLayer": (
        lambda: wg.nn.TransformerEncoderLayer(64, 4, 256).linear1,
        {"weight": bounded(1 / 8), "bias": bounded(1 / 8)},
    ),
    "Transformer": (
        lambda: wg.nn.Transformer(64, 4, 1, 1, 256).encoder.layers[0].linear1,
        {"weight": bounded(math.sqrt(6 / (64 + 256))), "bias": bounded(1 / 8)},
    ),
    "Embedding": (lambda: wg.nn.Embedding(200, 100), {"weight": (INFINITE, 1.0)}),
    "EmbeddingBag": (lambda: wg.nn.EmbeddingBag(200, 100), {"weight": (INFINITE, 1.0)}),
    "Bilinear": (lambda: wg.nn.Bilinear(25, 30, 40), {"weight": bounded(0.2), "bias": bounded(0.2)}),
    "ConvTranspose3d": (
        lambda: wg.nn.ConvTranspose3d(6, 32, 2, groups=2),
        {"weight": bounded(1 / math.sqrt(16 * 8)), "bias": bounded(1 / math.sqrt(16 * 8))},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
def test_layers_start_as_their_definitions_say(name: str):
    build, starts = STARTS[name]
    layer = build()
    assert set(starts) == {n for n, _ in layer.named_parameters()}
    for parameter, (bound, std) in starts.items():
        x = numbers(layer.get_parameter(parameter))
        few = 4 / math.sqrt(x.size)
        assert np.abs(x).max() <= bound * (1 + 1e-6), parameter
        assert abs(x.std() - std) <= (0.02 + few / 2) * std, parameter
        assert abs(x.mean()) <= few * std, parameter


CONSTANTS = {
    "BatchNorm2d": (lambda: wg.nn.BatchNorm2d(3), {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}),
    "InstanceNorm1d": (lambda: wg.nn.InstanceNorm1d(3, affine=True), {"weight": 1, "bias": 0}),
    "LayerNorm": (lambda: wg.nn.LayerNorm((2, 3)), {"weight": 1, "bias": 0}),
    "GroupNorm": (lambda: wg.nn.GroupNorm(2, 4), {"weight": 1, "bias": 0}),
    "RMSNorm": (lambda: wg.nn.RMSNorm(3), {"weight": 1}),
    "PReLU": (lambda: wg.nn.PReLU(3), {"weight": 0.25}),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_layers_that_start_from_constants(name: str):
    build, constants = CONSTANTS[name]
    state = build().state_dict()
    assert int(state.pop("num_batches_tracked", wg.tensor(0))) == 0
    assert {key: set(numbers(value).ravel()) for key, value in state.items()} == {k: {v} for k, v in constants.items()}


@pytest.mark.parametrize("case", [c for c in CASES if hasattr(getattr(wg.nn, c.name), "reset_parameters")], ids=str)
def test_reset_parameters_starts_again(case: LayerCase):
    """`reset_parameters` draws what making the layer draws, from the same generator state."""
    if case.name == "PReLU" and dict(case.kwargs).get("init") is None:
        pytest.skip("its constant")
    layer = make_layer(case, wg, wg.tensor)
    before = [p for _, p in layer.named_parameters()]
    layer.reset_parameters()
    assert all(a is b for a, b in zip(before, layer.parameters(), strict=True))
    assert all(p.is_leaf and p.requires_grad and p.isfinite().all() for p in before)
