"""Measure wengert beside PyTorch: ``make bench``, or ``python benchmarks/run.py --only mlp``.

Every workload runs in a process of its own for each library, and the libraries take turns, round by round, so that
neither's thread pool nor a busy moment of the machine favours one of them. The table shows medians over the rounds.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIBRARIES = ("wengert", "torch")
SECONDS = {"us": 1e6, "ms": 1e3}


def main() -> int:
    """Parse the command line, measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each library")
    parser.add_argument("--seconds", type=float, default=0.5, help="time to measure in each turn")
    parser.add_argument("--threads", type=int, default=0, help="for workloads that take all cores; 0 for all there are")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "latest.json", help="where the results go")
    parser.add_argument("--worker", nargs=2, metavar=("LIBRARY", "WORKLOAD"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    from workloads import TABLE

    if args.worker:
        print(json.dumps(measure(TABLE[args.worker[1]], args.worker[0], args)))
        return 0
    chosen = [w for name, w in TABLE.items() if args.only.lower() in name.lower()]
    if not chosen:
        print(f"no workload's name contains {args.only!r}; there are: {'; '.join(TABLE)}", file=sys.stderr)
        return 2
    libraries = [lib for lib in LIBRARIES if lib == "wengert" or importlib.util.find_spec(lib)]
    machine = describe(libraries, args)
    print("\n".join(f"{key}: {value}" for key, value in machine.items()), end="\n\n")
    print(row("workload", "threads", "wengert", "torch", "ratio", "target", ""))
    results = []
    for w in chosen:
        results.append(compare(w, libraries, args))
        print(show(results[-1]), flush=True)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    print(f"\nresults: {os.path.relpath(args.json)}")
    return 0


# ---------------------------------------------------------------------- the parent: turns and tables


def compare(w: Any, libraries: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """All rounds of one workload."""
    values: dict[str, list[float]] = {lib: [] for lib in libraries}
    errors: dict[str, str] = {}
    for turn in range(args.rounds):
        for lib in libraries if turn % 2 == 0 else reversed(libraries):
            if lib not in errors:
                try:
                    values[lib].append(one_turn(w, lib, args))
                except subprocess.CalledProcessError as error:
                    errors[lib] = (error.stderr.strip().splitlines() or ["no message"])[-1]
    medians = {lib: statistics.median(v) for lib, v in values.items() if v}
    both = medians.get("wengert") is not None and medians.get("torch")
    return {
        "name": w.name,
        "threads": w.threads or args.threads or cores(),
        "unit": w.unit,
        "rounds": values,
        "medians": medians,
        "ratio": medians["wengert"] / medians["torch"] if both else None,
        "target": w.target,
        "limit": w.limit,
        "errors": errors,
    }


def one_turn(w: Any, lib: str, args: argparse.Namespace) -> float:
    """Run one workload in a fresh process."""
    threads = str(w.threads or args.threads or cores())
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    options = ["--device", args.device, "--seconds", str(args.seconds)]
    command = [sys.executable, __file__, "--worker", lib, w.name, *options]
    environment = {**os.environ, **dict.fromkeys(names, threads)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # importing is measured as users have it: compiled once
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def show(result: dict[str, Any]) -> str:
    """One line of the table."""
    medians, unit, ratio = result["medians"], result["unit"], result["ratio"]
    cells = [f"{medians[lib]:.3g} {unit}" if lib in medians else "failed" for lib in LIBRARIES]
    verdict, target = "", ""
    if result["target"] is not None:
        target = f"<= {result['target']:g} x"
        verdict = "" if ratio is None else "met" if ratio <= result["target"] else "MISSED"
    if result["limit"] is not None:
        target = f"<= {result['limit']:g} {unit}"
        verdict = "" if "wengert" not in medians else "met" if medians["wengert"] <= result["limit"] else "MISSED"
    # A ratio of values near nothing says nothing.
    shown = f"{ratio:.2f}" if ratio is not None and unit != "MB" else ""
    line = row(result["name"], str(result["threads"]), *cells, shown, target, verdict)
    return "\n".join([line, *(f"    {lib}: {text}" for lib, text in result["errors"].items())])


def row(*cells: str) -> str:
    """Cells in columns."""
    widths = (50, 8, 10, 10, 6, 10, 6)
    first, *rest = (c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
    return "  ".join([first, *rest]).rstrip()


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe(libraries: list[str], args: argparse.Namespace) -> dict[str, str]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "numba", "cupy", *libraries):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            if name == "wengert":
                versions.append(f"wengert {importlib.import_module(name).__version__}")
    return {
        "machine": f"{cpu}, {cores()} cores, {platform.system()} {platform.machine()}",
        "versions": ", ".join(versions),
        "device": args.device,
        "date": time.strftime("%Y-%m-%d"),
        "rounds": f"{args.rounds}, {args.seconds:g} s each",
    }


# ---------------------------------------------------------------------- the child: one workload, one library


def measure(w: Any, lib: str, args: argparse.Namespace) -> float:
    """The median time of a call in the workload's unit, or the number that it measures."""
    if w.number:
        return float(w.prepare(lib, args.device))
    library = importlib.import_module(lib)
    if lib == "torch":
        library.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    call = w.prepare(library, args.device)
    wait = library.cuda.synchronize if args.device.startswith("cuda") else lambda: None

    def timed(n: int) -> float:
        wait()
        start = time.perf_counter()
        for _ in range(n):
            call()
        wait()
        return (time.perf_counter() - start) / n

    call()
    n = 1
    while (once := timed(n)) * n < args.seconds / 20:  # batches long enough for the clock, many enough for a median
        n *= 2
    times, end = [], time.perf_counter() + args.seconds
    while time.perf_counter() < end or len(times) < 3:
        times.append(timed(n))
    del once
    return statistics.median(times) * SECONDS[w.unit]


if __name__ == "__main__":
    sys.exit(main())
