"""The process that runs one workload with one library, at the word of `turns`: a line of JSON for each command."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.columns import COLUMNS, limit_threads
from benchmarks.cuda_device import stand_in
from benchmarks.devices import Device, device
from benchmarks.machine import busy
from benchmarks.workloads import TABLE, Workload
from benchmarks.workloads.on_gpu import GPU
from benchmarks.workloads.setting import Setting

MEGA = 1e6


class Worker:
    """Answers commands, which are its methods."""

    def __init__(self, work: Workload, column: str, args: argparse.Namespace) -> None:
        self.work, self.column, self.args = work, column, args
        self.at = Setting(args.device, compile=column == "compile")
        self.calls = 1  # in a row, so that the clock is fine enough
        self.device: Device
        self.call: Callable[[], Any]
        self.baseline: int | None = None

    def number(self) -> dict[str, Any]:
        """The value of a workload that measures by itself."""
        start = self.work.start(self.column, COLUMNS[self.column].module, self.at, tiny=self.args.tiny)
        return {"value": float(start)}

    def prepare(self) -> dict[str, Any]:
        """Import, build, and the first call."""
        library = importlib.import_module(COLUMNS[self.column].module)
        importlib.import_module("numpy")
        limit_threads(self.column, library, self.args.threads)
        self.device = device(self.args.device, self.column, library)
        self.baseline = self.device.held()
        start = time.perf_counter()
        self.call = self.work.start(self.column, library, self.at, tiny=self.args.tiny)
        result = self.call()
        self.device.wait(result)
        value = None if self.work.draws else agreed(result)
        return {"value": value, "prepare": time.perf_counter() - start}

    def warm(self, least: float, most: float) -> dict[str, Any]:
        """Call until times are stable, which compiling kernels after some work delays."""
        start, times, seconds, done = time.perf_counter(), [], 0.0, 0
        while seconds < most and not (seconds >= least and done >= 10 and stable(times[-4:])):
            once, _ = self.device.time(self.call, self.calls)
            done += self.calls
            if once * self.calls < least / 20:  # batches long enough for the clock, many enough for a median
                self.calls *= 2
            else:
                times.append(once)
            seconds = time.perf_counter() - start
        self.device.reset_peak()
        return {"stable": stable(times[-4:])}

    def turn(self, seconds: float) -> dict[str, Any]:
        """The median time of a call, and how many cores' work other programs did meanwhile."""
        walls, used = [], []
        start, own, all_before = time.perf_counter(), time.process_time(), busy()
        while not walls or time.perf_counter() < start + seconds:
            wall, cpu = self.device.time(self.call, self.calls)
            walls.append(wall)
            used.append(cpu)
        taken, own, all_after = time.perf_counter() - start, time.process_time() - own, busy()
        others = None if all_after is None or all_before is None else max(all_after - all_before - own, 0.0) / taken
        found = {"wall": statistics.median(walls), "cpu": statistics.median(used), "calls": len(walls) * self.calls}
        return {**found, "others": others}

    def memory(self) -> dict[str, Any]:
        """MB in use after the import, and the most above that once the times were stable."""
        peak, held = self.device.peak(), self.baseline
        if peak is None or held is None:
            return {"memory": None, "imported": None}
        return {"memory": (peak - held) / MEGA, "imported": held / MEGA}


def agreed(result: Any) -> float | None:
    """A result as a number that can be compared: its own, or the mean of its squares."""
    if result is None:
        return None
    return float(result) if result.ndim == 0 else float((result * result).mean())


def stable(times: list[float]) -> bool:
    """Whether times differ by less than a tenth."""
    return len(times) > 1 and max(times) < 1.1 * min(times)


def main() -> None:
    """Answer commands until there are no more."""
    every = TABLE | GPU
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("column", choices=COLUMNS)
    parser.add_argument("workload", choices=every, metavar="workload")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    stand_in()
    worker = Worker(every[args.workload], args.column, args)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        try:
            answer = getattr(worker, command)(*arguments)
        except Exception as error:  # whatever a library raises is a result, too
            answer = {"error": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
