"""What ``wengert graph`` and ``wengert summary`` look at: a model by name or by place, and its input."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ...autograd import ops
from ...backends import DType, dtypes
from ...nn import Module
from .failing import CommandError, UsageError, nearest

__all__ = ["Subject", "inputs_of", "known_models", "subject"]

CATALOGUE = "...examples.models.catalogue"  # seen from here
PLACE = re.compile(r"(?P<place>.+?\.py|[\w.]+):(?P<what>.+)", re.DOTALL)
TYPES = {kind.name: kind for kind in dtypes.ALL}


@dataclass
class Subject:
    """What is to be shown.

    Attributes:
        name: for titles and files.
        call: the model, or another function of the inputs.
        inputs: shapes of what it is called with; None where nobody knows.
    """

    name: str
    call: Callable[..., Any]
    inputs: Sequence[str] | None

    @property
    def model(self) -> Module | None:
        """The model, if it is one."""
        return self.call if isinstance(self.call, Module) else None


def known_models() -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """The example models by name: how each is made, and the shapes of its inputs."""
    known: dict[str, Any] = importlib.import_module(CATALOGUE, __package__).CATALOGUE
    return known


def subject(text: str) -> Subject:
    """What ``text`` names.

    Args:
        text: an example model, ``path/to/file.py:Name``, or ``package.module:name``; in each case with arguments in
            parentheses, if it takes some. Of a file, ``Name`` is a model, a class of models, or a function: one without
            arguments, which returns a model or the outputs to be shown, or one of the inputs.

    Raises:
        UsageError: there is no such thing.
    """
    place = PLACE.fullmatch(text)
    if place is None:
        return _example(text)
    name, arguments = _call(place["what"])
    found: Any = _module(place["place"])
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{place['place']} has no {name}{nearest(part, _callables(found))}")
        found = getattr(found, part)
    if isinstance(found, Module):
        return Subject(name, found, None)
    if not callable(found):
        raise UsageError(f"{text} is a {type(found).__name__}; name a model, a class of models, or a function")
    if inspect.isclass(found) or arguments is not None or _needs_nothing(found):
        return _made(name, found, *(arguments or ((), {})))
    return Subject(name, found, None)


def _example(text: str) -> Subject:
    name, arguments = _call(text)
    known = known_models()
    name = importlib.import_module(CATALOGUE, __package__).known(name)
    if name not in known:
        raise UsageError(
            f"no model is called {text!r} (wengert graph --list names all; others are path/to/file.py:Name or "
            f"package.module:name){nearest(name, known)}"
        )
    make, inputs = known[name]
    made = _made(name, make, *(arguments or ((), {})))
    return Subject(name, made.call, inputs)


def _call(text: str) -> tuple[str, tuple[tuple[Any, ...], dict[str, Any]] | None]:
    """``Net(3, width=8)`` as name and arguments; None for the arguments where there are no parentheses."""
    name, parenthesis, _ = text.partition("(")
    if not parenthesis:
        return name, None
    try:
        tree = ast.parse(text, mode="eval").body
        if not isinstance(tree, ast.Call):
            raise ValueError("no call")
        literal = ast.literal_eval
        return name, (tuple(map(literal, tree.args)), {str(k.arg): literal(k.value) for k in tree.keywords})
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{text!r} is no name with numbers, strings, lists and such as arguments") from error


def _made(name: str, make: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Subject:
    """The model that ``make`` gives; or ``make`` itself, with its arguments, if that gives anything else."""
    try:
        inspect.signature(make).bind(*args, **kwargs)
    except TypeError as error:
        raise UsageError(f"{name}: {error}; give arguments in quotes: '{name}(...)'") from None
    made = make(*args, **kwargs)
    if isinstance(made, Module):
        return Subject(name, made, None)
    return Subject(name, lambda: make(*args, **kwargs), ())


def _needs_nothing(function: Callable[..., Any]) -> bool:
    needed = (p for p in inspect.signature(function).parameters.values() if p.default is p.empty)
    return all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in needed)


def _callables(found: Any) -> list[str]:
    return [name for name in dir(found) if not name.startswith("_") and callable(getattr(found, name))]


def _module(place: str) -> ModuleType:
    """The module of a file, which sees its neighbours as a script does, or of a dotted name, seen from here."""
    if not place.endswith(".py"):
        sys.path.insert(0, "")
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            if error.name is None or not place.startswith(error.name):
                raise
            raise UsageError(f"there is no module {error.name}; a file is named with its .py") from None
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"there is no file {place}")
    sys.path.insert(0, str(path.resolve().parent))
    name = path.stem if path.stem not in sys.modules else f"_{path.stem}_"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{place} cannot be imported")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inputs_of(given: Subject, texts: Sequence[str] | None, device: Any) -> list[Any]:
    """Tensors to call a subject with.

    Args:
        given: the subject.
        texts: shapes with types, ``1x3x32x32`` and ``8x64:int64``; the subject's own unless given.
        device: where to put them.

    Returns:
        Normally distributed floating-point numbers, and zeros of other types, which every embedding has.

    Raises:
        UsageError: nobody knows the shapes, or one is none.
    """
    texts = texts or given.inputs
    if texts is None:
        raise UsageError(f"say what {given.name} is called with: --input 1x3x32x32, or --input 1x16:int64")
    return [_input(text, device) for text in texts]


def _input(text: str, device: Any) -> Any:
    sizes, _, kind = text.partition(":")
    if not re.fullmatch(r"\d+(x\d+)*", sizes):
        raise UsageError(f"--input {text!r} is no shape: write it as 1x3x32x32, with a type as 8x64:int64")
    if kind and kind not in TYPES:
        raise UsageError(f"--input {text!r}: there is no type {kind!r}{nearest(kind, TYPES)}")
    shape = tuple(map(int, sizes.split("x")))
    dtype: DType = TYPES[kind or "float32"]
    if dtype.is_floating_point or dtype.is_complex:
        return ops.randn(shape, dtype=dtype, device=device)
    return ops.zeros(shape, dtype=dtype, device=device)
