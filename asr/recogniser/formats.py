"""Write the results of files as text, JSON, or in the formats of NIST's tools (ctm, trn).

Every function returns lines without line ends. Control characters in names and labels are replaced, so that they
neither break a line nor control a terminal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from asr.corpus.inventory import Unit
from asr.decoding.hypothesis import Hypothesis
from asr.errors import ConfigError
from asr.printable import printable, printable_json

if TYPE_CHECKING:
    from asr.recogniser.document import Box, Document, ReadLine, ReadMark, ReadPage


@dataclass(frozen=True)
class Transcribed:
    """The result of recognising one file.

    Attributes:
        file: the name of the file that the user gave.
        name: the name of the file in ctm and trn, see `names_of`.
        found: the hypothesis of a recording, or the pages of a file of ink.
        channel: the channel of the recording, from 0.
        alternatives: the best hypotheses of the recording, `found` first, if several were asked for.
    """

    file: str
    name: str
    found: Hypothesis | Document
    channel: int = 0
    alternatives: Sequence[Hypothesis] = ()

    @property
    def hypotheses(self) -> list[Hypothesis]:
        """The hypothesis of the recording, or of each line of the pages."""
        return [self.found] if isinstance(self.found, Hypothesis) else [line.hypothesis for line in self.found.lines]


def text_lines(one: Transcribed, named: bool) -> Iterator[str]:
    """Return the text, one line for each line of a page; with `named`, after the name of the file and a tab."""
    before = f"{printable(one.file)}\t" if named else ""
    return (before + printable(hypothesis.text) for hypothesis in one.hypotheses)


def n_best_lines(one: Transcribed, named: bool, parts: bool = False) -> Iterator[str]:
    """Yield a line for each alternative: rank, score and text, with tabs between them; for a page, line by line.

    Args:
        one: the result, with alternatives.
        named: write the name of the file before the rank.
        parts: write the parts of the score after it: acoustic, language model, insertion, boost.
    """
    groups = (
        [one.alternatives] if isinstance(one.found, Hypothesis) else [line.alternatives for line in one.found.lines]
    )
    before = [printable(one.file)] if named else []
    for group in groups:
        for rank, hypothesis in enumerate(group, 1):
            score = hypothesis.score
            shown = (score.acoustic, score.language_model, score.insertion, score.boost) if parts else ()
            numbers = (score.total, *shown)
            yield "\t".join([*before, str(rank), *(f"{one:.4f}" for one in numbers), printable(hypothesis.text)])


def json_line(one: Transcribed, alternatives: bool = False) -> str:
    """Return a JSON object; `docs/transcripts.schema.json` describes it.

    Args:
        one: the result.
        alternatives: add the `alternatives`, with their texts, confidences and scores.
    """
    if isinstance(one.found, Hypothesis):
        return printable_json({"file": one.file, **_found(one.found, one.alternatives if alternatives else None)})
    pages = one.found.pages
    firsts = [0, *accumulate(len(page.sheet.ink.strokes) for page in pages)]
    highlights = [0, *accumulate(len(page.sheet.highlights) for page in pages)]
    lines = [
        _line(page, first, line, alternatives)
        for page, first in zip(pages, firsts, strict=False)
        for line in page.lines
    ]
    marks = [
        _mark(page, first, highlight, mark)
        for page, first, highlight in zip(pages, firsts, highlights, strict=False)
        for mark in page.marks
    ]
    numbers = [{"page": page.sheet.number, "flipped": page.flipped} for page in pages]
    return printable_json({"file": one.file, "pages": numbers, "lines": lines, "marks": marks})


def _found(hypothesis: Hypothesis, others: Sequence[Hypothesis] | None) -> dict[str, Any]:
    if others is None:
        return hypothesis.to_dict()
    shown = ("text", "confidence", "log_probability", "score")
    return hypothesis.to_dict() | {"alternatives": [{key: each.to_dict()[key] for key in shown} for each in others]}


def _line(page: ReadPage, first: int, line: ReadLine, alternatives: bool) -> dict[str, Any]:
    """Return a line of a page; `first` is the number of the page's first stroke in the file."""
    place = {**_place(page, first, line.strokes), "box": _box(line.box)}
    found = _found(line.hypothesis, line.alternatives if alternatives else None)
    words = [
        {**word, "strokes": [first + k for k in own.strokes], "box": None if own.box is None else _box(own.box)}
        for word, own in zip(found["words"], line.words, strict=True)
    ]
    return {**place, **found, "words": words}


def _mark(page: ReadPage, first: int, first_highlight: int, mark: ReadMark) -> dict[str, Any]:
    """Return a mark of a page; the numbers are those of the page's first stroke and first highlight in the file."""
    own: dict[str, Any] = {}
    if mark.highlights:
        layers = {layer for k in mark.highlights if (layer := page.sheet.highlights[k].layer) is not None}
        own = {"highlights": [first_highlight + k for k in mark.highlights]}
        own |= {"layers": sorted(layers)} if layers else {}
    return {"kind": mark.kind, **_place(page, first, mark.strokes), **own, "box": _box(mark.box)}


def _place(page: ReadPage, first: int, strokes: Sequence[int]) -> dict[str, Any]:
    """Return the number of the page, the layers if there are any, and the strokes."""
    layers = sorted({page.sheet.layers[k] for k in strokes}) if page.sheet.layers else []
    place = {"page": page.sheet.number, "strokes": [first + k for k in strokes]}
    return place | ({"layers": layers} if layers else {})


def _box(box: Box) -> list[float | None]:
    """Return the sides of a box with nine digits; a side that is not finite becomes null."""
    return [float(f"{side:.9g}") if math.isfinite(side) else None for side in box]


def ctm_lines(one: Transcribed) -> Iterator[str]:
    """Yield a line for each word: name, channel from 1, start and duration in seconds, word, confidence."""
    for hypothesis in one.hypotheses:
        for word in hypothesis.words:
            times = f"{word.start:.3f} {word.end - word.start:.3f}"
            yield f"{one.name} {one.channel + 1} {times} {printable(word.label)} {word.confidence:.4f}"


def trn_lines(files: Iterable[Transcribed], unit: Unit) -> Iterator[str]:
    """Yield a transcript file (see `asr.scoring.trn`): a header, then one line per file; lines of a page are joined.

    Args:
        files: the results; each is taken only when its line is needed.
        unit: the unit of the inventory; models of characters write words.
    """
    from asr.scoring.trn import tokens_of, trn_header, trn_line, trn_unit

    yield trn_header(trn_unit(unit)).rstrip("\n")
    for one in files:
        tokens = [token for found in one.hypotheses for token in tokens_of(found.labels, unit)]
        yield trn_line(one.name, tokens).rstrip("\n")


def names_of(files: Sequence[PurePath], roots: Sequence[PurePath | None]) -> list[str]:
    """Return names for files in ctm and trn, where only the name identifies a file.

    The name of a file that was found in a folder is its path in the folder; the name of any other is its file name. The
    suffix is removed. If two files would have the same name, folders above are added. Hyphens join the parts, so that
    `speaker/utterance.wav` becomes `speaker-utterance`; white space becomes `_`.

    Args:
        files: the paths of the files.
        roots: for each file the folder in which it was found; None if the file itself was given.

    Raises:
        ConfigError: two names are still the same with all folders, as for a file that is given twice.

    >>> names_of([PurePath("in/ann/1.wav"), PurePath("b o.wav")], [PurePath("in"), None])
    ['ann-1', 'b_o']
    """
    places = list(zip(files, roots, strict=True))
    depths = [1 if root is None else len(file.relative_to(root).parts) for file, root in places]
    while True:
        names = [_name(file, depth) for file, depth in zip(files, depths, strict=True)]
        alike = _alike(names)
        if not alike:
            return names
        longer = [i for i in alike if depths[i] < len(files[i].parts)]
        if not longer:
            name = names[alike[0]]
            first, second = [files[i] for i in alike if names[i] == name][:2]
            raise ConfigError(f"{first} and {second} would have the same name {name}; rename one, or leave it out")
        for i in longer:
            depths[i] += 1


def _name(file: PurePath, depth: int) -> str:
    parts = [*file.parts[-depth:-1], file.stem]
    return printable("-".join("_".join(part.split()) for part in parts if part not in ("/", ".."))) or "-"


def _alike(names: Sequence[str]) -> list[int]:
    """Return the indices of names that occur more than once."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        places.setdefault(name, []).append(i)
    return [i for same in places.values() if len(same) > 1 for i in same]
