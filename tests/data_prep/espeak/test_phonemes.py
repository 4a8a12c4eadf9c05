"""eSpeak NG's phonemes as TIMIT's labels: words against a pronouncing dictionary, closures, made-up event lists."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.corpus.phonemes import TIMIT_61, fold
from asr.errors import DataError
from data_prep.espeak.library import RATE, Phoneme, Request, Speech, speak
from data_prep.espeak.phonemes import ACCENTS, CLOSURES, LABELS, segments
from data_prep.espeak.sentences import compose, written

# From the CMU Pronouncing Dictionary 0.7b (http://www.speech.cs.cmu.edu/cgi-bin/cmudict), stress dropped.
DICTIONARY = {
    "judge": "jh ah jh",
    "church": "ch er ch",
    "measure": "m eh zh er",
    "thing": "th ih ng",
    "then": "dh eh n",
    "boy": "b oy",
    "how": "hh aw",
    "high": "hh ay",
    "chair": "ch eh r",
    "yellow": "y eh l ow",
    "voice": "v oy s",
    "zoo": "z uw",
    "ship": "sh ih p",
    "sheep": "sh iy p",
    "good": "g uh d",
    "car": "k aa r",
    "door": "d ao r",
    "law": "l ao",
    "cat": "k ae t",
    "cake": "k ey k",
    "butter": "b ah t er",
    "bird": "b er d",
    "wash": "w aa sh",
    "fire": "f ay er",
    "fog": "f aa g",
}


def test_words_are_labelled_as_a_dictionary_has_them() -> None:
    spoken = speak([Request(f"{word}.", "en-us") for word in DICTIONARY])
    found = {
        word: " ".join(fold([segment.label for segment in segments(speech)], "timit61_to_cmu39"))
        for word, speech in zip(DICTIONARY, spoken, strict=True)
    }
    assert found == DICTIONARY


def test_timits_own_marks() -> None:
    sentences = {
        "A kitten.": "ax kcl k ih q en",
        "A bottle.": "ax bcl b aa dx el",
        "The old egg.": "dh iy ow l dcl d eh gcl g",
    }
    spoken = speak([Request(sentence, "en-us") for sentence in sentences])
    found = [" ".join(segment.label for segment in segments(speech)) for speech in spoken]
    assert found == list(sentences.values())


def test_table_gives_timits_labels() -> None:
    used = {label for labels in LABELS.values() for label in labels} | set(CLOSURES.values()) | {"pau", "h#"}
    assert used <= set(TIMIT_61)
    assert set(TIMIT_61) - used == {"nx", "ux", "hv", "ax-h", "epi"}


@pytest.mark.parametrize("accent", ACCENTS)
def test_every_sentence_has_labels(accent: str) -> None:
    rng = random.Random(3)
    sentences = written() + [compose(rng) for _ in range(400)]
    requests = [Request(sentence, accent) for sentence in sentences]
    for request, speech in zip(requests, speak(requests), strict=True):
        found = segments(speech)
        assert len(found) > 8, request.text
        assert all(segment.end - segment.start >= 0.004 * RATE for segment in found), request.text


# Made-up speech: a phoneme is a tone of 100 ms, an underscore in the pattern is silence before the event.


def made_up(*phonemes: tuple[str, int, int]) -> Speech:
    """Phonemes as (name, silent samples before the event, sounding samples after it)."""
    parts: list[np.ndarray] = []
    events: list[Phoneme] = []
    for name, silent, sounding in phonemes:
        parts.append(np.zeros(silent))
        events.append(Phoneme(name, sum(map(len, parts)), 1))
        parts.append(np.zeros(sounding) if name.startswith("_") else 1000 * np.cos(np.arange(sounding)))
    return Speech(np.concatenate(parts).astype(np.int16), tuple(events))


def labelled(speech: Speech) -> list[tuple[str, int, int]]:
    return [(segment.label, segment.start, segment.end) for segment in segments(speech)]


def test_the_silence_before_a_stop_is_its_closure() -> None:
    speech = made_up(("'a", 0, 2000), ("t", 800, 900), ("i", 0, 2000))
    assert labelled(speech) == [("ae", 0, 2000), ("tcl", 2000, 2800), ("t", 2800, 3700), ("iy", 3700, 5700)]


def test_the_burst_ends_a_voiced_closure() -> None:
    speech = made_up(("a", 0, 2000), ("d", 0, 1500), ("i", 0, 2000))
    speech.samples[2000:3000] = 500 * np.cos(0.03 * np.arange(1000))  # 100 Hz of voicing before the burst
    (_, _, _), (closure, start, end), (release, _, _), _ = labelled(speech)
    assert (closure, release, start) == ("dcl", "d", 2000)
    assert abs(end - 3000) <= 0.002 * RATE


def test_no_closure_after_silence() -> None:
    speech = made_up(("t", 800, 900), ("i", 0, 2000), ("_:", 0, 3000), ("k", 800, 900), ("_:", 0, 500), ("_", 0, 0))
    assert [label for label, _, _ in labelled(speech)] == ["t", "iy", "pau", "k"]
    assert labelled(speech)[2] == ("pau", 3700 - 800 + 800, 3700 + 3800)


def test_a_short_pause_is_none() -> None:
    speech = made_up(("n", 0, 1000), ("_!", 0, 400), ("w", 0, 1500), ("a", 0, 1500))
    assert labelled(speech) == [("n", 0, 1000), ("w", 1000, 2900), ("ae", 2900, 4400)]


def test_r_is_one_label_only() -> None:
    assert [label for label, _, _ in labelled(made_up(("A@", 0, 3000), ("t", 500, 900)))] == ["aa", "r", "tcl", "t"]
    assert [label for label, _, _ in labelled(made_up(("o@", 0, 3000), ("r", 0, 900)))] == ["ao", "r"]


def test_a_glide_belongs_to_its_vowel() -> None:
    assert labelled(made_up(("I2", 0, 1000), (";", 0, 800), ("oU", 0, 3000))) == [("iy", 0, 1800), ("ow", 1800, 4800)]


def test_a_liquid_gets_its_part_of_the_vowel() -> None:
    assert labelled(made_up(("eI", 0, 4000), ("l", 0, 100))) == [("ey", 0, 4100 - 1102), ("l", 4100 - 1102, 4100)]
    assert labelled(made_up(("@", 0, 1000), ("l", 0, 0), ("m", 0, 900)))[:2] == [("ax", 0, 600), ("l", 600, 1000)]


def test_an_unknown_phoneme_is_named() -> None:
    with pytest.raises(
        DataError, match=r"eSpeak NG's phoneme 'y:' has no TIMIT label; choose one of the accents en-us"
    ):
        segments(made_up(("'y:", 0, 1000)))


NAMES = st.sampled_from([*LABELS, ";", "_:", "_", "_!"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(0, 1500), st.integers(300, 3000)), min_size=1, max_size=12))
def test_segments_follow_one_another_whatever_comes(middle: list[tuple[str, int, int]]) -> None:
    speech = made_up(("a", 0, 1000), *middle, ("a", 0, 1000))
    found = labelled(speech)
    assert found[0][1] == 0
    assert found[-1][2] == len(speech.samples)
    assert [end for _, _, end in found[:-1]] == [start for _, start, _ in found[1:]]
    assert all(start < end for _, start, end in found)
    assert {label for label, _, _ in found} <= set(TIMIT_61)
