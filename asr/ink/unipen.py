"""The UNIPEN format: statements, includes, components and the segments that name them.

I. Guyon and others, "UNIPEN project of on-line data exchange and recognizer benchmarks", ICPR 1994. A file is a list of
statements, `.KEYWORD` in column 0, whose arguments run to the next one:

    .INCLUDE apd/app.doc                       another file stands here
    .COORD X Y T                               the channels of every point
    .PEN_DOWN                                  a component: points, one a line
     267 333
    .PEN_UP                                    points here are a component too, but no ink of a word
    .SEGMENT WORD 3-5:17,9 OK "San"            components 3 to 5, of the last one points up to 17, and component 9

Components are counted from 0 through the whole file after its includes were put in; a pen that is lifted and has no
points does not count, nor does an empty `.PEN_DOWN`. Points are counted from 0 as well; both borders of a range belong
to it. A component of the one point `0 0` is ink that was withheld. Text is Latin-1; line ends may be any. Where pen-ups
are missing, a `.PEN_DOWN` ends the stroke before it.

Memory: a file of `MAX_FILE_BYTES` takes about 20 times that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError, Problems
from asr.ink.assembling import BadStroke, InkBuilder, shown
from asr.ink.ink import Ink, Stroke

MAX_FILE_BYTES = 32 << 20
MAX_STATEMENTS = 1_000_000  # of one file
MAX_INCLUDES = 1000  # of one file, those of its includes among them
MAX_DEPTH = 16  # of includes in includes
MAX_COMPONENTS = 1_000_000  # of one file with its includes
MAX_COMPONENT_BYTES = 4 << 20
MAX_SEGMENT_POINTS = 1_000_000
MAX_PROBLEMS = 50  # that are described of one file

RATES = (20.0, 500.0)
"""Points a second that a digitiser can have; another `.POINTS_PER_SECOND` is not believed."""

_STATEMENT = re.compile(rb"^\.([A-Z][A-Z_0-9]*)", re.MULTILINE)
_PART = re.compile(r"(\d{1,9})(?::(\d{1,9}))?(?:-(\d{1,9})(?::(\d{1,9}))?)?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_USED = frozenset(
    (
        *(b"INCLUDE", b"PEN_DOWN", b"PEN_UP", b"DT", b"SEGMENT", b"COMMENT", b"WRITER_ID"),
        *(b"COORD", b"POINTS_PER_SECOND", b"X_POINTS_PER_MM", b"X_POINTS_PER_INCH"),
        *(b"Y_POINTS_PER_MM", b"Y_POINTS_PER_INCH"),
    )
)
_MM_PER_INCH = 25.4
_OF_TEXT = (b"SEGMENT", b"COMMENT", b"INCLUDE")  # of no use where all ink of a file is read
_CLOCKS = (1e3, 1e6)  # ticks a second: milliseconds, as the format has it, or microseconds, as one donor does


@dataclass(frozen=True)
class File:
    """One file cut into statements.

    Attributes:
        name: for messages and for includes that are relative to it.
        content: with line ends `\\n`.
        statements: keyword, begin and end of its arguments in `content`; those only that this module reads.
    """

    name: str
    content: bytes
    statements: tuple[tuple[bytes, int, int], ...]

    def place(self, offset: int) -> str:
        """`name:line` of a byte."""
        return f"{self.name}:{self.line(offset)}"

    def line(self, offset: int) -> int:
        """Number of the line of a byte, from 1."""
        return int(np.searchsorted(self._line_ends, offset)) + 1

    @cached_property
    def _line_ends(self) -> NDArray[np.int64]:
        """Found once: a file may hold thousands of faults whose lines are named."""
        return np.flatnonzero(np.frombuffer(self.content, np.uint8) == ord("\n"))


def cut(name: str, content: bytes) -> File:
    """Cut a file into statements.

    Raises:
        DataError: it is too large, or has too many statements.
    """
    if len(content) > MAX_FILE_BYTES:
        raise DataError(f"{name}: {len(content)} bytes, more than {MAX_FILE_BYTES}; cut the file into several")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    statements: list[tuple[bytes, int, int]] = []
    keyword, begin = b"", 0
    for count, match in enumerate(_STATEMENT.finditer(content)):
        if keyword in _USED:
            statements.append((keyword, begin, match.start()))
        keyword, begin = match[1], match.end()
        if count == MAX_STATEMENTS:
            raise DataError(f"{name}: more than {MAX_STATEMENTS} statements; cut the file into several")
    if keyword in _USED:
        statements.append((keyword, begin, len(content)))
    return File(name, content, tuple(statements))


class Setting(NamedTuple):
    """What holds for the components that follow: channels, points a second, units in a millimetre, writer."""

    channels: tuple[str, ...] = ("X", "Y")
    rate: float | None = None
    x_resolution: float | None = None
    y_resolution: float | None = None
    writer: str | None = None


class Component(NamedTuple):
    """One pen-down or pen-up with points, not read yet: where its numbers stand."""

    file: File
    begin: int
    end: int
    down: bool
    setting: Setting


class Part(NamedTuple):
    """A range of components; `from_point` is of the first and `to_point` of the last, None for all of it."""

    first: int
    from_point: int | None
    last: int
    to_point: int | None


@dataclass(frozen=True)
class Segment:
    """A `.SEGMENT` statement.

    Attributes:
        file: that holds it.
        offset: of its arguments in the file.
        level: of the hierarchy: `WORD`, `CHARACTER`, `TEXT`, ...
        parts: which components.
        quality: `GOOD`, `OK`, `BAD`; `?` where it was not judged.
        label: what was written, white space as single blanks.
        number: 0 for the first segment of the file with its includes.
        comment: the first `.COMMENT` between it and the next segment, empty without.
    """

    file: File
    offset: int
    level: str
    parts: tuple[Part, ...]
    quality: str
    label: str
    number: int
    comment: str = ""

    @property
    def place(self) -> str:
        """File and line."""
        return self.file.place(self.offset)


@dataclass(frozen=True)
class Document:
    """A file with all its includes.

    Attributes:
        name: of the file.
        components: by number.
        gaps: milliseconds (`.DT`) after the component of that number.
        segments: in the order of the file; without those that are among the problems.
        writers: `.WRITER_ID`s, each once, in the order of the file.
        problems: what is wrong, with file and line; at most `MAX_PROBLEMS`.
    """

    name: str
    components: tuple[Component, ...]
    gaps: dict[int, float]
    segments: tuple[Segment, ...]
    writers: tuple[str, ...]
    problems: tuple[str, ...]

    def writer(self, segment: Segment) -> str | None:
        """Who wrote it: the file's one writer, or the one named before the segment's first component."""
        first = segment.parts[0].first
        if len(self.writers) != 1 and first < len(self.components):
            return self.components[first].setting.writer
        return self.writers[0] if self.writers else None

    def ink_or_problem(self, segment: Segment, problems: list[str], *, timed: bool = True) -> Ink | None:
        """See `ink`; add what is wrong to the problems, and return None then too."""
        try:
            return self.ink(segment, timed=timed)
        except DataError as error:
            problems.append(str(error))
            return None

    def ink(self, segment: Segment, *, timed: bool = True) -> Ink | None:
        """The strokes of a segment: its pen-downs, those left out that were withheld. None when nothing remains.

        Times are those of the channel T where there is one that never falls and goes with `.POINTS_PER_SECOND`.
        Without one, points stand `.POINTS_PER_SECOND` apart, if that is plausible and it is known how long the pen was
        up: it was recorded there too, or `.DT` tells. Times are known for all strokes or for none.

        Args:
            timed: whether points come at equal steps in time; False where the source is known not to.

        Raises:
            DataError: a component that is not there, or numbers that are none; with file and line.
        """
        strokes: list[NDArray[np.float64]] = []
        numbers: list[int] = []
        total = 0
        for part in segment.parts:
            self._check(part, segment)
            for number in range(part.first, part.last + 1):
                if not self.components[number].down:
                    continue
                values = self._selected(number, part, segment)
                total += len(values)
                if total > MAX_SEGMENT_POINTS:
                    raise DataError(
                        f"{segment.place}: the segment has more than {MAX_SEGMENT_POINTS} points; name fewer components"
                    )
                if not _withheld(values):
                    strokes.append(values)
                    numbers.append(number)
        if not strokes:
            return None
        setting = self.components[numbers[0]].setting
        times = self.times(strokes, numbers, timed and len(segment.parts) == 1)
        made = (Stroke(xy[:, :2], time) for xy, time in zip(strokes, times, strict=True))
        return Ink(tuple(made), _resolution(setting))

    def _check(self, part: Part, segment: Segment) -> None:
        if part.last >= len(self.components):
            raise DataError(
                f"{segment.place}: names component {part.last}, but the file with its includes has"
                f" {len(self.components)} (counted from 0); complete the includes or correct the segment"
            )
        if part.first > part.last:
            raise DataError(f"{segment.place}: the components {part.first} to {part.last} run backwards; swap them")

    def _selected(self, number: int, part: Part, segment: Segment) -> NDArray[np.float64]:
        """(N, 2) or (N, 3): x, y and where it is known the clock of a component's points that belong to a part."""
        values = _values(self.components[number])
        begin = part.from_point if number == part.first else None
        end = part.to_point if number == part.last else None
        begin, end = 0 if begin is None else begin, len(values) - 1 if end is None else end
        if not begin <= end < len(values):
            raise DataError(
                f"{segment.place}: names points {begin} to {end} of component {number}, which has {len(values)}"
                " (counted from 0); correct the segment"
            )
        return values[begin : end + 1]

    def times(
        self, strokes: list[NDArray[np.float64]], numbers: list[int], timed: bool
    ) -> list[NDArray[np.float64] | None]:
        """Seconds of each stroke's points; None for all strokes where they are not known for all.

        Args:
            strokes: (N, 2) or (N, 3) each: x, y and where it is known the clock.
            numbers: of their components, rising.
            timed: whether `.POINTS_PER_SECOND` may tell times.

        Raises:
            DataError: a pen-up between them cannot be read.
        """
        rate = self.components[numbers[0]].setting.rate
        rate = rate if rate is not None and RATES[0] <= rate <= RATES[1] else None
        if all(values.shape[1] == 3 for values in strokes):
            return _by_clock([values[:, 2] for values in strokes], rate)
        if not timed or rate is None or not self._tells_pauses:
            return [None] * len(strokes)
        times: list[NDArray[np.float64] | None] = []
        begin = 0.0
        for number, following, values in zip(numbers, [*numbers[1:], None], strokes, strict=True):
            times.append(begin + np.arange(len(values)) / rate)
            gap = 0.0 if following is None else self._gap(number, following, rate)
            begin += (len(values) - 1) / rate + (float("inf") if gap is None else gap)
        return times if begin < float("inf") else [None] * len(strokes)

    @cached_property
    def _tells_pauses(self) -> bool:
        """Whether the file says anything of lifted pens: else one-stroke words alone would have times."""
        return bool(self.gaps) or any(not component.down for component in self.components)

    def _gap(self, number: int, following: int, rate: float) -> float | None:
        """Seconds from the last point of one pen-down to the first of the next."""
        if number in self.gaps:
            return self.gaps[number] / 1000.0
        between = self.components[number + 1 : following]
        if not between or any(component.down for component in between):
            return None
        return (sum(len(_values(component)) for component in between) + 1) / rate


def read_document(name: str, file_of: Callable[[str], File], resolve: Callable[[str, str], str | None]) -> Document:
    """A file with everything that it includes.

    Args:
        name: of the file.
        file_of: gives a file by name, cut; raises DataError.
        resolve: name of the file that an include means, from what is written and the name of the including file; None
            for one that may be left out; raises DataError.

    Raises:
        DataError: the file itself cannot be read. What is wrong inside is among the document's problems.
    """
    return _Reader(file_of, resolve).document(name)


def read_unipen(path: Path, content: bytes) -> Ink:
    """All pen-downs of one UNIPEN file by itself, whatever its segments; includes are left out.

    A pen-down that cannot be read is left out with a `DataWarning`.

    Raises:
        DataError: no pen-down can be read, or there is none; names the file.
    """
    file = cut(str(path), content)
    file = replace(file, statements=tuple(one for one in file.statements if one[0] not in _OF_TEXT))
    document = read_document(file.name, lambda name: file, lambda written, including: None)
    if document.problems:
        raise Problems(document.problems, what=str(path))
    builder = InkBuilder(path)
    strokes, numbers = _pen_downs(document, builder)
    for number, values, times in zip(numbers, strokes, _known_times(document, strokes, numbers, builder), strict=True):
        builder.add(values[:, :2], times, _where(document, number))
    return builder.ink(_resolution(document.components[numbers[0]].setting) if numbers else None)


def _where(document: Document, number: int) -> str:
    file, begin, *_ = document.components[number]
    return f"component {number} (line {file.line(begin)})"


def _pen_downs(document: Document, builder: InkBuilder) -> tuple[list[NDArray[np.float64]], list[int]]:
    """(N, 2) or (N, 3) values of all that can be read, and their components; the builder hears of the others."""
    strokes: list[NDArray[np.float64]] = []
    numbers: list[int] = []
    for number, component in enumerate(document.components):
        if not component.down:
            continue
        try:
            values = _read_values(component)
        except BadStroke as error:
            builder.leave_out(_where(document, number), str(error))
        else:
            if not _withheld(values):
                strokes.append(values)
                numbers.append(number)
    return strokes, numbers


def _known_times(
    document: Document, strokes: list[NDArray[np.float64]], numbers: list[int], builder: InkBuilder
) -> list[NDArray[np.float64] | None]:
    if not strokes:
        return []
    try:
        return document.times(strokes, numbers, timed=True)
    except DataError as error:
        builder.note(f"times are not known (line {str(error).removeprefix(f'{document.name}:')})")
        return [None] * len(strokes)


class _TooMuch(Exception):  # noqa: N818  (ends the reading of a file)
    pass


class _Reader:
    """Walks through the statements of a file and its includes."""

    def __init__(self, file_of: Callable[[str], File], resolve: Callable[[str, str], str | None]) -> None:
        self._file_of, self._resolve = file_of, resolve
        self._components: list[Component] = []
        self._gaps: dict[int, float] = {}
        self._segments: list[Segment] = []
        self._n_segments = 0
        self._writers: dict[str, None] = {}
        self._problems: list[str] = []
        self._setting = Setting()
        self._includes = 0
        self._commented = True  # whether the last segment has its comment

    def document(self, name: str) -> Document:
        with suppress(_TooMuch):
            self._walk(self._file_of(name), (name,))
        return Document(
            name,
            tuple(self._components),
            self._gaps,
            tuple(self._segments),
            tuple(self._writers),
            tuple(self._problems),
        )

    def _problem(self, problem: str) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MAX_PROBLEMS:
            raise _TooMuch

    def _walk(self, file: File, stack: tuple[str, ...]) -> None:
        for keyword, begin, end in file.statements:
            if keyword in (b"PEN_DOWN", b"PEN_UP"):
                self._add_component(file, begin, end, keyword == b"PEN_DOWN")
                continue
            if keyword == b"DT":
                self._add_gap(file, begin, end)
                continue
            text = file.content[begin:end].decode("latin-1").strip()
            try:
                if keyword == b"INCLUDE":
                    self._include(text, file, begin, stack)
                elif keyword == b"SEGMENT":
                    self._add_segment(text, file, begin)
                elif keyword == b"COMMENT":
                    self._comment(text)
                else:
                    self._set(keyword, text)
            except DataError as error:
                self._problem(f"{file.place(begin)}: {error}")

    def _add_component(self, file: File, begin: int, end: int, down: bool) -> None:
        numbers = file.content[begin:end]
        if not numbers or numbers.isspace():
            return
        if len(self._components) == MAX_COMPONENTS:
            self._problem(f"{file.place(begin)}: more than {MAX_COMPONENTS} components; cut the file into several")
            raise _TooMuch
        self._components.append(Component(file, begin, end, down, self._setting))

    def _add_gap(self, file: File, begin: int, end: int) -> None:
        """`.DT` has one number; points that follow it are a pen-down whose keyword was lost (once in the release)."""
        written, line_end, _ = file.content[begin:end].partition(b"\n")
        gap = _positive(written.decode("latin-1"))
        if gap is not None and self._components:
            self._gaps[len(self._components) - 1] = gap
        self._add_component(file, begin + len(written) + len(line_end), end, down=True)

    def _include(self, text: str, file: File, begin: int, stack: tuple[str, ...]) -> None:
        name = self._resolve(text, file.name)
        if name is None:
            return
        if name in stack:
            raise DataError(f"the include {shown(text)} is the file itself or one that includes it; remove the loop")
        if len(stack) >= MAX_DEPTH:
            raise DataError(
                f"the include {shown(text)} is nested more than {MAX_DEPTH} deep; include it from fewer files"
            )
        self._includes += 1
        if self._includes > MAX_INCLUDES:
            self._problem(f"{file.place(begin)}: more than {MAX_INCLUDES} includes in all; include each file once")
            raise _TooMuch
        self._walk(self._file_of(name), (*stack, name))

    def _add_segment(self, text: str, file: File, begin: int) -> None:
        number = self._n_segments
        self._n_segments += 1
        self._commented = True
        level, parts, quality, label = _segment_fields(text)
        self._segments.append(Segment(file, begin, level, parts, quality, label, number))
        self._commented = False

    def _comment(self, text: str) -> None:
        if not self._commented:
            self._segments[-1] = replace(self._segments[-1], comment=text)
            self._commented = True

    def _set(self, keyword: bytes, text: str) -> None:
        if keyword == b"WRITER_ID":
            writer = " ".join(text.split())
            if writer:
                self._writers[writer] = None
                self._setting = self._setting._replace(writer=writer)
        elif keyword == b"COORD":
            channels = tuple(text.upper().split())
            if "X" not in channels or "Y" not in channels or len(channels) > 16:
                raise DataError(f".COORD names the channels {shown(' '.join(channels))}; expected X and Y among them")
            self._setting = self._setting._replace(channels=channels)
        elif keyword == b"POINTS_PER_SECOND":
            self._setting = self._setting._replace(rate=_positive(text))
        else:
            units = _positive(text)
            if units is not None and keyword.endswith(b"INCH"):
                units /= _MM_PER_INCH
            old = self._setting
            self._setting = (
                old._replace(x_resolution=units) if keyword.startswith(b"X") else old._replace(y_resolution=units)
            )


def _segment_fields(text: str) -> tuple[str, tuple[Part, ...], str, str]:
    """Level, parts, quality and label of a segment's arguments.

    Raises:
        DataError: they are not of that form.
    """
    head, quote, rest = text.partition('"')
    level, *middle = head.split() or [""]
    quality = middle.pop() if middle and not middle[-1].rstrip(",")[-1:].isdigit() else "?"
    delineation = "".join(middle)
    label = rest[:-1]
    closed = rest.endswith('"') and not (label.endswith("\\") and not label.endswith("\\\\"))
    if not (delineation and quote and closed):
        raise DataError(f'a segment is LEVEL COMPONENTS QUALITY "LABEL", got {text[:60]!r}; correct the line')
    parts = tuple(_part(written) for written in delineation.split(","))
    return level, parts, quality.upper(), " ".join(_ESCAPED.sub(r"\1", label).split())


def _part(written: str) -> Part:
    match = _PART.fullmatch(written)
    if match is None:
        raise DataError(f"{shown(written)} names no components; expected N, N-M, N:p-M:q and commas between them")
    first, from_point, last, to_point = (None if group is None else int(group) for group in match.groups())
    assert first is not None
    if last is None:  # N:p alone is one point
        last, to_point = first, from_point
    return Part(first, from_point, last, to_point)


def _values(component: Component) -> NDArray[np.float64]:
    """(N, 2) x and y, or (N, 3) with the clock of the channel T.

    Raises:
        DataError: something that is no finite number, or channels that are missing in the last point.
    """
    try:
        return _read_values(component)
    except BadStroke as error:
        raise DataError(f"{component.file.place(component.begin)}: {error}") from None


def _read_values(component: Component) -> NDArray[np.float64]:
    """The same. Raises BadStroke without the place."""
    file, begin, end, _, setting = component
    if end - begin > MAX_COMPONENT_BYTES:
        raise BadStroke(f"{end - begin} bytes of points, more than {MAX_COMPONENT_BYTES}; lift the pen")
    tokens = file.content[begin:end].split()
    channels = setting.channels
    if len(tokens) % len(channels):
        raise BadStroke(
            f"{len(tokens)} numbers do not divide by the {len(channels)} channels"
            f" {' '.join(channels)[:60]} of .COORD; a number is missing or one too many"
        )
    try:
        values = np.fromiter(map(float, tokens), np.float64, len(tokens))
    except ValueError as error:
        raise BadStroke(f"the points hold something else than numbers: {str(error)[:100]}") from None
    if not np.isfinite(values).all():
        raise BadStroke("the points hold NaN or infinity; correct the file")
    values = values.reshape(-1, len(channels))
    if channels == ("X", "Y"):
        return values
    wanted = [channels.index("X"), channels.index("Y"), *([channels.index("T")] if "T" in channels else [])]
    return values[:, wanted]


def _by_clock(clocks: list[NDArray[np.float64]], rate: float | None) -> list[NDArray[np.float64] | None]:
    """Seconds from each stroke's clock; None for all where it falls, or does not go with the points a second."""
    together = np.concatenate(clocks)
    with np.errstate(over="ignore"):
        steps = np.diff(together)
        lasts = together[-1] - together[0]
    if (steps < 0).any() or not np.isfinite(lasts):
        return [None] * len(clocks)
    second = 1e3
    inside = np.concatenate([np.diff(clock) for clock in clocks])
    if rate is not None and len(inside) and (step := float(np.median(inside))) > 0:
        fitting = [unit for unit in _CLOCKS if 1 / 4 < step / unit * rate < 4]
        if not fitting:
            return [None] * len(clocks)
        second = fitting[0]
    return [(clock - together[0]) / second for clock in clocks]


def _withheld(values: NDArray[np.float64]) -> bool:
    return len(values) == 1 and not values[0, :2].any()


def _resolution(setting: Setting) -> float | None:
    """Units in a millimetre, where they are stated and the same for x and y."""
    return setting.x_resolution if setting.x_resolution == setting.y_resolution else None


def _positive(text: str) -> float | None:
    """A number above 0, None for anything else: nobody must fail at what is only known in addition."""
    try:
        value = float(text.split()[0])
    except (ValueError, IndexError):
        return None
    return value if 0 < value < float("inf") else None
