"""Time the training of programs of ``examples/`` with wengert and with PyTorch: the same file for both, in turns.

    python -m benchmarks.examples mnist_cnn --data mnist.npz --threads 2
    python -m benchmarks.examples gpt_shakespeare --data input.txt --length 300

Each library has a process of its own, which first runs the program with ``--quick``, so that kernels are compiled and
threads have started. What is timed is what the program calls ``seconds``: training, without reading data and testing.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import multiprocessing
import os
import statistics
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .columns import COLUMNS, REFERENCE, cores, environment, limit_threads
from .programs import example
from .turns import order

PROGRAMS = {  # what counts their length, and how long a turn is
    "mnist_mlp": ("epochs", 1),
    "mnist_cnn": ("epochs", 1),
    "char_rnn": ("epochs", 1),
    "gpt_shakespeare": ("steps", 200),
}


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=PROGRAMS, help="the program")
    parser.add_argument("--data", type=Path, help="real data, as the program takes it")
    parser.add_argument("--length", type=int, help="epochs or steps of a turn (default: 1 epoch or 200 steps)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each library (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=cores(), help="of each library (default: all, %(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    return parser.parse_args(words)


def serve(column: str, args: argparse.Namespace, pipe: Connection) -> None:
    """The process of one library: runs the program with the words that it is sent, and sends back its figures."""
    library = importlib.import_module(COLUMNS[column].module)
    limit_threads(column, library, args.threads)
    program = example(library, args.name)
    while words := pipe.recv():
        with contextlib.redirect_stdout(io.StringIO()):
            figures = program.main(words)
        pipe.send(figures)


def started(column: str, args: argparse.Namespace) -> Connection:
    """A process, and the end of the pipe to it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    before = dict(os.environ)
    os.environ.update(environment(column, args.threads, args.device))
    try:
        context.Process(target=serve, args=(column, args, there), daemon=True).start()
    finally:
        os.environ.clear()
        os.environ.update(before)
    there.close()  # so that a process that dies is noticed
    return here


def compared(args: argparse.Namespace) -> dict[str, float]:
    """Print each turn; the median of each library's seconds."""
    unit, usual = PROGRAMS[args.name]
    length = args.length or usual
    words = [f"--{unit}", str(length), "--device", args.device, *(["--data", str(args.data)] if args.data else [])]
    pipes = {column: started(column, args) for column in ("wengert", REFERENCE)}
    times: dict[str, list[float]] = {column: [] for column in pipes}
    print(f"{args.name}, {length} {unit}, {args.threads} threads, {args.device}")
    for column in pipes:
        asked(pipes[column], ["--quick", "--device", args.device])
    for turn in range(args.rounds):
        for column in order(list(pipes), turn):
            figures = asked(pipes[column], words)
            times[column].append(figures["seconds"])
            print(
                f"  {COLUMNS[column].title:8} {figures['seconds']:8.2f} s   loss {figures['train_loss']:.4f}",
                flush=True,
            )
    for pipe in pipes.values():
        pipe.send(None)
    medians = {column: statistics.median(found) for column, found in times.items()}
    print(f"median: wengert {medians['wengert']:.2f} s, PyTorch {medians[REFERENCE]:.2f} s, ", end="")
    print(f"ratio {medians['wengert'] / medians[REFERENCE]:.2f}")
    return medians


def asked(pipe: Connection, words: list[str]) -> dict[str, Any]:
    """What the program says when it is run with ``words``."""
    pipe.send(words)
    figures: dict[str, Any] = pipe.recv()
    return figures


if __name__ == "__main__":
    compared(arguments())
