"""The names around the engine that programs use: devices, switches, compilers, scalers."""

from __future__ import annotations

import copy
import pickle

import pytest

import wengert as wg
from wengert.utils import _pytree


def test_switches_remember_and_blocks_restore():
    assert not wg.backends.cuda.matmul.allow_tf32
    wg.backends.cuda.matmul.allow_tf32 = True
    try:
        assert wg.get_float32_matmul_precision() == "high"
    finally:
        wg.set_float32_matmul_precision("highest")
    with wg.backends.cudnn.flags(enabled=False, benchmark=True):
        assert wg.backends.cudnn.benchmark
        assert not wg.backends.cudnn.enabled
    assert wg.backends.cudnn.enabled
    assert not wg.backends.cudnn.benchmark
    with wg.backends.cuda.sdp_kernel(enable_flash=False):
        assert not wg.backends.cuda.flash_sdp_enabled()
    assert wg.backends.cuda.flash_sdp_enabled()
    assert not wg.backends.mkl.is_available()
    assert not wg.backends.mkldnn.is_available()


@pytest.mark.parametrize("decorate", [wg.compile, wg.jit.script, wg.compiler.disable, wg.jit.ignore, wg.jit.unused])
def test_compilers_return_what_they_are_given(decorate):
    def double(x):
        return x * 2

    assert decorate(double) is double


def test_compile_takes_every_argument():
    def f(x):
        return x

    assert wg.compile(fullgraph=True, dynamic=False, backend="inductor", mode="max-autotune")(f) is f
    with pytest.raises(RuntimeError, match="both can't be specified"):
        wg.compile(f, mode="default", options={})
    assert wg.jit.trace(f, (wg.ones(1),)) is f
    assert wg.jit.isinstance([1, 2], list[int])
    assert not wg.jit.isinstance([1, "a"], list[int])
    assert not wg.compiler.is_compiling()
    assert not wg.jit.is_scripting()


def test_devices_are_named_on_every_machine():
    assert str(wg.device("mps")) == "mps"
    assert wg.device("xpu:1").index == 1
    for bad in ("cpu:", "cpu:01", "cpu:-1", " cpu"):
        with pytest.raises(RuntimeError, match="Invalid device string"):
            wg.device(bad)
    with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
        wg.device("other")
    with pytest.raises(RuntimeError, match="must not include an index"):
        wg.device("cuda:1", 2)
    with pytest.raises(RuntimeError, match="must not be negative"):
        wg.device("cpu", -1)
    with pytest.raises(RuntimeError, match="mps"):
        wg.zeros(2, device="mps")
    assert wg.get_device_module("cpu") is wg.cpu
    assert wg.cpu.device_count() == 1


@pytest.mark.skipif(wg.cuda.is_available(), reason="says what holds without a GPU")
def test_cuda_without_a_gpu():
    assert wg.cuda.device_count() == 0
    assert wg.cuda.memory_allocated() == 0
    assert not wg.cuda.memory_stats()
    assert wg.accelerator.current_accelerator() is None
    for call in (
        wg.cuda.current_device,
        wg.cuda.synchronize,
        wg.cuda.Stream,
        wg.cuda.Event,
        wg.accelerator.synchronize,
    ):
        with pytest.raises(RuntimeError):
            call()
    with wg.cuda.stream(None), wg.cuda.device(-1):
        pass


def test_events_of_the_cpu_are_moments():
    start, end = wg.Event("cpu", enable_timing=True), wg.Event("cpu", enable_timing=True)
    with pytest.raises(ValueError, match="recorded"):
        start.elapsed_time(end)
    start.record()
    end.record()
    assert start.elapsed_time(end) >= 0
    assert end.query()
    assert wg.Stream("cpu").query()


def test_grad_scaler_passes_over_steps_that_overflow():
    w = wg.ones(2, requires_grad=True)
    optimizer = wg.optim.SGD([w], lr=0.5)
    scaler = wg.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1)
    scaler.scale((w * 2).sum()).backward()
    assert w.grad.tolist() == [8.0, 8.0]
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.0, 0.0]
    assert scaler.get_scale() == 8.0
    w.grad = wg.tensor([1.0, float("inf")])
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.0, 0.0]
    assert scaler.get_scale() == 4.0
    twin = pickle.loads(pickle.dumps(scaler))
    assert twin.state_dict() == scaler.state_dict()


def test_trees():
    tree = {"a": [1, (2, None)], "b": 3}
    leaves, spec = _pytree.tree_flatten(tree)
    assert leaves == [1, 2, None, 3]
    assert _pytree.tree_unflatten(leaves, spec) == tree
    assert _pytree.tree_map(lambda x, y: (x, y), [1, 2], [3, 4]) == [(1, 3), (2, 4)]
    assert _pytree.tree_map_only(int, lambda x: -x, [1, "a"]) == [-1, "a"]
    with pytest.raises(ValueError, match="leaves"):
        _pytree.tree_unflatten([1], spec)


def test_swapped_tensors_exchange_everything():
    a, b = wg.ones(2), wg.zeros(3, requires_grad=True)
    wg.utils.swap_tensors(a, b)
    assert a.shape == (3,)
    assert a.requires_grad
    assert b.tolist() == [1.0, 1.0]


def test_warnings_can_be_asked_for_always():
    assert not wg.is_warn_always_enabled()
    with pytest.raises(TypeError):
        wg.set_warn_always(1)


def test_generators_are_copied_in_their_state():
    g = wg.Generator().manual_seed(3)
    twin = copy.deepcopy(g)
    assert bool((wg.rand(3, generator=g) == wg.rand(3, generator=twin)).all())


def test_numpy_functions_return_tensors():
    np = pytest.importorskip("numpy")
    y = np.sqrt(wg.tensor([4.0]))
    assert isinstance(y, wg.Tensor)
    assert y.tolist() == [2.0]
    assert isinstance(np.sqrt(wg.tensor(4.0)), wg.Tensor)
    assert (wg.ones(2) @ np.ones(2)).dtype is wg.float64


def test_python_types_name_element_types():
    assert wg.tensor([1], dtype=float).dtype is wg.float64
    assert wg.tensor([1], dtype=complex).dtype is wg.complex128
    with pytest.raises(TypeError, match="only floating-point"):
        wg.set_default_dtype("float64")


def test_conversions_to_python_numbers():
    assert (int(wg.tensor(2 + 0j)), float(wg.tensor(2 + 0j))) == (2, 2.0)
    with pytest.raises(RuntimeError, match="without overflow"):
        float(wg.tensor(1j))
    for kind in (int, float, complex):
        with pytest.raises(ValueError, match="only one element"):
            kind(wg.ones(2))


def test_results_with_names_pickle():
    found = wg.max(wg.tensor([[1, 2], [4, 3]]), 1)
    twin = pickle.loads(pickle.dumps(found))
    assert type(twin) is type(found) is wg.return_types.max
    assert twin.indices.tolist() == [1, 0]
    assert type(found)(tuple(found)).values is found.values


def test_intels_gpus_are_asked_for_in_vain():
    assert not wg.xpu.is_available()
    assert wg.xpu.device_count() == 0
    wg.xpu.empty_cache()
    with pytest.raises(RuntimeError, match="no backend for Intel's GPUs"):
        wg.xpu.synchronize()
