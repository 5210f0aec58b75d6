"""Sparse tensors at work: what they say of themselves, gradients, embeddings, optimizers, graph networks."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.cpu import sparse as cpu_sparse
from wengert.backends.definitions import sparse as plain
from wengert.backends.sparse import Coordinates

I = [[0, 1, 1], [2, 0, 2]]  # noqa: E741  (PyTorch's name for indices)
TWICE = [[0, 0, 1], [2, 2, 0]]


def s(T: Any = wg, places: Any = I, **options: Any) -> Any:
    return T.sparse_coo_tensor(T.tensor(places), T.tensor([3.0, 4.0, 5.0], dtype=T.float64), (2, 3), **options)


def d(T: Any = wg, *shape: int, **options: Any) -> Any:
    return T.arange(float(np.prod(shape)), dtype=T.float64, **options).reshape(shape)


# ------------------------------------------------------------------ what it is


def test_parts_and_properties():
    x = s(places=TWICE)
    assert x.is_sparse
    assert not x.is_sparse_csr
    assert x.layout is wg.sparse_coo
    assert (x.sparse_dim(), x.dense_dim(), x._nnz(), x.is_coalesced()) == (2, 0, 3, False)
    with pytest.raises(RuntimeError, match="Cannot get indices on an uncoalesced tensor"):
        x.indices()
    y = x.coalesce()
    assert y.is_coalesced()
    assert y.coalesce() is y
    assert y.indices().tolist() == [[0, 1], [2, 0]]
    assert y.values().tolist() == [7.0, 5.0]
    assert x._indices().tolist() == TWICE
    c = y.to_sparse_csr()
    assert c.is_sparse_csr
    assert (c.crow_indices().tolist(), c.col_indices().tolist()) == ([0, 1, 2], [2, 0])
    c = y.to_sparse_csc()
    assert (c.ccol_indices().tolist(), c.row_indices().tolist()) == ([0, 1, 1, 2], [1, 0])
    assert wg.ones(2).layout is wg.strided
    assert (wg.ones(2, 3).sparse_dim(), wg.ones(2, 3).dense_dim()) == (0, 2)


@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "strided"])
@pytest.mark.parametrize("source", ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "strided"])
def test_layouts_convert_to_one_another(source: str, layout: str):
    x = d(wg, 4, 6) * (d(wg, 4, 6) % 3 == 0)

    def to(y: Any, name: str) -> Any:
        if name == "strided":
            return y.to_dense()
        size = (2, 3) if name in ("sparse_bsr", "sparse_bsc") else None
        return y.to_sparse(layout=getattr(wg, name), blocksize=size)

    y = to(to(x, source), layout)
    assert y.layout is getattr(wg, layout)
    assert wg.equal(y.to_dense(), x)


def test_hybrid_and_empty():
    h = wg.sparse_coo_tensor([[1, 1]], [[1.0, 2.0], [3.0, 4.0]], (3, 2))
    assert (h.sparse_dim(), h.dense_dim()) == (1, 1)
    assert h.to_dense().tolist() == [[0, 0], [4, 6], [0, 0]]
    assert h[1].tolist() == [4, 6]
    empty = wg.sparse_coo_tensor((2, 3))
    assert empty._nnz() == 0
    assert empty.to_dense().tolist() == [[0, 0, 0]] * 2
    assert (empty @ wg.ones(3, 2)).tolist() == [[0, 0]] * 2
    assert wg.sparse_coo_tensor(wg.zeros(2, 0).long(), wg.zeros(0), (0, 3)).to_dense().shape == (0, 3)
    assert wg.zeros(2, 3, layout=wg.sparse_csr).to_dense().tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: wg.sparse_coo_tensor([[0, 5]], [1.0, 2.0], (3,), check_invariants=True),
            "size is inconsistent with indices",
        ),
        (lambda: wg.sparse_coo_tensor([[0, -1]], [1.0, 2.0]), "found negative index -1 for dim 0"),
        (lambda: wg.sparse_coo_tensor([[0, 1]], [1.0]), "same nnz, but got nnz from indices: 2, nnz from values: 1"),
        (lambda: wg.sparse_coo_tensor([[0]], [1.0], (2, 3)), "sparse_dim"),
        (
            lambda: wg.sparse_csr_tensor([0, 2, 1], [0, 1], [1.0, 2.0], check_invariants=True),
            r"`crow_indices\[..., -1\] == nnz` is not satisfied",
        ),
        (
            lambda: wg.sparse_csr_tensor([0, 2, 2], [1, 0], [1.0, 2.0], check_invariants=True),
            "sorted and distinct",
        ),
        (lambda: wg.sparse_compressed_tensor([0], [0], [1.0]), "expected sparse compressed tensor layout but got none"),
        (lambda: s() + 1, r"add\(sparse, dense\) is not supported"),
        (lambda: s() / d(wg, 2, 3), "Sparse division requires a scalar or zero-dim dense tensor divisor"),
        (lambda: s() ** 0, "cannot raise to zeroth power"),
        (lambda: s().exp(), "Could not run 'aten::exp' with arguments from the 'SparseCPU' backend"),
        (lambda: s().clone().sparse_resize_((1, 3), 2, 0), "shrinking the size of sparse dimensions"),
        (lambda: wg.ones(2).coalesce(), "coalesce expected sparse coordinate tensor layout but got Strided"),
        (lambda: s().crow_indices(), "crow_indices expected sparse row compressed tensor layout but got Sparse"),
        (lambda: wg.ones(2, 3).copy_(s()), r"copy_\(\) between dense and sparse Tensors is not implemented"),
        (lambda: wg.cat([s(), d(wg, 2, 3)]), "a dense tensor was found at position 1"),
    ],
)
def test_errors(make: Any, message: str):
    with pytest.raises(RuntimeError, match=message):
        make()


def test_what_has_no_meaning_is_refused_as_pytorch_refuses_it():
    for function in (wg.cos, wg.argmax, wg.flip, lambda x: x > 0):
        with pytest.raises(NotImplementedError):
            function(s()) if function is not wg.flip else wg.flip(s(), (0,))
    with pytest.raises(TypeError, match=r"Use Tensor.to_dense\(\) first"):
        s().numpy()


def test_checks_can_be_switched_on():
    switch = wg.sparse.check_sparse_tensor_invariants
    assert not switch.is_enabled()
    with switch():
        assert switch.is_enabled()
        with pytest.raises(RuntimeError, match="crow_indices"):
            wg.sparse_csr_tensor([0, 2, 1], [0, 1], [1.0, 2.0])
    assert not switch.is_enabled()
    assert switch()(switch.is_enabled)()


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:Sparse")
def test_prints_as_pytorch():
    torch = pytest.importorskip("torch")

    def texts(T: Any) -> list[str]:
        x = s(T)
        made = [x, x.float(), x.to_sparse_csr(), x.to_sparse_csc().float(), T.sparse_coo_tensor((2, 3))]
        made += [T.eye(200).to_sparse(), x.bool(), x.clone().requires_grad_(), x.to_sparse_bsr((1, 3))]
        return [repr(y).replace("torch", "wengert") for y in made]

    assert texts(wg) == texts(torch)


# ------------------------------------------------------------------ in place, copies, files


def test_in_place():
    x = s()
    assert x.mul_(2) is x
    assert x.to_dense().tolist() == [[0, 0, 6], [8, 0, 10]]
    x.add_(s(places=TWICE))
    assert x.to_dense().tolist() == [[0, 0, 13], [13, 0, 10]]
    x.copy_(s())
    assert x.to_dense().tolist() == [[0, 0, 3], [4, 0, 5]]
    assert x.zero_()._nnz() == 0
    x.sparse_resize_and_clear_((3, 4), 1, 1)
    assert (x.shape, x.sparse_dim()) == ((3, 4), 1)
    y = d(wg, 2, 3)
    y += s()
    y.sub_(s() * 2)
    y.mul_(s())
    assert y.tolist() == [[0, 0, -3], [-4, 0, 0]]


@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr", "sparse_csc"])
def test_copies_and_files(layout: str, tmp_path: Any):
    x = s().coalesce().to_sparse(layout=getattr(wg, layout)).requires_grad_()
    wg.save({"x": x}, tmp_path / "x")
    wg.save({"x": x}, tmp_path / "x.safetensors")
    files = wg.load(tmp_path / "x")["x"], wg.load(tmp_path / "x.safetensors")["x"]
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), *files):
        assert y.layout.name == x.layout.name
        assert y.requires_grad or y is files[0]  # PyTorch's files do not say it of sparse tensors
        assert wg.equal(y.to_dense(), x.to_dense())


def test_close_compares_sparse_tensors():
    wg.testing.assert_close(s(), s())
    wg.testing.assert_close(s().to_sparse_csr(), s().to_sparse_csr())
    with pytest.raises(AssertionError, match="not close"):
        wg.testing.assert_close(s(), s() * 2)
    with pytest.raises(AssertionError, match="layout"):
        wg.testing.assert_close(s(), s().to_sparse_csr())


# ------------------------------------------------------------------ gradients


def test_gradients_are_sparse_and_count_places_once():
    x = s(places=TWICE, requires_grad=True)
    weights = d(wg, 2, 3)
    (x.to_dense() * weights).sum().backward()
    assert x.grad.layout is wg.sparse_coo
    assert x.grad.to_dense().tolist() == [[0, 0, 2], [3, 0, 0]]
    x.grad = None
    wg.sparse.mm(x, d(wg, 3, 2)).sum().backward()
    assert x.grad.to_dense().tolist() == [[0, 0, 9], [1, 0, 0]]


def test_gradients_reach_both_operands_in_every_layout():
    expected = None
    for layout in ("sparse_coo", "sparse_csr", "sparse_csc", "strided"):
        x = s().coalesce().to_sparse(layout=wg.sparse_csr) if layout != "strided" else s().to_dense()
        x = x if layout in ("strided", "sparse_csr") else x.to_sparse(layout=getattr(wg, layout))
        x = x.detach().requires_grad_()
        w = d(wg, 3, 2).requires_grad_()
        ((x @ w) ** 2).sum().backward()
        assert x.grad.layout is x.layout
        found = (x.grad.to_dense() * (x.to_dense() != 0), w.grad)
        expected = expected or found
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy())


def test_gradients_of_sparse_leaves_accumulate():
    x = s(requires_grad=True)
    for _ in range(2):
        x.to_dense().sum().backward()
    assert x.grad.is_sparse
    assert x.grad.to_dense().tolist() == [[0, 0, 2], [2, 0, 2]]
    x.sum().backward()  # dense, as in PyTorch
    assert x.grad.tolist() == [[1, 1, 3], [3, 1, 3]]


def test_several_sparse_gradients_meet():
    w = wg.ones(4, 2, dtype=wg.float64, requires_grad=True)
    words = wg.tensor([1, 1, 3])

    def look() -> Any:
        return wg.nn.functional.embedding(words, w, sparse=True).sum()

    (look() + look() + look()).backward()
    assert w.grad.is_sparse
    assert w.grad.to_dense()[:, 0].tolist() == [0, 6, 0, 3]
    w.grad = None
    (look() + w.sum() + look() + w.sum()).backward()
    assert not w.grad.is_sparse
    assert w.grad[:, 0].tolist() == [2, 6, 2, 4]
    look().backward()
    assert w.grad[:, 0].tolist() == [2, 8, 2, 5]


@pytest.mark.parametrize("bag", [None, "sum", "mean"])
def test_embeddings_give_sparse_gradients(bag: str | None):
    sparse, dense = ({} if bag is None else {"mode": bag} for _ in range(2))
    layer = wg.nn.Embedding if bag is None else wg.nn.EmbeddingBag
    a, b = (layer(5, 2, sparse=flag, padding_idx=0, **o) for flag, o in ((True, sparse), (False, dense)))
    b.load_state_dict(a.state_dict())
    words, weights = wg.tensor([[0, 1, 1], [4, 2, 1]]), wg.tensor([1.0, 2.0])
    for model in (a, b):
        (model(words) * weights).sum().backward()
    assert a.weight.grad.is_sparse
    np.testing.assert_allclose(a.weight.grad.to_dense().numpy(), b.weight.grad.numpy())


def test_maximum_bags_have_no_sparse_gradient():
    with pytest.raises(RuntimeError, match="max mode does not support sparse weights"):
        wg.nn.EmbeddingBag(5, 2, sparse=True, mode="max")(wg.tensor([[0, 1]]))


# ------------------------------------------------------------------ optimizers


def gradient(sparse: bool) -> Any:
    rows = wg.sparse_coo_tensor([[1, 3, 1]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (4, 2))
    return rows if sparse else rows.to_dense()


@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"maximize": True}), ("Adagrad", {}), ("LBFGS", {})],
)
def test_optimizers_take_sparse_gradients(name: str, options: dict[str, Any]):
    params = [wg.ones(4, 2, requires_grad=True) for _ in range(2)]
    for p, sparse in zip(params, (True, False), strict=True):
        optimizer = getattr(wg.optim, name)([p], lr=0.1, **options)
        for _ in range(3):
            p.grad = gradient(sparse)
            optimizer.step(lambda: wg.zeros(()))
    np.testing.assert_allclose(params[0].detach().numpy(), params[1].detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["Adadelta", "Adafactor", "Adam", "Adamax", "AdamW", "ASGD", "NAdam", "RAdam", "RMSprop"]
)
def test_optimizers_refuse_sparse_gradients(name: str):
    p = wg.ones(4, 2, requires_grad=True)
    p.grad = gradient(True)
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        getattr(wg.optim, name)([p]).step()
    assert p.tolist() == [[1, 1]] * 4


def test_sparse_adam_wants_sparse_gradients():
    p = wg.ones(4, 2, requires_grad=True)
    p.grad = gradient(False)
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients"):
        wg.optim.SparseAdam([p]).step()
    with pytest.raises(ValueError, match=r"Sparse params at indices \[\[0, 0\]\]"):
        wg.optim.SparseAdam([s(requires_grad=True)])
    for name, message in (("SGD", r"add\(sparse, dense\)"), ("Adagrad", "weight_decay option is not compatible")):
        p.grad = gradient(True)
        with pytest.raises(RuntimeError, match=message):
            getattr(wg.optim, name)([p], weight_decay=0.1).step()


# ------------------------------------------------------------------ kernels


@pytest.mark.parametrize("scipy", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64"])
def test_product_kernels_are_their_definition(scipy: bool, dtype: str, monkeypatch: pytest.MonkeyPatch):
    if scipy:
        pytest.importorskip("scipy")
    else:
        monkeypatch.setattr(cpu_sparse, "scipy_matrix", lambda: None)
        monkeypatch.setattr(cpu_sparse, "CHUNK", 4)
    rng = np.random.default_rng(0)
    lines = Coordinates(np.stack([rng.integers(0, 6, 20), rng.integers(0, 5, 20)]), (6, 5)).lines()
    values, dense = (rng.uniform(1, 9, shape).astype(dtype) for shape in (20, (5, 3)))
    left = rng.uniform(1, 9, (6, 3)).astype(dtype)
    counts = rng.integers(0, 3, 6)
    np.testing.assert_array_equal(cpu_sparse.numbered(counts), plain.numbered(np, counts))
    for name, args in (("sparse_times_dense", (values, dense)), ("sampled_products", (left, dense))):
        found, expected = getattr(cpu_sparse, name)(lines, *args), getattr(plain, name)(np, lines, *args)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5)


# ------------------------------------------------------------------ networks on graphs


def graph(T: Any, layout: str) -> Any:
    """A normalised adjacency matrix with self-loops, as graph networks build it."""
    edges = np.array([[0, 1, 1, 2, 3, 4, 0], [1, 0, 2, 3, 4, 0, 3]])
    n = 5
    loops = np.arange(n)
    index = T.tensor(np.concatenate([edges, edges[::-1], np.stack([loops, loops])], axis=1))
    a = T.sparse_coo_tensor(index, T.ones(index.shape[1], dtype=T.float64), (n, n)).coalesce()
    degree = T.sparse.sum(a, dim=1).to_dense()
    scale = degree.pow(-0.5)
    row, column = a.indices()
    a = T.sparse_coo_tensor(a.indices(), scale[row] * a.values() * scale[column], a.shape)
    return a.to_sparse_csr() if layout == "csr" else a


def train(T: Any, layout: str, weights: list[np.ndarray]) -> list[float]:
    first, second = (T.tensor(w, requires_grad=True) for w in weights[:2])
    features, labels = T.tensor(weights[2]), T.tensor([0, 1, 1, 0, 1])
    a = graph(T, layout)
    optimizer = T.optim.Adam([first, second], lr=0.05)
    losses = []
    for _ in range(20):
        hidden = T.relu(T.spmm(a, features @ first)) if layout == "coo" else T.relu(a @ (features @ first))
        loss = T.nn.functional.cross_entropy(T.sparse.mm(a, hidden @ second), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_a_graph_network_trains_as_in_pytorch(layout: str):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 8)), rng.normal(size=(8, 2)), rng.normal(size=(5, 3))]
    np.testing.assert_allclose(train(wg, layout, weights), train(torch, layout, weights), rtol=1e-9)


# ------------------------------------------------------------------ what PyTorch's programs do with them


def test_indices_and_values_are_shared_with_what_they_were_made_from():
    i, v = wg.tensor([[2]]), wg.tensor([5.0])
    x = wg.sparse_coo_tensor(i, v, (3,))
    v[0] = 6
    assert x.to_dense().tolist() == [0, 0, 6]
    i[0, 0] = 0
    assert x.to_dense().tolist() == [6, 0, 0]


def test_gradcheck_takes_sparse_inputs():
    x, w = s(places=TWICE, requires_grad=True), d(wg, 3, 2).requires_grad_()
    for function in (wg.sparse.mm, lambda a, b: wg.sparse.softmax(a, 1), lambda a, b: wg.sparse.sum(a, 0)):
        assert wg.autograd.gradcheck(function, (x, w), masked=True)
    y = x.detach().coalesce().requires_grad_()
    assert wg.autograd.gradgradcheck(wg.sparse.mm, (y, w), masked=True)


def test_products_broadcast():
    x = wg.sparse_coo_tensor([[0, 1]], [[1.0], [2.0]], (2, 1))
    y = d(wg, 3, 2, 4).float()
    assert wg.equal((x * y).to_dense(), x.to_dense() * y)
    assert wg.equal((x * wg.tensor(2.0).to_sparse()).to_dense(), x.to_dense() * 2)


def test_functions_that_do_not_add_up_want_coalesced_tensors_in_place():
    x = s(places=TWICE)
    with pytest.raises(RuntimeError, match="sqrt_ requires coalesced input"):
        x.sqrt_()
    assert wg.allclose(x.sqrt().to_dense(), x.to_dense().sqrt())
    assert wg.allclose(x.coalesce().sqrt_().to_dense(), x.to_dense().sqrt())


def test_slices_and_positions():
    x, y = s(), s().to_dense()
    for key in ((0,), (1, 2), (slice(None), slice(1, None)), (slice(None, None, 2),), (None, 1), (..., 2)):
        found = x[key]
        assert wg.equal(found.to_dense(), y[key])
    assert wg.equal(x.index_select(1, wg.tensor([2, 2, 0])).to_dense(), y.index_select(1, wg.tensor([2, 2, 0])))
    with pytest.raises(TypeError, match="Cannot assign to a sparse tensor"):
        x[0] = 1.0


def test_modules_carry_sparse_buffers():
    class Graph(wg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("a", s().float())

    model, other = Graph().double(), Graph().double()
    model.a.mul_(2)
    other.load_state_dict(model.state_dict())
    assert other.a.dtype is wg.float64
    assert wg.equal(other.a.to_dense(), s().to_dense() * 2)


def test_older_names():
    x = wg.sparse.FloatTensor(wg.tensor(I), wg.tensor([3.0, 4.0, 5.0]), wg.Size([2, 3]))
    assert isinstance(x, wg.sparse.FloatTensor)
    assert not isinstance(x, wg.sparse.DoubleTensor)
    assert x.type() == "wengert.sparse.FloatTensor"
    assert x.new((2, 2)).layout is wg.sparse_coo
    assert wg.sparse.DoubleTensor(2, 3).shape == (2, 3)


def test_rows_resize_and_reduce():
    c = wg.eye(3).to_sparse_csr()
    c.resize_(4, 5)
    assert c.to_dense().sum(1).tolist() == [1, 1, 1, 0]
    with pytest.raises(RuntimeError, match="Resizing columns of sparse CSR tensors to a smaller value"):
        c.resize_(4, 2)
    a = wg.sparse_csr_tensor([0, 2, 2], [0, 1], [2.0, 3.0], (2, 2))
    x = wg.tensor([[1.0], [2.0]])
    found = {name: wg.sparse.mm(a, x, name)[0].item() for name in ("sum", "mean", "amax", "amin", "prod")}
    assert found == {"sum": 8, "mean": 4, "amax": 6, "amin": 2, "prod": 12}


@pytest.mark.parametrize("hybrid", [0, 1])
@pytest.mark.parametrize("layout", ["sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"])
def test_batches_of_matrices(layout: str, hybrid: int):
    x = (d(wg, 4, 6) % 3 == 0) * d(wg, 4, 6)
    x = wg.stack([x, x * 2])
    if hybrid:
        x = wg.stack([x, x], -1)
    size = (2, 3) if layout in ("sparse_bsr", "sparse_bsc") else None
    y = x.to_sparse(layout=getattr(wg, layout), blocksize=size, dense_dim=hybrid).requires_grad_()
    assert (y.shape, y.dense_dim()) == (x.shape, hybrid)
    assert wg.equal(y.to_dense(), x)
    assert wg.autograd.gradcheck(lambda t: t.to_sparse_csc().to_dense(), (y,), fast_mode=True)
    assert wg.equal(y.to_sparse_coo().to_dense(), x)
