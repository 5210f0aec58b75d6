"""A plain checkout, an editable install and a wheel each import their own copy, from any directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = set(PYPROJECT["tool"]["setuptools"]["packages"])
FOLDERS = PYPROJECT["tool"]["setuptools"]["package-dir"]
TEMPORARY = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")

PROGRAM = """
import sys
import wengert as wg
x = wg.tensor([1.0, 2.0], requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 4.0], x.grad
model = wg.nn.Linear(2, 1)
wg.optim.SGD(model.parameters(), lr=0.1).step()
heavy = {"cupy", "numba", "matplotlib", "scipy", "sklearn", "torch", "tqdm"} & set(sys.modules)
assert not heavy, f"import wengert also imported {heavy}"
print(wg.__version__, wg.__file__, wg.autograd.__file__)
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What the command prints; the test fails with all of its output if the command does."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=inherited | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))} in {cwd}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a clone has, so that building leaves nothing in the real one."""
    copy = tmp_path_factory.mktemp("clone") / "wengert-checkout"
    for folder in FOLDERS.values():
        if (ROOT / folder).exists():
            shutil.copytree(ROOT / folder, copy / folder, ignore=TEMPORARY)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", checkout.parent, checkout, cwd=checkout.parent)
    (built,) = checkout.parent.glob("wengert-*.whl")
    return built


def install(environment: Path, *what: str | Path) -> Path:
    """An environment with nothing but ``what`` and the base dependencies; returns its interpreter."""
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--ignore-installed")
    run(*pip, "--prefix", environment, *what, cwd=environment.parent)
    python = environment / "bin" / "python"
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=environment.parent)
    # The running environment's packages are put behind the new one's own. Paths named in a .pth file are not searched
    # for further .pth files, so an editable install of the running environment stays unseen.
    (Path(packages.strip()) / "dependencies.pth").write_text(
        "\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}), encoding="utf-8"
    )
    return python


def imported_from(output: str) -> tuple[Path, Path]:
    """Where `PROGRAM` found the package, and where its autograd."""
    _, front, engine = output.split()
    return Path(front).resolve().parent, Path(engine).resolve().parent


def folder_packages(root: Path) -> set[str]:
    """The packages that the folders hold."""
    found = set()
    for package, folder in FOLDERS.items():
        for init in (root / folder).rglob("__init__.py"):
            found.add(".".join((package, *init.parent.relative_to(root / folder).parts)))
    return found


def test_package_list_is_the_tree():
    assert folder_packages(ROOT) == PACKAGES


def test_plain_checkout(checkout: Path, tmp_path: Path):
    for cwd in (tmp_path, checkout):
        output = run(sys.executable, "-c", PROGRAM, cwd=cwd, PYTHONPATH=str(checkout))
        assert imported_from(output) == (checkout / "wengert", checkout / "autograd")


def test_editable_install(checkout: Path, tmp_path: Path):
    python = install(tmp_path / "environment", "--editable", checkout)
    for cwd in (tmp_path, checkout):
        assert imported_from(run(python, "-c", PROGRAM, cwd=cwd)) == (checkout / "wengert", checkout / "autograd")


def test_wheel(checkout: Path, wheel: Path, tmp_path: Path):
    environment = tmp_path / "environment"
    python = install(environment, wheel)
    front, engine = imported_from(run(python, "-c", PROGRAM, cwd=tmp_path))
    assert environment in front.parents
    assert engine == front / "autograd"
    command = environment / "bin" / "wengert"
    assert "  digits " in run(python, command, "train", "--list", cwd=tmp_path)
    assert "61,706 parameters" in run(python, command, "summary", "lenet5", cwd=tmp_path)
    # Python puts the current directory first, so in a checkout it is the checkout that is imported, all of it
    assert imported_from(run(python, "-c", PROGRAM, cwd=checkout)) == (checkout / "wengert", checkout / "autograd")


def test_wheel_holds_the_tree_as_one_package(checkout: Path, wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    tree = {
        "/".join((*package.split("."), *file.relative_to(checkout / folder).parts))
        for package, folder in FOLDERS.items()
        for file in (checkout / folder).rglob("*.*")
        if file.is_file() and "__pycache__" not in file.parts  # other tests run programs in this copy
    }
    assert {name for name in names if ".dist-info/" not in name} == tree
    assert "wengert/py.typed" in tree
    assert "License-Expression: MIT" in metadata
