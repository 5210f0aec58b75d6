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
    assert counts == {"work": 2, "more": 1}
    assert prof.total_average().count == 3
    assert prof.self_cpu_time_total > 0
    assert "work" in prof.table(sort_by="cpu_time_total", row_limit=1) or "more" in str(prof)
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    assert len(json.loads((tmp_path / "trace.json").read_text())["traceEvents"]) == 3


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
