"""Measure wengert beside PyTorch, torch.compile and JAX on a GPU: ``make gpu-bench``, or ``python -m benchmarks.gpu``.

The libraries take turns on the same device, with several batches, and times come from events in the device's queue.
What a library cannot do is n/a, with the reason. Results are written after each workload, so that nothing is lost when
time runs out; workloads come in the order of what one would like to know first.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from . import turns
from .columns import COLUMNS, cores
from .cuda_device import stand_in
from .workloads.on_gpu import GPU

HERE = Path(__file__).resolve().parent
SHOWN = ("wengert", "torch", "compile", "jax")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--columns", default=",".join(SHOWN), help="libraries, with commas between them")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each library")
    parser.add_argument("--seconds", type=float, default=0.4, help="time to measure in each turn")
    parser.add_argument("--cap", type=float, default=100, help="seconds to wait for one answer")
    parser.add_argument("--budget", type=float, default=280, help="seconds after which no further workload is begun")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, default=None, help="where the results go; named after the GPU unless told")
    parser.add_argument("--stand-in", action="store_true", help="try the programs on the tests' stand-in, tiny ones")
    args = parser.parse_args(given)
    args.threads, args.tiny = max(cores() // 2, 1), args.stand_in
    return args


def describe(args: argparse.Namespace) -> dict[str, Any]:
    """What the figures were measured on."""
    import wengert as wg
    from wengert.backends.cuda import cudnn_graph, libraries, product

    found: dict[str, Any] = {"date": time.strftime("%Y-%m-%d"), "device": args.device}
    if wg.cuda.is_available():
        product.library()
        cudnn_graph.library()
        found |= {"gpu": wg.cuda.get_device_name(), "libraries": libraries.report()}
        runtime = wg.backends.get_backend("cuda").xp.cuda.runtime
        found |= {"driver": runtime.driverGetVersion(), "runtime": runtime.runtimeGetVersion()}
    for column in args.columns.split(","):
        found[column] = COLUMNS[column].missing() or "installed"
    return found


def path_for(gpu: str) -> Path:
    """The file of results of a GPU."""
    return HERE / "results" / (re.sub(r"[^a-z0-9]+", "-", gpu.lower()).strip("-") + ".json")


def line(result: dict[str, Any]) -> str:
    """One workload in the table: ms of each library, and ratios to PyTorch."""
    cells = []
    for column in SHOWN:
        found = result["columns"].get(column, {})
        if "median" not in found:
            cells.append("n/a".rjust(16))
            continue
        ratio = result["ratios"].get(column)
        text = f"{found['median'] * 1e3:.3f}" + (f" ({ratio:.2f})" if ratio else "")
        cells.append(text.rjust(16))
    rows = [result["name"].ljust(44) + "".join(cells)]
    for column in SHOWN:
        found = result["columns"].get(column, {})
        if found.get("error"):
            rows.append(f"    {column}: {found['error']}")
        elif found.get("memory") is not None:
            rows.append(f"    {column}: {found['memory']:.0f} MB at most")
    return "\n".join(rows)


def main(given: list[str] | None = None) -> int:
    """Measure, print, and write the results."""
    args = arguments(given)
    if args.stand_in:
        os.environ["WENGERT_STAND_IN"] = "1"
        stand_in()
    start = time.monotonic()
    columns = [column for column in args.columns.split(",") if column]
    machine = describe(args)
    print("\n".join(f"{key}: {value}" for key, value in machine.items()), end="\n\n")
    print("ms a step (ratio to PyTorch)".ljust(44) + "".join(COLUMNS[c].title.rjust(16) for c in SHOWN))
    results: list[Any] = []
    path = args.json or path_for(machine.get("gpu", "no gpu"))
    for name, work in GPU.items():
        if args.only.lower() not in name.lower():
            continue
        if time.monotonic() - start > args.budget:
            print(f"{name}: not measured, as the time is up")
            results.append({"name": name, "columns": {}, "ratios": {}, "error": "not measured, as the time was up"})
            continue
        results.append(turns.compare(work, columns, args))
        print(line(results[-1]), flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    print(f"\nresults: {os.path.relpath(path)}; {time.monotonic() - start:.0f} s")
    return 0 if any("median" in r["columns"].get("wengert", {}) for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
