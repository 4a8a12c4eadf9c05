"""The counts of NIST's sclite, where it is installed (Debian's package `sctk`)."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.lattice import count_errors_between
from asr.scoring.trn import Transcript, read_trn, write_trn
from tests.reference.alternatives import Choice, Optional, cheapest, written

SCLITE = next((path for name in ("sclite", "/usr/lib/sctk/bin/sclite") if (path := shutil.which(name))), None)
pytestmark = [
    pytest.mark.sclite,
    pytest.mark.skipif(SCLITE is None, reason="NIST's sclite is not installed (apt-get install sctk)"),
]


def sclite(folder: Path) -> dict[str, ErrorCounts]:
    """What sclite counts for each line of ref.trn and hyp.trn."""
    command = [
        SCLITE,
        "-s",
        "-D",
        "-i",
        "spu_id",
        "-r",
        "ref.trn",
        "trn",
        "-h",
        "hyp.trn",
        "trn",
        "-o",
        "pra",
        "stdout",
    ]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # type: ignore[arg-type]
    assert "rror" not in output.stderr
    found = re.findall(r"id: \((.*)\)\nScores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", output.stdout)
    return {name: ErrorCounts(*map(int, counts)) for name, *counts in found}


def ours(folder: Path) -> dict[str, ErrorCounts]:
    reference, hypothesis = (read_trn(folder / f"{side}.trn").lines for side in ("ref", "hyp"))
    return {
        name: count_errors_between(transcript.tokens, hypothesis[name].tokens) for name, transcript in reference.items()
    }


def test_what_we_write_is_literal_for_sclite(tmp_path: Path) -> None:
    pairs = [
        (("THE", "EDISON", "LIGHT"), ("THE", "ADDISON", "LIGHT"), "s1"),
        ((), ("oh",), "s1"),
        (("a",), (), "jean-luc"),
        (("(uh)", "{", "a", "/", "b", "}", "@"), ("(uh)", "{", "b", "/", "}", "@"), None),
        (("(uh)", "yes"), ("yes",), None),
        (("ab:c", "ab", "x*"), ("ab:d", "Ab", "x"), None),
        ((";;", "x", " ", "y"), (";;", "x", "y"), "s2"),
        (("**",), ("**",), "s2"),
        (("50%", "50%20", "a\\b", "e\u0301"), ("50", "50", "ab", "é"), "s2"),
    ]
    for name, side in (("ref", 0), ("hyp", 1)):
        lines = [Transcript(f"u{k}", pair[side], pair[2]) for k, pair in enumerate(pairs)]
        write_trn(tmp_path / f"{name}.trn", lines, "labels")
    expected = {f"u{k}": count_errors(pair[0], pair[1]) for k, pair in enumerate(pairs)}
    assert {name.partition("-")[2]: counts for name, counts in sclite(tmp_path).items()} == expected
    assert ours(tmp_path) == sclite(tmp_path)


def _words(chance: random.Random, least: int, most: int) -> list[str]:
    return [chance.choice("abcdefgh") for _ in range(chance.randint(least, most))]


def _reference(chance: random.Random, depth: int = 2) -> tuple[Any, ...]:
    """Words of which some are optional and some have alternatives, nested up to a depth."""
    parts: list[Any] = []
    for word in _words(chance, 1, 4 * depth + 1):
        kind = chance.random()
        if kind < 0.15:
            parts.append(Optional(word))
        elif depth and kind < 0.35:
            ways = [_reference(chance, depth - 1) for _ in range(chance.randint(1, 2))]
            parts.append(Choice((*ways, ())) if chance.random() < 0.3 else Choice((*ways, (word,))))
        else:
            parts.append(word)
    return tuple(parts)


def _hypothesis(chance: random.Random, reference: tuple[Any, ...]) -> list[str]:
    """Words of one of the sequences that a reference allows, some of them wrong."""
    words: list[str] = []
    for item in reference:
        if isinstance(item, Choice):
            words += _hypothesis(chance, chance.choice(item.ways))
        elif not isinstance(item, Optional) or chance.random() < 0.5:
            words.append(item.word if isinstance(item, Optional) else item)
    return [word for right in words for word in ([right] if chance.random() < 0.85 else _words(chance, 0, 2))]


@pytest.mark.parametrize("seed", [1, 2])
def test_alternatives_and_optional_words_count_as_sclite_counts_them(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    references = [_reference(chance) for _ in range(500)]
    _compare(tmp_path, references, [tuple(_hypothesis(chance, one)) for one in references])


def test_plain_words_count_as_sclite_counts_them(tmp_path: Path) -> None:
    chance = random.Random(3)
    references = [tuple(_words(chance, 0, 12)) for _ in range(1000)]
    _compare(tmp_path, references, [tuple(_hypothesis(chance, one)) for one in references])


def _compare(folder: Path, references: list[tuple[Any, ...]], hypotheses: list[tuple[Any, ...]]) -> None:
    """All counts are equal, but where alignments cost the same, of which sclite takes the first that it meets."""
    for name, side in (("ref", references), ("hyp", hypotheses)):
        lines = [f"{written(one)} (s-{i})\n" for i, one in enumerate(side)]
        (folder / f"{name}.trn").write_text(";; by hand (s-0)\n" + "".join(lines), encoding="utf-8")
    mine, theirs = ours(folder), sclite(folder)
    assert mine.keys() == theirs.keys()
    different = [name for name in mine if mine[name] != theirs[name]]
    assert len(different) <= 0.02 * len(mine)
    for name in different:
        number, counts = int(name.partition("-")[2]), theirs[name]
        ties = cheapest(references[number], hypotheses[number])
        assert (counts.correct, counts.substitutions, counts.deletions, counts.insertions) in ties
        assert mine[name].errors <= counts.errors
    one, other = (sum(side.values(), ErrorCounts()) for side in (mine, theirs))
    assert one.rate == pytest.approx(other.rate, rel=0.02)
