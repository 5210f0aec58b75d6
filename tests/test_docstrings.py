"""Everything public says what it is, and every example in a docstring runs."""

from __future__ import annotations

import builtins
import doctest
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from .test_layering import FILES

# What an extra brings: a module that needs it at import cannot be looked at without it.
OPTIONAL = {"cudnn", "cupy", "cupyx", "graphviz", "matplotlib", "numba", "onnx", "sklearn", "tensorboardX", "tqdm"}
# The parts of a primitive, explained once at its base class: the rule itself is the text.
RULE_PARTS = {"forward", "backward", "backward_graph", "derivative", "formula"}
METHODS = (property, classmethod, staticmethod)
BUILTINS = {name: value for name, value in vars(builtins).items() if name[0] != "_"}  # `wengert.bool` is a dtype


@pytest.fixture(params=list(FILES), scope="module")
def module(request: pytest.FixtureRequest) -> ModuleType:
    try:
        return importlib.import_module(request.param)
    except ImportError as error:
        if (error.name or "").split(".")[0] in OPTIONAL:
            pytest.skip(f"{request.param} needs {error.name}, which is not installed")
        raise


def is_public(module: ModuleType, name: str) -> bool:
    return name in module.__all__ if hasattr(module, "__all__") else not name.startswith("_")


def public_objects(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public functions and classes that a module defines, with the public methods and properties of the classes."""
    for name, value in vars(module).items():
        if not is_public(module, name) or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value) or inspect.isfunction(value):
            yield name, value
        for part, member in vars(value).items() if inspect.isclass(value) else ():
            if (
                not part.startswith("_")
                and part not in RULE_PARTS
                and (callable(member) or isinstance(member, METHODS))
            ):
                yield f"{name}.{part}", getattr(value, part)


def test_public_names_have_docstrings(module: ModuleType):
    assert module.__doc__, f"{module.__name__} does not say what lives in it"
    bare = [name for name, value in public_objects(module) if not inspect.getdoc(value)]
    assert not bare, f"{module.__name__}: without a docstring: {', '.join(bare)}"


def test_examples_run(module: ModuleType):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.testmod(module, optionflags=flags, extraglobs=BUILTINS)
    assert not failed, f"{failed} examples of {module.__name__} do not give what they show"
