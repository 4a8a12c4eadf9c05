"""Downloads, from a server of our own on the loopback interface."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from asr.errors import DataError
from data_prep import an4, fsdd, read_corpus, speechocean762
from data_prep.download import Archive, ensure_corpus, fetch, unpack

from .conftest import WriteWav


@dataclass
class Server:
    """What it serves, how it misbehaves, and which ranges were asked of it."""

    data: bytes = b""
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)  # bytes sent before each of the first connections breaks
    status: list[int] = field(default_factory=list)  # of each of the first answers, instead of the data
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def archive(self, sha256: str | None = None, max_bytes: int = 10**7) -> Archive:
        digest = hashlib.sha256(self.data).hexdigest() if sha256 is None else sha256
        return Archive(f"{self.url}/files/corpus.tar.gz", digest, checksum_from="a test", max_bytes=max_bytes)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            if state.status and (status := state.status.pop(0)) != 200:
                self.send_error(status)
                return
            begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and state.ranges else 0
            if begin >= len(state.data) > 0 and begin:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.data)}")
                self.end_headers()
                return
            body = state.data[begin:]
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(state.data) - 1}/{len(state.data)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut_after.pop(0)] if state.cut_after else body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        state.url = f"http://127.0.0.1:{http_server.server_port}"
        thread = threading.Thread(target=http_server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        http_server.shutdown()
        thread.join()


def tar(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> dict[str, bytes | tarfile.TarInfo]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return {name: info}


BYTES = bytes(range(256)) * 1000


def test_fetches_and_checks(server: Server, tmp_path: Path) -> None:
    server.data = BYTES
    heard: list[tuple[str, int, int]] = []
    path = fetch(server.archive(), tmp_path, lambda *progress: heard.append(progress))
    assert path == tmp_path / "corpus.tar.gz"
    assert path.read_bytes() == BYTES
    assert heard[-1] == ("fetching corpus.tar.gz", len(BYTES), len(BYTES))
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus.tar.gz"]
    fetch(server.archive(), tmp_path)
    assert len(server.asked) == 1  # what is there is not fetched again


def test_goes_on_where_an_earlier_run_stopped(server: Server, tmp_path: Path) -> None:
    server.data = BYTES
    (tmp_path / "corpus.tar.gz.part").write_bytes(BYTES[:1000])
    assert fetch(server.archive(), tmp_path).read_bytes() == BYTES
    assert server.asked == ["bytes=1000-"]


def test_a_connection_that_breaks_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    server.data = BYTES
    server.cut_after = [100, 5000, 70_000]
    assert fetch(server.archive(), tmp_path, attempts=1, wait_seconds=0).read_bytes() == BYTES
    assert server.asked == [None, "bytes=100-", "bytes=5100-", "bytes=75100-"]


def test_a_server_that_cannot_resume_is_read_from_the_start(server: Server, tmp_path: Path) -> None:
    server.data, server.ranges = BYTES, False
    (tmp_path / "corpus.tar.gz.part").write_bytes(BYTES[:1000])
    assert fetch(server.archive(), tmp_path).read_bytes() == BYTES
    assert server.asked == ["bytes=1000-"]  # once: the answer is not appended to what was there


def test_a_part_that_is_complete_only_needs_its_name(server: Server, tmp_path: Path) -> None:
    server.data = BYTES
    (tmp_path / "corpus.tar.gz.part").write_bytes(BYTES)
    assert fetch(server.archive(), tmp_path).read_bytes() == BYTES


@pytest.mark.parametrize("left", [b"of another version", BYTES + b"and more"])
def test_a_part_of_another_file_is_thrown_away(server: Server, tmp_path: Path, left: bytes) -> None:
    server.data = BYTES
    (tmp_path / "corpus.tar.gz.part").write_bytes(left)
    assert fetch(server.archive(), tmp_path, wait_seconds=0).read_bytes() == BYTES


def test_wrong_checksum_is_an_error_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.data = BYTES
    actual = hashlib.sha256(BYTES).hexdigest()
    with pytest.raises(DataError, match=rf"has the SHA-256 {actual}; expected 00 \(from a test\)"):
        fetch(server.archive(sha256="00"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again_but_not_for_ever(server: Server, tmp_path: Path) -> None:
    server.data, server.status = BYTES, [503, 429]
    assert fetch(server.archive(), tmp_path, attempts=3, wait_seconds=0).read_bytes() == BYTES
    server.status = [503] * 3
    (tmp_path / "corpus.tar.gz").unlink()
    with pytest.raises(DataError, match="cannot be downloaded: 503 Service Unavailable; run the command again"):
        fetch(server.archive(), tmp_path, attempts=3, wait_seconds=0)


def test_a_file_that_is_gone_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.status = [404, 200]
    with pytest.raises(DataError, match="cannot be downloaded: 404 Not Found"):
        fetch(server.archive(), tmp_path, wait_seconds=0)
    assert len(server.asked) == 1


def test_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    archive = Archive("http://127.0.0.1:9/x.tar.gz", "00", "a test", 10)  # the discard port: nobody listens
    with pytest.raises(DataError, match=r"x\.tar\.gz cannot be downloaded: .*refused"):
        fetch(archive, tmp_path, attempts=2, wait_seconds=0)


def test_more_than_the_limit_is_not_fetched(server: Server, tmp_path: Path) -> None:
    server.data = BYTES
    with pytest.raises(DataError, match="is larger than 1000 bytes; it is not the corpus"):
        fetch(server.archive(max_bytes=1000), tmp_path)


def unpacked(folder: Path, members: dict[str, bytes | tarfile.TarInfo], max_bytes: int = 10**6) -> Path:
    path = folder / "c.tar.gz"
    path.write_bytes(tar(members))
    out = folder / "deep" / "out"
    out.mkdir(parents=True)
    unpack(path, out, max_bytes)
    return out


def test_unpacks_files_and_leaves_links_out(tmp_path: Path) -> None:
    members = {"c/a/b.txt": b"B", "c/d.txt": b"D"} | link("c/l", "d.txt") | link("c/h", "c/d.txt", tarfile.LNKTYPE)
    out = unpacked(tmp_path, members)
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == ["c", "c/a", "c/a/b.txt", "c/d.txt"]
    assert (out / "c/a/b.txt").read_bytes() == b"B"


def header(kind: bytes, size: int) -> tarfile.TarInfo:
    """A member that claims a size; its bytes are not there."""
    member = tarfile.TarInfo("c/header")
    member.type, member.size = kind, size
    return member


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_takes_no_more_memory_than_a_name(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "c.tar.gz"
    with gzip.open(path, "wb", 1) as file:  # a bomb: 200 MB of zeros in 200 KB
        file.write(header(kind, 200 << 20).tobuf(tarfile.GNU_FORMAT))
        for _ in range(200):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match="the archive has a header of 209715200 bytes, so it is damaged"):
        unpack(path, tmp_path / "out", 1 << 30)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20
    assert list((tmp_path / "out").iterdir()) == []


def test_a_size_below_zero_does_not_make_room_for_more(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "c.tar"
    path.write_bytes(header(tarfile.REGTYPE, -(1 << 40)).tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(DataError, match=r"a header of -1099511627776 bytes|c\.tar is damaged"):
        unpack(path, tmp_path / "out", 1000)


DEVICE = tarfile.TarInfo("c/device")
DEVICE.type = tarfile.CHRTYPE


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"c/ok": b"1", "../evil": b"2"}, r"leads out of its folder, '\.\./evil'"),
        ({"c/../../evil": b"2"}, "leads out of its folder"),
        ({"/tmp/evil": b"2"}, r"leads out of its folder, '/tmp/evil'"),
        (link("c/l", "/etc/passwd"), r"leads out of its folder"),
        (link("c/l", "../../evil"), r"leads out of its folder"),
        (link("c/h", "../evil", tarfile.LNKTYPE), r"leads out of its folder"),
        ({"c/device": DEVICE}, "'c/device', which is neither a file nor a folder"),
        ({"c/big": b"x" * 2000, "c/more": b"x"}, "unpacks to more than 2000 bytes"),
    ],
)
def test_what_is_refused_leaves_nothing(
    tmp_path: Path, members: dict[str, bytes | tarfile.TarInfo], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        unpacked(tmp_path, members, max_bytes=2000)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["c.tar.gz", "deep", "out"]


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "c.tar.gz"
    path.write_bytes(tar(link("c/l", "d") | {"c/l/file": b"x"}))
    unpack(path, tmp_path / "deep", 1000)
    assert (tmp_path / "deep/c/l").is_dir()
    assert not (tmp_path / "deep/c/l").is_symlink()


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    whole = tar({"c/a": BYTES})
    for damaged in (whole[: len(whole) // 2], b"no archive", b""):
        path.write_bytes(damaged)
        (tmp_path / "out").mkdir(exist_ok=True)
        with pytest.raises(DataError, match=r"c\.tar\.gz is damaged"):
            unpack(path, tmp_path / "out", 10**6)
        assert list((tmp_path / "out").iterdir()) == []


def test_what_is_in_the_way_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(tar({"c/a": b"new"}))
    (tmp_path / "c").write_bytes(b"mine")
    with pytest.raises(DataError, match="contains it too"):
        unpack(path, tmp_path, 1000)
    assert (tmp_path / "c").read_bytes() == b"mine"


def test_a_reader_fetches_its_corpus_once(
    server: Server, tmp_path: Path, write_wav: WriteWav, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav = write_wav(tmp_path / "one.wav", rate=8000).read_bytes()
    server.data = tar({f"fsdd-1.0.9/recordings/3_theo_{index}.wav": wav for index in (0, 5, 10)})
    monkeypatch.setattr(fsdd, "ARCHIVE", server.archive())
    options = {"root": str(tmp_path / "new" / "data"), "download": True}
    for _ in range(2):
        splits = read_corpus("fsdd", options)
        assert {split: [u.id for u in part] for split, part in splits.items()} == {
            "train": ["3_theo_10"],
            "dev": ["3_theo_5"],
            "test": ["3_theo_0"],
        }
    assert len(server.asked) == 1
    assert [entry.name for entry in (tmp_path / "new/data").iterdir()] == ["fsdd-1.0.9"]


def test_download_needs_a_root() -> None:
    with pytest.raises(DataError, match=r"download=true needs root=.*\(asr-train: corpus\.root="):
        ensure_corpus(fsdd.ARCHIVE, "", lambda folder: False)


def test_every_offered_archive_has_a_published_checksum() -> None:
    for module in (an4, fsdd, speechocean762):
        archive = module.ARCHIVE
        assert len(bytes.fromhex(archive.sha256)) == 32
        assert archive.checksum_from
        assert archive.url.startswith("https://")
        assert archive.name.endswith(".tar.gz")
