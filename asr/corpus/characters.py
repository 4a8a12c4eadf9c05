"""Report the characters and labels of a corpus with their counts, and mark those that are probably mistakes."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asr.corpus.cleaning import REMOVED, UNIFIED, clean_text
from asr.corpus.utterance import Utterance

_RARE_SHARE = 1e-5  # of all characters; real letters of a language are far more frequent
_RARE_LABEL_SHARE = 1e-4
_SHOWN_SUSPICIOUS = 12
_SHOWN_COMMON = 100


@dataclass(frozen=True)
class Symbol:
    """A character or label of a corpus.

    Attributes:
        symbol: the character or label.
        count: number of occurrences in the transcripts.
        first: id of the first utterance that contains it.
        suspicion: why it may be a mistake; empty if it looks right.
    """

    symbol: str
    count: int
    first: str
    suspicion: str = ""


def characters(utterances: Iterable[Utterance]) -> list[Symbol]:
    """Count the characters of all texts and return them, the most frequent first."""
    found = _counted((one.id, one.text or "") for one in utterances)
    total = sum(one.count for one in found)
    script = _main_script(found)
    return [_judged(one, _suspicion(one, total, script)) for one in found]


def label_counts(utterances: Iterable[Utterance]) -> list[Symbol]:
    """Count all labels and return them, the most frequent first."""
    found = _counted((one.id, one.labels or ()) for one in utterances)
    total = sum(one.count for one in found)
    return [_judged(one, "rare" if one.count < 2 or one.count < _RARE_LABEL_SHARE * total else "") for one in found]


def _counted(transcripts: Iterable[tuple[str, Sequence[str]]]) -> list[Symbol]:
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for name, symbols in transcripts:
        counts.update(symbols)
        for symbol in set(symbols) - first.keys():
            first[symbol] = name
    return [
        Symbol(symbol, count, first[symbol]) for symbol, count in sorted(counts.items(), key=lambda x: (-x[1], x[0]))
    ]


def _judged(one: Symbol, suspicion: str) -> Symbol:
    return Symbol(one.symbol, one.count, one.first, suspicion)


def _main_script(found: Sequence[Symbol]) -> str:
    """Return the script that most letters belong to."""
    counts: Counter[str] = Counter()
    for one in found:
        counts[_script(one.symbol)] += one.count
    del counts[""]
    return counts.most_common(1)[0][0] if counts else ""


def _script(character: str) -> str:
    """Return the first word of a letter's Unicode name, such as LATIN; "" if the character is not a letter."""
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""


def _suspicion(one: Symbol, total: int, script: str) -> str:
    character = one.symbol
    if character in REMOVED or unicodedata.category(character) in ("Cf", "Cc"):
        return "invisible"
    if unicodedata.category(character) in ("Co", "Cn", "Cs"):
        return "not a Unicode character"
    if character != " " and character.isspace():
        return "white space that is not a plain space"
    if character in UNIFIED:
        return f"looks like {UNIFIED[character]}"
    if unicodedata.combining(character) or clean_text(character) != character.strip():
        return "not in Unicode's composed form (NFC)"
    if _script(character) not in ("", script):
        return f"{_script(character).capitalize()} among {script.capitalize()} letters"
    return "rare" if one.count <= max(1, _RARE_SHARE * total) and total > 1000 else ""


def name_of(character: str) -> str:
    """Return the code point and the Unicode name of a character.

    >>> name_of("\u200b")
    'U+200B ZERO WIDTH SPACE'
    """
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"


def seen(symbol: str) -> str:
    r"""Return a printable form of a symbol: "space", the symbol itself, or an escape sequence.

    >>> [seen(" "), seen("a"), seen("\u200b")]
    ['space', 'a', '\\u200b']
    """
    if symbol == " ":
        return "space"
    return symbol if symbol.isprintable() and not unicodedata.combining(symbol[0]) else ascii(symbol)[1:-1]


def report(utterances: Sequence[Utterance]) -> str:
    """Return the full report: one line for every character and every label, with its count."""
    lines = []
    if found := characters(utterances):
        lines += [f"{len(found)} characters: count, character, code point and name, first utterance, remark", ""]
        lines += [f"{one.count:>9}  {seen(one.symbol):<8} {_ending(one)}" for one in found]
    if labels := label_counts(utterances):
        lines += [*([""] if lines else []), f"{len(labels)} labels: count, label, first utterance, remark", ""]
        lines += [f"{one.count:>9}  {seen(one.symbol):<12} {_label_ending(one)}" for one in labels]
    return "".join(f"{line}\n" for line in lines)


def _ending(one: Symbol) -> str:
    return f"{name_of(one.symbol)}, first in {one.first}" + (f": {one.suspicion}" if one.suspicion else "")


def _label_ending(one: Symbol) -> str:
    return f"first in {one.first}" + (f": {one.suspicion}" if one.suspicion else "")


def summary(utterances: Sequence[Utterance], place: str) -> list[str]:
    """Return a report of screen size: a paragraph of common symbols with counts, and a table of suspicious ones.

    Args:
        utterances: the utterances of all splits.
        place: path of the full report, which the summary mentions.
    """
    kinds: Mapping[str, list[Symbol]] = {"characters": characters(utterances), "labels": label_counts(utterances)}
    lines = []
    for kind, found in kinds.items():
        if not found:
            continue
        common = [f"{seen(one.symbol)} {one.count}" for one in found if not one.suspicion]
        more = f"  ... and {len(common) - _SHOWN_COMMON} more" if len(common) > _SHOWN_COMMON else ""
        lines.append(f"{len(found)} {kind} (all of them in {place}): " + "  ".join(common[:_SHOWN_COMMON]) + more)
        lines += _to_look_at([one for one in found if one.suspicion], kind)
    return lines


def _to_look_at(found: Sequence[Symbol], kind: str) -> list[str]:
    if not found:
        return []
    ending = _ending if kind == "characters" else _label_ending
    worst = sorted(found, key=lambda one: one.suspicion == "rare")[:_SHOWN_SUSPICIOUS]
    lines = [f"check these {len(found)}, they may be mistakes:"]
    lines += [f"{one.count:>9}  {seen(one.symbol):<8} {ending(one)}" for one in worst]
    if len(found) > len(worst):
        lines.append(f"{'...':>9}  and {len(found) - len(worst)} more")
    if kind == "characters" and any(clean_text(f"a{one.symbol}a") != f"a{one.symbol}a" for one in found):
        lines.append("clean=unicode removes invisible characters and unifies look-alike ones")
    return lines
