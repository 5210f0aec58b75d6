"""What the command says when it fails: one line, and an exit code."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator

__all__ = ["CommandError", "UsageError", "failures", "nearest"]

# The extra that brings a module.
EXTRAS = {
    "cupy": "cuda13",
    "graphviz": "viz",
    "matplotlib": "viz",
    "numba": "fast",
    "onnx": "onnx",
    "sklearn": "sklearn",
    "tensorboardX": "tensorboard",
    "tqdm": "train",
}


class CommandError(Exception):
    """Something that the command cannot do, in words for its user."""

    code = 1


class UsageError(CommandError):
    """Arguments that it does not take."""

    code = 2


class Outcome:
    """The exit code."""

    code = 0


def nearest(word: str, known: Iterable[str]) -> str:
    """A question that ends an error: whether another name was meant; empty where none is like it."""
    found = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"; did you mean {found[0]}?" if found else ""


def wants_traceback(asked: bool) -> bool:
    """Whether errors are shown in full: ``--traceback``, or the environment's WENGERT_DEBUG."""
    return asked or os.environ.get("WENGERT_DEBUG", "0") not in ("", "0")


@contextlib.contextmanager
def failures(command: str, in_full: bool) -> Iterator[Outcome]:
    """A block whose exceptions become lines on stderr and an exit code."""
    outcome = Outcome()
    try:
        yield outcome
    except SystemExit as stop:  # argparse's, and that of an example
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        outcome.code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:  # the reader has seen enough: wengert config | head -1
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - Python flushes it at exit
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        outcome.code = 130
    except Exception as error:
        outcome.code = getattr(error, "code", 1) if isinstance(error, CommandError) else 1
        if wants_traceback(in_full):
            traceback.print_exc()
        else:
            print(f"{command}: {said(error)}", file=sys.stderr)


def said(error: Exception) -> str:
    """An exception in words."""
    text = str(error) or type(error).__name__
    if isinstance(error, CommandError):
        return text
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        extra = EXTRAS.get(package)
        return f"this needs {package}: pip install " + (f"'wengert[{extra}]'" if extra else package)
    if isinstance(error, ImportError | OSError):
        return text  # which says what to install, or which file it is
    return f"{type(error).__name__}: {text} (--traceback shows where)"
