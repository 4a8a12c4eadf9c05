"""Recordings in every form in which people hold them, one or many, and what is found in them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import asr
from asr.audio import Sound
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis
from asr.errors import ConfigError, DataError
from asr.features.normalise import Normaliser
from asr.ink import Ink, write_json
from asr.recogniser import batching
from asr.recogniser.batching import transcribe_each
from asr.recogniser.loading import load
from asr.recogniser.recogniser import Recogniser
from asr.recurrent import compiled
from asr.recurrent.compiled.instructions import multiplies_pairs


def test_a_speaker_that_was_heard_is_normalised_by_all_that_was_heard(trained: Path, tones: Path) -> None:
    recogniser = replace(asr.load(trained), normaliser=Normaliser(per="speaker"))
    first, second = (one.source for one in read_manifest(tones / "test.jsonl")[:2])
    frames = [recogniser.extractor.compute(recogniser.extractor.read(Utterance("", one))) for one in (first, second)]
    alone = recogniser.transcribe(first).log_probability
    knowing = recogniser.listen("her", [first, second])
    assert recogniser.transcribe(first).log_probability == knowing.transcribe(first).log_probability == alone
    with pytest.raises(DataError, match="the speaker 'her' is unknown"):  # listening changes nothing
        recogniser.transcribe(first, speaker="her")
    recogniser = knowing
    assert recogniser.transcribe(first).log_probability == alone
    with pytest.raises(DataError, match="the speaker 'him' is unknown"):
        recogniser.transcribe(first, speaker="him")
    both = np.concatenate(frames)
    expected = recogniser.recognise([(frames[0] - both.mean(0)) / both.std(0)])[0][0]
    heard = recogniser.transcribe(first, speaker="her").log_probability
    assert heard == pytest.approx(expected.log_probability, rel=1e-4)
    assert heard != pytest.approx(alone, rel=1e-3)
    told: list[DataError] = []
    recogniser = recogniser.listen("her", [first, tones / "none.wav", second], on_error=told.append)
    assert recogniser.transcribe(first, speaker="her").log_probability == heard
    assert len(told) == 1
    with pytest.raises(DataError, match=r"none\.wav"):
        recogniser.listen("her", [first, tones / "none.wav"])
    with pytest.raises(ConfigError, match="normalised per corpus, not per speaker: hearing several recordings"):
        asr.load(trained).listen("her", [first])


def held(path: Path, form: str) -> object:
    """A recording of 16-bit samples at 16 kHz in one of the forms in which people hold it."""
    samples, rate = soundfile.read(path, dtype="float32")
    frozen = samples.copy()
    frozen.setflags(write=False)
    forms = {
        "path": path,
        "string": str(path),
        "bytes": path.read_bytes(),
        "file object": io.BytesIO(path.read_bytes()),
        "pair": (samples, rate),
        "pair of transformers": {"raw": samples, "sampling_rate": rate},
        "rate first": (rate, samples),
        "dictionary": {"array": samples, "sampling_rate": rate},
        "dictionary of a file": {"path": str(path), "bytes": None},
        "dictionary of bytes": {"bytes": path.read_bytes(), "path": None},
        "(1, N)": (samples[None], rate),
        "(N, 1)": (samples[:, None], rate),
        "big-endian": (samples.astype(">f4"), rate),
        "read-only": (frozen, rate),
        "backwards": (np.ascontiguousarray(samples[::-1])[::-1], rate),
        "tensor": (torch.from_numpy(samples), rate),
        "list": (samples.tolist(), rate),
        "Sound": Sound(samples, rate),
    }
    return forms[form]


FORMS = [
    "path", "string", "bytes", "file object", "pair", "pair of transformers", "rate first", "dictionary",
    "dictionary of a file", "dictionary of bytes", "(1, N)", "(N, 1)", "big-endian", "read-only", "backwards", "tensor",
    "list", "Sound",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_recording_gives_what_its_file_gives(trained: Path, tones: Path, form: str) -> None:
    recogniser = asr.load(trained)
    utterance = read_manifest(tones / "test.jsonl")[1]
    assert recogniser.transcribe(held(utterance.source, form)) == recogniser.transcribe(utterance)


@pytest.mark.parametrize("kind", ["int16", "int32", "uint8", "float64"])
def test_numbers_of_every_kind_say_the_same(trained: Path, tones: Path, kind: str) -> None:
    utterance = read_manifest(tones / "test.jsonl")[1]
    samples, rate = soundfile.read(utterance.source, dtype="int16")
    converted = {
        "int16": samples,
        "int32": samples.astype(np.int32) << 16,
        "uint8": ((samples >> 8) + 128).astype(np.uint8),
        "float64": samples / 32768,
    }[kind]
    assert asr.load(trained).transcribe(converted, rate=rate).text == utterance.text


def test_samples_at_another_rate_are_resampled_as_their_file_is(trained: Path, tones: Path, tmp_path: Path) -> None:
    samples, _ = soundfile.read(read_manifest(tones / "test.jsonl")[1].source, dtype="float32")
    soundfile.write(tmp_path / "slow.wav", samples[::2], 8000, subtype="FLOAT")
    recogniser = asr.load(trained)
    expected = recogniser.transcribe(tmp_path / "slow.wav")
    assert recogniser.transcribe(samples[::2], rate=8000) == expected
    assert recogniser.transcribe(samples[::2], rate=16000) != expected
    assert expected.spans


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (np.zeros(1600, np.float32), {}, r"the samples have no rate; give rate=, such as rate=16000, or pass"),
        ((np.zeros(1600), 8000), {"rate": 16000}, r"rate=16000 was given, but the sound has 8000 Hz"),
        (np.zeros(1600), {"rate": 0}, "rate is 0; expected a whole number of hertz"),
        (np.zeros((2, 1600)), {"rate": 16000}, "has 2 channels; choose one with `channel`"),
        (np.zeros(1600, np.int64), {"rate": 16000}, "integers of 64 bits"),
        (np.full(1600, np.nan, np.float32), {"rate": 16000}, "sample 0 is nan"),
        (torch.full((1600,), float("inf")), {"rate": 16000}, "sample 0 is inf"),
        (np.zeros(0, np.float32), {"rate": 16000}, r"no samples: the array has the shape \(0,\)"),
        (b"", {}, r"<bytes>: is empty"),
        (b"RIFF", {}, "<bytes>: "),
        ({"audio": 1}, {}, r"a dictionary with the keys 'audio'; expected array and sampling_rate"),
        ({"strokes": [[[0, 0]]]}, {}, "this model reads recordings, not ink"),
        (None, {}, "NoneType is not supported; expected a path"),
        (7, {}, "samples"),
        ([np.zeros(1600, np.float32)], {}, r"source 0 of the list \(from 0\): the samples have no rate"),
        (["nowhere.wav"], {}, r"nowhere\.wav: no such file"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused_in_one_sentence(
    trained: Path, source: object, options: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        asr.load(trained).transcribe(source, **options)
    assert "\n" not in str(caught.value)


def test_a_file_that_tells_another_rate_is_refused(trained: Path, tones: Path) -> None:
    path = tones / "test" / "test00.wav"
    recogniser = asr.load(trained)
    assert recogniser.transcribe(path, rate=16000) == recogniser.transcribe(path)
    with pytest.raises(DataError, match=r"test00\.wav: rate=8000 was given, but the file says 16000 Hz"):
        recogniser.transcribe(path, rate=8000)


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_many_sources_give_what_each_gives(
    trained: Path, tones: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[[list[object]], object]
) -> None:
    recogniser = load(trained)
    utterances = read_manifest(tones / "train.jsonl")[:20]
    sources: list[object] = [*utterances, replace(utterances[3], start=0.13, duration=0.13)]
    sources += [held(utterances[i].source, form) for i, form in enumerate(FORMS)]
    expected = [
        recogniser.transcribe(one) for one in [*sources[:21], *(one.source for one in utterances[: len(FORMS)])]
    ]
    sources[21 + FORMS.index("file object")] = held(utterances[FORMS.index("file object")].source, "file object")
    monkeypatch.setattr(batching, "_STRETCH_SOURCES", 16)
    found = recogniser.transcribe(kind(sources))
    assert isinstance(found, list)
    assert len(found) == len(expected) > 32
    for one, other in zip(found, expected, strict=True):
        assert one.labels == other.labels
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-3)
        assert [(span.start, span.end) for span in one.spans] == [(span.start, span.end) for span in other.spans]
    assert recogniser.transcribe([]) == []


def test_a_list_that_is_one_sound_is_no_list_of_sources(trained: Path) -> None:
    recogniser = load(trained)
    silence = [0.0] * 1600
    alone = recogniser.transcribe(silence, rate=16000)
    assert isinstance(alone, Hypothesis)
    assert recogniser.transcribe([silence, 16000]) == alone
    (only,) = recogniser.transcribe([silence], rate=16000)
    assert only == alone


def test_each_source_that_cannot_be_read_has_its_error_in_its_place(trained: Path, tones: Path) -> None:
    good, bad = tones / "test" / "test00.wav", tones / "none.wav"
    asked: list[Path] = []

    def sources() -> Iterator[Path]:
        for path in (good, bad, good):
            asked.append(path)
            yield path

    recogniser = load(trained)
    for batched in (True, False):
        first, second, third = transcribe_each(recogniser, sources(), batched=batched)
        assert first == third
        assert isinstance(first, list)
        assert isinstance(second, DataError)
        assert "none.wav: no such file" in str(second)
    asked.clear()
    assert next(transcribe_each(recogniser, sources(), batched=False)) == [recogniser.transcribe(good)]
    assert asked == [good]  # one by one, each as soon as it is read


def test_a_model_of_ones_own_that_tells_no_rate_takes_files_alone(trained: Path, tones: Path) -> None:
    class Frames:  # the names of `FrameExtractor` that recognising needs
        def __init__(self, extractor: Any) -> None:
            self.frame_shift, self.read, self.compute = extractor.frame_shift, extractor.read, extractor.compute

    recogniser, path = load(trained), tones / "test" / "test00.wav"
    expected = recogniser.transcribe(path)
    own: Any = Frames(recogniser.extractor)
    recogniser = replace(recogniser, extractor=own)
    assert recogniser.transcribe(path) == expected
    with pytest.raises(
        DataError, match="Frames has no attribute `rate`, so it cannot read samples; give this model files"
    ):
        recogniser.transcribe(np.zeros(1600), rate=16000)


@pytest.fixture(scope="module")
def pen() -> Recogniser:
    return asr.load("quickstart_pen")


def strokes() -> list[list[list[int]]]:
    """Two strokes of whole numbers."""
    return [[[0, 0], [10, 40], [20, 0]], [[5, 20], [15, 20]]]


def test_every_form_of_ink_gives_what_the_ink_gives(pen: Recogniser, tmp_path: Path) -> None:
    ink = Ink.of(*strokes())
    write_json(tmp_path / "a.json", ink)
    content = (tmp_path / "a.json").read_bytes()
    arrays = {"strokes": [np.array(one) for one in strokes()], "resolution": None}
    forms = [ink, tmp_path / "a.json", str(tmp_path / "a.json"), content, io.BytesIO(content)]
    forms += [{"strokes": strokes()}, arrays, Utterance("a", tmp_path / "a.json", kind="ink")]
    expected = pen.transcribe(ink)
    assert expected.spans
    for form in forms:
        if isinstance(form, io.BytesIO):
            form.seek(0)
        assert pen.transcribe(form) == expected
        if isinstance(form, io.BytesIO):
            form.seek(0)
        (alone,) = pen.transcribe([form])
        assert alone == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros(1600), "this model reads ink, not samples; give a file of ink, an asr.ink.Ink or a dictionary"),
        ({"array": np.zeros(1600), "sampling_rate": 16000}, "this model reads ink, not samples"),
        ({"strokes": [[[0, "x"]]]}, "<dictionary>"),
        ({"strokes": [object()]}, "the dictionary is not an ink: it holds object"),
        ({"strokes": []}, "<dictionary>"),
        (b"RIFF", "<bytes>: cannot be read as ink"),
        (b" ", "<bytes>: is empty"),
        ("nowhere.svg", r"nowhere\.svg: no such file"),
        ([[[0, 0], [1, 1]]], r"source 0 of the list \(from 0\): this model reads ink, not samples"),
    ],
)
def test_what_is_no_ink_is_refused_in_one_sentence(pen: Recogniser, source: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        pen.transcribe(source)
    assert "\n" not in str(caught.value)


def test_a_file_of_the_other_kind_is_called_that(pen: Recogniser, trained: Path, tones: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", Ink.of(*strokes()))
    with pytest.raises(
        DataError, match=r"test00\.wav: this model reads ink, not recordings; load a model for recordings"
    ):
        pen.transcribe(tones / "test" / "test00.wav")
    with pytest.raises(DataError, match=r"a\.json: this model reads recordings, not ink; load a model for pen strokes"):
        asr.load(trained).transcribe(tmp_path / "a.json")


def test_labels_stand_where_their_tones_are(trained: Path, tones: Path) -> None:
    utterance = read_manifest(tones / "test.jsonl")[1]
    spans = asr.load(trained).transcribe(utterance).spans
    assert utterance.text is not None
    for number, span in enumerate(spans):
        begin, end = 0.13 * number, 0.13 * (number + 1)
        assert begin - 0.13 < span.start < span.end < end + 0.13
        assert 0.0 < span.confidence <= 1.0


def test_times_of_a_segment_count_from_the_beginning_of_its_file(trained: Path, tones: Path) -> None:
    whole = max(read_manifest(tones / "test.jsonl"), key=lambda one: one.duration or 0)
    recogniser = asr.load(trained)
    segment = recogniser.transcribe(replace(whole, start=0.13, duration=0.26))
    assert len(segment.spans) == 2
    assert 0.13 <= segment.spans[0].start < segment.spans[1].end <= 0.13 + 0.26 + 0.02


def test_a_batch_is_decoded_like_its_utterances_alone(trained: Path, tones: Path) -> None:
    recogniser = load(trained)
    utterances = read_manifest(tones / "train.jsonl")
    frames = [recogniser.frames(recogniser.extractor.compute(recogniser.extractor.read(one))) for one in utterances]
    together = recogniser.recognise(frames)
    for one, (hypothesis,) in zip(frames, together, strict=True):
        ((alone,),) = recogniser.recognise([one])
        assert alone.labels == hypothesis.labels
        assert alone.log_probability == pytest.approx(hypothesis.log_probability, abs=1e-4)


def test_prepared_it_reads_the_same(trained: Path, tones: Path) -> None:
    one = load(trained)
    if not (compiled.available() and multiplies_pairs()):
        with pytest.raises(ConfigError, match="this machine has no bfloat16 products for this network"):
            one.prepared(bfloat16=True)
        return
    other = one.prepared(bfloat16=True)
    assert other.engine_choice.why == "it was prepared in bfloat16"
    for path in sorted((tones / "test").glob("*.wav")):
        exact, rounded = one.transcribe(path), other.transcribe(path)
        assert rounded.text == exact.text
        assert rounded.log_probability != exact.log_probability


def test_alternatives_are_the_best_hypotheses_of_one_source(trained: Path, tones: Path) -> None:
    path = tones / "test" / "test00.wav"
    beam = ["decoder=beam", "decoder.min_probability=0", "decoder.gap=60", "decoder.skip_blank=1"]
    recogniser = load(trained, decoder=beam)
    found = recogniser.alternatives(path, 3)
    assert len({one.labels for one in found}) == 3
    alone = recogniser.transcribe(path)  # it leaves candidates out that are too far behind to change a confidence
    assert (found[0].labels, found[0].score) == (alone.labels, alone.score)
    assert [one.confidence for one in found[0].spans] == pytest.approx(
        [one.confidence for one in alone.spans], abs=1e-4
    )
    assert [one.score.total for one in found] == sorted((one.score.total for one in found), reverse=True)
    assert load(trained).alternatives(path) == [load(trained).transcribe(path)]  # greedy search has one
    with pytest.raises(ConfigError, match="n_best=0; expected 1 or more"):
        recogniser.alternatives(path, 0)
    with pytest.raises(DataError, match="the speaker 'ann' is unknown"):
        recogniser.alternatives(path, 2, speaker="ann")


def test_a_decoder_may_prepare_itself_for_many_utterances(trained: Path) -> None:
    recogniser = load(trained, decoder="beam")
    assert recogniser.for_many(1).decoder is recogniser.decoder
    assert recogniser.for_many(1000).decoder.many  # type: ignore[attr-defined]
    greedy = load(trained)
    assert greedy.for_many(1000).decoder is greedy.decoder
