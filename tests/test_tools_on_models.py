"""The debugging tools and the profiler on the programs of the gallery: a circuit, networks, a GAN step, a Hessian."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from docs.gallery_page import ENTRIES, Entry
from wengert import debug, viz


def backward(roots: list[Any]) -> None:
    for i, root in enumerate(roots):
        root.backward(retain_graph=i + 1 < len(roots))


@pytest.fixture(params=ENTRIES, ids=lambda entry: entry.name)
def entry(request: Any) -> Entry:
    return request.param


def make(entry: Entry) -> list[Any]:
    made, _ = entry.program()
    return list(made.values())


def again(entry: Entry, inside: Callable[[], Any]) -> Any:
    with inside() as tool:
        roots = make(entry)
        if entry.name != "circuit":  # which has run backward by itself
            backward(roots)
    return tool


def test_guards_find_nothing_wrong_and_change_nothing(entry: Entry):
    wg.manual_seed(0)
    plain = [root.item() for root in make(entry)]
    for tool in (debug.nan_guard, debug.freeze, debug.record_lines, debug.sync_counter):
        wg.manual_seed(0)
        with tool():
            roots = make(entry)
        assert [root.item() for root in roots] == pytest.approx(plain, rel=1e-4)
        again(entry, tool)


def test_what_is_saved_and_alive_is_told(entry: Entry):
    with debug.record_lines():
        roots = make(entry)
    rows = debug.saved(*roots)
    assert rows.total_bytes > 0 or entry.name == "circuit"
    assert all(row.site for row in rows)
    alive = debug.live_graphs()
    assert alive.ops >= len([n for n in roots[0].graph if n.kind == "op"])


def test_the_profiler_times_it_by_operation_and_module(entry: Entry, tmp_path: Path):
    prof = again(entry, lambda: wg.profiler.profile(with_modules=True, profile_memory=True, record_shapes=True))
    events = prof.events()
    assert {e.phase for e in events} >= {"forward", "backward"}
    assert all(e.self_cpu_time_total >= 0 for e in events)
    assert "Self CPU time total" in prof.key_averages().table(sort_by="self_cpu_time_total")
    assert len(prof.module_averages()) >= 1
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    assert len(json.loads((tmp_path / "trace.json").read_text())["traceEvents"]) == len(events)


def test_it_is_explained_and_stepped_through(entry: Entry):
    roots = make(entry)
    leaf = next(n.source for n in roots[0].graph if n.kind == "leaf")
    assert str(viz.explain(roots[0], wrt=leaf))
    steps = list(roots[0].backward_steps(retain_graph=True))
    assert len(steps) == sum(n.kind == "op" for n in roots[0].graph)
