"""Print what differs: ``python -m tests.opinfo [regular expressions of names]``."""

from __future__ import annotations

import argparse
import collections
import functools
import json
import multiprocessing
import re
from pathlib import Path

import torch

import wengert as wg

from .excused import reason
from .run import DTYPES, run_op, table


def one_thread() -> None:
    torch.set_num_threads(1)
    wg.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="regular expressions; all ops without one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the failures there")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("--hide", default="stride,message", help="kinds of failure that are not printed")
    parser.add_argument("--reference", action="store_true", help="the larger set of samples")
    parser.add_argument("--excused", action="store_true", help="print what is excused, too")
    args = parser.parse_args()
    chosen = [i for i, op in enumerate(table()) if not args.names or any(re.fullmatch(n, op.name) for n in args.names)]
    run = functools.partial(run_op, dtypes=tuple(args.dtypes.split(",")), reference=args.reference)
    failures, reports = [], []
    with multiprocessing.get_context("fork").Pool(args.jobs, one_thread, maxtasksperchild=40) as pool:
        for report in pool.imap_unordered(run, chosen):
            reports.append(report)
            found = [f for f in report.failures if args.excused or reason(f) is None]
            failures += found
            for f in found:
                if f["kind"] not in args.hide.split(","):
                    f = {**f, "text": f["text"][:260], "sample": f["sample"][:200]}
                    print(*f.values(), sep=" | ", flush=True)
    if args.json:
        args.json.write_text(json.dumps(failures, indent=1))
    clean = len(reports) - len({f["op"] for f in failures})
    kinds = collections.Counter(f["kind"] for f in failures)
    passed = sum(r.passed for r in reports)
    print(f"{clean} of {len(reports)} operators agree in all; {passed} checks passed; failures by kind: {dict(kinds)}")


if __name__ == "__main__":
    main()
