"""The embedded speech corpus: synthetic read speech in the style of TIMIT, made on your machine from a seed.

eSpeak NG speaks sentences that were written for this project, through the package `espeakng-loader`. Each speaker has a
voice variant, vocal tract length, pitch, rate, loudness, microphone and room of its own. No voice variant, speaker or
sentence is in two splits. White or pink noise is added to each recording. Labels with times are TIMIT's 61 phones. The
files are `{train,dev,test}/dr1/SPEAKER/SENTENCE.{wav,phn,wrd,txt}`, as in TIMIT, and the reader of TIMIT reads them.

Licence: eSpeak NG is GPL-3; it runs as a separate library in a separate process, and no part of it is in this package.
The recordings of our sentences are ours.

The same seed gives the same bytes with the same versions of eSpeak NG, numpy, soxr and the C library. With other
versions, sentences, speakers and settings are the same, but the samples may differ slightly.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import random
import wave
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.extras import require
from asr.files import write_file, write_plain
from asr.plain_values import PlainFields
from data_prep import embedded, timit
from data_prep.embedded import Embedded
from data_prep.espeak.library import RATE as ESPEAK_RATE
from data_prep.espeak.library import Request, Speech, speak
from data_prep.espeak.phonemes import ACCENTS, Segment, segments
from data_prep.espeak.sentences import distinct, words
from data_prep.recordings import Progress

VERSION = 1
"""Version of this recipe; increase it when the same configuration gives other recordings."""

RATE = 16000

# Variants of eSpeak NG's formant synthesiser that sound like a person and have no echo, because closures are found by
# the silence in them. Variants between two bars sound alike and are put into the same split.
_WOMEN = """
    f1|Andrea|Annie|anika|aunty|belinda linda|steph steph2 steph3|grandma
"""
_MEN = """
    Alex|Andy AnxiousAndy Lee|Denis|Diogo Henrique Hugo michel miguel|Gene Gene2|Jacky|Mario Michael gustave marcelo
    Mike|Nguyen|Storm|antonio|boris|ed|grandpa|ian|iven2|iven3 iven4|john norbert|kaukovalta|m1|m3|m4|m5|m6|m7|m8|max
    paul|pedro|quincy|rob|robert|shelby|travis|victor
"""

Samples = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare espeak`."""

    root: str = field(default="", metadata={"help": "folder for the corpus; empty for the user's cache folder"})
    seed: int = field(default=1, metadata={"help": "seed of all random choices; another seed gives another corpus"})
    accent: str = field(default="en-us", metadata={"help": " or ".join(ACCENTS)})
    train: int = field(default=1500, metadata={"help": "number of train utterances"})
    dev: int = field(default=150, metadata={"help": "number of dev utterances"})
    test: int = field(default=300, metadata={"help": "number of test utterances"})
    train_speakers: int = field(default=60, metadata={"help": "number of train speakers"})
    dev_speakers: int = field(default=8, metadata={"help": "number of dev speakers"})
    test_speakers: int = field(default=16, metadata={"help": "number of test speakers"})
    snr_low: float = field(default=15.0, metadata={"help": "lowest signal-to-noise ratio in dB"})
    snr_high: float = field(default=35.0, metadata={"help": "highest signal-to-noise ratio in dB"})
    tracts: float = field(
        default=0.07, metadata={"help": "largest relative change of a variant's vocal tract length, up or down"}
    )
    rooms: float = field(default=0.25, metadata={"help": "share of the speakers in a room with reverberation"})


@dataclass(frozen=True)
class Speaker:
    """A voice and its recording conditions.

    Attributes:
        name: as in TIMIT: f or m, three letters, a number.
        voice: eSpeak's language and variant.
        speed: words per minute.
        pitch, pitch_range: eSpeak's values, 0 to 99.
        tract: factor for all frequencies; above 1 is a shorter vocal tract.
        tilt: coefficient of the microphone's one-zero filter; positive values raise high frequencies.
        level: RMS of the speech in dB of full scale.
        room: seconds of reverberation; 0 for none.
    """

    name: str
    voice: str
    speed: int
    pitch: int
    pitch_range: int
    tract: float
    tilt: float
    level: float
    room: float


@dataclass(frozen=True)
class Line:
    """One utterance to record."""

    split: str
    speaker: Speaker
    id: str
    sentence: str
    request: Request
    snr: float
    pink: bool

    @property
    def path(self) -> Path:
        """Path of its files below the root, without suffix."""
        return Path(self.split, "dr1", self.speaker.name, self.id)


def prepare(config: Config, on_progress: Progress | None = None) -> dict[str, list[Utterance]]:
    """Make the corpus if it does not exist yet, and read it as utterances by split.

    Args:
        config: the options.
        on_progress: called with `(what, done, total)` while the corpus is made.

    Raises:
        ConfigError: an option is out of its range.
        MissingExtra: `espeakng-loader` is not installed.
        DataError: the folder cannot be written, or holds something else.
    """
    _check(config)
    tree = Embedded("embedded corpus", folder(config), _identity(config), "files_sha256", _listing)
    if not tree.is_complete():
        require("espeakng_loader", what="the embedded corpus, which eSpeak NG speaks,")
        tree.make(lambda place: _make(place, config, on_progress))
    return timit.prepare(timit.Config(root=str(tree.root)))


def folder(config: Config) -> Path:
    """Return the folder of this configuration: `root`, or a folder in the user's cache."""
    return embedded.folder(config.root, "espeak", _identity(config))


def _make(place: Path, config: Config, on_progress: Progress | None) -> None:
    """Record the corpus into a folder."""
    lines = plan(config)
    for done, speech in enumerate(_spoken(lines)):
        _record(place, lines[done], speech)
        if on_progress is not None:
            on_progress("making the embedded corpus", done + 1, len(lines))
    _write_card(place, config, lines)


def _check(config: Config) -> None:
    if config.accent not in ACCENTS:
        raise ConfigError(f"accent='{config.accent}' has no table of phonemes; expected {' or '.join(ACCENTS)}")
    for split in SPLITS:
        n, speakers = getattr(config, split), getattr(config, f"{split}_speakers")
        if not 1 <= speakers <= n:
            raise ConfigError(f"{split}_speakers={speakers} cannot share {split}={n} utterances; expected 1 to {n}")
    if not config.snr_low <= config.snr_high:
        raise ConfigError(f"snr_low={config.snr_low}: expected at most snr_high={config.snr_high}")
    if not 0.0 <= config.tracts <= 0.3:
        raise ConfigError(f"tracts={config.tracts}: expected 0 to 0.3")
    if not 0.0 <= config.rooms <= 1.0:
        raise ConfigError(f"rooms={config.rooms}: expected a share from 0 to 1")


def _identity(config: Config) -> PlainFields:
    return {"version": VERSION, **{key: value for key, value in asdict(config).items() if key != "root"}}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _listing(root: Path) -> str:
    """Return a hash over names and sizes of all files except corpus.json."""
    files = sorted(
        (str(Path(at, name).relative_to(root).as_posix()), Path(at, name).stat().st_size)
        for at, _, names in os.walk(root)
        for name in names
        if name != embedded.CARD
    )
    return _hash(json.dumps(files).encode())


# Who says what


def plan(config: Config) -> list[Line]:
    """Choose every utterance of the corpus with its speaker and settings, sorted by split and speaker."""
    total = sum(getattr(config, split) for split in SPLITS)
    sentences = list(distinct(total, random.Random(f"{config.seed} sentences")))
    random.Random(f"{config.seed} order").shuffle(sentences)
    speakers = _speakers(config)
    lines: list[Line] = []
    for split in SPLITS:
        for _ in range(getattr(config, split)):
            number = len(lines)
            members = speakers[split]
            lines.append(_line(config, split, members[number % len(members)], f"sx{number + 1}", sentences[number]))
    return sorted(lines, key=lambda line: (SPLITS.index(line.split), line.speaker.name))


def _line(config: Config, split: str, speaker: Speaker, name: str, sentence: str) -> Line:
    rng = random.Random(f"{config.seed} {name}")
    request = Request(
        text=sentence,
        voice=speaker.voice,
        speed=round(speaker.speed * rng.uniform(0.92, 1.08)),
        pitch=speaker.pitch + rng.randint(-4, 4),
        pitch_range=speaker.pitch_range + rng.randint(-8, 8),
        seed=rng.randrange(1, 1 << 30),
    )
    return Line(
        split, speaker, name, sentence, request, rng.uniform(config.snr_low, config.snr_high), rng.random() < 0.5
    )


def _speakers(config: Config) -> dict[str, list[Speaker]]:
    """Choose the speakers of each split, every third a woman as in TIMIT; no variant is in two splits."""
    rng = random.Random(f"{config.seed} speakers")
    variants: dict[str, dict[str, list[str]]] = {split: {} for split in SPLITS}
    for sex, table in (("f", _WOMEN), ("m", _MEN)):
        families = [family.split() for line in table.strip().splitlines() for family in line.split("|")]
        rng.shuffle(families)
        n_test, n_dev = max(2, len(families) // 5), max(1, len(families) // 10)
        dealt = {"test": families[:n_test], "dev": families[n_test:][:n_dev], "train": families[n_test + n_dev :]}
        for split in SPLITS:
            variants[split][sex] = [variant for family in dealt[split] for variant in family]
    names: dict[str, int] = {}
    return {
        split: [
            _speaker(config, rng, names, sex, variants[split][sex])
            for sex, _ in zip(itertools.cycle("fmm"), range(getattr(config, f"{split}_speakers")), strict=False)
        ]
        for split in SPLITS
    }


def _speaker(config: Config, rng: random.Random, names: dict[str, int], sex: str, variants: list[str]) -> Speaker:
    variants.append(variant := variants.pop(0))  # use the variants in turn
    stem = sex + (variant.lower() + "xx")[:3]
    number = names[stem] = names.get(stem, -1) + 1
    return Speaker(
        name=f"{stem}{number}",
        voice=f"{config.accent}+{variant}",
        speed=rng.randint(140, 200),
        pitch=rng.randint(35, 65),
        pitch_range=rng.randint(30, 70),
        tract=rng.uniform(1 - config.tracts, 1 + config.tracts),
        tilt=rng.uniform(-0.3, 0.3),
        level=rng.uniform(-30.0, -20.0),
        room=rng.uniform(0.05, 0.15) if rng.random() < config.rooms else 0.0,
    )


# Recording


def _spoken(lines: list[Line]) -> Iterator[Speech]:
    """Speak each split in a process of its own, so that a split does not depend on the size of earlier ones."""
    for split in SPLITS:
        yield from speak([line.request for line in lines if line.split == split])


def _record(root: Path, line: Line, speech: Speech) -> None:
    """Write the four files of an utterance."""
    import soxr

    speaker = line.speaker
    rng = np.random.default_rng(line.request.seed)
    played = ESPEAK_RATE * speaker.tract  # faster playback raises pitch and formants
    voice = soxr.resample(speech.samples.astype(np.float64) / 32768, played, RATE)
    head, tail = (int(n) for n in rng.integers(RATE // 16, RATE // 6, 2))
    clean = np.concatenate([np.zeros(head), voice, np.zeros(tail)])
    clean = _in_room(_tilted(clean, speaker.tilt), speaker, rng)
    clean *= 10 ** (speaker.level / 20) / _loudness(clean)
    noise = _noise(len(clean), line.pink, rng)
    noisy = clean + noise * 10 ** ((speaker.level - line.snr) / 20)
    noisy *= min(1.0, 0.99 / float(np.abs(noisy).max()))
    times = [
        replace(s, start=head + round(s.start * RATE / played), end=head + round(s.end * RATE / played))
        for s in segments(speech)
    ]
    path = root / line.path
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, RATE, len(noisy), "NONE", "not compressed"))
        file.writeframes(np.round(noisy * 32767).astype("<i2").tobytes())
    write_plain(path.with_suffix(".wav"), content.getvalue())
    _write(path.with_suffix(".phn"), _phone_lines(times, len(noisy)))
    _write(path.with_suffix(".wrd"), _word_lines(times, line.sentence))
    _write(path.with_suffix(".txt"), [(0, len(noisy), line.sentence)])


def _write(path: Path, lines: Iterable[tuple[int, int, str]]) -> None:
    text = "".join(f"{start} {end} {label}\n" for start, end, label in lines)
    write_plain(path, text.encode())


def _loudness(signal: Samples) -> float:
    """Return the RMS of the samples that are louder than silence."""
    sound = signal[np.abs(signal) > 0.01 * np.abs(signal).max()]
    return float(np.sqrt(np.mean(np.square(sound))))


def _tilted(signal: Samples, tilt: float) -> Samples:
    return signal - tilt * np.concatenate([np.zeros(1), signal[:-1]])


def _in_room(signal: Samples, speaker: Speaker, rng: np.random.Generator) -> Samples:
    """Add a tail of exponentially decaying noise, 60 dB down after `room` seconds, 12 dB below the direct sound."""
    if not speaker.room:
        return signal
    n = round(speaker.room * RATE)
    echo = np.random.default_rng([ord(letter) for letter in speaker.name]).standard_normal(n)
    echo *= 10.0 ** (-3.0 * np.arange(n) / n)
    echo *= 10 ** (-12 / 20) / np.sqrt(np.sum(np.square(echo)))
    size = 1 << (len(signal) + n).bit_length()
    tail = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(echo, size), size)[: len(signal)]
    return signal + tail


def _noise(n: int, pink: bool, rng: np.random.Generator) -> Samples:
    """Return white or pink noise (power proportional to 1/f above 20 Hz) of RMS 1."""
    noise = rng.standard_normal(n)
    if pink:
        size = 1 << n.bit_length()
        spectrum = np.fft.rfft(noise, size)
        hertz = np.fft.rfftfreq(size, 1 / RATE)
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20.0)), size)[:n]
    return noise / float(np.sqrt(np.mean(np.square(noise))))


def _phone_lines(times: list[Segment], n_samples: int) -> list[tuple[int, int, str]]:
    lines = [(segment.start, segment.end, segment.label) for segment in times]
    return [(0, times[0].start, "h#"), *lines, (times[-1].end, n_samples, "h#")]


# Words that eSpeak NG may join to the word before, and the labels with which they begin.
_ONSETS: Mapping[str, tuple[str, ...]] = {
    "the": ("dh",), "be": ("bcl",), "been": ("bcl",), "not": ("n",), "were": ("w",), "of": ("ah", "ax", "ao"),
}  # fmt: skip


def _word_lines(times: list[Segment], sentence: str) -> list[tuple[int, int, str]]:
    """Return the times of the words; segments with the same text position are one word, or several joined words."""
    spans = [(i, i + len(token)) for i, token in _tokens(sentence)]
    places = [_word_at(spans, segment.position - 1) for segment in times if segment.label != "pau"]
    spoken = [segment for segment in times if segment.label != "pau"]
    said = words(sentence)
    lines: list[tuple[int, int, str]] = []
    starts = sorted(set(places))
    for place, following in zip(starts, [*starts[1:], len(said)], strict=True):
        group = [segment for segment, at in zip(spoken, places, strict=True) if at == place]
        lines += _share(group, said[place:following])
    return lines


def _tokens(sentence: str) -> Iterator[tuple[int, str]]:
    at = 0
    for token in sentence.split():
        at = sentence.index(token, at)
        yield at, token
        at += len(token)


def _word_at(spans: list[tuple[int, int]], position: int) -> int:
    return max((index for index, (start, _) in enumerate(spans) if start <= position), default=0)


def _share(group: list[Segment], said: list[str]) -> list[tuple[int, int, str]]:
    """Divide the segments of joined words between these words."""
    lines: list[tuple[int, int, str]] = []
    for word in reversed(said[1:]):
        onsets = _ONSETS.get(word, (group[-1].label,))
        cut = next((i for i in range(len(group) - 1, 0, -1) if group[i].label in onsets), len(group) - 1)
        lines.append((group[cut].start, group[-1].end, word))
        group = group[:cut]
    return [(group[0].start, group[-1].end, said[0]), *reversed(lines)]


def _write_card(root: Path, config: Config, lines: list[Line]) -> None:
    from importlib.metadata import version

    card = {
        "what": "embedded speech corpus: our sentences spoken by eSpeak NG, labelled with TIMIT's 61 phones",
        "configuration": _identity(config),
        "espeakng_loader": version("espeakng-loader"),
        "utterances": {split: sum(line.split == split for line in lines) for split in SPLITS},
        "speakers": {split: len({line.speaker.name for line in lines if line.split == split}) for split in SPLITS},
        "files_sha256": _listing(root),
    }
    write_file(root / embedded.CARD, (json.dumps(card, indent=1) + "\n").encode())
