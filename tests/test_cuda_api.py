"""``wengert.cuda``: names, memory, streams, several devices and errors, over the stand-in for CuPy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends import cuda as backend_module
from wengert.backends import errors
from wengert.backends.cuda import failures

from .fake_cupy import CUDARuntimeError, FakeCupy, FakeEvent, FakeStream, fake_cuda
from .strict import StrictError, strict_xp
from .strict_tables import names

# Of torch.cuda, what is absent on purpose: kernels that PyTorch compiles or loads, other machines, and names of Python.
ABSENT = names("""
    BFloat16Storage BoolStorage ByteStorage CUDAPluggableAllocator Callable CharStorage ComplexDoubleStorage
    ComplexFloatStorage DEVICE_REQUIREMENT DeferredCudaCallError DoubleStorage FloatStorage GreenContext HalfStorage
    IntStorage LongStorage Device NewType Optional PYTORCH_RELEASES_CODE_CC ShortStorage TYPE_CHECKING
    caching_allocator_alloc caching_allocator_delete caching_allocator_disabled caching_allocator_enable cast
    change_current_allocator check_error classproperty clock_rate cudaStatus cudart current_blas_handle
    current_solver_handle default_generators device_memory_used gds get_gencode_flags graph_pool_handle graphs
    green_contexts host_memory_stats_as_nested_dict importlib jiterator lru_cache memory_snapshot memory_usage nccl
    nvtx os platform power_draw profiler random sparse streams temperature threading torch traceback tunable
    utilization warnings amp memory""")


@pytest.fixture
def fake() -> Iterator[Any]:
    with fake_cuda() as (cupy, backend):
        yield SimpleNamespace(cupy=cupy, backend=backend, k=backend.kernels)


@pytest.fixture
def two() -> Iterator[Any]:
    with fake_cuda(devices=2) as (cupy, backend):
        yield SimpleNamespace(cupy=cupy, backend=backend, k=backend.kernels)


@pytest.mark.parity
def test_names_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    missing = {name for name in dir(torch.cuda) if not name.startswith("_") and not hasattr(wg.cuda, name)}
    assert missing <= ABSENT, missing - ABSENT


@pytest.mark.parity
def test_without_a_gpu_the_same_can_be_asked():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or wg.cuda.is_available():
        pytest.skip("there is a device")
    for name in names("""
        is_available device_count is_initialized memory_allocated memory_reserved max_memory_allocated
        memory_stats empty_cache is_bf16_supported get_arch_list host_memory_stats is_tf32_supported
        max_memory_reserved"""):
        assert getattr(wg.cuda, name)() == getattr(torch.cuda, name)(), name
    for name in names("""
        mem_get_info get_device_name current_device synchronize current_stream default_stream Stream Event"""):
        with pytest.raises((AssertionError, RuntimeError)):
            getattr(torch.cuda, name)()
        with pytest.raises(RuntimeError, match="cuda"):
            getattr(wg.cuda, name)()
    with pytest.raises(RuntimeError):
        wg.cuda.Event()


def test_a_device_is_described(fake: Any):
    assert wg.cuda.is_available()
    assert wg.cuda.device_count() == 1
    assert wg.cuda.current_device() == 0
    assert wg.cuda.get_device_name() == wg.cuda.get_device_name("cuda:0") == "Stand-in"
    assert wg.cuda.get_device_capability(0) == (9, 0)
    found = wg.cuda.get_device_properties("cuda")
    assert (found.name, found.major, found.total_memory, found.warp_size) == ("Stand-in", 9, 8 << 30, 32)
    assert found.multi_processor_count == 132
    assert wg.cuda.is_bf16_supported()
    assert wg.cuda.is_tf32_supported()
    assert wg.cuda.mem_get_info() == (6 << 30, 8 << 30)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        wg.cuda.get_device_name("cpu")
    with pytest.raises(RuntimeError, match="no device cuda:3"):
        wg.cuda.synchronize(3)


# Memory.


def test_memory_is_counted(fake: Any):
    assert wg.cuda.memory_allocated() == 0
    first = fake.cupy.cuda.alloc(1000)
    assert wg.cuda.memory_allocated() == wg.cuda.max_memory_allocated() == 1000
    wg.cuda.reset_peak_memory_stats()
    assert wg.cuda.max_memory_allocated() == 1000
    second = fake.cupy.cuda.alloc(500)
    del second
    assert wg.cuda.memory_allocated() == 1000
    assert wg.cuda.max_memory_allocated() == 1500
    assert wg.cuda.memory_reserved() == wg.cuda.max_memory_reserved() == 1500
    del first
    wg.cuda.reset_peak_memory_stats("cuda:0")
    assert wg.cuda.max_memory_allocated() == wg.cuda.memory_allocated() == 0
    stats = wg.cuda.memory_stats()
    assert stats["allocated_bytes.all.peak"] == 0
    assert wg.cuda.memory_stats_as_nested_dict()["reserved_bytes"]["all"]["current"] == 1500
    wg.cuda.empty_cache()
    assert fake.cupy.pool.freed == 1
    assert "6.00 GiB of 8.00 GiB are free" in wg.cuda.memory_summary()
    assert wg.cuda.memory.memory_allocated() == 0


def test_the_summary_says_who_holds_most(fake: Any):
    x = wg.ones(512, 1024, device="cuda", requires_grad=True)
    y = (x * 2).exp()
    text = wg.cuda.memory_summary()
    assert re.search(r"2\.00 MiB  .*float32 tensor of shape \[512, 1024\]", text)
    assert "ExpBackward0" in text
    assert "Exp" not in wg.cuda.memory_summary(abbreviated=True)
    del y


def test_out_of_memory_says_what_to_do_and_training_goes_on(fake: Any):
    held = wg.zeros(256, 1024, device="cuda")
    fake.cupy.pool.limit = 1 << 20
    with pytest.raises(wg.cuda.OutOfMemoryError) as caught:
        fake.cupy.cuda.alloc(3 << 30)
    text = str(caught.value)
    assert text.startswith(
        "CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has a total capacity of 8.00 GiB of which"
    )
    assert "1.00 MiB  a float32 tensor of shape [256, 1024]" in text
    assert "a smaller batch" in text
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, MemoryError)
    assert wg.OutOfMemoryError is wg.cuda.OutOfMemoryError
    assert caught.value.__context__ is None, "a traceback would hold the arrays of the step"
    assert fake.cupy.pool.freed == 1, "what was unused has been given back, and it was tried again"
    assert fake.cupy.cuda.alloc(1 << 10).size == 1 << 10
    del held


def test_an_allocation_succeeds_after_giving_back(fake: Any, monkeypatch: pytest.MonkeyPatch):
    fake.cupy.pool.limit = 100
    monkeypatch.setattr(fake.cupy.pool, "free_all_blocks", lambda: setattr(fake.cupy.pool, "limit", 10_000))
    assert fake.cupy.cuda.alloc(5000).size == 5000


def test_a_fraction_of_the_memory(fake: Any):
    wg.cuda.set_per_process_memory_fraction(0.5)
    assert fake.cupy.pool.limit == 4 << 30
    assert wg.cuda.get_per_process_memory_fraction() == 0.5
    with pytest.raises(ValueError, match=r"Invalid fraction value: 1\.5"):
        wg.cuda.set_per_process_memory_fraction(1.5)
    with pytest.raises(TypeError):
        wg.cuda.set_per_process_memory_fraction(1)
    wg.cuda.set_per_process_memory_fraction(1.0)


# Streams.


def test_streams_and_events(fake: Any):
    start, end = wg.cuda.Event(enable_timing=True), wg.cuda.Event(enable_timing=True)
    start.record()
    stream = wg.cuda.Stream()
    assert wg.cuda.current_stream() == wg.cuda.default_stream()
    with wg.cuda.stream(stream):
        assert wg.cuda.current_stream() == stream
        assert wg.cuda.current_stream().cuda_stream == stream.cuda_stream
        wg.ones(3, device="cuda")
        end.record()
    assert wg.cuda.current_stream() != stream
    wg.cuda.current_stream().wait_stream(stream)
    end.synchronize()
    assert start.elapsed_time(end) >= 0
    assert end.query()
    assert stream.query()
    stream.wait_event(start)
    start.wait(stream)
    assert hash(stream) == hash(stream)
    assert repr(stream).startswith("<wengert.cuda.Stream device=cuda:0 cuda_stream=0x")
    assert not wg.cuda.is_current_stream_capturing()
    with FakeStream() as raw:
        raw.begin_capture()
        assert wg.cuda.is_current_stream_capturing()
        raw.end_capture()
    wg.cuda.set_stream(stream)
    assert wg.cuda.current_stream() == stream
    wg.cuda.set_stream(wg.cuda.default_stream())


def test_events_that_cannot_be_timed_say_so(fake: Any):
    timed, other = wg.cuda.Event(enable_timing=True), wg.cuda.Event()
    timed.record()
    other.record()
    with pytest.raises(ValueError, match="enable_timing=True"):
        timed.elapsed_time(other)
    with pytest.raises(ValueError, match="must be recorded"):
        timed.elapsed_time(wg.cuda.Event(enable_timing=True))


# From main memory.


def test_pinned_memory(fake: Any):
    x = wg.arange(6.0).reshape(2, 3)
    p = x.pin_memory()
    assert p.is_pinned()
    assert not x.is_pinned()
    assert p.pin_memory() is p
    assert wg.equal(p, x)
    for y in (p.to("cuda", non_blocking=True), p.cuda(non_blocking=True), p.to("cuda", wg.float32, True)):
        assert wg.equal(y.cpu(), x)
    with pytest.raises(RuntimeError, match=r"only dense CPU tensors can be pinned"):
        p.cuda().pin_memory()
    z = wg.empty(2, 3, device="cuda").copy_(p, non_blocking=True)
    assert wg.equal(z.cpu(), x)


def test_what_another_stream_uses_is_kept_until_it_is_done(fake: Any, monkeypatch: pytest.MonkeyPatch):
    from wengert.autograd.ops import inspection

    stream, done = wg.cuda.Stream(), []
    monkeypatch.setattr(FakeEvent, "done", property(lambda self: bool(done), lambda self, value: None), raising=False)
    x = wg.ones(3, device="cuda")
    x.record_stream(stream)
    wg.ones(2, device="cuda").record_stream(stream)
    assert len(inspection._in_use) == 2
    del x
    wg.ones(1, device="cuda").record_stream(stream)
    assert len(inspection._in_use) == 3, "nobody keeps it, but the stream has not come that far"
    done.append(True)
    wg.ones(1, device="cuda").record_stream(stream)
    assert len(inspection._in_use) == 1
    inspection._in_use.clear()


def test_batches_are_fetched_ahead(fake: Any):
    data = wg.utils.data.TensorDataset(wg.arange(10.0), wg.arange(10))
    loader = wg.utils.data.DataLoader(data, batch_size=4, pin_memory=True)
    assert all(part.is_pinned() for batch in loader for part in batch)
    ahead = wg.utils.data.prefetch_to_device(loader, "cuda")
    assert len(ahead) == 3
    for _ in range(2):
        batches = list(ahead)
        assert [x.cpu().tolist() for x, _ in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert all(t.device.type == "cuda" for batch in batches for t in batch)
    nested = [{"x": wg.ones(2), "name": "a", "more": [wg.zeros(1), 3]}]
    (batch,) = wg.utils.data.prefetch_to_device(nested, "cuda")
    assert batch["x"].device.type == batch["more"][0].device.type == "cuda"
    assert (batch["name"], batch["more"][1]) == ("a", 3)


def test_on_the_cpu_batches_are_passed_on():
    batches = [(wg.ones(2), 1), (wg.zeros(2), 2)]
    assert [b[1] for b in wg.utils.data.prefetch_to_device(batches, "cpu")] == [1, 2]
    assert list(wg.utils.data.prefetch_to_device([], "cpu")) == []


def test_an_error_of_the_loader_comes_through(fake: Any):
    def bad() -> Iterator[Any]:
        yield wg.ones(1)
        raise KeyError("broken file")

    ahead = iter(wg.utils.data.prefetch_to_device(bad(), "cuda"))
    next(ahead)
    with pytest.raises(KeyError, match="broken file"):
        next(ahead)


# Several devices.


def test_work_stays_on_the_device_of_its_tensors(two: Any):
    x = wg.randn(4, 5, device="cuda:1", requires_grad=True)
    assert x.device == wg.device("cuda:1")
    layer = wg.nn.Linear(5, 3).to("cuda:1")
    y = layer(x).relu().sum()
    y.backward()
    assert y.device == x.grad.device == layer.weight.grad.device == wg.device("cuda:1")
    assert wg.cuda.current_device() == 0
    assert np.isfinite(x.grad.cpu().numpy()).all()


def test_a_model_on_two_devices(two: Any):
    first, second = wg.nn.Linear(5, 4).to("cuda:0"), wg.nn.Linear(4, 3).to("cuda:1")
    x = wg.randn(2, 5).to("cuda:0").requires_grad_()
    h = first(x).tanh()
    y = second(h.to("cuda:1")).square().mean() + h.to("cuda:1").mean()
    y.backward()
    assert first.weight.grad.device.index == 0
    assert second.weight.grad.device.index == 1
    assert x.grad.device.index == 0
    plain = [wg.nn.Linear(5, 4), wg.nn.Linear(4, 3)]
    for a, b in zip(plain, (first, second), strict=True):
        a.load_state_dict({k: v.cpu() for k, v in b.state_dict().items()})
    z = x.detach().cpu().requires_grad_()
    k = plain[0](z).tanh()
    (plain[1](k).square().mean() + k.mean()).backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), z.grad.numpy(), rtol=1e-5, atol=1e-7)
    optimizer = wg.optim.Adam([*first.parameters(), *second.parameters()])
    optimizer.step()
    optimizer.zero_grad()
    assert wg.cuda.current_device() == 0


def test_devices_do_not_mix(two: Any):
    a, b = wg.ones(3, device="cuda:0"), wg.ones(3, device="cuda:1")
    for mix in (lambda: a + b, lambda: wg.cat([a, b]), lambda: wg.where(a > 0, a, b)):
        with pytest.raises(RuntimeError, match=r"cuda:0.* and cuda:1.*; move one with \.to\('cuda:0'\)"):
            mix()
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        a + wg.ones(3)
    assert (b.to("cuda:0") + a).tolist() == [2, 2, 2]


def test_the_current_device_can_be_chosen(two: Any):
    with wg.cuda.device(1):
        assert wg.cuda.current_device() == 1
        assert wg.ones(2, device="cuda").device.index == 1
    assert wg.ones(2, device="cuda").device.index == 0
    wg.cuda.set_device("cuda:1")
    assert wg.zeros(2, device="cuda").device.index == 1
    wg.cuda.set_device(0)
    x = wg.ones(2, device="cuda:1")
    with wg.cuda.device_of(x):
        assert wg.cuda.current_device() == 1
    assert wg.ones_like(x).device == x.new_zeros(2).device == (x * 2).device == x.device
    assert x.get_device() == 1
    assert wg.cuda.can_device_access_peer(0, 1)


def test_random_numbers_are_the_same_on_every_device(two: Any):
    found = []
    for device in ("cpu", "cuda:0", "cuda:1"):
        wg.manual_seed(3)
        found.append([t.cpu().numpy() for t in (wg.rand(5, device=device), wg.randn(4, device=device))])
        wg.cuda.manual_seed_all(3)
        found.append([t.cpu().numpy() for t in (wg.rand(5, device=device), wg.randn(4, device=device))])
    for parts in zip(*found, strict=True):
        assert len({part.tobytes() for part in parts}) == 1


def test_the_stand_in_notices_work_on_the_wrong_device(two: Any):
    x = wg.ones(2, device="cuda:1")._data
    with pytest.raises(StrictError, match="an array of device 1 is used on device 0"):
        strict_xp.add(x, x)


# DLPack.


def test_memory_is_shared_by_dlpack(fake: Any):
    x = wg.arange(4.0)
    assert x.__dlpack_device__() == (1, 0)
    assert wg.equal(wg.from_dlpack(x), x)
    y = wg.ones(3, device="cuda")
    assert wg.from_dlpack(y).device == y.device
    wg.from_dlpack(y)[0] = 5
    assert y.tolist() == [5, 1, 1]


# What goes wrong.


def test_an_old_driver_names_the_other_package(monkeypatch: pytest.MonkeyPatch):
    cupy = FakeCupy()
    monkeypatch.setattr(cupy.runtime, "driverGetVersion", lambda: 12080)
    monkeypatch.setattr(backend_module, "_import_cupy", lambda: cupy)
    with pytest.raises(
        errors.BackendUnavailableError, match=r"made for CUDA 13, and the driver knows CUDA 12 only"
    ) as e:
        backend_module.load()
    assert "pip install wengert[cuda12]" in str(e.value)


def test_a_newer_driver_is_fine():
    cupy = FakeCupy()
    cupy.runtime.driverGetVersion = lambda: 14000  # type: ignore[method-assign]
    assert failures.why_unusable(cupy) == ""


def test_errors_that_come_late_say_so(fake: Any):
    fake.cupy.runtime.failure = "cudaErrorIllegalAddress: an illegal memory access was encountered"
    with pytest.raises(wg.AcceleratorError, match="CUDA_LAUNCH_BLOCKING=1") as caught:
        wg.cuda.synchronize()
    assert "illegal memory access" in str(caught.value)
    assert isinstance(caught.value.__cause__, CUDARuntimeError)
    fake.cupy.runtime.failure = "cudaErrorInvalidValue: invalid argument"
    with pytest.raises(CUDARuntimeError, match="invalid argument"):
        wg.cuda.synchronize()


def test_out_of_memory_in_a_step_lets_the_next_one_run(fake: Any):
    model = wg.nn.Linear(64, 64).to("cuda")
    optimizer = wg.optim.SGD(model.parameters(), lr=0.1)

    def step(batch: int) -> None:
        optimizer.zero_grad()
        x = wg.ones(batch, 64, device="cuda")
        space = fake.cupy.cuda.alloc(batch * 64)
        model(x).square().mean().backward()
        optimizer.step()
        del space

    fake.cupy.pool.limit = 100 * 64
    batch = 400
    while True:
        try:
            step(batch)
            break
        except wg.cuda.OutOfMemoryError:
            batch //= 2
    assert batch == 100
    assert wg.cuda.memory_allocated() == 0


def test_cupy_has_the_names_that_are_used():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    used = """
        cuda.Device cuda.Event cuda.MemoryHook cuda.MemoryPool cuda.Stream cuda.Stream.from_external cuda.alloc
        cuda.get_allocator cuda.get_current_stream cuda.get_elapsed_time cuda.memory.OutOfMemoryError
        cuda.set_allocator cuda.using_allocator cuda.runtime.deviceCanAccessPeer cuda.runtime.deviceSynchronize
        cuda.runtime.driverGetVersion cuda.runtime.getDevice cuda.runtime.getDeviceCount
        cuda.runtime.getDeviceProperties cuda.runtime.memGetInfo cuda.runtime.runtimeGetVersion
        cuda.runtime.setDevice cuda.runtime.streamIsCapturing get_default_memory_pool ascontiguousarray broadcast_to
        concatenate dtype empty empty_like from_dlpack asnumpy maximum tanh ndarray"""
    for path in names(used):
        found: Any = cupy
        for name in path.split("."):
            assert hasattr(found, name), path
            found = getattr(found, name)
    pool = cupy.cuda.MemoryPool
    assert all(hasattr(pool, n) for n in ("malloc", "used_bytes", "total_bytes", "free_all_blocks", "set_limit"))
    hook = cupy.cuda.MemoryHook
    assert hasattr(hook, "malloc_postprocess")
    assert hasattr(hook, "free_postprocess")
    stream = cupy.cuda.Stream
    assert all(
        hasattr(stream, n) for n in ("wait_event", "synchronize", "begin_capture", "end_capture", "use", "record")
    )
    assert "Out of memory" in str(cupy.cuda.memory.OutOfMemoryError(1, 2)) or issubclass(
        cupy.cuda.memory.OutOfMemoryError, MemoryError
    )
    import cupyx

    assert callable(cupyx.empty_pinned)
