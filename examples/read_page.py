"""Read a page of ink: its lines with their words and confidences, and what is not writing.

    python examples/read_page.py unipen notes.xopp

Strokes are counted from 0, in the order of the file.
"""

import sys

import asr
from asr.ink import read_ink
from asr.recogniser.page import transcribe_page

model, path = sys.argv[1:3]
page = transcribe_page(asr.load(model), read_ink(path))
for line in page.lines:
    words = " ".join(f"{word.label}({word.confidence:.2f})" for word in line.hypothesis.words)
    print(f"strokes {line.strokes[0]} to {line.strokes[-1]}: {words}")
for mark in page.marks:
    print(f"{mark.kind}: strokes {', '.join(map(str, mark.strokes))}")
