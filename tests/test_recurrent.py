"""Recurrent networks and packed sequences: shapes, errors, and agreement with PyTorch in values and gradients."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.nn.utils import rnn as packing

NETWORKS = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2, "batch_first": True}),
    ("RNN", {"bidirectional": True, "bias": False}),
    ("LSTM", {}),
    ("LSTM", {"num_layers": 3, "bidirectional": True, "batch_first": True}),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": 2}),
    ("LSTM", {"bias": False, "proj_size": 3}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True, "dropout": 0.0}),
    ("GRU", {"bias": False, "num_layers": 2, "batch_first": True}),
]
CELLS = [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu", "bias": False}), ("LSTMCell", {}), ("GRUCell", {})]
LENGTHS = [3, 5, 1, 5]


def flat(value: Any) -> list[Any]:
    """The tensors of a result, whichever tuples they stand in."""
    if isinstance(value, tuple):
        return [t for part in value for t in flat(part)]
    return [] if value is None else [value]


def states(name: str, kwargs: dict[str, Any], *batch: int) -> list[np.ndarray]:
    """States to begin with."""
    rows = kwargs.get("num_layers", 1) * (1 + kwargs.get("bidirectional", False))
    sizes = (kwargs.get("proj_size", 4) or 4, 4) if name == "LSTM" else (4,)
    return [np.random.default_rng(i).standard_normal((rows, *batch, n)) for i, n in enumerate(sizes)]


def as_hx(given: list[Any]) -> Any:
    return None if not given else tuple(given) if len(given) > 1 else given[0]


def pair(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
    """torch, and a module of each library with the same weights."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    mine = getattr(nn, name)(*args, **kwargs).double()
    assert repr(mine) == repr(theirs)
    assert {k: tuple(v.shape) for k, v in mine.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    assert list(mine.state_dict()) == list(theirs.state_dict())
    mine.load_state_dict({k: wg.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return torch, mine, theirs


def compare(mine: Any, theirs: Any, run: Any, arrays: list[np.ndarray]) -> None:
    """``run(T, module, tensors)`` gives the same tensors, and the same gradients of inputs and parameters."""
    import torch

    found = []
    for T, module in ((wg, mine), (torch, theirs)):
        inputs = [T.tensor(a).requires_grad_() for a in arrays]
        outputs = flat(run(T, module, inputs))
        loss = sum((o * T.cos(T.arange(o.numel(), dtype=T.float64)).reshape(o.shape)).sum() for o in outputs)
        module.zero_grad()
        loss.backward()
        found.append([t.detach().numpy() for t in outputs] + [t.grad.numpy() for t in (*inputs, *module.parameters())])
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parity
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize(("name", "kwargs"), NETWORKS, ids=str)
def test_network_is_that_of_torch(name: str, kwargs: dict[str, Any], batch: tuple[int, ...], given: bool):
    _, mine, theirs = pair(name, 3, 4, **kwargs)
    shape = (*batch, 5, 3) if kwargs.get("batch_first") else (5, *batch, 3)
    arrays = [np.random.default_rng(5).standard_normal(shape), *(states(name, kwargs, *batch) if given else [])]
    for training in (True, False):
        mine.train(training)
        theirs.train(training)
        compare(mine, theirs, lambda T, m, ts: m(ts[0], as_hx(ts[1:])), arrays)


@pytest.mark.parity
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("name", "kwargs"), NETWORKS, ids=str)
def test_network_of_packed_sequences_is_that_of_torch(name: str, kwargs: dict[str, Any], ordered: bool, given: bool):
    _, mine, theirs = pair(name, 3, 4, **kwargs)
    lengths = sorted(LENGTHS, reverse=True) if ordered else LENGTHS

    def run(T: Any, module: Any, ts: list[Any]) -> Any:
        utils = T.nn.utils.rnn
        packed = utils.pack_padded_sequence(ts[0], T.tensor(lengths), enforce_sorted=ordered)
        output, ends = module(packed, as_hx(ts[1:]))
        padded, back = utils.pad_packed_sequence(output, padding_value=0.5, total_length=7)
        assert back.tolist() == lengths
        return output.data, padded, ends

    x = np.random.default_rng(5).standard_normal((5, 4, 3))
    compare(mine, theirs, run, [x, *(states(name, kwargs, 4) if given else [])])


@pytest.mark.parity
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize(("name", "kwargs"), CELLS, ids=str)
def test_cell_is_that_of_torch(name: str, kwargs: dict[str, Any], batch: tuple[int, ...]):
    _, mine, theirs = pair(name, 3, 4, **kwargs)
    rng = np.random.default_rng(5)
    x, hx = rng.standard_normal((*batch, 3)), [rng.standard_normal((*batch, 4)) for _ in range(1 + ("LSTM" in name))]
    compare(mine, theirs, lambda T, m, ts: m(ts[0], as_hx(ts[1:])), [x, *hx])
    compare(mine, theirs, lambda T, m, ts: m(ts[0]), [x])


BAD_SETTINGS = [
    ("RNN", (3, 4), {"nonlinearity": "x"}),
    ("RNN", (3, 4), {"proj_size": 1}),
    ("GRU", (3, 4), {"proj_size": 1}),
    ("LSTM", (3, 4), {"proj_size": 4}),
    ("LSTM", (3, 4), {"proj_size": -1}),
    ("LSTM", (3, 0), {}),
    ("LSTM", (3, 4, 0), {}),
    ("LSTM", (3.0, 4), {}),
    ("LSTM", (3, 4), {"dropout": 2}),
    ("LSTM", (3, 4), {"dropout": True}),
    ("GRU", (3, 4), {"bad": 1}),
]
BAD_CALLS = [
    ("RNN", [(3,)]),
    ("LSTM", [(2, 2, 5)]),
    ("LSTM", [(2, 2, 3), (1, 3, 4), (1, 2, 4)]),
    ("LSTM", [(2, 2, 3), (1, 2, 4), (1, 2, 5)]),
    ("LSTM", [(2, 3), (1, 2, 4), (1, 2, 4)]),
    ("LSTM", [(2, 2, 3), (1, 4), (1, 4)]),
    ("GRU", [(2, 2, 3), (1, 4)]),
    ("GRU", [(2, 3), (1, 1, 4)]),
    ("GRU", [(0, 2, 3)]),
    ("RNNCell", [(2, 2, 3)]),
    ("RNNCell", [(2, 5)]),
    ("GRUCell", [(2, 3), (2, 2, 4)]),
    ("GRUCell", [(2, 3), (3, 4)]),
    ("LSTMCell", [(2, 3), (2, 4), (2, 5)]),
]


def kind_of_error(call: Any) -> type[BaseException]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except Exception as error:
            return type(error)
    pytest.fail("no error was raised")


@pytest.mark.parity
@pytest.mark.parametrize(("name", "args", "kwargs"), BAD_SETTINGS, ids=str)
def test_bad_settings_are_refused_as_by_torch(name: str, args: Any, kwargs: Any):
    torch = pytest.importorskip("torch")
    mine = kind_of_error(lambda: getattr(nn, name)(*args, **kwargs))
    assert issubclass(mine, kind_of_error(lambda: getattr(torch.nn, name)(*args, **kwargs)))


@pytest.mark.parity
@pytest.mark.parametrize(("name", "shapes"), BAD_CALLS, ids=str)
def test_bad_inputs_are_refused_as_by_torch(name: str, shapes: Any):
    torch = pytest.importorskip("torch")
    errors = [
        kind_of_error(
            lambda T=T: getattr(T.nn, name)(3, 4)(T.zeros(shapes[0]), as_hx([T.zeros(s) for s in shapes[1:]]))
        )
        for T in (wg, torch)
    ]
    assert issubclass(*errors)


def test_another_dtype_is_refused():
    with pytest.raises(ValueError, match="does not match weight dtype"):
        nn.GRU(3, 4)(wg.ones(2, 1, 3, dtype=wg.float64))


def test_an_unknown_nonlinearity_of_a_cell_is_found_when_it_is_called():
    cell = nn.RNNCell(3, 4, nonlinearity="x")
    with pytest.raises(RuntimeError, match="Unknown nonlinearity"):
        cell(wg.ones(2, 3))


def test_dropout_comes_between_layers_and_only_in_training():
    with pytest.warns(UserWarning, match="num_layers"):
        nn.LSTM(3, 4, dropout=0.5)
    net, x = nn.GRU(3, 4, 2, dropout=1.0), wg.randn(5, 2, 3)
    training = net(x)[0]
    other = net(x + 1)[0]
    assert wg.equal(training, other)  # nothing of the first layer reaches the second
    net.eval()
    assert not wg.equal(net(x)[0], net(x + 1)[0])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_sequence_in_a_batch_is_what_it_is_alone(name: str):
    net = getattr(nn, name)(3, 4, 2, bidirectional=True).double()
    sequences = [wg.randn(n, 3, dtype=wg.float64) for n in LENGTHS]
    outputs, ends = net(packing.pack_sequence(sequences, enforce_sorted=False))
    for i, (sequence, output) in enumerate(zip(sequences, packing.unpack_sequence(outputs), strict=True)):
        alone, end = net(sequence)
        assert wg.allclose(output, alone)
        for a, b in zip(flat(ends), flat(end), strict=True):
            assert wg.allclose(a[:, i], b)


@pytest.mark.parametrize(("name", "kwargs"), [n for n in NETWORKS if len(n[1]) != 1], ids=str)
def test_second_derivatives(name: str, kwargs: dict[str, Any]):
    net = getattr(nn, name)(2, 4, **kwargs).double()
    x = wg.randn(2, 2, 2, dtype=wg.float64, requires_grad=True)
    some = list(net.parameters())[:2]
    assert wg.autograd.gradgradcheck(lambda *_: net(x)[0].sum(), (x, *some))


def test_parameters_begin_within_the_bound():
    wg.manual_seed(0)
    for module in (nn.LSTM(3, 16), nn.GRUCell(3, 16)):
        for p in module.parameters():
            assert 0.2 < float(p.abs().max()) <= 0.25
    net = nn.LSTM(3, 4, 2, proj_size=2, bidirectional=True)
    net.flatten_parameters()
    assert [len(group) for group in net.all_weights] == [5, 5, 5, 5]


# ---------------------------------------------------------------------- packing


@pytest.mark.parity
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_that_of_torch(batch_first: bool, side: str):
    torch = pytest.importorskip("torch")
    arrays = [np.random.default_rng(n).standard_normal((n, 2)) for n in LENGTHS]
    padded = []
    for T in (wg, torch):
        u, sequences = T.nn.utils.rnn, [T.tensor(a) for a in arrays]
        whole = u.pad_sequence(sequences, batch_first, -1.0, side)
        back = u.unpad_sequence(u.pad_sequence(sequences, batch_first), T.tensor(LENGTHS), batch_first)
        assert [t.tolist() for t in back] == [a.tolist() for a in arrays]
        packed = u.pack_sequence(sequences, enforce_sorted=False)
        assert [t.tolist() for t in u.unpack_sequence(packed)] == [a.tolist() for a in arrays]
        again, lengths = u.pad_packed_sequence(packed, batch_first, 2.0)
        padded.append(
            [whole.tolist(), [None if f is None else f.tolist() for f in packed], again.tolist(), lengths.tolist()]
        )
    assert padded[0] == padded[1]


def test_a_packed_sequence_changes_dtype_with_its_order():
    packed = packing.pack_sequence([wg.ones(1, 2), wg.ones(3, 2)], enforce_sorted=False)
    double = packed.double()
    assert double.data.dtype == wg.float64
    assert double.sorted_indices.tolist() == [1, 0]
    assert packed.float() is packed
    assert packed.cpu() is packed
    assert not packed.is_cuda


@pytest.mark.parametrize(
    ("lengths", "text"),
    [([1, 2], "decreasing"), ([2], "batch_size"), ([2, 0], "greater than 0"), ([9, 1], "time steps"), ([], "empty")],
)
def test_lengths_that_do_not_fit_are_refused(lengths: list[int], text: str):
    with pytest.raises(RuntimeError, match=text):
        packing.pack_padded_sequence(wg.ones(3, 2), lengths)


def test_bad_padding_is_refused():
    packed = packing.pack_sequence([wg.ones(3)])
    with pytest.raises(ValueError, match="total_length"):
        packing.pad_packed_sequence(packed, total_length=2)
    bad: list[tuple[Any, str]] = [(5, "iterable"), ([], "empty")]
    for sequences, text in bad:
        with pytest.raises(RuntimeError, match=text):
            packing.pad_sequence(sequences)
    with pytest.raises(RuntimeError, match="padding_side"):
        packing.pad_sequence([wg.ones(2)], padding_side="top")


SIZES = [(3, 3, 3), (4, 3, 3, 1), (1,)]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("kind", ["lstm", "projected", "gru", "gru without bias", "tanh", "relu"])
def test_a_sequence_is_its_formula(kind: str, sizes: tuple[int, ...], reverse: bool) -> None:
    """Kernel and formula agree in values and gradients, and the formula's gradients in turn with differences."""
    from wengert.autograd.ops import recurrent

    rng = np.random.default_rng(1)
    steps, batch, width, out = sum(sizes), max(sizes), 3, 2 if kind == "projected" else 3
    gates = {"lstm": 4, "projected": 4, "gru": 3, "gru without bias": 3}.get(kind, 1)

    def drawn(*shape: int) -> Any:
        return wg.tensor(rng.standard_normal(shape), requires_grad=True)

    given = [drawn(steps, gates * width), drawn(batch, out), drawn(gates * width, out)]
    params: dict[str, Any] = {"sizes": sizes, "reverse": reverse}
    if gates == 4:
        op = recurrent.LSTMSequence
        given[2:2] = [drawn(batch, width)]
        given.append(drawn(out, width) if kind == "projected" else None)
    elif gates == 3:
        op = recurrent.GRUSequence
        given.append(drawn(gates * width) if kind == "gru" else None)
    else:
        op = recurrent.RNNSequence
        params["relu"] = kind == "relu"
    leaves = [t for t in given if t is not None]
    outputs, expected = recurrent.apply(op, *given, **params), op.formula(*given, **params)
    weights = [wg.tensor(rng.standard_normal(tuple(t.shape))) for t in expected]
    for chosen in (slice(None), slice(0, 1), slice(1, None)):  # all of the outputs, or some
        got, want = (wg.autograd.grad(y[chosen], leaves, weights[chosen]) for y in (outputs, expected))
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)
        outputs, expected = recurrent.apply(op, *given, **params), op.formula(*given, **params)
    for a, b in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)

    def run(*tensors: Any) -> Any:
        parts = iter(tensors)
        return recurrent.apply(op, *[None if t is None else next(parts) for t in given], **params)

    if kind != "relu":  # whose kink the differences may meet
        assert wg.autograd.gradcheck(run, leaves)
        assert wg.autograd.gradgradcheck(run, leaves)


def test_the_weights_in_one_list():
    layer = nn.LSTM(2, 3, bidirectional=True)
    names = layer._flat_weights_names
    assert names[:4] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert [w is getattr(layer, name) for w, name in zip(layer._flat_weights, names, strict=True)] == [True] * 8
    nn.utils.weight_norm(layer, "weight_hh_l0")
    assert sum(isinstance(w, nn.Parameter) for w in layer._flat_weights) == 7
