"""`asr-transcribe`: what it is told to read, and what it prints; in this process but for its start."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import asr
from asr.cli import transcribe as command
from asr.ink import Ink, write_json, write_svg
from asr.recogniser import document
from asr.recogniser.bundle import save_bundle
from asr.recogniser.orientation import evidence_of
from asr.recogniser.pretrained import pretrained_names
from asr.scoring.trn import read_trn


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """Standard error without its line breaks."""
        return " ".join(self.err.split())


Command = Callable[..., Done]


@pytest.fixture
def transcribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `asr-transcribe` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, stdin: bytes | None = None) -> Done:
        monkeypatch.setattr(sys, "argv", ["asr-transcribe", *map(str, words)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = 0
        try:
            command.main()
        except SystemExit as end:
            status = int(end.code or 0)
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def sound(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that reads recordings of tones."""
    path = tmp_path_factory.mktemp("models") / "tones.safetensors"
    save_bundle(asr.load(trained), path)
    return path


@pytest.fixture
def wavs(tones: Path, tmp_path: Path) -> list[str]:
    """Names of three recordings in the folder where the command runs."""
    for number in range(3):
        shutil.copy(tones / "test" / f"test{number:02d}.wav", tmp_path / f"{number}.wav")
    return ["0.wav", "1.wav", "2.wav"]


@pytest.fixture
def texts(sound: Path, wavs: list[str], tmp_path: Path) -> list[str]:
    """What is said in `wavs`."""
    recogniser = asr.load(sound)
    return [recogniser.transcribe(tmp_path / name).text for name in wavs]


def test_the_text_of_one_file_stands_alone_and_of_several_behind_their_names(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str]
) -> None:
    assert transcribe(sound, wavs[0]) == (0, f"{texts[0]}\n", "")
    assert transcribe(sound, wavs[0], "--bfloat16").out == f"{texts[0]}\n"
    many = transcribe(sound, *wavs)
    assert many == (0, "".join(f"{name}\t{text}\n" for name, text in zip(wavs, texts, strict=True)), "")


def test_json_has_a_line_for_each_file(transcribe: Command, sound: Path, wavs: list[str], texts: list[str]) -> None:
    rows = [json.loads(line) for line in transcribe(sound, *wavs, "--format", "json").out.splitlines()]
    assert [(row["file"], row["text"]) for row in rows] == list(zip(wavs, texts, strict=True))
    assert rows[0].keys() == {"file", "text", "confidence", "log_probability", "score", "words", "labels"}
    assert rows[0]["labels"][0].keys() == {"label", "start", "end", "confidence"}
    assert rows[0]["words"][0].keys() == {"word", "start", "end", "confidence"}


def test_the_other_files_are_transcribed_after_a_bad_one(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str]
) -> None:
    Path("bad.wav").write_bytes(b"RIFF")
    done = transcribe(sound, wavs[0], "bad.wav", wavs[1])
    assert done.out == f"{wavs[0]}\t{texts[0]}\n{wavs[1]}\t{texts[1]}\n"
    assert done.status == 1
    assert done.err.count("error: ") == 2
    assert "bad.wav" in done.err
    assert "1 of 3 files could not be transcribed; see above" in done.told
    alone = transcribe(sound, "bad.wav")
    assert (alone.status, alone.out, alone.err.count("error: ")) == (1, "", 1)


def test_many_files_are_recognised_in_batches_with_the_same_texts(
    transcribe: Command, sound: Path, wavs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    posteriors = asr.recogniser.recogniser.Recogniser.posteriors  # type: ignore[attr-defined]

    def watched(self: object, frames: list[object], *others: object) -> object:
        sizes.append(len(frames))
        return posteriors(self, frames, *others)

    monkeypatch.setattr("asr.recogniser.recogniser.Recogniser.posteriors", watched)
    alone = transcribe(sound, *wavs)
    assert sizes == [1, 1, 1]
    monkeypatch.setattr(command, "MANY", 3)
    together = transcribe(sound, *wavs)
    assert sizes[3:] == [3]
    assert together.out == alone.out
    assert together.err == ""


def test_trn_is_what_evaluation_reads(transcribe: Command, sound: Path, wavs: list[str], texts: list[str]) -> None:
    done = transcribe(sound, *wavs, "--format", "trn")
    Path("hyp.trn").write_text(done.out)
    read = read_trn("hyp.trn")
    assert read.unit == "words"
    assert {name: one.tokens for name, one in read.lines.items()} == {
        name.removesuffix(".wav"): tuple(text.split()) for name, text in zip(wavs, texts, strict=True)
    }


def test_ctm_has_a_line_for_each_word_and_tells_files_of_one_name_apart(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str]
) -> None:
    for name, wav in zip("ab", wavs, strict=False):
        Path(name).mkdir()
        shutil.copy(wav, Path(name) / "x y.wav")
    done = transcribe(sound, "a/x y.wav", "b/x y.wav", "--format", "ctm")
    rows = [line.split(" ") for line in done.out.splitlines()]
    assert [(row[0], row[4]) for row in rows] == [
        (name, word) for name, text in zip(("a-x_y", "b-x_y"), texts, strict=False) for word in text.split()
    ]
    assert all(len(row) == 6 and row[1] == "1" for row in rows)
    twice = transcribe(sound, wavs[0], wavs[0], "--format", "ctm")
    assert "0.wav and 0.wav would have the same name 0; rename one, or leave it out" in twice.told


def test_subtitles_of_one_recording(transcribe: Command, sound: Path, wavs: list[str], texts: list[str]) -> None:
    srt, vtt = (transcribe(sound, wavs[0], "--format", name).out for name in ("srt", "vtt"))
    assert srt.startswith("1\n00:00:0")
    assert vtt.startswith("WEBVTT\n\n00:00:0")
    for out in (srt, vtt):
        lines = [line for line in out.splitlines()[1:] if "-->" not in line and not line.isdecimal()]
        assert " ".join(lines).split() == texts[0].split()
    several = transcribe(sound, *wavs[:2], "--format", "srt")
    assert several.status == 1
    assert "--format srt writes the subtitles of one recording, but 2 are given" in several.told


def test_a_long_recording(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read twice in blocks, from a pipe too."""
    monkeypatch.setattr("asr.recogniser.sources.LONG_SECONDS", 0.0)
    assert transcribe(sound, wavs[0]).out == f"{texts[0]}\n"
    assert transcribe(sound, "-", stdin=Path(wavs[0]).read_bytes()).out == f"{texts[0]}\n"


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_a_file(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str], name: str
) -> None:
    content = Path(wavs[1]).read_bytes()
    assert transcribe(sound, name, stdin=content) == (0, f"{texts[1]}\n", "")
    done = transcribe(sound, wavs[0], name, stdin=content)
    assert done.out == f"{wavs[0]}\t{texts[0]}\n{name}\t{texts[1]}\n"
    assert json.loads(transcribe(sound, name, "--format", "json", stdin=content).out)["file"] == name
    assert transcribe(sound, name, "--format", "trn", stdin=content).out.endswith(f"{texts[1]} (stdin)\n")
    empty = transcribe(sound, wavs[0], name, stdin=b"")
    assert empty.out == f"{wavs[0]}\t{texts[0]}\n"
    assert "is empty" in empty.err
    assert (
        "standard input is given 2 times; it can be read only once" in transcribe(sound, "-", name, stdin=content).told
    )


def test_a_terminal_is_no_recording(transcribe: Command, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stdin in (Terminal(), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "- is standard input, but nothing is piped into it; expected" in transcribe(sound, "-").told


def test_a_pipe_with_a_name_is_read(transcribe: Command, sound: Path, wavs: list[str], texts: list[str]) -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(Path(wavs[0]).read_bytes()))
    writer.start()
    done = transcribe(sound, "pipe")
    writer.join()
    assert done == (0, f"{texts[0]}\n", "")


def test_a_folder_is_read_with_the_folders_in_it(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str]
) -> None:
    for place, wav in (
        ("in/b/1.WAV", wavs[2]),
        ("in/a/2.wav", wavs[1]),
        ("in/a/.hidden.wav", wavs[0]),
        ("in/0.wav", wavs[0]),
    ):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wav, place)
    for name in ("in/a/notes.txt", "in/a/2.txt", "in/0.txt"):  # two are transcripts of recordings beside them
        Path(name).write_text("x")
    done = transcribe(sound, "in")
    assert done.out == f"in/0.wav\t{texts[0]}\nin/a/2.wav\t{texts[1]}\nin/b/1.WAV\t{texts[2]}\n"
    assert done.err == "in: ignored 1 file without a suffix of recordings\n"
    trn = transcribe(sound, "in", "--format", "trn").out.splitlines()
    assert [line.rpartition(" ")[2] for line in trn[1:]] == ["(0)", "(a-2)", "(b-1)"]
    shutil.rmtree("in/a")
    shutil.rmtree("in/b")
    assert transcribe(sound, "in").out == f"in/0.wav\t{texts[0]}\n"  # named, as more would be


def test_a_folder_without_anything_to_read_is_one_sentence(transcribe: Command, sound: Path) -> None:
    Path("in").mkdir()
    assert "in: contains no files; give a folder of recordings" in transcribe(sound, "in").told
    Path("in/notes.txt").write_text("x")
    assert "in: none of its files (1) has a suffix of recordings; expected WAV, FLAC" in transcribe(sound, "in").told
    write_json(Path("in/a.json"), Ink.of([[0, 0], [1, 1]]))
    done = transcribe(sound, "in")
    assert "in: contains ink (files: 1), but this model reads recordings; use another model" in done.told
    assert done.status == 1


def test_names_that_break_lines_are_shown_with_escapes(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str]
) -> None:
    names = ["a\nb.wav", "c\td\x1b[2J.wav", os.fsdecode(b"caf\xe9.wav")]
    for name, wav in zip(names, wavs, strict=True):
        shutil.copy(wav, name)
    done = transcribe(sound, *names)
    shown = [r"a\nb.wav", r"c\td\x1b[2J.wav", r"caf\xe9.wav"]
    assert done.out.splitlines() == [f"{name}\t{text}" for name, text in zip(shown, texts, strict=True)]
    rows = [json.loads(line) for line in transcribe(sound, *names, "--format", "json").out.splitlines()]
    assert [row["file"] for row in rows] == names


def test_pages_of_ink_are_read_from_files_folders_and_standard_input(
    transcribe: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pages").mkdir()
    ink = Ink.of([[0, 0], [10, 40], [20, 0]], [[5, 20], [15, 20]])
    write_svg(Path("pages/a.svg"), ink)
    write_json(Path("pages/b.json"), ink)
    Path("pages/c.inkml").write_text("<ink/>")
    done = transcribe("quickstart_pen", "pages")
    assert done.status == 1
    assert "c.inkml" in done.err
    assert [line.partition("\t")[0] for line in done.out.splitlines()] == ["pages/a.svg", "pages/b.json"]
    monkeypatch.setattr(command, "MANY", 1)
    assert transcribe("quickstart_pen", "pages").out == done.out
    for name in ("a.svg", "b.json"):
        alone = transcribe("quickstart_pen", Path("pages", name), "--format", "json").out
        piped = transcribe("quickstart_pen", "-", "--format", "json", stdin=Path("pages", name).read_bytes()).out
        assert json.loads(piped) == {**json.loads(alone), "file": "-"}
        assert json.loads(alone)["lines"][0]["strokes"] == [0, 1]
    trn = transcribe("quickstart_pen", "pages/b.json", "--format", "trn").out.splitlines()
    assert trn[0] == ";; unit: words; escapes: %XX"
    assert trn[1].endswith(" (b)")
    for name in ("ctm", "srt", "vtt"):
        refused = transcribe("quickstart_pen", "pages", "--format", name)
        assert (
            f"--format {name} is for recordings, because it needs times; use text, json or trn for ink" in refused.told
        )


def test_pictures_of_ink(transcribe: Command, sound: Path, wavs: list[str]) -> None:
    ink = Ink.of([[0, 0], [10, 40], [20, 0]], [[5, 20], [15, 20]])
    write_svg(Path("a.svg"), ink)
    write_json(Path("b.json"), ink)
    svg = transcribe("quickstart_pen", "a.svg", "--format", "svg")
    assert svg.out.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    html = transcribe("quickstart_pen", "a.svg", "b.json", "--format", "html").out
    assert html.count("<svg ") == 2
    assert "<h1>b.json</h1>" in html
    told = transcribe("quickstart_pen", "a.svg", "b.json", "--format", "svg").told
    assert (
        "--format svg writes the picture of one file, but 2 are given; give one at a time, or use --format html" in told
    )


def test_pictures_of_recordings(transcribe: Command, sound: Path, wavs: list[str]) -> None:
    done = transcribe(sound, wavs[0], "--format", "svg")
    title = f"<title>{Path(wavs[0]).name}: {transcribe(sound, wavs[0]).out.strip()}</title>"
    assert done.out.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert title in done.out
    piped = transcribe(sound, "-", "--format", "svg", stdin=Path(wavs[0]).read_bytes())
    assert piped.out.splitlines()[2:] == done.out.splitlines()[2:]
    told = transcribe(sound, *wavs[:2], "--format", "svg").told
    assert told.endswith("--format svg writes the picture of one file, but 2 are given; give one at a time")
    told = transcribe(sound, wavs[0], "--format", "html").told
    assert "--format html is for ink, because it shows strokes; use svg, text, json or ctm for recordings" in told


def test_pages_upside_down_are_turned_and_told_of(
    transcribe: Command, sound: Path, wavs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three letters l, written downwards: as they are, and in coordinates of a screen that the file does not tell."""
    monkeypatch.setattr(document, "is_upside_down", lambda recogniser, page: evidence_of(page) < 0)
    strokes = [[[20 * k, 40], [20 * k + 3, 0], [20 * k + 9, 3]] for k in range(3)]
    Path("up.json").write_text(json.dumps({"strokes": strokes}))
    Path("over.json").write_text(json.dumps({"strokes": strokes, "y": "down"}))

    def read(name: str, flip: str) -> tuple[str, bool, str]:
        done = transcribe("quickstart_pen", name, "--format", "json", "--flip", flip)
        value = json.loads(done.out)
        return value["lines"][0]["text"], value["pages"][0]["flipped"], done.err

    text, turned, told = read("up.json", "auto")
    assert not turned
    assert not told
    assert read("over.json", "yes") == (text, True, "")
    assert read("over.json", "no")[1:] == (False, "")
    turned_text, turned, told = read("over.json", "auto")
    assert (turned_text, turned) == (text, True)
    assert "warning: over.json: turned page 1 upside down, because y seems to grow the other way; use --flip no" in told
    told = transcribe(sound, wavs[0], "--flip", "yes").told
    assert "--flip yes is for ink, but this model reads recordings; leave --flip out" in told


def test_bad_ink_is_named(transcribe: Command) -> None:
    write_json(Path("far.json"), Ink.of([[0, 0], [1e300, 1]]))
    told = transcribe("quickstart_pen", "far.json").told
    assert "far.json: the ink reaches 1e+300 units from its first point, farther than a page; correct it" in told


def test_a_model_of_the_other_kind_is_one_sentence(transcribe: Command, sound: Path, wavs: list[str]) -> None:
    assert "0.wav: this model reads ink, not recordings; load a model" in transcribe("quickstart_pen", wavs[0]).told
    write_svg(Path("a.svg"), Ink.of([[0, 0], [1, 1]]))
    assert "a.svg: this model reads recordings, not ink; load a model" in transcribe(sound, "a.svg").told


def test_one_speaker_needs_a_model_that_is_normalised_so_and_files(
    transcribe: Command, sound: Path, wavs: list[str]
) -> None:
    assert "of a speaker has no effect" in transcribe(sound, wavs[0], "--one-speaker").told
    piped = transcribe(sound, "-", "--one-speaker", stdin=b"x")
    assert "--one-speaker reads every recording twice, but a pipe can be read only once; give files" in piped.told


def test_options_of_the_decoder_may_stand_among_the_files(transcribe: Command, sound: Path, wavs: list[str]) -> None:
    plain = transcribe(sound, *wavs)
    assert transcribe(sound, wavs[0], "decoder=greedy", *wavs[1:], "--engine", "numpy") == plain
    os.rename(wavs[0], "a=b.wav")
    assert transcribe(sound, "./a=b.wav", *wavs[1:]).out == plain.out.replace("0.wav", "a=b.wav")


def test_labels_are_restricted_whatever_the_decoder(
    transcribe: Command, sound: Path, wavs: list[str], texts: list[str]
) -> None:
    assert any("b" in text for text in texts)
    for words in ([], ["decoder=beam"]):
        found = transcribe(sound, wavs[0], wavs[1], wavs[2], "--labels", "a c space", *words).out
        assert set("".join(line.split("\t")[1] for line in found.splitlines())) == {"a", "c", " "}, found
    assert transcribe(sound, *wavs, "--labels", "lower space") == transcribe(sound, *wavs)
    assert transcribe(sound, *wavs, "decoder.labels='a c space'") == transcribe(sound, *wavs, "--labels", "a c space")
    twice = transcribe(sound, wavs[0], "--labels", "a c", "decoder.labels=a")
    assert "--labels and decoder.labels= exclude each other; give one of them" in twice.told
    refused = transcribe(sound, wavs[0], "--labels", "digits")
    assert (refused.status, refused.err.count("\n")) == (1, 1)
    assert "the model has no digits; it has:" in refused.told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["decoder=greedy"], "no file is given; give recordings or ink after the model"),
        (["a=b.wav"], "'a=b.wav' is not an option; expected decoder=NAME or decoder.OPTION=VALUE (for a file of this"),
        (["0.wav", "decoder=greddy"], "there is no decoder 'greddy'; did you mean 'greedy'?"),
        (["0.wav", "decoder.width=5"], "there is no option 'decoder.width'"),
    ],
)
def test_wrong_options_get_one_sentence(
    transcribe: Command, sound: Path, wavs: list[str], words: list[str], message: str
) -> None:
    done = transcribe(sound, *words)
    assert (done.status, done.out) == (1, "")
    assert message in done.told
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(("engine", "why"), [("numpy", "numpy: "), ("torch", "torch: "), ("auto", "numpy: ")])
def test_verbose_tells_what_recognised_and_how_fast(
    transcribe: Command, sound: Path, wavs: list[str], engine: str, why: str
) -> None:
    plain = transcribe(sound, *wavs)
    done = transcribe(sound, *wavs, "--engine", engine, "--verbose")
    assert done.out == plain.out
    loaded, ran, decoder, speed = done.err.splitlines()
    assert re.fullmatch(r"loaded in \d+\.\d\d s", loaded)
    assert ran.startswith(f"engine {why}")
    assert decoder == "decoder greedy"
    assert re.fullmatch(r"3 files in \d+\.\d\d s: \d\.\d s of sound, \d+ times real time", speed)


def test_what_is_no_onnx_file_is_told(transcribe: Command, wavs: list[str]) -> None:
    Path("net.onnx").write_bytes(b"x")
    told = transcribe("net.onnx", wavs[0]).told
    assert "net.onnx: it is not a complete ONNX file of this package" in told


def test_help_lists_what_is_there_and_starts_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.argv = ['asr-transcribe', '--help']\n"
        "from asr.cli.transcribe import main\n"
        "try: main()\n"
        "finally: print(sorted({'torch', 'numba', 'hydra'} & set(sys.modules)), time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "COLUMNS": "999"}
    )
    loaded, _, seconds = done.stderr.strip().rpartition(" ")
    assert loaded == "[]"
    assert float(seconds) < 1
    for word in (*pretrained_names(), "AIFF", "RF64", "m4a", "InkML", "UNIPEN", "/dev/stdin", "trn"):
        assert word in done.stdout, word


def test_the_best_texts_with_their_scores(transcribe: Command, sound: Path, wavs: list[str]) -> None:
    beam = ("decoder=beam", "decoder.min_probability=0", "decoder.gap=60", "decoder.skip_blank=1")
    (best,) = transcribe(sound, "0.wav", *beam).out.splitlines()
    done = transcribe(sound, "0.wav", *beam, "--nbest", 3)
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert rows[0][2] == best
    scores = [float(row[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    done = transcribe(sound, "0.wav", "1.wav", *beam, "--nbest", 2, "--scores", "decoder.insertion_bonus=0.5")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row[:2] for row in rows] == [["0.wav", "1"], ["0.wav", "2"], ["1.wav", "1"], ["1.wav", "2"]]
    for _, _, total, acoustic, language, insertion, boost, _text in rows:
        assert float(total) == pytest.approx(sum(map(float, (acoustic, language, insertion))), abs=2e-4)
        assert float(insertion) > 0
        assert float(boost) == 0.0
    found = json.loads(transcribe(sound, "0.wav", *beam, "--nbest", 3, "--format", "json").out)
    assert found["alternatives"][0]["text"] == found["text"] == best
    assert [one["log_probability"] for one in found["alternatives"]] == scores
    assert set(found["alternatives"][2]) == {"text", "confidence", "log_probability", "score"}
    assert "alternatives" not in json.loads(transcribe(sound, "0.wav", *beam, "--format", "json").out)


def test_greedy_search_has_one_text_and_an_empty_page_none(
    transcribe: Command, sound: Path, wavs: list[str], tmp_path: Path
) -> None:
    done = transcribe(sound, "0.wav", "--nbest", 5)
    assert done.out.count("\n") == 1
    assert "warning: --nbest 5: greedy search finds only one text; use decoder=beam, --lm or --words" in done.told
    for others in (["--nbest", 1], ["--nbest", 5, "decoder=beam"]):
        assert "greedy" not in transcribe(sound, "0.wav", *others).err
    write_json(tmp_path / "page.json", Ink.of([[0, 0], [10, 40]], [[0, -400], [10, -360]]))
    found = json.loads(transcribe("quickstart_pen", "page.json", "--nbest", 2, "--format", "json").out)
    assert [len(line["alternatives"]) for line in found["lines"]] == [1] * len(found["lines"])
    done = transcribe("quickstart_pen", "page.json", "--nbest", 2)
    assert [row.split("\t")[0] for row in done.out.splitlines()] == ["1"] * len(found["lines"])


def test_several_texts_are_for_formats_that_hold_them(transcribe: Command, sound: Path, wavs: list[str]) -> None:
    done = transcribe(sound, "0.wav", "--nbest", 2, "--format", "ctm")
    assert (
        done.status,
        "--nbest is for --format text and json; --format ctm contains only the best text" in done.told,
    ) == (1, True)
    done = transcribe(sound, "0.wav", "--scores", "--format", "srt")
    assert "--scores is for --format text; --format srt contains only the best text" in done.told
    done = transcribe(sound, "0.wav", "--scores", "--format", "json")
    assert (done.status, "json always has the parts of the score: leave --scores out" in done.told) == (1, True)
    assert json.loads(transcribe(sound, "0.wav", "--format", "json").out)["score"]
    for number in ("0", "-1", "x", "1.5", "9" * 30):
        done = transcribe(sound, "0.wav", "--nbest", number)
        assert (done.status, "expected a whole number, 1 or more" in done.told) == (2, True)


def test_a_language_model_of_ones_own(transcribe: Command, sound: Path, wavs: list[str], texts: list[str]) -> None:
    """The path of its file is relative to the folder where the command runs."""
    from asr.lm.corpus import Corpus
    from asr.lm.stored import save_model
    from tests.lm.samples import estimate

    save_model("mine.lm", estimate(Corpus.of([texts[1]] * 3, "characters", vocabulary="abc"), 4))
    done = transcribe(sound, "0.wav", "--lm", "mine.lm", "--verbose", "--scores", "decoder.beam=9")
    assert re.search(r"decoder beam,.*lm=mine,.*beam=9|decoder beam,.*beam=9,.*lm=mine", done.err)
    assert float(done.out.split("\t")[3]) < 0  # the language model's part
    done = transcribe(sound, "0.wav", "--lm", "yours.lm")
    assert "decoder.lm=yours.lm does not exist; give a language model" in done.told
    done = transcribe(sound, "0.wav", "--words", "a.txt", "--only-words", "b.txt")
    assert "both --words and --only-words are given" in done.told
