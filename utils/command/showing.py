"""``wengert graph`` and ``wengert summary``: what a model records, as a picture or a page, and its table."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import viz
from ...autograd.base import TensorBase
from ...autograd.graph import Graph
from ...autograd.random import manual_seed
from ...backends import Device
from .failing import CommandError, UsageError, nearest
from .subject import Subject, inputs_of, subject

if TYPE_CHECKING:
    import argparse
    import contextlib

    from ...nn import Module

__all__ = ["FORMATS", "graph", "summary"]

FORMATS = ("html", "svg", "png", "dot", "json", "txt")


def graph(args: argparse.Namespace) -> int:
    """Run the model once and write what it recorded."""
    files = [Path(name) for name in args.output or [f"{_file_name(args.model)}.html"]]
    for file in files:
        ending = file.suffix[1:].lower()
        if ending not in FORMATS:
            raise UsageError(f"{file}: the ending is to be one of {', '.join(FORMATS)}{nearest(ending, FORMATS)}")
    shown, inputs = _prepared(args)
    if shown.model is not None:
        shown.model.train(not args.eval)
    recorded = _recorded(shown, inputs, detailed=any(file.suffix.lower() == ".html" for file in files))
    for file in files:
        options = {} if args.most is None else {"most": args.most}
        if file.suffix.lower() == ".html":
            viz.view(recorded, path=file, title=shown.name, **options)
        else:
            viz.draw(recorded, path=file, **options)
        print(f"{file}: {recorded!r}".replace("<Graph: ", "").replace(">", ""))
        if args.open:
            webbrowser.open(file.resolve().as_uri())
    return 0


def summary(args: argparse.Namespace) -> int:
    """Run the model once and print its table."""
    shown, inputs = _prepared(args)
    if shown.model is None:
        raise UsageError(f"{args.model} is no model: a table has the layers of one")
    print(viz.summary(shown.model, *inputs, depth=args.depth))
    return 0


def _prepared(args: argparse.Namespace) -> tuple[Subject, list[Any]]:
    """The model on its device, and its inputs."""
    device = Device(args.device)
    manual_seed(args.seed)
    if args.torch:  # until the process ends: a model may import more when it runs
        sys.modules["torch"] = sys.modules[__name__.partition(".")[0]]
    shown = subject(args.model)
    if shown.model is not None:
        shown.model.to(device)
    texts = [text for given in args.input or () for text in given.split(",")]
    return shown, inputs_of(shown, texts, device)


def _recorded(shown: Subject, inputs: list[Any], detailed: bool) -> Graph:
    """The graph of a run."""
    names: dict[str, Any] = dict(zip(_numbered("input", len(inputs)), inputs, strict=True))
    for x in inputs:  # a model's parameters want gradients; a function has nothing but its inputs
        x.requires_grad = shown.model is None and (x.dtype.is_floating_point or x.dtype.is_complex)
    with _watching(shown.model, detailed):
        result = shown.call(*inputs)
    outputs = {path: t for path, t in _tensors("output", result) if t.requires_grad}
    if not outputs:
        raise CommandError(
            f"{shown.name} recorded nothing: no tensor that it returned depends on one with requires_grad"
        )
    if shown.model is not None:
        names |= dict(shown.model.named_parameters())
    return Graph(outputs, names)


def _watching(model: Module | None, detailed: bool) -> contextlib.AbstractContextManager[None]:
    return viz.record(model, values=detailed, lines=detailed, times=detailed)


def _tensors(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The tensors of a nest, with names that say where they are; those of a tuple are not named after it alone."""
    if isinstance(value, TensorBase):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _tensors(str(key), item)
    elif isinstance(value, list | tuple):
        items = [item for item in value if item is not None]
        for name, item in zip(_numbered(path, len(items)), items, strict=True):
            yield from _tensors(name, item)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}{i}" for i in range(count)]


def _file_name(text: str) -> str:
    """``a/net.py:Net(3)`` -> ``Net``."""
    return text.rpartition(":")[2].partition("(")[0].replace(".", "_")
