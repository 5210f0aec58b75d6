"""Runs a workload in a process for each library. They are prepared together, and then take turns to be measured."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .columns import COLUMNS, REFERENCE, environment
from .workloads import Workload

ROOT = Path(__file__).resolve().parents[1]
QUIET = 0.05  # seconds between turns, in which the threads of the last one go to sleep


class Failed(Exception):
    """A process said that it could not, died, or took too long."""


class Process:
    """A `worker` process."""

    def __init__(self, column: str, work: Workload, args: argparse.Namespace, variables: dict[str, str]) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  (`end` closes it)
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.popen = subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.worker", column, work.name),
                *("--device", args.device, "--threads", str(args.threads)),
                *(["--tiny"] if args.tiny else []),
            ],
            env={
                **environment(column, args.threads, args.device),
                **work.environment,
                **variables,
                "PYTHONPATH": os.pathsep.join(paths),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,  # torch.compile starts processes of its own, which end with it
        )

    def ask(self, *command: Any) -> None:
        """Send a command."""
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):  # `answer` says why it is gone
            self.popen.stdin.write(json.dumps(command).encode() + b"\n")
            self.popen.stdin.flush()

    def answer(self, seconds: float) -> dict[str, Any]:
        """The answer to the command.

        Raises:
            Failed: there is none within ``seconds``, or it is an error.
        """
        assert self.popen.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.popen.stdout, selectors.EVENT_READ)
            if not selector.select(max(seconds, 0.1)):
                raise Failed(f"no answer within {seconds:.0f} s")
        line = self.popen.stdout.readline()
        if not line:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip().splitlines()
            raise Failed(f"ended with {self.popen.wait()}: {said[-1] if said else 'no message'}"[:300])
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def end(self) -> None:
        """End it, and what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        for file in (self.popen.stdin, self.popen.stdout, self.errors):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()


def compare(work: Workload, columns: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """All that is measured of a workload; ``results/README.md`` describes it."""
    found: dict[str, dict[str, Any]] = {}
    running = []
    for column in columns:
        reason = work.reason_without(column) or COLUMNS[column].missing()
        if reason:
            found[column] = {"error": reason}
        else:
            running.append(column)
    measure = numbers if work.unit else times
    found.update(measure(work, running, args))
    found = {column: found[column] for column in columns}
    return {
        "name": work.name,
        "group": work.group,
        "unit": work.unit or "s",
        "chart": work.chart,
        "columns": found,
        "ratios": ratios(found) if work.unit != "MB" else {},  # a ratio of values near nothing says nothing
        "target": work.target,
        "limit": work.limit,
    }


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Medians over PyTorch's; empty where that failed."""
    reference = found.get(REFERENCE, {}).get("median")
    if not reference:
        return {}
    return {c: f["median"] / reference for c, f in found.items() if c != REFERENCE and "median" in f}


def order(columns: list[str], turn: int) -> list[str]:
    """Whose turn it is: forth and back, so that nobody always follows the same neighbour."""
    return columns if turn % 2 == 0 else columns[::-1]


def times(work: Workload, columns: list[str], args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Measure time per call, and memory."""
    found: dict[str, dict[str, Any]] = {column: {} for column in columns}
    turns: dict[str, list[dict[str, Any]]] = {column: [] for column in columns}
    processes: dict[str, Process] = {}

    def each(columns: list[str], *command: Any, limit: float, together: bool = False) -> Iterator[tuple[str, Any]]:
        """The answers of those that have not failed."""
        alive = [column for column in columns if "error" not in found[column]]
        end = time.monotonic() + limit
        for column in alive if together else ():
            processes[column].ask(*command)
        for column in alive:
            if not together:
                time.sleep(QUIET)
                end = time.monotonic() + limit
                processes[column].ask(*command)
            try:
                yield column, processes[column].answer(end - time.monotonic())
            except Failed as error:
                found[column] = {"error": str(error)}
                processes[column].end()

    try:
        for column in columns:
            processes[column] = Process(column, work, args, {})
        for column, answer in each(columns, "prepare", limit=args.cap, together=True):
            found[column].update(answer)
        for column, answer in each(columns, "warm", 2 * args.seconds, 20 * args.seconds, limit=args.cap):
            found[column].update(answer)
        for turn in range(args.rounds):
            for column, answer in each(order(columns, turn), "turn", args.seconds, limit=args.cap):
                turns[column].append(answer)
        for column, answer in each(columns, "memory", limit=args.cap):
            found[column].update(answer)
    finally:
        for process in processes.values():
            process.end()
    return {column: {**found[column], **summary(turns[column], found[column])} for column in columns}


def summary(turns: list[dict[str, Any]], found: dict[str, Any]) -> dict[str, Any]:
    """Median and range over the turns."""
    if "error" in found:
        return {}
    walls = [turn["wall"] for turn in turns]
    return {
        "median": statistics.median(walls),
        "low": min(walls),
        "high": max(walls),
        "cpu": statistics.median(turn["cpu"] for turn in turns),
        "others": median_of([turn["others"] for turn in turns]),
        "calls": sum(turn["calls"] for turn in turns),
        "turns": walls,
    }


def median_of(values: list[float | None]) -> float | None:
    """The median of what could be measured."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def numbers(work: Workload, columns: list[str], args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Measure values, each in a process of its own."""
    found: dict[str, dict[str, Any]] = {}
    values: dict[str, list[float]] = {column: [] for column in columns}
    rounds = {"cold": 1, "warm": min(args.rounds, 3)}.get(work.cache, args.rounds)  # these take long
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(-1 if work.cache == "warm" else 0, rounds):
            for column in order(columns, turn):
                if column in found:
                    continue
                try:
                    value = number(work, column, args, Path(folder, column))
                    values[column] += [value] if turn >= 0 else []  # before that the caches are filled
                except Failed as error:
                    found[column] = {"error": str(error)}
    for column in columns:
        if column not in found:
            low, *_, high = sorted(values[column] * 2)
            found[column] = {
                "median": statistics.median(values[column]),
                "low": low,
                "high": high,
                "turns": values[column],
            }
    return found


def number(work: Workload, column: str, args: argparse.Namespace, folder: Path) -> float:
    """One value from a fresh process."""
    caches = {"NUMBA_CACHE_DIR": str(folder / "numba"), "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}
    process = Process(column, work, args, caches if work.cache else {})
    try:
        process.ask("number")
        return float(process.answer(args.cap)["value"])
    finally:
        process.end()
