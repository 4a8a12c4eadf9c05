"""The embedded pen corpus: English words and short lines in the Hershey fonts, made on your machine from a seed.

The same seed gives the same ink if numpy draws the same random numbers. Each writer has random shapes of letters,
slant, size, base line, speed and tremor, joined or separate letters, and writes dots and bars at once or at the end of
the word. No writer or sentence is in two splits. There are only two fonts of single strokes, which all splits share;
writers differ in the other properties.

The files are `words.inks` with all ink, and `{train,dev,test}.jsonl` with the texts. Texts are one to four words of the
sentences of the embedded speech corpus, without punctuation. Every tenth single word begins with a capital, and every
twentieth is in capitals.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.extras import require
from asr.files import write_file
from asr.ink.ink import Ink
from asr.ink.store import write_store
from asr.plain_values import PlainFields
from asr.seeds import derive_seed, generator
from data_prep import embedded
from data_prep.embedded import Embedded
from data_prep.espeak.sentences import distinct
from data_prep.hershey.hand import Hand, Writing, hand
from data_prep.recordings import Progress

VERSION = 1
"""Version of this recipe; increase it when the same configuration gives other ink."""

STYLES = ("print", "script", "mixed")

_STORE = "words.inks"
_MOST_WORDS = 4
_SINGLE = 0.6  # share of the utterances that are one word
_CAPITAL = 0.1  # share of the single words that begin with a capital
_SHOUTED = 0.05  # share of the single words in capitals, so that every capital letter occurs
_PUNCTUATION = ".,;:!?"


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare hershey`."""

    root: str = field(default="", metadata={"help": "folder for the corpus; empty for the user's cache folder"})
    seed: int = field(default=1, metadata={"help": "seed of all random choices; another seed gives another corpus"})
    train: int = field(default=4000, metadata={"help": "number of train utterances: words and short lines"})
    dev: int = field(default=400, metadata={"help": "number of dev utterances"})
    test: int = field(default=800, metadata={"help": "number of test utterances"})
    train_writers: int = field(default=200, metadata={"help": "number of train writers"})
    dev_writers: int = field(default=20, metadata={"help": "number of dev writers"})
    test_writers: int = field(default=40, metadata={"help": "number of test writers"})


@dataclass(frozen=True)
class Line:
    """One utterance to write."""

    id: str
    split: str
    hand: Hand
    text: str


def prepare(config: Config, on_progress: Progress | None = None) -> dict[str, list[Utterance]]:
    """Make the corpus if it does not exist yet, and read it as utterances by split.

    Args:
        config: the options.
        on_progress: called with `(what, done, total)` while the corpus is made.

    Raises:
        ConfigError: an option is out of its range.
        MissingExtra: the package `Hershey-Fonts` is not installed.
        DataError: the folder cannot be written, or holds something else.
    """
    _check(config)
    tree = Embedded("embedded pen corpus", folder(config), _identity(config), "sizes", _sizes)
    if not tree.is_complete():
        require("HersheyFonts", what="the embedded pen corpus")
        tree.make(lambda place: _write(place, config, plan(config), on_progress))
    return {split: read_manifest(tree.root / f"{split}.jsonl") for split in SPLITS}


def folder(config: Config) -> Path:
    """Return the folder of this configuration: `root`, or a folder in the user's cache."""
    return embedded.folder(config.root, "hershey", _identity(config))


def plan(config: Config) -> list[Line]:
    """Choose every utterance of the corpus with its writer and text, sorted by split and writer."""
    total = sum(getattr(config, split) for split in SPLITS)
    sentences = list(distinct(total, random.Random(f"{config.seed} pen sentences")))
    random.Random(f"{config.seed} pen order").shuffle(sentences)
    lines: list[Line] = []
    for split in SPLITS:
        hands = [
            hand(f"{split}{number:03}", config.seed, STYLES[number % len(STYLES)])
            for number in range(getattr(config, f"{split}_writers"))
        ]
        for number in range(getattr(config, split)):
            one = hands[number % len(hands)]
            name = f"{one.name}-{number:05}"
            lines.append(Line(name, split, one, _text(sentences[len(lines)], f"{config.seed} {name}")))
    return sorted(lines, key=lambda line: (SPLITS.index(line.split), line.hand.name))


def inks(lines: list[Line], seed: int, on_progress: Progress | None = None) -> Iterator[Ink]:
    """Yield the ink of each line."""
    writing: Writing | None = None
    for done, line in enumerate(lines, start=1):
        if writing is None or writing.hand != line.hand:
            writing = Writing(line.hand)
        yield writing.write(line.text, generator(seed, "ink", line.id))
        if on_progress is not None:
            on_progress("making the embedded pen corpus", done, len(lines))


def _text(sentence: str, seed: str) -> str:
    """Choose a word, or some neighbouring words, of a sentence."""
    chosen = random.Random(seed)
    words = [word for word in (word.strip(_PUNCTUATION) for word in sentence.split()) if word]
    count = 1 if chosen.random() < _SINGLE else chosen.randint(2, _MOST_WORDS)
    begin = chosen.randint(0, max(0, len(words) - count))
    text = " ".join(words[begin : begin + count])
    draw = chosen.random()
    if count > 1 or draw > _SHOUTED + _CAPITAL:
        return text
    return text.upper() if draw < _SHOUTED else text[:1].upper() + text[1:]


def _write(root: Path, config: Config, lines: list[Line], on_progress: Progress | None) -> None:
    store = root / _STORE
    places = write_store(store, inks(lines, derive_seed(config.seed, "pen corpus"), on_progress))
    for split in SPLITS:
        utterances = [
            Utterance(
                line.id, store, "ink", start=start, duration=n_points, text=line.text, speaker=line.hand.name,
                tags={"style": line.hand.style},
            )
            for line, (start, n_points) in zip(lines, places, strict=True)
            if line.split == split
        ]  # fmt: skip
        write_manifest(root / f"{split}.jsonl", utterances)
    from importlib.metadata import version

    card = {
        "what": "embedded pen corpus: our words in the Hershey fonts, written by made-up hands",
        "configuration": _identity(config),
        "hershey_fonts": version("Hershey-Fonts"),
        "sizes": _sizes(root),
    }
    write_file(root / embedded.CARD, (json.dumps(card, indent=1) + "\n").encode())


def _sizes(root: Path) -> dict[str, int]:
    """Return the size of every file except corpus.json."""
    return {path.name: path.stat().st_size for path in sorted(root.iterdir()) if path.name != embedded.CARD}


def _check(config: Config) -> None:
    for split in SPLITS:
        n, writers = getattr(config, split), getattr(config, f"{split}_writers")
        if not 1 <= writers <= n:
            raise ConfigError(f"{split}_writers={writers} cannot share {split}={n} utterances; expected 1 to {n}")


def _identity(config: Config) -> PlainFields:
    return {"version": VERSION, **{key: value for key, value in asdict(config).items() if key != "root"}}
