"""Access the files of a UNIPEN release in a folder, or in a zip file without unpacking it.

No file outside the release is opened. Sizes in the zip file are not trusted: decompression stops at the size that was
checked.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import posixpath
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from asr.errors import DataError
from asr.ink.unipen import MAX_FILE_BYTES, File, cut
from data_prep.roots import IN_TRAINING, given_path, search_root

INCLUDE = "include"
_MAX_MEMBERS = 500_000
_MOST_DIRECTORY_BYTES = 1 << 27  # of the list of members, which `zipfile` reads at once
_END_RECORDS = ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8))  # plain and zip64: marker, place and size of the length
_END_BYTES = (1 << 16) + 22 + 20 + 56  # comment and end records
_CACHED_BYTES = 16 << 20  # of content; split into statements it needs several times as much
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_LZMA_HEADER = struct.Struct("<2BH5s")  # version, size of the properties, properties
_REMEDY = (
    "The data is UNIPEN train_r01_v07 (doi 10.5281/zenodo.1195803): give root= its zip file, or its folder with data/"
    f" and include/ {IN_TRAINING}"
)


class Release(Protocol):
    """The files of a release, by their path with `/` between folders: `data/6/...` and `include/...`."""

    where: str

    def names(self, folder: str) -> Sequence[str]:
        """Return all files below a folder, sorted."""

    def has(self, name: str) -> bool:
        """Return whether the release has such a file."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raise a DataError if it cannot be read or exceeds `MAX_FILE_BYTES`."""

    def fingerprint(self, folders: Iterable[str]) -> str:
        """Return a hash that changes when a file below these folders changes."""


def open_release(root: str) -> Release:
    """Open a release.

    Args:
        root: its zip file, its folder, or a folder above it or with `unipen.zip`.

    Raises:
        DataError: there is no release.
    """
    if not root:
        raise DataError(f"no root= was given. {_REMEDY}")
    path = given_path(root)
    if path.is_file():
        return ZipRelease(path)
    if not path.is_dir():
        raise DataError(f"{path} does not exist. {_REMEDY}")
    if (found := search_root(path, _is_release)) is not None:
        return FolderRelease(found)
    if (path / "unipen.zip").is_file():
        return ZipRelease(path / "unipen.zip")
    raise DataError(f"no UNIPEN release in {path}; expected data/ and include/ in it, or unipen.zip. {_REMEDY}")


def _is_release(folder: Path) -> bool:
    return (folder / "data").is_dir() and (folder / INCLUDE).is_dir()


class FolderRelease:
    """A release in a folder."""

    def __init__(self, root: Path) -> None:
        self.where = str(root)
        self._root = root.resolve()
        self._names: list[str] = []
        for folder, folders, files in os.walk(self._root):
            folders.sort()
            prefix = Path(folder).relative_to(self._root).as_posix()
            self._names += [name if prefix == "." else f"{prefix}/{name}" for name in files]
        self._names.sort()
        self._known = frozenset(self._names)

    def names(self, folder: str) -> Sequence[str]:
        """Return all files below a folder, sorted."""
        return [name for name in self._names if name.startswith(f"{folder}/")]

    def has(self, name: str) -> bool:
        """Return whether the release has such a file."""
        return name in self._known

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raise a DataError if it cannot be read or exceeds `MAX_FILE_BYTES`."""
        path = self._root / name
        if not path.resolve().is_relative_to(self._root):
            raise DataError(f"{name}: is a link that leads out of {self.where}; copy the file into the release")
        if not path.is_file():
            raise DataError(f"{name}: is not a file in {self.where}; complete the release")
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror}") from error
        if len(content) > MAX_FILE_BYTES:
            raise DataError(f"{name}: has more than {MAX_FILE_BYTES} bytes; expected an ink file of UNIPEN")
        return content

    def fingerprint(self, folders: Iterable[str]) -> str:
        """Return a hash over names, sizes and modification times of the files."""
        digest = hashlib.sha256()
        for folder in folders:
            for name in self.names(folder):
                try:
                    status = os.stat(self._root / name)
                except OSError as error:
                    raise DataError(f"{name}: cannot be read: {error.strerror}") from error
                digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


class ZipRelease:
    """A release in a zip file; members are stored, deflated or LZMA-compressed, and may be in a common folder."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path
        try:
            _check_directory(path)
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
            self._size, self._changed = path.stat().st_size, path.stat().st_mtime_ns
            self._file = path.open("rb")
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, struct.error) as error:
            raise DataError(f"{path} cannot be read as a zip file: {error}. {_REMEDY}") from error
        if len(members) > _MAX_MEMBERS:
            raise DataError(f"{path} has {len(members)} members, more than {_MAX_MEMBERS}. {_REMEDY}")
        prefix = _prefix([member.filename for member in members])
        if prefix is None:
            raise DataError(f"{path} holds no UNIPEN release; expected data/ and include/ in it. {_REMEDY}")
        self._members = {
            member.filename[len(prefix) :]: member
            for member in members
            if member.filename.startswith(prefix) and not member.is_dir()
        }
        self._names = sorted(self._members)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def names(self, folder: str) -> Sequence[str]:
        """Return all files below a folder, sorted."""
        return [name for name in self._names if name.startswith(f"{folder}/")]

    def has(self, name: str) -> bool:
        """Return whether the release has such a file."""
        return name in self._members

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raise a DataError if it cannot be read or exceeds `MAX_FILE_BYTES`."""
        try:
            return self._read(self._members[name])
        except KeyError:
            raise DataError(f"{name}: is not in {self.where}; complete the release") from None
        except (OSError, ValueError, lzma.LZMAError, zlib.error, struct.error, MemoryError) as error:
            raise DataError(f"{name}: damaged in {self.where}: {error}; download the zip file again") from error

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        if member.file_size > MAX_FILE_BYTES or member.compress_size > MAX_FILE_BYTES:
            raise ValueError(f"{member.file_size} bytes, more than {MAX_FILE_BYTES}")
        if member.flag_bits & 0x1:
            raise ValueError("the member is encrypted")
        self._file.seek(member.header_offset)
        header = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
        if header[0] != b"PK\x03\x04":
            raise ValueError("there is no member at the position in the directory")
        self._file.seek(header[9] + header[10], os.SEEK_CUR)  # name and extra field
        packed = self._file.read(member.compress_size)
        content = _decompressed(packed, member.compress_type, member.file_size)
        if len(content) != member.file_size or zlib.crc32(content) != member.CRC:
            raise ValueError("size or checksum differ from those in the directory")
        return content

    def fingerprint(self, folders: Iterable[str]) -> str:
        """Return a hash over size and modification time of the zip file, and names, sizes and checksums of members."""
        digest = hashlib.sha256(f"{self._size}\0{self._changed}\n".encode())
        for folder in folders:
            for name in self.names(folder):
                member = self._members[name]
                line = f"{name}\0{member.file_size}\0{member.CRC}\n"
                digest.update(line.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def _check_directory(path: Path) -> None:
    """Raise a ValueError if the list of members, which `zipfile` reads into memory, is too long.

    Like `zipfile`, this uses the records at the end of the file.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        end = file.read(_END_BYTES)
    for mark, at, n_bytes in _END_RECORDS:
        found = end.rfind(mark)
        length = int.from_bytes(end[found + at : found + at + n_bytes], "little") if found >= 0 else 0
        if length > _MOST_DIRECTORY_BYTES and length != 0xFFFFFFFF:
            raise ValueError(f"its list of members has {length} bytes, more than {_MOST_DIRECTORY_BYTES}")


def _prefix(names: Iterable[str]) -> str | None:
    """Return the common path before `data/` and `include/`; None if the members are not a release."""
    heads: dict[str, set[str]] = {"data": set(), INCLUDE: set()}
    for name in names:
        for folder, found in heads.items():
            head, slash, _ = f"/{name}".partition(f"/{folder}/")
            if slash:
                found.add(head[1:] + "/" if head else "")
    common = heads["data"] & heads[INCLUDE]
    return min(common, key=len) if common else None


def _decompressed(packed: bytes, method: int, size: int) -> bytes:
    """Decompress a member, but not more than `size` + 1 bytes."""
    if method == zipfile.ZIP_STORED:
        return packed
    if method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
    if method != zipfile.ZIP_LZMA:
        raise ValueError(f"compressed by method {method}; expected stored, deflated or LZMA")
    _, _, n_properties, properties = _LZMA_HEADER.unpack_from(packed)
    if n_properties != 5 or properties[0] >= 9 * 5 * 5:
        raise ValueError("the LZMA properties are invalid")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    # The dictionary need not be larger than the content, because no reference can reach further back.
    dictionary = min(int.from_bytes(properties[1:], "little"), size)
    filters = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": max(dictionary, 4096)}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(
        packed[_LZMA_HEADER.size :], max_length=size + 1
    )


class Library:
    """The files of a release, for `asr.ink.unipen.read_document`; recently used files stay in memory.

    Args:
        release: the release.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        self._kept: OrderedDict[str, File] = OrderedDict()
        self._kept_bytes = 0

    def file(self, name: str) -> File:
        """Return a file, split into statements, by its path in the release."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        file = cut(name, self._release.read(name))
        self._kept[name] = file
        self._kept_bytes += len(file.content)
        while self._kept_bytes > _CACHED_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.content)
        return file

    def resolve(self, written: str, including: str) -> str:
        """Return the path of an included file: below `include/`, or else relative to the including file.

        Raises:
            DataError: the file is missing, or outside the release.
        """
        folders = (INCLUDE, posixpath.dirname(including))
        names = [posixpath.normpath(posixpath.join(folder, written)) for folder in folders]
        inside = [name for name in names if not name.startswith(("../", "/")) and name not in ("..", ".")]
        for name in inside:
            if self._release.has(name):
                return name
        if not inside or not written or "\0" in written:
            raise DataError(
                f"the include {written[:80]!r} leads out of the release {self._release.where}; correct the path"
            )
        raise DataError(f"the include {written[:80]!r} is missing; complete the release by {' or '.join(inside)}")
