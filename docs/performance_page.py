"""Writes `performance.md` from the results of the last whole run: ``python -m docs.performance_page``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks import chart, machine, table

PAGE = Path(__file__).with_name("performance.md")
RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "latest.json"
CHART = Path(__file__).with_name("images") / "performance.png"

HEAD = """# Performance

`make bench` measures wengert beside PyTorch eager, `torch.compile` and JAX on your machine. `python -m
docs.performance_page` writes this page from `benchmarks/results/latest.json`; a whole run does so by itself.

```
make bench                                  # everything: about 25 minutes on two cores
make bench ARGS="--quick"                   # what matters most, without torch.compile: under 3 minutes
make bench ARGS="lstm 'training: gpt'"      # workloads whose name or group matches a regular expression
make bench ARGS="--only torch"              # without torch.compile, which takes long to compile, and JAX
make bench ARGS="--threads 1"               # one thread for each library; all cores unless told
make bench ARGS="--numpy"                   # wengert without compiled kernels in every row, not just in some
make bench ARGS="--list"                    # names of the workloads
```

A whole run leaves `benchmarks/results/<date>-cpu.json`, `latest.json` and `latest.png`; part of one leaves them in
`runs/bench`.

## How it is measured

- Each library has a process of its own for each workload, since thread pools of two libraries in one process take each
  other's cores. The processes are prepared, then take turns, five rounds forth and back; what is shown is the median
  of the rounds' medians. The JSON has every round, the processors' time (`cpu`) beside the clock's, and how many cores
  other programs kept busy meanwhile (`others`): well above 0, the figures are worth little.
- A workload is one function of PyTorch code, which both libraries run (`benchmarks/workloads`), and the same model in
  plain `jax.numpy` (`jax_*.py`). All start from the same numbers, and `make parity` checks that their results
  agree.
- Before the clock counts, every process calls until its times are stable. What compiles does so then; the rows of
  *Starting* say what that costs, with an empty cache of compiled kernels and with a filled one.
- `torch.compile` compiles forward, loss and backward, and the optimizer runs as always. JAX compiles the whole step,
  and works on images with the channels last. Inputs of PyTorch and wengert are in the default layout.
- MB is the most memory that the process held above what it held after the import, while it was measured. For wengert
  it contains Numba, which is loaded when the first compiled kernel is; PyTorch's compiled code comes with its import.
- A ratio below 1 is faster than PyTorch eager. *NumPy only* is wengert with `WENGERT_NUMBA=0`.
"""

NONE = """
## Results

There are none here yet: `make bench` writes them.
"""


def page(report: dict[str, Any] | None) -> str:
    """The whole page, from the contents of a file of results."""
    if report is None:
        return HEAD + NONE
    about = "\n".join(f"- {line}" for line in machine.lines(report["machine"]))
    missing = "\n".join(f"- {line}" for line in table.reasons(report["results"]))
    return f"""{HEAD}
## Results

![bars of the ratios to PyTorch](images/{CHART.name})

{capitalised(table.summary(report["results"]))}.

{about}

{table.markdown(report["results"])}
### Left out

{missing}
"""


def capitalised(text: str) -> str:
    """A sentence that begins with the library's name keeps its small letter."""
    return text if text.startswith("wengert") else text[0].upper() + text[1:]


def latest() -> dict[str, Any] | None:
    """The results of the last whole run, if they are kept."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else None


def write() -> None:
    """Write the page, and copy the charts for light and for dark pages to it."""
    PAGE.write_text(page(latest()), encoding="utf-8")
    drawn = RESULTS.with_suffix(".png")
    for source, target in ((drawn, CHART), (chart.dark(drawn), chart.dark(CHART))):
        if source.is_file():
            shutil.copyfile(source, target)


if __name__ == "__main__":
    write()
