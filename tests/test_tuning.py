"""The environment that is set before NumPy loads: on which CPUs, and never over the user's own settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wengert as wg
from wengert.backends import tuning
from wengert.backends.cpu import compiled, threads

ROOT = Path(__file__).parent.parent
AMD = "processor : 0\nvendor_id : AuthenticAMD\nflags : fpu avx2 {}\n"


@pytest.mark.parametrize(
    ("vendor", "flags", "core"),
    [
        ("AuthenticAMD", tuning.AVX512, "SkylakeX"),
        ("AuthenticAMD", tuning.AVX512 - {"avx512vl"}, None),
        ("AuthenticAMD", {"avx2"}, None),
        ("GenuineIntel", tuning.AVX512, None),  # OpenBLAS chooses well there
        ("", set(), None),
    ],
)
def test_settings_by_cpu(vendor: str, flags: set[str], core: str | None) -> None:
    assert tuning.settings(vendor, flags).get("OPENBLAS_CORETYPE") == core


def test_flags_are_read_and_a_missing_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(AMD.format("avx512f"))
    assert tuning.cpu_flags(str(path)) == ("AuthenticAMD", {"fpu", "avx2", "avx512f"})
    assert tuning.cpu_flags(str(tmp_path / "none")) == ("", set())


def run(code: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OMP_", "WENGERT_"))}
    kept |= {"PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True)
    return done.stdout.strip()


SHOW = "import wengert, os; print(os.environ.get('OMP_WAIT_POLICY'), wengert.backends.tuning.advice())"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="nothing is set on other machines")
def test_a_process_is_tuned_unless_the_user_says_otherwise() -> None:
    assert run(SHOW).startswith("passive OPENBLAS_THREAD_TIMEOUT=10")
    assert run(SHOW, OMP_WAIT_POLICY="active").startswith("active OPENBLAS_THREAD_TIMEOUT=10")
    assert run(SHOW, WENGERT_TUNE="0") == "None off (WENGERT_TUNE=0)"
    assert "NumPy was imported before" in run("import numpy; " + SHOW)


def test_the_number_of_threads_is_one_for_all() -> None:
    """What BLAS uses, and in how many parts a compiled loop is shared out."""
    blas = threads._openblas()
    parts: list[tuple[int, int]] = []
    before = wg.get_num_threads()
    try:
        for number in (1, 3):
            wg.set_num_threads(number)
            assert wg.get_num_threads() == number
            assert blas is None or blas[0]() == number
            parts.clear()
            compiled.spread(lambda start, stop: parts.append((start, stop)), 4 * compiled.SHARED, 1)
            assert len(parts) == number
            with threads.one_for_blas():
                assert blas is None or blas[0]() == 1
    finally:
        wg.set_num_threads(before)


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    wg.show_config()
    shown = capsys.readouterr().out
    assert shown.startswith("wengert ")
    assert "tuning" in shown
    assert f"threads         {wg.get_num_threads()}\n" in shown
    assert "default device  cpu" in shown
