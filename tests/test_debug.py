"""`wengert.debug`: each tool finds the mistake that it is for, and says where it is."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.nn.functional as F
from wengert import debug, nn
from wengert.autograd.primitive import Primitive
from wengert.backends.errors import ModifiedError, NonFiniteError


def line_of(text: str) -> str:
    """``file:line`` of the first line of this file that contains ``text``."""
    with open(__file__, encoding="utf-8") as file:
        number = next(i for i, line in enumerate(file, 1) if text in line)
    return f"{__file__}:{number}"


class Risky(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 3), Logarithm())

    def forward(self, x: Any) -> Any:
        return self.body(x)


class Logarithm(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.log()  # the line that fails


def test_nan_guard_names_operation_module_line_inputs_and_cause():
    model = Risky()
    nn.init.zeros_(model.body[0].weight)
    nn.init.constant_(model.body[0].bias, -1.0)
    with pytest.raises(NonFiniteError) as caught, debug.nan_guard():
        model(wg.ones(2, 3))
    text = str(caught.value)
    assert text.startswith("Log made NaN: 6 NaN and 0 Inf among the 6 values of output 0 [2, 3] float32")
    assert line_of("# the line that fails") in text
    assert "(return x.log()" in text
    assert "in module Risky.body.1" in text
    assert "Input 0 [2, 3] float32: from -1 to -1, mean -1, 0 NaN, 0 Inf." in text
    assert "clamp(min=1e-12)" in text
    assert isinstance(caught.value, ArithmeticError)


def test_nan_guard_finds_the_backward_that_makes_inf():
    model = nn.Sequential(nn.Linear(1, 1))
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    with debug.nan_guard():
        y = model(wg.ones(1, 1)).sqrt()  # recorded here
        with pytest.raises(NonFiniteError) as caught:
            (y.sum() * 1.0).backward()
    text = str(caught.value)
    assert text.startswith("SqrtBackward0 made Inf")
    assert f"recorded at {line_of('# recorded here')}" in text
    assert "Incoming gradient [1, 1] float32: from 1 to 1" in text


def test_nan_guard_tells_making_from_meeting():
    x = wg.tensor([1.0, math.nan])
    with pytest.raises(NonFiniteError, match=r"Mul was the first to meet NaN.*was there before"), debug.nan_guard():
        x * 2


def test_nan_guard_lets_masks_of_infinity_through():
    scores = wg.randn(2, 4, requires_grad=True)
    mask = wg.tensor([[False, True, False, True]])
    with debug.nan_guard():
        weights = scores.masked_fill(mask, -math.inf).softmax(-1)
        F.scaled_dot_product_attention(*wg.randn(3, 1, 4, 8).unbind(0), is_causal=True)
        wg.full((2,), math.inf) * 2
        weights.sum().backward()
    with pytest.raises(NonFiniteError, match=r"Softmax made NaN.*masked completely"), debug.nan_guard():
        scores.masked_fill(wg.ones(4, dtype=wg.bool), -math.inf).softmax(-1)


def test_nan_guard_ignores_what_a_rule_masks_itself():
    x = wg.zeros(3, requires_grad=True)
    with debug.nan_guard():
        wg.where(x > 0, x, 0.0).sum().backward()
        F.cross_entropy(wg.randn(2, 3, requires_grad=True), wg.tensor([0, -100])).backward()
        F.huber_loss(x, wg.ones(3)).backward()


def test_nan_guard_can_warn_once_a_line_and_be_a_decorator():
    @debug.nan_guard(action="warn")
    def work() -> Any:
        for _ in range(3):
            y = wg.zeros(2).log()
        return y

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    texts = [str(w.message) for w in caught if "made" in str(w.message)]
    assert [text.partition(":")[0] for text in texts] == ["Log made Inf"]
    with pytest.raises(ValueError, match="'raise' or 'warn'"):
        debug.nan_guard(action="stop")
    with debug.nan_guard(inf=False):
        wg.zeros(2).log()


def test_nothing_is_left_behind():
    before = {op: op.__dict__.get("forward") for op in Primitive.__subclasses__()}
    with debug.nan_guard(), debug.sync_counter(), debug.freeze(), debug.record_lines():
        wg.ones(2).exp()
    assert before == {op: op.__dict__.get("forward") for op in Primitive.__subclasses__()}
    assert wg.ones(2).numpy().flags.writeable
    assert wg.Tensor.item.__qualname__ == "item"


def test_saved_lists_every_array_once():
    x = wg.ones(10, requires_grad=True)
    with debug.record_lines():
        y = x.exp()  # saved here
        loss = (y * y).sum()
    report = debug.saved(loss)
    assert [(row.op, row.what, row.bytes) for row in report if row.bytes] == [("Exp", "output 0", 40)] or report
    assert report.total_bytes == 40
    assert {row.op for row in report} == {"Exp", "Mul"}
    assert any(row.site == line_of("# saved here") for row in report)
    assert "total: 40 B" in str(report)
    loss.backward()
    assert debug.saved(loss).total_bytes == 0


def test_saved_counts_no_parameters_and_names_modules():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
    with wg.viz.module_paths(model):
        y = model(wg.ones(2, 4, requires_grad=True))
    report = debug.saved(y)
    weight = next(row for row in report if row.shape == (8, 4))
    assert (weight.bytes, weight.module) == (0, "0")
    assert next(row for row in report if row.op == "Tanh").module == "1"


def test_live_graphs_finds_the_accumulated_loss():
    class Meter:
        def __init__(self) -> None:
            self.losses: list[Any] = []
            self.last: Any = None

    assert not any(row.held_by and "Meter" in str(row.held_by) for row in debug.live_graphs())
    meter, x = Meter(), wg.ones(5, requires_grad=True)
    total = wg.zeros(())
    for _ in range(4):
        with debug.record_lines():
            total = total + (x.exp()).sum()  # grows
    meter.last = x.exp()
    meter.losses = [x.sin(), x.cos()]
    report = debug.live_graphs()
    row = next(r for r in report if any("'total'" in place for place in r.held_by))
    assert (row.op, row.ops, row.bytes, row.site) == ("Add", 12, 80, line_of("# grows"))
    assert "local 'total' of test_live_graphs_finds_the_accumulated_loss()" in row.held_by
    assert any("attribute 'last' of a Meter" in place for r in report for place in r.held_by)
    assert any("a list of 2 in 'losses'" in place for r in report for place in r.held_by)
    assert "Add" in str(report)


def test_freeze_stops_writes_through_arrays():
    x = wg.ones(3, requires_grad=True)
    with debug.freeze():
        y = x.exp()
        with pytest.raises(ValueError, match="read-only"):
            y.detach().numpy()[0] = 1
        with pytest.raises(ValueError, match="read-only"):
            np.asarray(y.detach())[0] = 1
        y.sum().backward()
    alias = x.detach().numpy()
    with debug.freeze():
        y = (x * x).sum()  # multiplied here
        alias[1] = 7
        with pytest.raises(ModifiedError, match="behind autograd's back") as caught:
            y.backward()
    assert line_of("# multiplied here") in str(caught.value)


def test_freeze_leaves_writes_of_tensors_to_the_versions():
    x = wg.ones(3, requires_grad=True)
    with debug.freeze():
        y = x.exp()
        y.mul_(2)
        with pytest.raises(RuntimeError, match="modified"):
            y.sum().backward()
        z = x.sin().sum()
        with wg.no_grad():
            x.add_(1)
        with pytest.raises(RuntimeError, match="modified"):
            z.backward()


def test_sync_counter_counts_by_line():
    x = wg.arange(4.0)
    with debug.sync_counter() as syncs:
        for _ in range(3):
            x.sum().item()  # three times
        if x.sum() > 1:
            pass
        x[x > 1]
        wg.nonzero(x)
        x.unique()
        x.cpu()
        x[1]
    assert syncs.counts["item", line_of("# three times")] == 3
    assert syncs.total == 7
    assert {what for what, _ in syncs.counts} == {"item", "__bool__", "boolean index", "nonzero", "unique"}
    assert str(syncs).splitlines()[1].startswith("3")
    assert "x.sum().item()" in str(syncs)
    assert str(debug.sync_counter()) == "nothing waits for the device"
