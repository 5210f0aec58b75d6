"""Measure wengert beside PyTorch eager, torch.compile and JAX.

Every workload runs in a process of its own for each library, and the processes take turns, round by round, so that
neither a thread pool nor a busy moment of the machine favours one of them. The table shows medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

from . import machine, table
from .columns import COLUMNS, REFERENCE, cores
from .turns import compare
from .workloads import GROUPS, TABLE, Workload

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SCHEMA = 2


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("patterns", nargs="*", metavar="REGEX", help="workloads whose name or group matches one; all unless given")
    option("--only", default="", metavar="LIST", help=f"columns beside wengert, of {','.join(list(COLUMNS)[1:])}")
    option("--quick", action="store_true", help="the most important workloads, without torch.compile unless named")
    option("--numpy", action="store_true", help="measure everything without compiled kernels, too")
    option("--rounds", type=int, help="turns of each library (default: 5; with --quick 3)")
    option("--seconds", type=float, help="time to measure in each turn (default: 0.3; with --quick 0.2)")
    option("--threads", type=int, default=cores(), help="of each library (default: all cores, here %(default)s)")
    option("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    option("--cap", type=float, default=120, help="seconds that a library may prepare (default: %(default)g)")
    option("--out", type=Path, help="folder for results and chart; a whole run has its place in benchmarks/results")
    option("--tiny", action="store_true", help=argparse.SUPPRESS)  # the sizes that tests use
    option("--list", action="store_true", help="print the names of the workloads")
    args = parser.parse_args(words)
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.seconds = args.seconds or (0.2 if args.quick else 0.3)
    unknown = [name for name in args.only.split(",") if name and name not in COLUMNS]
    if unknown:
        parser.error(f"--only knows {', '.join(list(COLUMNS)[1:])}; not {', '.join(unknown)}")
    return args


def chosen(args: argparse.Namespace) -> list[Workload]:
    """The workloads that the command line names, in the table's order."""
    found = [w for w in TABLE.values() if w.quick or not args.quick]
    if args.patterns:
        found = [w for w in found if any(re.search(p, f"{w.group}: {w.name}", re.IGNORECASE) for p in args.patterns)]
    return sorted(found, key=lambda w: list(GROUPS).index(w.group))


def columns(work: Workload, args: argparse.Namespace) -> list[str]:
    """The columns of a workload; PyTorch eager is always there, as the others are measured by it."""
    only = [name for name in args.only.split(",") if name]
    wanted = only or ["jax", *(["compile"] if work.compile and not args.quick else [])]
    if args.numpy or (not only and work.numpy and args.device == "cpu"):
        wanted = [*wanted, "numpy"]
    return [c for c in COLUMNS if c in (*wanted, "wengert", REFERENCE)]


def main(words: list[str] | None = None) -> int:
    """Measure, print, and write results and chart."""
    args = arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which lets `turns` end its processes
    works = chosen(args)
    if args.list or not works:
        print("\n".join(f"{w.group}: {w.name}" for w in works or TABLE.values()))
        if not works:
            print(f"\nno workload matches {' or '.join(args.patterns)}; above are all", file=sys.stderr)
        return 0 if works else 2
    on = machine.describe(args.device, args.threads)
    print("\n".join(machine.lines(on)), end="\n\n")
    start = time.monotonic()
    results = measure(works, args)
    minutes = round((time.monotonic() - start) / 60, 1)
    on["others"] = table.noise(results)
    print(f"\n{table.summary(results)} ({minutes} minutes)")
    print(f"other programs kept {on['others']} cores busy while this was measured")
    print(*(f"n/a: {reason}" for reason in failures(results)), sep="\n")
    settings = {name: getattr(args, name) for name in ("patterns", "only", "quick", "rounds", "seconds", "cap")}
    settings["minutes"] = minutes
    write({"schema": SCHEMA, "machine": on, "settings": settings, "results": results}, args)
    return 0


def measure(works: list[Workload], args: argparse.Namespace) -> list[dict[str, Any]]:
    """The results, each printed when it is there; those that there are when it is stopped by ctrl-C."""
    shown = [c for c in COLUMNS if any(c in columns(w, args) for w in works)]
    print(table.head(shown), flush=True)
    results = []
    for work in works:
        start = time.monotonic()
        try:
            results.append(compare(work, columns(work, args), args))
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            break
        results[-1]["took"] = round(time.monotonic() - start, 1)
        print(table.line(results[-1], shown), flush=True)
    return results


def failures(results: list[dict[str, Any]]) -> list[str]:
    """What was tried and failed, which is not what is left out on purpose."""
    known = {work.reason_without(column) for work in TABLE.values() for column in COLUMNS} - {""}
    return [text for text in table.reasons(results) if not any(text.endswith(f": {reason}") for reason in known)]


def write(report: dict[str, Any], args: argparse.Namespace) -> None:
    """Results, chart, and, after a whole run on the CPU, the page of the documentation."""
    whole = len(report["results"]) == len(TABLE) and not (args.patterns or args.quick or args.only or args.tiny)
    folder = args.out or (RESULTS if whole else ROOT / "runs" / "bench")
    kind = args.device.partition(":")[0]
    latest = "latest" if kind == "cpu" else f"latest-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1) + "\n"
    written = [folder / f"{report['machine']['date']}-{kind}.json", folder / f"{latest}.json"]
    for path in written:
        path.write_text(text, encoding="utf-8")
    try:
        from .chart import dark, draw

        chart = folder / f"{latest}.png"
        if draw(report["results"], report["machine"], chart):
            written += [chart, dark(chart)]
    except ImportError:
        print("no chart without matplotlib: pip install wengert[bench]")
    if whole and args.out is None and kind == "cpu":
        from docs import performance_page

        performance_page.write()
        written.append(performance_page.PAGE)
    print("written:", ", ".join(os.path.relpath(path) for path in written))
