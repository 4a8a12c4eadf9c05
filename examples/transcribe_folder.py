"""Transcribe all recordings of a folder into text files beside them.

    python examples/transcribe_folder.py an4 recordings/

A recording that cannot be read is named, and the others go on.
"""

import sys
from pathlib import Path

import asr
from asr.errors import DataError

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}

model, folder = sys.argv[1], Path(sys.argv[2])
recogniser = asr.load(model)
for path in sorted(folder.rglob("*")):
    if path.suffix.lower() not in SUFFIXES:
        continue
    try:
        found = recogniser.transcribe(path)
    except DataError as error:
        print(f"left out: {error}", file=sys.stderr)
        continue
    path.with_suffix(".hyp.txt").write_text(found.text + "\n", encoding="utf-8")
    print(f"{path.relative_to(folder)}\t{found.confidence:.2f}\t{found.text}")
