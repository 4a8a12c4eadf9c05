"""Measure long recordings: what cuts change in the text, and the time and memory of an hour.

python benchmarks/long_recordings.py cuts             # 20 joins of 20 recordings of AN4's test speakers
python benchmarks/long_recordings.py cuts --split train --model an4
python benchmarks/long_recordings.py hour             # peak memory and processor time, by engine and format

Recordings are drawn with a seed and joined without a pause. The text of the whole recording and the text of its pieces
are compared with each other and with the reference.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from test_sets import DATA

from asr.audio import read_audio
from asr.audio.blocks import sound_blocks
from asr.corpus.inventory import Unit
from asr.corpus.utterance import Utterance
from asr.features.extractor import Streaming
from asr.recogniser import cuts
from asr.recogniser.loading import load
from asr.recogniser.long import transcribe_long
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.sources import LongSound
from asr.scoring.edits import ErrorCounts, count_errors
from data_prep.corpora import load_corpus

RATE = 16000
MEASURED = """
import resource, sys, time
import asr
model, path, engine = sys.argv[1:]
found = asr.load(model, engine=engine).transcribe(path, channel=0)
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"{used.ru_maxrss / 1024:.0f} MiB | {used.ru_utime + used.ru_stime:.1f} s | {len(found.words)}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cuts", "hour"))
    parser.add_argument("--model", default="an4")
    parser.add_argument("--data", type=Path, default=DATA / "an4")
    parser.add_argument("--embedded", action="store_true", help="the embedded speech instead of AN4, for quickstart")
    parser.add_argument("--split", default="test")
    parser.add_argument("--joins", type=int, default=20)
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--engines", nargs="+", default=["numpy", "torch"])
    given = parser.parse_args()
    reader, options = ("espeak", {}) if given.embedded else ("an4", {"root": str(given.data)})
    split = load_corpus(reader, options).splits[given.split]
    if given.what == "cuts":
        print(compared(load(given.model), split, given.joins, given.recordings))
    else:
        measure_hour(given.model, split, given.engines)


def compared(recogniser: Recogniser, split: Sequence[Utterance], n_joins: int, n_recordings: int) -> str:
    """Return the lines of a report on joined recordings."""
    labels, words, errors_whole, errors_cut = (ErrorCounts() for _ in range(4))
    n_cuts = n_equal = 0
    seconds = 0.0
    for seed in range(n_joins):
        chosen = random.Random(seed).sample(list(split), n_recordings)
        signal = np.concatenate([read_audio(one.source, rate=RATE) for one in chosen])
        raw = recogniser.extractor.compute(signal)
        whole = recogniser.recognise([recogniser.frames(raw)])[0][0]
        with sound_blocks((signal, RATE), RATE) as sound:
            assert isinstance(recogniser.extractor, Streaming)
            cut = transcribe_long(recogniser, LongSound(recogniser.extractor, sound))[0]
        said = [token for one in chosen for token in tokens(one, recogniser.inventory.unit)]
        labels += count_errors(whole.labels, cut.labels)
        words += count_errors(whole.text.split(), cut.text.split())
        errors_whole += count_errors(said, whole.text.split())
        errors_cut += count_errors(said, cut.text.split())
        n_cuts += n_cuts_of(signal)
        n_equal += whole.text == cut.text
        seconds += len(signal) / RATE
    return "\n".join(
        [
            f"{n_joins} joins of {n_recordings} recordings, {seconds:.0f} s, {n_cuts} cuts",
            f"the same text: {n_equal}",
            f"labels that differ: {shown(labels)}",
            f"words that differ: {shown(words)}",
            f"words wrong as a whole: {shown(errors_whole)}",
            f"words wrong in pieces: {shown(errors_cut)}",
        ]
    )


def tokens(utterance: Utterance, unit: Unit) -> Sequence[str]:
    """Return the words of a transcript, or its labels for a model of whole labels."""
    return (utterance.labels or ()) if unit == "labels" else (utterance.text or "").split()


def n_cuts_of(signal: NDArray[np.float32]) -> int:
    loudness = cuts.Loudness(RATE)
    for _ in loudness.heard([signal]):
        pass
    return len(cuts.plan_cuts(loudness.levels()))


def shown(counts: ErrorCounts) -> str:
    parts = f"{counts.substitutions} sub, {counts.deletions} del, {counts.insertions} ins"
    return f"{counts.errors} of {counts.reference} ({parts})"


def measure_hour(model: str, split: Sequence[Utterance], engines: Sequence[str]) -> None:
    """Print a row for each kind of file and each engine."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, channels, rate in (("flac", 1, RATE), ("flac", 2, 44100), ("wav", 2, 44100)):
            path = Path(folder) / f"hour.{kind}"
            write_hour(path, split, channels, rate)
            for engine in engines:
                command = [sys.executable, "-c", MEASURED, model, str(path), engine]
                told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
                print(f"| {rate} Hz, {channels} channels, {kind} | {engine} | {told} |", flush=True)


def write_hour(path: Path, split: Sequence[Utterance], channels: int, rate: int) -> None:
    """Write an hour of recordings, drawn again and again; other channels are silent."""
    chooser = random.Random(0)
    with soundfile.SoundFile(path, "w", rate, channels, subtype="PCM_16") as file:
        while file.frames < 3600 * rate:
            signal = soxr.resample(read_audio(chooser.choice(split).source, rate=RATE), RATE, rate)
            silence = np.zeros((len(signal), channels - 1), dtype=np.float32)
            file.write(np.concatenate([signal[:, None], silence], axis=1))


if __name__ == "__main__":
    main()
