"""Recognise with a decoder that knows your words, and show what it weighed.

    python examples/own_words.py an4 names.txt recording.flac

The file of words has a word or phrase a line; a tab and a number behind it say how often it is met.
"""

import sys

import asr
from asr.decoding.own_words import OwnWords

model, words, path = sys.argv[1:4]
print("without:", asr.load(model, decoder="beam").transcribe(path).text)
recogniser = asr.load(model, decoder=OwnWords(words=words))
print("with:   ", recogniser.transcribe(path).text)
for place, one in enumerate(recogniser.alternatives(path, 3), start=1):
    print(f"{place}. acoustic {one.score.acoustic:.1f}, boost {one.score.boost:.1f}: {one.text}")
