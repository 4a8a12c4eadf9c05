"""Read the UNIPEN format: statements, includes, components, and segments that refer to components.

I. Guyon and others, "UNIPEN project of on-line data exchange and recognizer benchmarks", ICPR 1994. A file is a list of
statements, `.KEYWORD` in column 0, whose arguments run to the next one:

    .INCLUDE apd/app.doc                       insert another file here
    .COORD X Y T                               the channels of every point
    .PEN_DOWN                                  a component: points, one per line
     267 333
    .PEN_UP                                    points here are a component too, but not ink
    .SEGMENT WORD 3-5:17,9 OK "San"            components 3 and 4, component 5 up to its point 17, and component 9

Components are counted from 0 through the whole file, includes inserted; a `.PEN_UP` or `.PEN_DOWN` without points does
not count. Points are counted from 0 too; ranges include both ends. A component of the single point `0 0` is ink that
the donor withheld. Text is Latin-1; any line ends are accepted. If pen-ups are missing, a `.PEN_DOWN` ends the stroke
before it.

Reading needs about 20 times the size of a file in memory; `MAX_FILE_BYTES` limits the size.
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
MAX_INCLUDES = 1000  # of one file, nested includes counted
MAX_DEPTH = 16  # of nested includes
MAX_COMPONENTS = 1_000_000  # of one file with its includes
MAX_COMPONENT_BYTES = 4 << 20
MAX_SEGMENT_POINTS = 1_000_000
MAX_PROBLEMS = 50  # reported for one file

RATES = (20.0, 500.0)
"""Plausible rates of a digitiser in points per second; any other `.POINTS_PER_SECOND` is ignored."""

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
_IGNORED = (b"SEGMENT", b"COMMENT", b"INCLUDE")  # ignored by `read_unipen`, which reads all ink of a file
_CLOCKS = (1e3, 1e6)  # ticks per second: milliseconds, as the format says, or microseconds, as one donor wrote


@dataclass(frozen=True)
class File:
    """One file, split into statements.

    Attributes:
        name: name of the file, for messages and for relative includes.
        content: its bytes, with line ends `\\n`.
        statements: keyword, begin and end of the arguments in `content`, for the keywords that this module uses.
    """

    name: str
    content: bytes
    statements: tuple[tuple[bytes, int, int], ...]

    def place(self, offset: int) -> str:
        """Return `name:line` of the byte at `offset`."""
        return f"{self.name}:{self.line(offset)}"

    def line(self, offset: int) -> int:
        """Return the line number, from 1, of the byte at `offset`."""
        return int(np.searchsorted(self._line_ends, offset)) + 1

    @cached_property
    def _line_ends(self) -> NDArray[np.int64]:
        """Positions of all line ends; cached, because a file may have thousands of faults."""
        return np.flatnonzero(np.frombuffer(self.content, np.uint8) == ord("\n"))


def cut(name: str, content: bytes) -> File:
    """Split a file into statements.

    Args:
        name: name of the file, for messages and for relative includes.
        content: its bytes.

    Raises:
        DataError: the file is too large or has too many statements.
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
    """Settings that apply to the following components: channels, points per second, units per millimetre, writer."""

    channels: tuple[str, ...] = ("X", "Y")
    rate: float | None = None
    x_resolution: float | None = None
    y_resolution: float | None = None
    writer: str | None = None


class Component(NamedTuple):
    """The position in a file of the numbers of one pen-down or pen-up; they are parsed when they are needed."""

    file: File
    begin: int
    end: int
    down: bool
    setting: Setting


class Part(NamedTuple):
    """A range of components: from `from_point` of the first to `to_point` of the last; None for the whole of it."""

    first: int
    from_point: int | None
    last: int
    to_point: int | None


@dataclass(frozen=True)
class Segment:
    """A `.SEGMENT` statement.

    Attributes:
        file: the file that holds it.
        offset: position of its arguments in the file.
        level: its level of the hierarchy: `WORD`, `CHARACTER`, `TEXT`, ...
        parts: the components that it consists of.
        quality: `GOOD`, `OK` or `BAD`; `?` if it was not judged.
        label: the text that was written, with single spaces.
        number: its number in the file with its includes, from 0.
        comment: the first `.COMMENT` between it and the next segment; empty if there is none.
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
        name: name of the file.
        components: all components, in order of their numbers.
        gaps: milliseconds (`.DT`) after a component, by its number.
        segments: the valid segments in the order of the file.
        writers: the `.WRITER_ID`s, each once, in the order of the file.
        problems: faults with file and line, at most `MAX_PROBLEMS`.
    """

    name: str
    components: tuple[Component, ...]
    gaps: dict[int, float]
    segments: tuple[Segment, ...]
    writers: tuple[str, ...]
    problems: tuple[str, ...]

    def writer(self, segment: Segment) -> str | None:
        """Return the writer of a segment: the file's only writer, or the one named before its first component."""
        first = segment.parts[0].first
        if len(self.writers) != 1 and first < len(self.components):
            return self.components[first].setting.writer
        return self.writers[0] if self.writers else None

    def ink_or_problem(self, segment: Segment, problems: list[str], *, timed: bool = True) -> Ink | None:
        """Return the result of `ink`; on an error, append its message to `problems` and return None."""
        try:
            return self.ink(segment, timed=timed)
        except DataError as error:
            problems.append(str(error))
            return None

    def ink(self, segment: Segment, *, timed: bool = True) -> Ink | None:
        """Return the strokes of a segment: its pen-downs without withheld ones; None if nothing remains.

        Times come from the channel T, if it never decreases and agrees with `.POINTS_PER_SECOND`. Without a channel T,
        points are 1 / `.POINTS_PER_SECOND` seconds apart, if the rate is plausible and the duration of pen-ups is known
        (from recorded pen-ups or from `.DT`). Either all strokes have times, or none.

        Args:
            segment: a segment of this document.
            timed: whether the points are equally spaced in time; False if the source is known not to be.

        Raises:
            DataError: a component does not exist or its numbers cannot be read; says file and line.
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
        """Return the values of a component inside a part: x, y, (N, 2), or x, y and the clock, (N, 3)."""
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
        """Return the times of each stroke's points in seconds; None for every stroke unless all are known.

        Args:
            strokes: for each stroke x and y, (N, 2), or x, y and the clock, (N, 3).
            numbers: the numbers of their components, increasing.
            timed: whether times may be computed from `.POINTS_PER_SECOND`.

        Raises:
            DataError: a pen-up between them cannot be read.
        """
        rate = self.components[numbers[0]].setting.rate
        rate = rate if rate is not None and RATES[0] <= rate <= RATES[1] else None
        if all(values.shape[1] == 3 for values in strokes):
            return _by_clock([values[:, 2] for values in strokes], rate)
        if not timed or rate is None or not self._records_pauses:
            return [None] * len(strokes)
        times: list[NDArray[np.float64] | None] = []
        begin = 0.0
        for number, following, values in zip(numbers, [*numbers[1:], None], strokes, strict=True):
            times.append(begin + np.arange(len(values)) / rate)
            gap = 0.0 if following is None else self._gap(number, following, rate)
            begin += (len(values) - 1) / rate + (float("inf") if gap is None else gap)
        return times if begin < float("inf") else [None] * len(strokes)

    @cached_property
    def _records_pauses(self) -> bool:
        """Return whether the file records pen-ups; if not, no ink has times, not even words of one stroke."""
        return bool(self.gaps) or any(not component.down for component in self.components)

    def _gap(self, number: int, following: int, rate: float) -> float | None:
        """Return the seconds from the last point of one pen-down to the first of the next; None if not known."""
        if number in self.gaps:
            return self.gaps[number] / 1000.0
        between = self.components[number + 1 : following]
        if not between or any(component.down for component in between):
            return None
        return (sum(len(_values(component)) for component in between) + 1) / rate


def read_document(name: str, file_of: Callable[[str], File], resolve: Callable[[str, str], str | None]) -> Document:
    """Read a file with all its includes.

    Args:
        name: name of the file.
        file_of: function that returns a file, split by `cut`, for its name; raises DataError.
        resolve: function that returns the name of an included file, given the text of the include and the name of the
            including file; None to ignore the include; raises DataError.

    Raises:
        DataError: the file itself cannot be read. Faults inside it are listed in `Document.problems`.
    """
    return _Reader(file_of, resolve).document(name)


def read_unipen(path: Path, content: bytes) -> Ink:
    r"""Read all pen-downs of a single UNIPEN file; segments and includes are ignored.

    A pen-down that cannot be read is left out with a `DataWarning`.

    Args:
        path: the file, for error messages.
        content: its bytes.

    Raises:
        DataError: there is no pen-down that can be read.

    >>> ink = read_unipen(Path("a.dat"), b".COORD X Y\n.PEN_DOWN\n0 0\n0 10\n.PEN_UP\n.PEN_DOWN\n5 5\n")
    >>> [len(stroke) for stroke in ink.strokes]
    [2, 1]
    """
    file = cut(str(path), content)
    file = replace(file, statements=tuple(one for one in file.statements if one[0] not in _IGNORED))
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
    """Return the values of all readable pen-downs and the numbers of their components; record the others."""
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
    """Reader of the statements of a file and its includes."""

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
        """Read the number of `.DT`; points after it are a pen-down without its keyword (once in the release)."""
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
    """Parse the arguments of a segment: level, parts, quality and label.

    Raises:
        DataError: the arguments have another form.
    """
    head, quote, rest = text.partition('"')
    level, *middle = head.split() or [""]
    quality = middle.pop() if middle and not middle[-1].rstrip(",")[-1:].isdigit() else "?"
    delineation = "".join(middle)
    label = rest[:-1]
    closed = rest.endswith('"') and not (label.endswith("\\") and not label.endswith("\\\\"))
    if not (delineation and quote and closed):
        raise DataError(f'{text[:60]!r} is not a segment; expected LEVEL COMPONENTS QUALITY "LABEL"; correct the line')
    parts = tuple(_part(written) for written in delineation.split(","))
    return level, parts, quality.upper(), " ".join(_ESCAPED.sub(r"\1", label).split())


def _part(written: str) -> Part:
    match = _PART.fullmatch(written)
    if match is None:
        raise DataError(f"{shown(written)} names no components; expected N, N-M, N:p-M:q and commas between them")
    first, from_point, last, to_point = (None if group is None else int(group) for group in match.groups())
    assert first is not None
    if last is None:  # N:p without a range is one point
        last, to_point = first, from_point
    return Part(first, from_point, last, to_point)


def _values(component: Component) -> NDArray[np.float64]:
    """Parse a component: x and y, (N, 2), or x, y and the clock of the channel T, (N, 3).

    Raises:
        DataError: a value is not a finite number, or the last point lacks channels; says file and line.
    """
    try:
        return _read_values(component)
    except BadStroke as error:
        raise DataError(f"{component.file.place(component.begin)}: {error}") from None


def _read_values(component: Component) -> NDArray[np.float64]:
    """Parse a component as `_values` does; raise BadStroke, without file and line."""
    file, begin, end, _, setting = component
    if end - begin > MAX_COMPONENT_BYTES:
        raise BadStroke(f"{end - begin} bytes of points, more than {MAX_COMPONENT_BYTES}; lift the pen")
    tokens = file.content[begin:end].split()
    channels = setting.channels
    if len(tokens) % len(channels):
        raise BadStroke(
            f"{len(tokens)} numbers do not divide by the {len(channels)} channels"
            f" {' '.join(channels)[:60]} of .COORD; add the missing number or remove the extra one"
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
    """Convert clocks to seconds; None for every stroke if a clock decreases or contradicts the points per second."""
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
    """Return the units per millimetre; None if they are not given or differ for x and y."""
    return setting.x_resolution if setting.x_resolution == setting.y_resolution else None


def _positive(text: str) -> float | None:
    """Return the first number of a text; None unless it is above 0 and finite (optional values raise no error)."""
    try:
        value = float(text.split()[0])
    except (ValueError, IndexError):
        return None
    return value if 0 < value < float("inf") else None
