"""Getting files from the network, only when asked to: checked, resumed, from whichever mirror answers."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...backends.errors import WengertError

__all__ = ["DownloadError", "MissingFilesError", "fetch", "opened"]

CHUNK = 1 << 18
TIMEOUT = 30  # seconds without an answer


class MissingFilesError(WengertError, RuntimeError):
    """Files of a data set that are not there."""


class DownloadError(WengertError, RuntimeError):
    """A file that could not be fetched, or is not what it should be."""


def fetch(urls: Sequence[str], path: Path, md5: str, progress: bool = True) -> Path:
    """Download a file, unless it is there.

    It is written beside its place, from where an earlier attempt has stopped, and moves there when it is complete and
    has the right checksum.

    Args:
        urls: where it can be had; the next is tried when one does not answer.
        path: where to put it.
        md5: its checksum.
        progress: say on standard error how far it is.

    Raises:
        RuntimeError: none of the addresses gave the file; the message says why, and where to put it by hand.
    """
    if path.exists() and checksum(path) == md5:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    reasons = []
    for url in urls:
        try:
            _download(url, beside, progress)
        except (urllib.error.URLError, OSError, ValueError) as error:
            reasons.append(f"{url}: {error}")
            continue
        if checksum(beside) != md5:
            beside.unlink()
            reasons.append(f"{url}: the file has another checksum than {md5}, so it was not kept")
            continue
        os.replace(beside, path)
        return path
    raise DownloadError(
        f"cannot fetch {path.name}:\n  " + "\n  ".join(reasons) + f"\nDownload it by hand from one of these addresses, "
        f"and put it at {path}"
    )


def _download(url: str, beside: Path, progress: bool) -> None:
    have = beside.stat().st_size if beside.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # there is no more: it is complete already
            return
        raise
    with answer, open(beside, "ab" if answer.status == 206 else "wb") as file:
        have = file.tell()
        total = have + int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            have += len(chunk)
            if progress and sys.stderr.isatty():
                print(f"\r{url.rpartition('/')[2]}: {have / 1e6:.1f} of {total / 1e6:.1f} MB", end="", file=sys.stderr)
        if progress and sys.stderr.isatty():
            print(file=sys.stderr)
    if have < total:
        raise OSError(f"the connection ended after {have} of {total} bytes")


def checksum(path: Path) -> str:
    """The MD5 sum of a file; it tells damaged files, not forged ones."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def opened(path: Path) -> Any:
    """A file open for reading, unpacked if it ends in ``.gz``."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")
