"""What holds on a GPU beyond the tables: whole models, short types, layouts, determinism, memory, other libraries.

Everything here also runs on the stand-in, ``pytest -m gpu --stand-in``, so that time on a GPU is not lost to mistakes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.cuda import libraries

pytestmark = pytest.mark.gpu
F = wg.nn.functional


def on_stand_in() -> bool:
    return wg.cuda.is_available() and wg.cuda.get_device_name() == "Stand-in"


def convnet() -> Any:
    nn = wg.nn
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 16, 3, padding=1, groups=2), nn.GroupNorm(4, 16), nn.GELU(), nn.AdaptiveAvgPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.1), nn.Linear(64, 10)),
    )


class Transformer(wg.nn.Module):
    """Embedding, attention, norms and a loss: a small language model."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = wg.nn.Embedding(17, 32)
        self.layer = wg.nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.head = wg.nn.Linear(32, 17)

    def forward(self, x: Any) -> Any:
        mask = wg.nn.Transformer.generate_square_subsequent_mask(x.shape[1], device=x.device)
        return self.head(self.layer(self.embedding(x), src_mask=mask, is_causal=True)).flatten(0, 1)


class Recurrent(wg.nn.Module):
    """An LSTM and a GRU over characters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = wg.nn.Embedding(17, 16)
        self.lstm, self.gru = wg.nn.LSTM(16, 16, batch_first=True), wg.nn.GRU(16, 16, 2, batch_first=True)
        self.head = wg.nn.Linear(16, 17)

    def forward(self, x: Any) -> Any:
        return self.head(self.gru(self.lstm(self.embedding(x))[0])[0]).flatten(0, 1)


def images() -> tuple[Any, Any]:
    return wg.randn(4, 3, 8, 8), wg.randint(0, 10, (4,))


def tokens() -> tuple[Any, Any]:
    return wg.randint(0, 17, (2, 6)), wg.randint(0, 17, (12,))


MODELS = {"convnet": (convnet, images), "transformer": (Transformer, tokens), "recurrent": (Recurrent, tokens)}


def trained(name: str, device: str, steps: int = 3, dtype: Any = None, last: bool = False) -> tuple[list[float], Any]:
    """Losses and parameters after some steps; every device begins with the same numbers and draws the same."""
    make, data = MODELS[name]
    wg.manual_seed(0)
    model, (x, y) = make().to(device), data()
    if last:
        model, x = model.to(memory_format=wg.channels_last), x.contiguous(memory_format=wg.channels_last)
    x, y = x.to(device), y.to(device)
    optimizer = wg.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with wg.autocast(device, dtype=dtype or wg.bfloat16, enabled=dtype is not None):
            loss = F.cross_entropy(model(x).float(), y)
        loss.backward()
        wg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss))
    return losses, [p.detach().float().cpu().numpy() for p in model.parameters()]


@pytest.mark.parametrize("name", MODELS)
def test_training_is_that_of_the_cpu(name: str):
    with wg.backends.cudnn.flags(enabled=True, allow_tf32=False):
        there, here = trained(name, "cuda"), trained(name, "cpu")
    np.testing.assert_allclose(there[0], here[0], rtol=2e-4)
    for a, b in zip(there[1], here[1], strict=True):
        assert np.abs(a - b).max() < 2e-2, "AdamW turns small differences of tiny gradients into steps"


@pytest.mark.parametrize("name", MODELS)
def test_training_repeats_to_the_bit(name: str):
    first, second = trained(name, "cuda"), trained(name, "cuda")
    assert first[0] == second[0]
    assert all(np.array_equal(a, b) for a, b in zip(first[1], second[1], strict=True))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", MODELS)
def test_autocast_trains_nearly_the_same(name: str, dtype: str):
    exact, short = trained(name, "cuda")[0], trained(name, "cuda", dtype=getattr(wg, dtype))[0]
    np.testing.assert_allclose(short, exact, rtol=0.05)
    assert short[-1] < short[0]


def test_channels_last_is_kept_and_changes_nothing():
    plain, last = trained("convnet", "cuda"), trained("convnet", "cuda", last=True)
    np.testing.assert_allclose(last[0], plain[0], rtol=1e-2)
    layer = wg.nn.Conv2d(3, 8, 3).cuda()
    y = layer(wg.randn(2, 3, 8, 8, device="cuda").contiguous(memory_format=wg.channels_last))
    assert y.is_contiguous(memory_format=wg.channels_last)
    assert F.relu(y).is_contiguous(memory_format=wg.channels_last)


def test_random_numbers_have_the_bits_of_the_cpu():
    def drawn(device: str) -> list[Any]:
        wg.manual_seed(7)
        x = wg.ones(1000, device=device)
        made = [
            wg.rand(1001, device=device),
            wg.randn(33, 7, device=device, dtype=wg.float64),
            wg.randint(-5, 100, (57,), device=device),
            wg.randperm(1000, device=device),
            wg.bernoulli(x * 0.3),
            F.dropout(x, 0.4),
            wg.empty(100, device=device).exponential_(),
            wg.rand(64, device=device, dtype=wg.bfloat16),
        ]
        return [t.cpu().float().numpy() for t in made]

    for a, b in zip(drawn("cuda"), drawn("cpu"), strict=True):
        assert np.array_equal(a, b)


def test_scaled_gradients_of_float16_are_unscaled():
    wg.manual_seed(0)
    model = wg.nn.Linear(8, 4).cuda()
    optimizer, scaler = wg.optim.SGD(model.parameters(), lr=0.1), wg.amp.GradScaler("cuda", init_scale=1024.0)
    x = wg.randn(16, 8, device="cuda")
    before = model.weight.detach().clone()
    with wg.autocast("cuda", dtype=wg.float16):
        loss = model(x).square().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    assert not wg.equal(before, model.weight)
    assert wg.isfinite(model.weight).all()


def test_the_libraries_compute():
    """Whole models are computed by the libraries: they are there, and refuse nothing of it."""
    before = libraries.refusals()
    for name in MODELS:
        trained(name, "cuda", steps=1, dtype=wg.bfloat16)
        trained(name, "cuda", steps=1)
    wg.show_config()
    assert libraries.refusals() == before
    unused = {name: text for name, text in libraries.report().items() if text.startswith("not used")}
    assert not unused, unused


def test_memory_goes_back_and_peaks_are_counted():
    wg.cuda.empty_cache()
    wg.cuda.reset_peak_memory_stats()
    before = wg.cuda.memory_allocated()
    x = wg.ones(1 << 20, device="cuda")
    y = x + 1
    if not on_stand_in():
        assert wg.cuda.memory_allocated() - before == 2 * (4 << 20)
        assert wg.cuda.max_memory_allocated() - before >= 2 * (4 << 20)
    del x, y
    assert wg.cuda.memory_allocated() == before
    assert wg.cuda.memory_reserved() >= wg.cuda.memory_allocated()


def test_out_of_memory_can_be_gone_on_from():
    if on_stand_in():
        pytest.skip("the stand-in has the memory of the machine")
    _, total = wg.cuda.mem_get_info()
    with pytest.raises(wg.cuda.OutOfMemoryError, match=r"CUDA out of memory\. Tried to allocate"):
        wg.empty(total, dtype=wg.float32, device="cuda")
    assert float(wg.ones(10, device="cuda").sum()) == 10


def test_streams_events_and_prefetching():
    start, end = wg.cuda.Event(enable_timing=True), wg.cuda.Event(enable_timing=True)
    x = wg.randn(256, 256, device="cuda")
    start.record()
    stream = wg.cuda.Stream()
    stream.wait_stream(wg.cuda.current_stream())
    with wg.cuda.stream(stream):
        y = x @ x
    wg.cuda.current_stream().wait_stream(stream)
    end.record()
    end.synchronize()
    assert start.elapsed_time(end) >= 0
    np.testing.assert_allclose(y.cpu().numpy(), x.cpu().numpy() @ x.cpu().numpy(), rtol=1e-3, atol=1e-3)
    data = wg.utils.data.TensorDataset(wg.arange(64.0).reshape(16, 4))
    loader = wg.utils.data.DataLoader(data, batch_size=4, pin_memory=True)
    got = [batch.sum().item() for (batch,) in wg.utils.data.prefetch_to_device(loader, "cuda")]
    assert got == [120, 376, 632, 888]


def test_memory_is_shared_with_cupy_and_pytorch():
    x = wg.arange(6.0, device="cuda")
    if on_stand_in():
        pytest.skip("the stand-in's memory is not on a device")
    cupy = wg.backends.get_backend("cuda").xp
    c = cupy.from_dlpack(x)
    c[0] = 7
    assert x[0].item() == 7
    assert wg.from_dlpack(c).data_ptr() == x.data_ptr()
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    t = torch.from_dlpack(x)
    t[1] = 8
    wg.cuda.synchronize()
    torch.cuda.synchronize()
    assert x[1].item() == 8
    assert wg.from_dlpack(t).data_ptr() == x.data_ptr()


def test_a_batch_of_every_short_type_survives_the_way_there_and_back():
    for dtype in (wg.bfloat16, wg.float16, wg.float64, wg.int8, wg.uint8, wg.bool, wg.int64, wg.complex64):
        x = wg.ones(3, 4).to(dtype)
        assert wg.equal(x.cuda().t().contiguous().t().cpu(), x)
