"""Download the archive of an open corpus, check its SHA-256, and unpack it safely; downloads can be resumed.

Only archives whose checksum was published by others are offered: a checksum of our own first download would prove
nothing.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import ssl
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from asr.errors import DataError
from asr.files import make_folder
from data_prep.recordings import Progress
from data_prep.roots import IN_TRAINING, given_path, search_root

_BLOCK = 1 << 20
_MAX_MEMBERS = 200_000
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_MOST_HEADER_BYTES = 1 << 20  # largest header with a long name
_LENGTH = re.compile("[0-9]{1,15}")
_CONNECTION_ERRORS = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError)


@dataclass(frozen=True)
class Archive:
    """A .tar.gz on the web.

    Attributes:
        url: its address.
        sha256: SHA-256 of the file in hexadecimal.
        checksum_from: publisher of the checksum.
        max_bytes: largest accepted size, packed and unpacked.
    """

    url: str
    sha256: str
    checksum_from: str
    max_bytes: int

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rpartition("/")[2]


def ensure_corpus(
    archive: Archive, root: str, is_corpus: Callable[[Path], bool], on_progress: Progress | None = None
) -> None:
    """Download and unpack a corpus into `root`, unless it is already there.

    Args:
        archive: the archive of the corpus.
        root: the option of this name.
        is_corpus: function that returns whether a folder is the corpus.
        on_progress: called with `(what, done, total)`.

    Raises:
        DataError: no root was given, or `fetch` or `unpack` fails.
    """
    if not root:
        raise DataError(f"download=true needs root=, the folder for the corpus {IN_TRAINING}")
    folder = given_path(root)
    if folder.is_dir() and search_root(folder, is_corpus) is not None:
        return
    make_folder(folder)
    path = fetch(archive, folder, on_progress)
    unpack(path, folder, archive.max_bytes)
    path.unlink()


def fetch(
    archive: Archive, folder: Path, on_progress: Progress | None = None, attempts: int = 5, wait_seconds: float = 2.0
) -> Path:
    """Download an archive into a folder; continue an interrupted download from its `<name>.part`.

    Args:
        archive: the archive.
        folder: folder for the file.
        on_progress: called with `(what, done, total)`.
        attempts: number of successive connections that may fail without receiving a byte.
        wait_seconds: time between attempts.

    Returns:
        The path of the archive. The file gets this name only after its checksum was found correct.

    Raises:
        DataError: the download fails, or the checksum is wrong.
    """
    path = folder / archive.name
    part = folder / f"{archive.name}.part"
    if path.is_file() and _sha256(path) == archive.sha256:
        return path
    resumed = part.is_file() and part.stat().st_size > 0
    _fetch_all(archive, part, on_progress, attempts, wait_seconds)
    if resumed and _sha256(part) != archive.sha256:
        part.unlink()  # the interrupted download may have been of another version
        _fetch_all(archive, part, on_progress, attempts, wait_seconds)
    actual = _sha256(part)
    if actual != archive.sha256:
        part.unlink()
        raise DataError(
            f"{archive.url} has the SHA-256 {actual}; expected {archive.sha256} (from {archive.checksum_from}); the "
            "file was removed; try again, or get the corpus by hand and set root= to its folder"
        )
    os.replace(part, path)
    return path


def _fetch_all(archive: Archive, part: Path, on_progress: Progress | None, attempts: int, wait_seconds: float) -> None:
    """Connect until the file is complete; a connection that received bytes does not count as a failed attempt."""
    failed = 0
    while True:
        before = part.stat().st_size if part.is_file() else 0
        try:
            if _fetch_some(archive, part, before, on_progress):
                return
            reason = "the connection was closed early"
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise _unfetched(archive, f"{error.code} {error.reason}") from error
            reason = f"{error.code} {error.reason}"
        except _CONNECTION_ERRORS as error:
            reason = str(getattr(error, "reason", error))
        except OSError as error:
            raise DataError(f"{part} cannot be written: {error.strerror}; the downloaded part is kept") from error
        after = part.stat().st_size if part.is_file() else 0
        failed = 0 if after > before else failed + 1
        if failed >= attempts:
            raise _unfetched(archive, reason)
        time.sleep(wait_seconds)


def _unfetched(archive: Archive, reason: str) -> DataError:
    return DataError(
        f"{archive.url} cannot be downloaded: {reason}; run the command again to continue, "
        "or get the corpus by hand and set root= to its folder"
    )


def _fetch_some(archive: Archive, part: Path, begin: int, on_progress: Progress | None) -> bool:
    """Connect once and append to the part, or start again if the server does not resume; return whether it is done."""
    headers = {"User-Agent": "ctc-asr", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(archive.url, headers=headers), timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not begin:
            raise
        if error.headers.get("Content-Range") == f"bytes */{begin}":
            return True  # nothing is missing
        part.unlink()  # the part is longer than the file
        return False
    with response:
        if response.status != 206 or not str(response.headers.get("Content-Range")).startswith(f"bytes {begin}-"):
            begin = 0
        length = response.headers.get("Content-Length")
        total = begin + int(length) if length is not None and _LENGTH.fullmatch(length) else None
        with part.open("ab" if begin else "wb") as file:
            done = _copy(response, file, archive, begin, total, on_progress)
    return total is None or done >= total


def _copy(
    response: IO[bytes], file: IO[bytes], archive: Archive, done: int, total: int | None, on_progress: Progress | None
) -> int:
    """Copy the response to the file; return the size of the file in bytes."""
    while block := response.read(_BLOCK):
        file.write(block)
        done += len(block)
        if done > archive.max_bytes:
            raise DataError(f"{archive.url} is larger than {archive.max_bytes} bytes; it is not the corpus")
        if on_progress is not None:
            on_progress(f"fetching {archive.name}", done, total or done)
    return done


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def unpack(path: Path, folder: Path, max_bytes: int) -> None:
    """Unpack a tar archive into a folder, either completely or not at all.

    An archive is refused if it has absolute paths, paths with `..`, links that lead out of the folder, devices, more
    than `max_bytes` or more than 200,000 members. Links inside the folder are not created, as no corpus needs them.

    Raises:
        DataError: the archive is damaged or refused, or the folder cannot be written.
    """
    inner = folder / f".{path.name}.unpacking"
    try:
        shutil.rmtree(inner, ignore_errors=True)
        inner.mkdir()
        with tarfile.open(path, "r|*", tarinfo=_Member) as archive:
            _unpack_members(archive, path, inner, max_bytes)
        for entry in sorted(inner.iterdir()):
            if (folder / entry.name).exists():
                raise DataError(f"{folder / entry.name} exists, but {path.name} contains it too; move it away")
        for entry in sorted(inner.iterdir()):
            os.replace(entry, folder / entry.name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}; delete it and download it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be unpacked into {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(inner, ignore_errors=True)


class _Member(tarfile.TarInfo):
    """A member whose header is checked before `tarfile` allocates memory for a long name or further headers."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Any:
        """Parse a header; see `tarfile.TarInfo`.

        Raises:
            DataError: the member claims a negative size, or a name longer than any real one.
        """
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0 or (member.type in _HEADERS and member.size > _MOST_HEADER_BYTES):
            raise DataError(f"the archive has a header of {member.size} bytes, so it is damaged; download it again")
        return member


def _unpack_members(archive: tarfile.TarFile, path: Path, inner: Path, max_bytes: int) -> None:
    left = max_bytes
    for number, member in enumerate(archive):
        left -= member.size
        if left < 0 or number >= _MAX_MEMBERS:
            raise DataError(
                f"{path} unpacks to more than {max_bytes} bytes or {_MAX_MEMBERS} files; it is not the corpus"
            )
        target = _inside(inner, PurePosixPath(member.name), path)
        if member.issym():
            _inside(inner, PurePosixPath(member.name).parent / member.linkname, path)
        elif member.islnk():
            _inside(inner, PurePosixPath(member.linkname), path)
        elif member.isdir():
            target.mkdir(parents=True, exist_ok=True)
        elif member.isfile() and (source := archive.extractfile(member)) is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file, _BLOCK)
        else:
            raise DataError(f"{path} holds {member.name!r}, which is neither a file nor a folder; nothing was unpacked")


def _inside(inner: Path, name: PurePosixPath, path: Path) -> Path:
    """Return the path of a member; refuse a name that leads out of the folder (links cannot, as none is created)."""
    target = Path(os.path.normpath(inner / name))
    if name.is_absolute() or not target.is_relative_to(inner):
        raise DataError(f"{path} holds a path that leads out of its folder, '{name}'; nothing was unpacked")
    return target
