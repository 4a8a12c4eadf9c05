from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from asr.errors import DataError
from data_prep.unipen import release as unipen_release
from data_prep.unipen.release import FolderRelease, Library, ZipRelease, open_release

from .tree import RELEASE, write_folder, write_zip


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("prefix", ["", "train_r01_v07-main/"])
def test_folder_and_zip_hold_the_same(tmp_path: Path, method: int, prefix: str) -> None:
    folder = open_release(str(write_folder(tmp_path / "folder" / "release").parent))
    packed = open_release(str(write_zip(tmp_path / "zip" / "unipen.zip", method=method, prefix=prefix)))
    assert isinstance(folder, FolderRelease)
    assert isinstance(packed, ZipRelease)
    for release in (folder, packed):
        assert release.names("data/8") == ["data/8/aaa/one.dat", "data/8/bbb/two.dat"]
        assert {name: release.read(name).decode() for top in ("data", "include") for name in release.names(top)} == (
            RELEASE
        )
        assert release.has("include/info.doc")
        assert not release.has("include/aaa")
        with pytest.raises(DataError, match=r"include/aaa: is not "):
            release.read("include/aaa")
    assert isinstance(open_release(str(tmp_path / "zip")), ZipRelease)


def test_a_missing_release_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no root= was given.*zenodo\.1195803.*\(asr-train: corpus\.root="):
        open_release("")
    with pytest.raises(DataError, match=r"nowhere does not exist.*zenodo\.1195803"):
        open_release(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"no UNIPEN release in .*; expected data/ and include/ in it, or unipen\.zip"):
        open_release(str(tmp_path))
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(DataError, match=r"text\.zip cannot be read as a zip file"):
        open_release(str(tmp_path / "text.zip"))
    other = write_zip(tmp_path / "other.zip", {"readme": "x", "data/x": ""})
    with pytest.raises(DataError, match=r"other\.zip holds no UNIPEN release"):
        open_release(str(other))


def test_includes_are_found_and_stay_inside(tmp_path: Path) -> None:
    library = Library(open_release(str(write_folder(tmp_path / "release"))))
    assert library.resolve("aaa/one.dat", "data/6/aaa/one.dat") == "include/aaa/one.dat"
    assert library.resolve("../../info.doc", "include/aaa/data/one.dat") == "include/info.doc"
    assert library.resolve("../data/8/aaa/one.dat", "data/6/aaa/one.dat") == "data/8/aaa/one.dat"
    for outside in ("/etc/passwd", "../../../../etc/passwd", "../../.."):
        with pytest.raises(DataError, match="leads out of the release"):
            library.resolve(outside, "data/6/aaa/one.dat")
    for odd in ("", "a\0b"):
        with pytest.raises(DataError, match="leads out of the release"):
            library.resolve(odd, "data/6/aaa/one.dat")
    with pytest.raises(
        DataError,
        match=r"the include 'aaa/no\.dat' is missing; .* by include/aaa/no\.dat or data/6/aaa/aaa/no\.dat",
    ):
        library.resolve("aaa/no.dat", "data/6/aaa/one.dat")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path / "release")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "release/include/link.dat").symlink_to(tmp_path / "secret")
    release = FolderRelease(tmp_path / "release")
    with pytest.raises(DataError, match=r"include/link\.dat: is a link that leads out of"):
        release.read("include/link.dat")


def test_files_are_measured_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = FolderRelease(write_folder(tmp_path / "release"))
    packed = ZipRelease(write_zip(tmp_path / "unipen.zip"))
    monkeypatch.setattr(unipen_release, "MAX_FILE_BYTES", 20)
    for release in (folder, packed):
        with pytest.raises(DataError, match=r"include/aaa/one\.dat: .*more than 20"):
            release.read("include/aaa/one.dat")


def claims(path: Path, size: int) -> None:
    """Make the last directory entry of a zip file claim another size after unpacking."""
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("size", [0, 100, 1_500_000])
def test_a_size_that_lies_is_found_out(tmp_path: Path, method: int, size: int) -> None:
    path = write_zip(tmp_path / "unipen.zip", {**RELEASE, "include/bomb": " " * 1_000_000}, method)
    claims(path, size)
    with pytest.raises(DataError, match=r"include/bomb: damaged in .*size or checksum"):
        ZipRelease(path).read("include/bomb")


@pytest.mark.parametrize("zip64", [False, True])
def test_a_list_of_members_is_measured_before_it_is_read(tmp_path: Path, zip64: bool) -> None:
    path = tmp_path / "bomb.zip"
    length = 1 << 28
    with path.open("wb") as file:
        file.truncate(length)  # a hole, where the list would stand
        file.seek(length)
        if zip64:
            file.write(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, length, 0))
            file.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, length, 1))
        plain = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF) if zip64 else (1, 1, length, 0)
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *plain, 0))
    with pytest.raises(
        DataError, match=r"bomb\.zip cannot be read as a zip file: its list of members has 268435456 bytes"
    ):
        ZipRelease(path)


def test_every_damaged_byte_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    name = "include/aaa/one.dat"
    path = write_zip(tmp_path / "unipen.zip", {name: RELEASE[name], "data/6/x": ""})
    whole = path.read_bytes()
    outcomes = set()
    for at in range(len(whole)):
        for value in (0, 255):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                outcomes.add(ZipRelease(path).read(name) == RELEASE[name].encode())
            except DataError:
                outcomes.add(None)
    assert outcomes == {True, None}


def test_the_fingerprint_changes_with_the_files(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "release")
    before = FolderRelease(folder).fingerprint(("data/6", "include"))
    assert FolderRelease(folder).fingerprint(("data/6", "include")) == before
    (folder / "data/8/aaa/one.dat").write_text("other category")
    assert FolderRelease(folder).fingerprint(("data/6", "include")) == before
    (folder / "include/info.doc").write_text(".COMMENT changed\n")
    assert FolderRelease(folder).fingerprint(("data/6", "include")) != before
    path = write_zip(tmp_path / "unipen.zip")
    before = ZipRelease(path).fingerprint(("data/6", "include"))
    write_zip(path, {**RELEASE, "include/info.doc": "changed"})
    assert ZipRelease(path).fingerprint(("data/6", "include")) != before


def test_files_that_are_included_often_are_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(FolderRelease(write_folder(tmp_path / "release")))
    first = library.file("include/info.doc")
    assert library.file("include/info.doc") is first
    monkeypatch.setattr(unipen_release, "_CACHED_BYTES", 10)
    second = library.file("include/bbb/two.dat")
    assert library.file("include/bbb/two.dat") is second
    assert library.file("include/info.doc") is not first
