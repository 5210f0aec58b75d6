"""Imports go one way: backends <- autograd <- {nn, optim, ..., func, viz, utils} <- wengert, and never in a circle."""

from __future__ import annotations

import ast
import graphlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Which folders the modules of each folder may import from, besides their own.
ARROWS = {
    "backends": set(),
    "autograd": {"backends"},
    "array_api": {"backends", "autograd"},
    "nn": {"backends", "autograd"},
    "optim": {"backends", "autograd"},
    "distributions": {"backends", "autograd"},
    "func": {"backends", "autograd", "nn"},
    "viz": {"backends", "autograd", "nn"},
    "utils": {"backends", "autograd", "nn", "distributions", "optim", "viz"},
}
ARROWS["wengert"] = set(ARROWS)
ARRAY_LIBRARIES = {"numpy", "cupy", "cupyx", "cupy_backends", "numba"}
MAY_IMPORT_ARRAYS = {"backends", "viz", "utils"}
MAX_FILE, MAX_FUNCTION = 400, 40


def module_name(path: Path) -> str:
    """``autograd/ops/math.py`` -> ``wengert.autograd.ops.math``; a package is named without ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "wengert" else ("wengert", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for folder in ARROWS for path in sorted((ROOT / folder).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in FILES.items()}


def folder_of(module: str) -> str:
    """The folder that a ``wengert.*`` module is in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ARROWS else "wengert"


def targets(module: str, node: ast.AST) -> Iterator[str]:
    """The full names of the modules that an import statement names; nothing for other nodes."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = module.split(".") if FILES[module].name == "__init__.py" else module.split(".")[:-1]
            above = package[: len(package) - node.level + 1]
            base = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in FILES else base
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")) and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("."):
            yield first.value


def imports(module: str) -> Iterator[tuple[int, str]]:
    """Every import of a module as (line, full name), those inside functions included."""
    for node in ast.walk(TREES[module]):
        for target in targets(module, node):
            yield getattr(node, "lineno", 0), target


def runs_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: not function bodies, not ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from runs_on_import(child)


def where(module: str, line: int) -> str:
    return f"{FILES[module].relative_to(ROOT)}:{line}"


def test_the_library_was_found():
    assert {folder_of(module) for module in FILES} >= {"wengert", "backends", "autograd", "nn", "optim"}


@pytest.mark.parametrize("folder", ARROWS)
def test_arrows_go_one_way(folder: str):
    wrong = [
        f"{where(module, line)} imports {target}"
        for module in FILES
        if folder_of(module) == folder
        for line, target in imports(module)
        if target.split(".")[0] == "wengert" and folder_of(target) not in ARROWS[folder] | {folder}
    ]
    assert not wrong, f"{folder}/ may import from {sorted(ARROWS[folder])} only:\n" + "\n".join(wrong)


def test_no_circles():
    graph = {
        module: {
            target
            for node in runs_on_import(tree)
            for target in targets(module, node)
            if target in FILES and target != module
        }
        for module, tree in TREES.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail("modules that import one another: " + " <- ".join(error.args[1]))


def test_arrays_stay_in_backends():
    wrong = [
        f"{where(module, line)} imports {target}"
        for module in FILES
        if folder_of(module) not in MAY_IMPORT_ARRAYS
        for line, target in imports(module)
        if target.split(".")[0] in ARRAY_LIBRARIES
    ]
    assert not wrong, "only backends/ imports an array library:\n" + "\n".join(wrong)


def test_library_code_imports_itself_relatively():
    wrong = [
        where(module, node.lineno)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "wengert")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "wengert" for alias in node.names))
    ]
    assert not wrong, "write a relative import:\n" + "\n".join(wrong)


@pytest.mark.filterwarnings("default::UserWarning")
def test_files_and_functions_are_short():
    """Warns only: a table may be long for a good reason, and a reviewer should see that it is."""
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in FILES.values()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE
    ]
    long += [
        f"{where(module, node.lineno)}: {node.name} has {lines} lines"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := body_lines(node)) > MAX_FUNCTION
    ]
    if long:
        warnings.warn(f"over {MAX_FILE} lines a file or {MAX_FUNCTION} a function:\n" + "\n".join(long), stacklevel=1)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring not counted."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines
