"""Alignments are read back as their formats say; by independent readers too, where they are installed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.recogniser.alignment_formats import Tier, audacity_lines, eaf_lines, textgrid_lines, tiers_of

WORDS = (Span('so-"called"', 0.25, 0.75, 0.9), Span("R&B <x>", 1.0, 1.5, 0.9))
LABELS = (Span("s", 0.25, 0.5, 0.9), Span('"', 0.5, 0.75, 0.9), Span(" ", 0.75, 1.0, 0.9), Span("&", 1.0, 1.5, 0.9))
FOUND = Hypothesis((), "", Score(0.0), LABELS, WORDS)
TIERS = tiers_of(FOUND, has_words=True)


def read_textgrid(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """Name of each tier to its intervals, with doubled quotes made single."""
    tiers = {}
    for part in re.split(r"item \[\d+\]:", text)[1:]:
        name = re.search(r'name = "(.*)"', part)
        size = re.search(r"intervals: size = (\d+)", part)
        found = re.findall(r'intervals \[(\d+)\]:\n\s+xmin = (\S+)\n\s+xmax = (\S+)\n\s+text = "(.*)"\n', part)
        assert name is not None
        assert size is not None
        assert [int(number) for number, *_ in found] == list(range(1, int(size[1]) + 1))
        assert not any('"' in label.replace('""', "") for *_, label in found)
        tiers[name[1]] = [(float(a), float(b), label.replace('""', '"')) for _, a, b, label in found]
    return tiers


def test_tiers() -> None:
    assert [tier.name for tier in TIERS] == ["words", "labels"]
    assert [span.label for span in TIERS[1].spans] == ["s", '"', "&"]
    assert [tier.name for tier in tiers_of(FOUND, has_words=False)] == ["labels"]


def test_textgrid_fills_the_recording() -> None:
    tiers = read_textgrid("\n".join(textgrid_lines(TIERS, 2.0)) + "\n")
    assert tiers["words"] == [
        (0, 0.25, ""), (0.25, 0.75, 'so-"called"'), (0.75, 1, ""), (1, 1.5, "R&B <x>"), (1.5, 2, ""),
    ]  # fmt: skip
    assert [label for *_, label in tiers["labels"]] == ["", "s", '"', "", "&", ""]
    silent = read_textgrid("\n".join(textgrid_lines([Tier("words", ())], 2.0)) + "\n")
    assert silent["words"] == [(0, 2, "")]


def test_eaf_holds_every_span_with_its_time_slots() -> None:
    root = ET.fromstring("\n".join(eaf_lines(TIERS, 'file:///a"&b.wav', ".wav")))
    slots = {one.get("TIME_SLOT_ID"): int(one.get("TIME_VALUE", "")) for one in root.iter("TIME_SLOT")}
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.attrib == {"MEDIA_URL": 'file:///a"&b.wav', "MIME_TYPE": "audio/x-wav"}
    read = {}
    for tier in root.iter("TIER"):
        read[tier.get("TIER_ID")] = [
            (slots[one.get("TIME_SLOT_REF1")], slots[one.get("TIME_SLOT_REF2")], one.findtext("ANNOTATION_VALUE"))
            for one in tier.iter("ALIGNABLE_ANNOTATION")
        ]
    assert read["words"] == [(250, 750, 'so-"called"'), (1000, 1500, "R&B <x>")]
    assert read["labels"] == [(250, 500, "s"), (500, 750, '"'), (1000, 1500, "&")]
    ids = [one.get("ANNOTATION_ID") for one in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(ids)) == len(ids) == 5


def test_spans_shorter_than_a_millisecond_do_not_overlap_in_eaf() -> None:
    short = [Span(str(n), 0.1 + n * 0.0001, 0.1 + (n + 1) * 0.0001, 0.9) for n in range(4)]
    text = "\n".join(eaf_lines([Tier("labels", short)], "file:///a.wav", ".wav"))
    values = [int(value) for value in re.findall(r'TIME_VALUE="(\d+)"', text)]
    assert values == [100, 101, 101, 102, 102, 103, 103, 104]


def test_audacity_has_a_line_for_each_word() -> None:
    lines = list(audacity_lines([*WORDS, Span("a\tb\nc", 2.0, 2.5, 0.9)]))
    assert lines[0] == '0.250000\t0.750000\tso-"called"'
    assert lines[2] == "2.000000\t2.500000\ta\\tb\\nc"


def test_praat_reads_the_textgrid(tmp_path: Path) -> None:
    parselmouth = pytest.importorskip("parselmouth", reason="praat-parselmouth, Praat as a library, is not installed")
    path = tmp_path / "a.TextGrid"
    path.write_text("\n".join(textgrid_lines(TIERS, 2.0)) + "\n", encoding="utf-8")
    read, call = parselmouth.read(str(path)), parselmouth.praat.call
    assert call(read, "Get number of tiers") == 2
    labels = [call(read, "Get label of interval", 1, n) for n in range(1, 6)]
    assert labels == ["", 'so-"called"', "", "R&B <x>", ""]
    assert [call(read, "Get start time of interval", 2, n) for n in range(1, 7)] == [0, 0.25, 0.5, 0.75, 1, 1.5]


def test_pympi_reads_the_eaf(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan", reason="pympi-ling, a reader of ELAN's files, is not installed")
    path = tmp_path / "a.eaf"
    path.write_text("\n".join(eaf_lines(TIERS, "file:///a.wav", ".wav")) + "\n", encoding="utf-8")
    read = elan.Eaf(str(path))
    assert list(read.get_tier_names()) == ["words", "labels"]
    assert sorted(read.get_annotation_data_for_tier("words")) == [(250, 750, 'so-"called"'), (1000, 1500, "R&B <x>")]
