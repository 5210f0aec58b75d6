"""What goes wrong around files and data: errors that say what and where, and nothing lost of what was there."""

from __future__ import annotations

import csv
import errno
import json
import os
import stat
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from wengert import nn
from wengert.utils import safetensors
from wengert.utils.data import DataLoader, Dataset
from wengert.utils.tensor_files import load_file, load_sharded, save_file, save_sharded
from wengert.utils.training import Checkpoint, CSVLog, Trainer

ROOT = Path(__file__).parent.parent


class FullDisk:
    """A file that takes some bytes, and then no more."""

    def __init__(self, file: Any, room: list[int]) -> None:
        self._file, self._room = file, room

    def write(self, content: Any) -> int:
        self._room[0] -= memoryview(content).nbytes
        if self._room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many bytes still fit on the disk."""
    room = [1 << 40]
    opened = safetensors._opened
    monkeypatch.setattr(safetensors, "_opened", lambda *paths: FullDisk(opened(*paths), room))
    return room


WRITERS = {
    "state.pt": lambda tensors, path: wg.save(tensors, path),
    "state.safetensors": lambda tensors, path: wg.save(tensors, path),
    "file.safetensors": lambda tensors, path: save_file(tensors, path),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("room", [0, 700, 4100])
def test_a_full_disk_leaves_what_was_there(name: str, room: int, tmp_path: Path, disk: list[int]):
    path = tmp_path / name
    WRITERS[name]({"x": wg.ones(1000)}, path)
    disk[0] = room
    with pytest.raises(OSError, match="No space left"):
        WRITERS[name]({"x": wg.zeros(2000)}, path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert wg.load(path)["x"].tolist() == [1.0] * 1000


def test_a_full_disk_within_several_files_leaves_all_of_them(tmp_path: Path, disk: list[int]):
    save_sharded({"a": wg.ones(1000), "b": wg.ones(1000)}, tmp_path, max_shard_size=4000)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for room in (3000, 6000, 8300):
        disk[0] = room
        with pytest.raises(OSError, match="No space left"):
            save_sharded({"a": wg.zeros(1000), "b": wg.zeros(1000)}, tmp_path, max_shard_size=4000)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert load_sharded(tmp_path)["a"].sum() == 1000


LIMITED = """
import resource, signal, sys
import wengert as wg
wg.save(wg.ones(10), sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    wg.save(wg.ones(100_000), sys.argv[1])
except OSError as error:
    print(error.errno, wg.load(sys.argv[1]).tolist() == [1.0] * 10)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are POSIX's")
def test_a_file_that_the_system_cuts_off_leaves_the_last_one(tmp_path: Path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "state.pt")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [str(errno.EFBIG), "True"], done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("name", WRITERS)
def test_places_where_nothing_can_be_written_are_named(name: str, tmp_path: Path):
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist") as raised:
        WRITERS[name]({"x": wg.ones(2)}, tmp_path / "nowhere" / name)
    assert isinstance(raised.value, OSError)
    assert raised.value.errno == errno.ENOENT
    (tmp_path / name).mkdir()
    with pytest.raises(OSError, match="this is a folder"):
        WRITERS[name]({"x": wg.ones(2)}, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_folders_without_permission_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):  # the superuser may write everywhere

        def refused(*args: Any) -> Any:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(safetensors, "open", refused, raising=False)
        monkeypatch.setattr("wengert.utils.training.checkpoints.os.access", lambda *args: False)
    with pytest.raises(OSError, match="for want of permission"):
        wg.save(wg.ones(2), folder / "x.pt")
    with pytest.raises(PermissionError, match="choose another folder"):
        Checkpoint(folder).on_fit_start(types.SimpleNamespace())  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and pipes are POSIX's")
def test_permissions_stay_and_pipes_are_written_to(tmp_path: Path):
    path = tmp_path / "x.pt"
    wg.save(wg.ones(2), path)
    path.chmod(0o600)
    wg.save(wg.zeros(2), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    link = tmp_path / "link.pt"
    link.symlink_to(path)
    wg.save(wg.ones(3), link)
    assert link.is_symlink()
    assert wg.load(path).tolist() == [1.0, 1.0, 1.0]
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    save_file({"x": wg.ones(2)}, pipe)
    reader.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    path.write_bytes(read[0])
    assert load_file(path)["x"].tolist() == [1.0, 1.0]


KILLED = """
import os, sys
import wengert as wg
from wengert.utils import safetensors
from wengert.utils.tensor_files import save_sharded
real, count = os.fsync, 0
def dies(number):
    global count
    real(number)
    count += 1
    if count == 2:
        os.kill(os.getpid(), 9)
os.fsync = dies
save_sharded({"a": wg.zeros(1000), "b": wg.zeros(1000)}, sys.argv[1], max_shard_size=4000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_process_killed_within_several_files_leaves_all_of_them(tmp_path: Path):
    save_sharded({"a": wg.ones(1000), "b": wg.ones(1000)}, tmp_path, max_shard_size=4000)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT)
    assert ended.returncode == -9
    assert len(list(tmp_path.glob("*.tmp"))) == 3  # it was in the middle of it
    assert {name: float(t.sum()) for name, t in load_sharded(tmp_path).items()} == {"a": 1000.0, "b": 1000.0}


# ---------------------------------------------------------------------- logs


def log_of(path: Path, epochs: int, resumed: int | None = None) -> None:
    """A log of some epochs; gone on with from epoch ``resumed`` if given."""
    log = CSVLog(path)
    start = resumed or 0
    log.on_fit_start(types.SimpleNamespace(epoch=start, batch=0))  # type: ignore[arg-type]
    for epoch in range(start, epochs):
        log.on_epoch_end(types.SimpleNamespace(), {"epoch": epoch, "loss": epoch / 2})  # type: ignore[arg-type]


def test_a_log_goes_on(tmp_path: Path):
    path = tmp_path / "deep" / "log.csv"
    log_of(path, 4)
    log_of(path, 5, resumed=2)
    with open(path, newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2", "3", "4"]
    with open(path, "a") as file:
        file.write("5,2.")  # the process died within the line
    log_of(path, 6, resumed=5)
    assert path.read_text().split() == ["epoch,loss", *[f"{i},{i / 2}" for i in range(6)]]


def test_a_log_that_is_another_file_is_left_alone(tmp_path: Path):
    path = tmp_path / "prices.csv"
    path.write_text("item,price\nbread,3\n")
    with pytest.raises(ValueError, match=r"prices.csv is there, and is no log of epochs.*'bread'"):
        log_of(path, 3, resumed=1)
    assert path.read_text() == "item,price\nbread,3\n"


def test_a_full_disk_leaves_the_log(tmp_path: Path, disk: list[int]):
    path = tmp_path / "log.csv"
    log_of(path, 4)
    before = path.read_text()
    disk[0] = 5
    with pytest.raises(OSError, match="No space left"):
        log_of(path, 4, resumed=2)
    assert path.read_text() == before


# ---------------------------------------------------------------------- data


class Items(Dataset):
    """Twenty items, one of which is not as the others."""

    def __init__(self, fault: str = "", at: int = 13, size: int = 20) -> None:
        self.fault, self.at, self.size = fault, at, size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        if index == self.at and self.fault == "error":
            raise OSError("the file of this item is gone")
        if index == self.at and self.fault == "class":
            return wg.ones(4), wg.tensor(9)
        return wg.ones(5 if index == self.at and self.fault == "shape" else 4), wg.tensor(index % 3)


def notes_of(call: Any) -> str:
    with pytest.raises((OSError, RuntimeError, IndexError)) as raised:
        call()
    return "\n".join([str(raised.value), *getattr(raised.value, "__notes__", [])])


def test_a_bad_item_is_named():
    assert "This was item 13 of the Items." in notes_of(lambda: list(DataLoader(Items("error"), 4)))
    text = notes_of(lambda: list(DataLoader(Items("shape"), 4)))
    assert "[4] at entry 0 and [5] at entry 1" in text
    assert "This was the batch of items [12, 13, 14, 15]." in text
    assert "the batch of items [12, 13, 14, 15]" in notes_of(lambda: list(DataLoader(Items("shape"), 4, num_workers=1)))


@pytest.mark.parametrize("fault", ["error", "shape", "class"])
def test_a_bad_batch_is_named_and_training_keeps_what_it_has(fault: str, tmp_path: Path):
    model = nn.Linear(4, 3)
    optimizer = wg.optim.SGD(model.parameters(), lr=0.1)
    callbacks = [Checkpoint(tmp_path, monitor=None, every_steps=1)]
    trainer = Trainer(model, optimizer, nn.CrossEntropyLoss(), callbacks=callbacks)
    text = notes_of(lambda: trainer.fit(DataLoader(Items(fault), 4), epochs=2))
    assert "This was batch 3 of epoch 0." in text
    assert wg.load(tmp_path / "last.pt")["batch"] == 3


def test_no_data():
    assert list(DataLoader(Items(size=0), 4)) == []
    with pytest.raises(ValueError, match="num_samples=0"):
        DataLoader(Items(size=0), 4, shuffle=True)
    model = nn.Linear(4, 3)
    trainer = Trainer(model, wg.optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss())
    empty = "gave no batch"
    for data in ([], DataLoader(Items(size=0), 4), DataLoader(Items(size=3), 4, drop_last=True)):
        with pytest.raises(RuntimeError, match=empty):
            trainer.fit(data, epochs=1)
        with pytest.raises(RuntimeError, match=empty):
            trainer.evaluate(data)
        with pytest.raises(RuntimeError, match=empty):
            trainer.predict(data)


# ---------------------------------------------------------------------- hostile files


def test_headers_that_promise_too_much_are_refused(tmp_path: Path):
    path = tmp_path / "x.safetensors"
    entry = {"dtype": "F32", "shape": [1 << 40, 1 << 20], "data_offsets": [0, 8]}
    for header, begin in (
        (b'{"x":' + json.dumps(entry).encode() + b"}", None),
        (b"{" * 10_000, None),
        (b"{}", 1 << 62),
        (json.dumps({"x": {**entry, "shape": [-1]}}).encode(), None),
        (json.dumps({"x": {**entry, "shape": [2], "data_offsets": [4, 12]}}).encode(), None),
        (json.dumps({"x": {**entry, "shape": [2], "dtype": "F99"}}).encode(), None),
    ):
        path.write_bytes((begin or len(header)).to_bytes(8, "little") + header + bytes(8))
        for read in (wg.load, load_file):
            with pytest.raises(RuntimeError, match="cannot load"):
                read(path)


def test_an_index_does_not_lead_out_of_its_folder(tmp_path: Path):
    save_file({"a": wg.ones(2)}, tmp_path / "secret.safetensors")
    inside = tmp_path / "model"
    inside.mkdir()
    for place in ("../secret.safetensors", str(tmp_path / "secret.safetensors"), 3, "", "."):
        (inside / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": place}}))
        with pytest.raises((RuntimeError, OSError)):
            load_sharded(inside)


def test_a_small_archive_does_not_unpack_to_a_large_one(tmp_path: Path):
    """Files of PyTorch's are stored as they are; a packed entry of 1 GB in 1 MB is refused before it is unpacked."""
    import zipfile

    path = tmp_path / "bomb.pt"
    file = tmp_path / "small.pt"
    wg.save({"x": wg.zeros(4)}, file)
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in good.namelist():
            content = bytes(1 << 26) if name.endswith("data/0") else good.read(name)
            bomb.writestr(name, content)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(RuntimeError, match="cannot load"):
        wg.load(path)
