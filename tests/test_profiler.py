"""The profiler's stand-in: named ranges are counted and timed, and programs that use PyTorch's names run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from wengert.autograd import profiler


def test_named_ranges_are_counted_where_a_profiler_is_on(tmp_path: Path):
    @profiler.record_function("work")
    def work() -> Any:
        return wg.ones(3).sum()

    work()
    with profiler.profile(use_cuda=False) as prof:
        work()
        with profiler.record_function("more"):
            work()
    work()
    counts = {average.key: average.count for average in prof.key_averages()}
    assert counts == {"work": 2, "more": 1, "Sum": 2}
    assert prof.total_average().count == 5
    assert prof.self_cpu_time_total > 0
    assert "work" in prof.table(sort_by="cpu_time_total", row_limit=1) or "more" in str(prof)
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    assert len(json.loads((tmp_path / "trace.json").read_text())["traceEvents"]) == 5


def test_a_profiler_runs_once():
    prof = profiler.profile()
    with pytest.raises(RuntimeError, match="finish"):
        prof.key_averages()
    with prof:
        pass
    with pytest.raises(RuntimeError, match="reentrant"):
        prof.__enter__()
    with profiler.emit_nvtx(), profiler.profile(enabled=False):
        pass


def test_steps_are_recorded_by_schedule(tmp_path: Path):
    traces: list[int] = []
    plan = wg.profiler.schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    with wg.profiler.profile(schedule=plan, on_trace_ready=lambda p: traces.append(len(p.events()))) as prof:
        for _ in range(12):
            with wg.profiler.record_function("step"):
                pass
            prof.step()
    assert traces == [2, 2]
    with pytest.raises(AssertionError, match="Invalid"):
        wg.profiler.schedule(wait=1, warmup=1, active=0)
    write = wg.profiler.tensorboard_trace_handler(str(tmp_path / "log"))
    with wg.profiler.profile(activities=[wg.profiler.ProfilerActivity.CPU], on_trace_ready=write):
        pass
    assert len(list((tmp_path / "log").iterdir())) == 1


def step(model: Any, x: Any) -> None:
    with wg.profiler.record_function("forward"):
        loss = model(x).sum()
    loss.backward()


def test_operations_are_timed_forward_and_backward():
    model = wg.nn.Sequential(wg.nn.Linear(4, 8), wg.nn.ReLU(), wg.nn.Linear(8, 2))
    with wg.profiler.profile(
        record_shapes=True, profile_memory=True, with_stack=True, with_flops=True, with_modules=True
    ) as prof:
        step(model, wg.ones(3, 4))
    events = prof.events()
    assert [e.name for e in events if e.cpu_parent is None] == [
        "forward",
        "SumBackward0",
        "AddmmBackward0",
        "ReluBackward0",
        "AddmmBackward0",
    ]
    outer, first = events[0], events[1]
    assert [c.name for c in outer.cpu_children] == ["Linear", "Relu", "Linear", "Sum"]
    assert first.cpu_parent is outer
    assert first.phase == "forward"
    assert first.input_shapes == [[3, 4], [8, 4], [8]]
    assert first.flops == 2 * 3 * 4 * 8
    assert first.cpu_memory_usage == 3 * 8 * 4
    assert first.module == "Sequential.0"
    assert events[-1].module == "Sequential.0"
    assert __file__ in first.stack[0]
    assert first.stack[0].endswith(": step")
    inside = sum(c.cpu_time_total for c in outer.cpu_children)
    assert outer.self_cpu_time_total == pytest.approx(outer.cpu_time_total - inside)
    assert outer.start <= first.start <= first.end <= outer.end


def test_averages_and_tables_in_pytorchs_form(tmp_path: Path):
    model = wg.nn.Sequential(wg.nn.Linear(4, 4), wg.nn.Linear(4, 2))
    with wg.profiler.profile(record_shapes=True, with_modules=True, with_stack=True) as prof:
        step(model, wg.ones(3, 4))
    linear = next(a for a in prof.key_averages() if a.key == "Linear")
    assert linear.count == 2
    assert linear.cpu_time == pytest.approx(linear.cpu_time_total / 2)
    shapes = [a.input_shapes for a in prof.key_averages(group_by_input_shape=True) if a.key == "Linear"]
    assert shapes == ["[[3, 4], [4, 4], [4]]", "[[3, 4], [2, 4], [2]]"]
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=3)
    lines = table.splitlines()
    titles = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "# of Calls"]
    assert [t.strip() for t in lines[1].split("  ") if t.strip()] == titles
    assert len(lines) == 3 + 3 + 2
    assert lines[-1].startswith("Self CPU time total: ")
    totals = [a.cpu_time_total for a in prof.key_averages()]
    assert lines[3].split()[4] == max(prof.key_averages(), key=lambda a: a.cpu_time_total).cpu_time_total_str
    assert len(totals) == len(prof.key_averages())
    modules = {a.key: a.count for a in prof.module_averages()}
    assert modules["Sequential.0, forward"] == modules["Sequential.1, backward"] == 1
    prof.export_stacks(str(tmp_path / "stacks.txt"))
    assert (tmp_path / "stacks.txt").read_text().strip()
    with profiler.profile() as bare:
        pass
    with pytest.raises(AssertionError, match="with_stack"):
        bare.export_stacks("nowhere")


def test_functions_of_the_user_and_errors_are_seen():
    class Twice(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = wg.ones(2, requires_grad=True)
    with profiler.profile() as prof:
        y = Twice.apply(x)
        y.sum().backward()
        with pytest.raises(RuntimeError):
            wg.ones(2, 3) @ wg.ones(2, 3)
        wg.ones(2).exp()
    names = [e.name for e in prof.function_events]
    assert "TwiceBackward" in names
    assert names[-1] == "Exp"
    assert prof.function_events[-1].cpu_parent is None


def test_steps_of_optimizers_and_loaders_are_ranges():
    from wengert.utils.data import DataLoader, TensorDataset

    model = wg.nn.Linear(2, 1)
    optimizer = wg.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(wg.ones(4, 2)), batch_size=2)
    with profiler.profile() as prof:
        for (x,) in loader:
            model(x).sum().backward()
            optimizer.step()
    counts = {average.key: average.count for average in prof.key_averages()}
    assert counts["Optimizer.step#SGD.step"] == 2
    assert counts["enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"] == 3
