"""The command line ``wengert``: its parser, and which function does what."""

from __future__ import annotations

import argparse
import platform
import sys

from ...backends.config import show_config
from .comparing import checkout, comparison
from .failing import failures

__all__ = ["main", "parser"]

TEXT = "Train the examples, look at models, and measure: wengert, reverse-mode automatic differentiation."
MODEL = (
    "an example model (--list names them), path/to/file.py:Name or package.module:name; with arguments in quotes: "
    "'resnet18(classes=10)'"
)


def main(words: list[str] | None = None) -> int:
    """Run the command ``wengert``.

    Args:
        words: what follows the command's name; that of the process when left out.

    Returns:
        The exit code: 0, 1 when it failed, 2 for arguments that it does not take, 130 when it was stopped by Ctrl-C.

    Example:
        >>> from wengert.utils.command import main
        >>> main(["summary", "lenet5"])
        layer            output        parameters     FLOPs  activations
        ...
        61,706 parameters; 833.04 k FLOPs; 57.0 KiB of activations
        0
    """
    words = sys.argv[1:] if words is None else list(words)
    in_full = "--traceback" in words
    words = [word for word in words if word != "--traceback"]  # wherever it is, also among an example's options
    with failures("wengert", in_full) as outcome:
        args, rest = _parsed(words)
        outcome.code = _run(args, rest)
    return outcome.code


def _parsed(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The arguments, and those that are somebody else's: an example's, or those of a checkout's benchmarks."""
    whole = parser()
    first = next((i for i, word in enumerate(words) if not word.startswith("-")), len(words))
    command, rest = words[first : first + 1], words[first + 1 :]
    if command == ["train"] and rest and not rest[0].startswith("-"):
        return whole.parse_args(words[: first + 2]), rest[1:]  # --help, too, is the example's
    if command == ["bench"] and checkout() and not {"-h", "--help", "--own"}.intersection(rest):
        return whole.parse_args(words[: first + 1]), rest
    return whole.parse_args(words), []


def _run(args: argparse.Namespace, rest: list[str]) -> int:
    """What a subcommand does is imported when it is wanted."""
    if args.command == "config":
        show_config()
        return 0
    if args.command == "bench":
        root = checkout()
        if root is not None and not args.own:
            return comparison(root, rest)
        from .bench import bench

        return bench(args.pattern, args.device, args.seconds)
    if args.command == "train":
        from . import train

        if args.name is None:
            print("\n".join(["examples, each with its own --help:", *train.listing()]))
            return 0
        return train.train(args.name, rest)
    from . import showing, subject

    if args.list:
        for name, (_, inputs) in subject.known_models().items():
            print(f"  {name:<20} {', '.join(inputs)}")
        return 0
    return showing.graph(args) if args.command == "graph" else showing.summary(args)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    whole = argparse.ArgumentParser("wengert", description=TEXT)
    whole.add_argument("--version", action="version", version=_version())
    whole.add_argument(
        "--traceback", action="store_true", help="show errors in full, as the environment variable WENGERT_DEBUG=1 does"
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _train(commands.add_parser("train", help="run an example by name", description="Run one of the examples."))
    for name, text in (
        ("graph", "draw the graph that a model records, or write it as a page to play"),
        ("summary", "print a model's layers: shapes, parameters, arithmetic, memory"),
    ):
        _model(commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}."), name)
    commands.add_parser(
        "config", help="print versions, devices and settings", description="Print what is computed with."
    )
    _bench(
        commands.add_parser("bench", help="measure speed", description="Measure the speed of operations and layers.")
    )
    return whole


def _version() -> str:
    return f"wengert {sys.modules[__name__.partition('.')[0]].__version__} (Python {platform.python_version()})"


def _train(train: argparse.ArgumentParser) -> None:
    train.usage = "wengert train NAME [options of the example]\n       wengert train --list"
    train.epilog = (
        "wengert train NAME --help shows the options: --device, --epochs or --steps, --lr, --data, --out, ..."
    )
    which = train.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar="NAME", help="the example")
    which.add_argument("--list", action="store_true", help="name the examples")


def _model(command: argparse.ArgumentParser, name: str) -> None:
    option = command.add_argument
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("model", nargs="?", metavar="MODEL", help=MODEL)
    which.add_argument("--list", action="store_true", help="name the example models, with their inputs")
    option(
        "--input",
        action="append",
        metavar="SHAPE",
        help="what it is called with: 1x3x32x32, or 1x16:int64; several with commas; example models know theirs",
    )
    option("--torch", action="store_true", help="in a file that imports torch, let wengert stand in its place")
    option("--device", default="cpu", help="where to compute (default: %(default)s)")
    option("--seed", type=int, default=0, help="of weights and inputs (default: %(default)s)")
    if name == "summary":
        option("--depth", type=int, help="how deep the table goes (default: to the end)")
        return
    option(
        "-o",
        "--output",
        action="append",
        metavar="FILE",
        help="what to write, by its ending: .html (a page), .svg, .png, .dot, .json, .txt; may be given several times "
        "(default: MODEL.html)",
    )
    option("--most", type=int, help="about how many boxes are shown; larger models are folded by module")
    option("--eval", action="store_true", help="in evaluation mode; in training mode unless told")
    option("--open", action="store_true", help="open what was written in a browser")


def _bench(bench: argparse.ArgumentParser) -> None:
    bench.usage = "wengert bench [PATTERN ...] [--device DEVICE] [--own] [--seconds SECONDS]"
    bench.epilog = (
        "In a checkout, and without --own, this is benchmarks/run.py, which compares with PyTorch and JAX: --quick, "
        "--list, --only and its other options are taken. Installed, it prints a short table of this machine."
    )
    bench.add_argument("pattern", nargs="*", metavar="PATTERN", help="parts of names; all unless given")
    bench.add_argument("--device", default="cpu", help="where to compute (default: %(default)s)")
    bench.add_argument("--own", action="store_true", help="the short table in a checkout, too")
    bench.add_argument("--seconds", type=float, default=0.3, help="for each line of it (default: %(default)s)")
