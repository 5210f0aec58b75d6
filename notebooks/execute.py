"""Runs notebooks and keeps their outputs, small and alike: ``python -m notebooks.execute``."""

from __future__ import annotations

import argparse
import base64
import io
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIMIT = 300_000  # bytes in a file
COMPILING = "wengert: compiling kernels"  # what the first use of a kernel on a machine says
COLOURS = 96  # in a picture: lines and areas need few, and a third of the bytes is left


def chosen(names: list[str]) -> list[Path]:
    """The notebooks whose file names begin with one of the names, such as ``02``; all without."""
    begin = tuple(Path(name).stem for name in names)
    return [p for p in sorted(HERE.glob("[0-9]*.ipynb")) if p.name.startswith(begin or "")]


def run(path: Path, timeout: int) -> None:
    """Execute a notebook where it lies; it is written only if no cell fails."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(HERE)}},
    )
    client.coalesce_streams = True
    client.execute()
    tidy(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def tidy(notebook: Any) -> None:
    """Take out what changes from run to run, and make pictures small."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat_minor = 5
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = {"tags": list(cell.metadata["tags"])} if cell.metadata.get("tags") else {}
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if not o.get("text", "").startswith(COMPILING)]
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
                output.data.pop("text/plain", None)  # the size of the figure


def smaller(picture: str) -> str:
    """A PNG picture with few colours, as base64."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def use_this_wengert() -> None:
    """Kernels import wengert from this checkout."""
    rest = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(HERE.parent) + (os.pathsep + rest if rest else "")


def main() -> int:
    """Run what the command line names, and say what each cost."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.execute", description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of file names, such as 02; else all")
    parser.add_argument("--timeout", type=int, default=180, help="seconds for a cell")
    args = parser.parse_args()
    use_this_wengert()
    wrong = 0
    for notebook in chosen(args.names):
        before, start = cpu_time(), time.perf_counter()
        try:
            run(notebook, args.timeout)
        except Exception as error:
            print(f"{notebook.name}: {error}", file=sys.stderr)
            wrong += 1
            continue
        seconds, used, size = (
            time.perf_counter() - start,
            cpu_time() - before,
            notebook.stat().st_size,
        )
        print(
            f"{notebook.name}: {seconds:.0f} s, {used:.0f} s of CPU time, {size // 1000} KB",
            flush=True,
        )
        if size > LIMIT:
            print(
                f"{notebook.name}: more than {LIMIT // 1000} KB; take out pictures", file=sys.stderr
            )
            wrong += 1
    return 1 if wrong else 0


def cpu_time() -> float:
    """Seconds that kernels have computed so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
