from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.checks import check_utterances
from asr.corpus.splits import write_corpus
from asr.errors import AsrError, ConfigError, DataError, Problems
from asr.ink import Ink
from asr.ink.reading import read_ink
from asr.ink.unipen import cut, read_document
from data_prep import read_corpus
from data_prep.unipen import reader as unipen
from data_prep.unipen.release import Library, Release, open_release
from data_prep.unipen.writers import held_out, writer_key
from tests.mutations import mutated

from .tree import RELEASE, write_folder, write_zip


def key(family: str, writer: str) -> str:
    return f"{family}-{hashlib.sha1(f'{family}/{writer}'.encode()).hexdigest()[:8]}"


@pytest.fixture
def split_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """`bbb` has a dev writer, `ccc` a test writer."""
    splits = {key("bbb", "writer_b"): "dev", key("ccc", "writer_c"): "test"}
    monkeypatch.setattr(unipen, "held_out", lambda: splits)


@pytest.fixture
def options(tmp_path: Path, split_of_the_tree: None) -> dict[str, object]:
    """Of a release in a folder."""
    return {"root": str(write_folder(tmp_path / "release")), "cache": str(tmp_path / "cache")}


def test_words(options: dict[str, object]) -> None:
    splits = read_corpus("unipen", options)
    found = {split: [(u.text, u.speaker, u.tags["quality"]) for u in some] for split, some in splits.items()}
    assert found == {
        "train": [("One", key("aaa", "writer_a"), "OK"), ("Two", key("aaa", "writer_a"), "?")],
        "dev": [("Three", key("bbb", "writer_b"), "GOOD")],
        "test": [("Four", key("ccc", "writer_c"), "?")],
    }
    one, two = splits["train"]
    short = hashlib.sha1(b"data/6/aaa/one.dat").hexdigest()[:8]
    assert (one.id, two.id) == (f"6-aaa-{short}-0000", f"6-aaa-{short}-0002")  # 0001 is BAD
    assert one.tags == {"donor": "aaa", "quality": "OK", "file": "data/6/aaa/one.dat", "category": "words"}
    assert (two.kind, two.start, two.duration) == ("ink", 4, 2)
    assert read_ink(one.source, 0, 4) == Ink.of([[1, 1], [1, 2]], [[2, 1], [2, 2]])
    four = splits["test"][0]
    assert four.start is not None
    assert read_ink(four.source, int(four.start), 2) == Ink.of([[5, 1], [5, 2]], resolution=10.0)


def test_a_zip_file_gives_the_same(tmp_path: Path, options: dict[str, object]) -> None:
    path = write_zip(tmp_path / "unipen.zip", prefix="train_r01_v07/")
    from_zip = read_corpus("unipen", {**options, "root": str(path)})
    from_folder = read_corpus("unipen", options)
    assert {name: [u.id for u in some] for name, some in from_zip.items()} == {
        name: [u.id for u in some] for name, some in from_folder.items()
    }
    for first, second in zip(from_zip["train"], from_folder["train"], strict=True):
        assert first.source != second.source
        assert read_ink(first.source, int(first.start or 0)) == read_ink(second.source, int(second.start or 0))


def test_the_second_start_reads_no_ink(options: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int, int]] = []
    first = unipen.prepare(unipen.Config(**options), lambda *step: heard.append(step))  # type: ignore[arg-type]
    assert heard == [("reading UNIPEN words", done, 3) for done in (1, 2, 3)]
    monkeypatch.setattr(Library, "file", lambda self, name: pytest.fail(f"{name} is read again"))
    assert unipen.prepare(unipen.Config(**options)) == first  # type: ignore[arg-type]
    folded = unipen.prepare(unipen.Config(**options, fold_case=True))  # type: ignore[arg-type]
    assert [u.text for u in folded["train"]] == ["one", "two"]


def test_manifests(tmp_path: Path, options: dict[str, object]) -> None:
    write_corpus(read_corpus("unipen", options), tmp_path / "manifest")
    assert '"ink":' in (tmp_path / "manifest/train.jsonl").read_text()


def test_categories_by_name_and_number(options: dict[str, object]) -> None:
    for category in ("text", "8", 8, "TEXT"):
        with pytest.raises(Problems, match="the split 'test' is empty"):
            write_corpus(read_corpus("unipen", {**options, "category": category}), "/nowhere")
        splits = read_corpus("unipen", {**options, "category": category})
        assert [u.text for u in splits["train"]] == ["One Two"]
    with pytest.raises(ConfigError, match="UNIPEN has no category 'wrods'; did you mean 'words'"):
        read_corpus("unipen", {**options, "category": "wrods"})
    with pytest.raises(DataError, match="has no category 1a \\(digits\\); expected files in data/1a/"):
        read_corpus("unipen", {**options, "category": "digits"})


def test_of_pooled_categories_only_train_writers_train(options: dict[str, object]) -> None:
    splits = read_corpus("unipen", {**options, "also": "text"})
    assert [u.text for u in splits["train"]] == ["One", "Two", "One Two"]
    assert [u.text for u in splits["dev"] + splits["test"]] == ["Three", "Four"]
    check_utterances(splits)
    only = read_corpus("unipen", {**options, "category": 8, "only_train": True})
    assert {name: [u.text for u in some] for name, some in only.items()} == {
        "train": ["One Two"],
        "dev": [],
        "test": [],
    }
    with pytest.raises(ConfigError, match="also=text,8: a category is named twice"):
        read_corpus("unipen", {**options, "also": "text,8"})
    with pytest.raises(ConfigError, match="also=words: a category is named twice"):
        read_corpus("unipen", {**options, "also": "words"})


def test_a_donor_can_be_left_out_of_train(options: dict[str, object]) -> None:
    splits = read_corpus("unipen", {**options, "train_without": "aaa"})
    assert [len(splits[name]) for name in ("train", "dev", "test")] == [0, 1, 1]
    with pytest.raises(ConfigError, match="train_without: train has nothing of the donor 'aab'; did you mean 'aaa'"):
        read_corpus("unipen", {**options, "train_without": "aab"})


def test_problems_of_all_files_are_named_together(tmp_path: Path, split_of_the_tree: None) -> None:
    files = {
        **RELEASE,
        "data/6/aaa/one.dat": '.INCLUDE aaa/one.dat\n.SEGMENT WORD 0-3 OK "One"\n.SEGMENT WORD 0 OK ""\n',
        "data/6/bbb/two.dat": '.INCLUDE bbb/nowhere.dat\n.INCLUDE ../../../../secret\n.SEGMENT WORD 0 OK "Three"\n',
        "include/ccc/three.dat": ".INCLUDE ccc/three.dat\n",
        "data/6/ddd/four.dat": '.PEN_DOWN\n1 1\n.SEGMENT WORD 0 OK "x"\n',
        "data/6/ddd/five.dat": '.WRITER_ID d\n.PEN_DOWN\n1 1 1\n.SEGMENT WORD 0 OK "x"\n',
    }
    root = str(write_folder(tmp_path / "release", files))
    with pytest.raises(Problems) as caught:
        read_corpus("unipen", {"root": root, "cache": str(tmp_path / "cache")})
    assert caught.value.problems == (
        "data/6/aaa/one.dat:2: names component 3, but the file with its includes has 3 (counted from 0); complete the"
        " includes or correct the segment",
        "data/6/aaa/one.dat:3: the label is empty; mark the segment BAD or correct it",
        "data/6/bbb/two.dat:1: the include 'bbb/nowhere.dat' is missing; complete the release by"
        " include/bbb/nowhere.dat or data/6/bbb/bbb/nowhere.dat",
        f"data/6/bbb/two.dat:2: the include '../../../../secret' leads out of the release {root}; correct the path",
        "include/ccc/three.dat:1: the include 'ccc/three.dat' is the file itself or one that includes it; remove the"
        " loop",
        "data/6/ddd/five.dat:2: 3 numbers do not divide by the 2 channels X Y of .COORD; add the missing number or"
        " remove the extra one",
        "data/6/ddd/four.dat:3: there is no .WRITER_ID; add it, because splits must not share writers",
    )
    assert not list((tmp_path / "cache").iterdir())


def test_withheld_segments_are_left_out(tmp_path: Path, split_of_the_tree: None) -> None:
    files = {
        **RELEASE,
        "data/6/ddd/four.dat": '.INCLUDE ddd/four.dat\n.SEGMENT WORD 0 ? "gone"\n.SEGMENT WORD 0-1 ? "there"\n',
        "include/ddd/four.dat": ".WRITER_ID d\n.PEN_DOWN\n0 0\n.PEN_UP\n.PEN_DOWN\n7 7\n",
    }
    root = str(write_folder(tmp_path / "release", files))
    splits = read_corpus("unipen", {"root": root, "cache": str(tmp_path / "cache")})
    assert [u.text for u in splits["train"]] == ["One", "Two", "there"]


@pytest.mark.parametrize(
    ("donor", "one", "other"),
    [
        ("sie", "XYZ", "xyz"),
        ("apd", "First_Last_1", "FIRST_LAST_2"),
        ("ibm", "xyz11", "XYZ12"),
        ("kar", "xyz_0005", "xyz_0007"),
        ("rim", "xyz1", "abc2"),
    ],
)
def test_ids_of_one_person_have_one_key(donor: str, one: str, other: str) -> None:
    assert writer_key(donor, one) == writer_key(donor, other)
    assert writer_key(donor, one).startswith(donor[:2])


def test_families_of_donors_share_keys() -> None:
    assert len({writer_key(donor, "Someone") for donor in ("apa", "apb", "apc", "apd", "ape", "app")}) == 1
    assert len({writer_key(donor, "Someone") for donor in ("cea", "ceb", "cec")}) == 1
    assert writer_key("pap", "Someone") != writer_key("pap", "Another")


def test_the_committed_split_names_nobody() -> None:
    assert all(len(name) in (11, 12) and name[-9] == "-" for name in held_out())
    assert set(held_out().values()) == {"dev", "test"}


# --- the release itself ---


class Part:
    """Some donors of a release."""

    def __init__(self, release: Release, donors: Sequence[str]) -> None:
        self._release, self._donors, self.where = release, donors, release.where
        self.has, self.read = release.has, release.read

    def names(self, folder: str) -> Sequence[str]:
        return [name for name in self._release.names(folder) if name.split("/")[-2] in self._donors]

    def fingerprint(self, folders: Sequence[str]) -> str:
        return f"{self._release.fingerprint(folders)} {self._donors}"


@pytest.fixture(scope="module")
def release(shared_data: Path) -> Release:
    path = shared_data / "unipen.zip"
    if not path.is_file():
        pytest.skip("no unipen.zip among the real data")
    return open_release(str(path))


def split_list(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "unipen_words_split.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_committed_split_is_the_given_one(shared_data: Path, release: Release) -> None:
    rows = split_list(shared_data)
    assert len(rows) == 797
    given = {row["writer"]: row["split"] for row in rows}
    assert (list(given.values()).count("dev"), list(given.values()).count("test")) == (31, 56)
    assert {name: held_out()[name] for name in given} == given


def test_keys_of_real_writers(shared_data: Path, release: Release) -> None:
    rows = {row["path"]: row for row in split_list(shared_data)}
    library = Library(release)
    donors: dict[str, int] = {}
    for path, row in rows.items():
        donor = path.split("/")[2]
        donors[donor] = donors.get(donor, 0) + 1
        if donors[donor] > 2 or donor in ("anj", "cee", "nic", "sta", "pap"):  # large files
            continue
        document = read_document(path, library.file, library.resolve)
        assert writer_key(donor, document.writers[0]) == row["writer"]
        assert sum(segment.quality != "BAD" for segment in document.segments) == int(row["segments"])
    assert len(donors) == 27


def test_real_words(tmp_path: Path, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    donors = ("ceb", "par", "not0", "lav0")
    monkeypatch.setattr(unipen, "open_release", lambda root: Part(release, donors))
    splits = read_corpus("unipen", {"root": "here", "cache": str(tmp_path)})
    check_utterances(splits)
    everything = [u for some in splits.values() for u in some]
    assert {u.tags["donor"] for u in everything} == {"ceb", "par", "not", "lav"}
    assert all(str(u.text).isalpha() or '"' in str(u.text) for u in everything)
    inks = {u.id: read_ink(u.source, int(u.start or 0), int(u.duration or 0)) for u in everything}
    assert all(ink.n_points > 1 for ink in inks.values())
    assert {u.tags["donor"] for u in everything if inks[u.id].has_times} == {"ceb"}  # pen-ups were recorded there
    # Read by eye: data/6/lav/lav0/cl_0001.dat:4 is 'siiaret' of the components 22 to 31.
    first = next(u for u in everything if u.tags["file"] == "data/6/lav/lav0/cl_0001.dat")
    assert (first.text, len(inks[first.id].strokes)) == ("siiaret", 10)


def test_mutated_real_files_give_a_result_or_an_error_of_ours(release: Release) -> None:
    random = np.random.default_rng(6)
    names = ("data/6/sie/word/gsaa/gsaa1007.dat", "data/6/apd/apd06/app0608.dat")
    library = Library(release)
    documents = {}
    for name in names:
        ink_name = read_document(name, library.file, library.resolve).components[0].file.name
        documents[name] = {one: release.read(one) for one in (name, ink_name)}
    outcomes = set()
    for number in range(300):
        files = dict(documents[names[number % 2]])
        changed = list(files)[number // 2 % 2]
        files[changed] = mutated(files[changed], random)
        outcomes.add(outcome(names[number % 2], files))
    assert outcomes == {"ink", "error"}


def outcome(name: str, files: dict[str, bytes]) -> str:
    """What becomes of a file whose includes are `files`; others are left out."""

    def resolve(written: str, including: str) -> str | None:
        return f"include/{written}" if f"include/{written}" in files else None

    document = read_document(name, lambda one: cut(one, files[one]), resolve)
    if document.problems:
        return "error"
    try:
        for segment in document.segments:
            document.ink(segment)
    except AsrError:
        return "error"
    return "ink"
