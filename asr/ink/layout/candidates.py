"""Strokes whose shape alone says that they are no letters, or that they may be none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.layout.shapes import Flags, Shapes, is_box, is_frame, shapes
from asr.ink.layout.size import size
from asr.ink.layout.strokes import Floats, Ints, Strokes
from asr.ink.layout.types import Mark

_WIDE = 0.6  # h: a shorter level stroke is a hyphen or the bar of a letter
_TALL = 2.4  # h: brackets beside two lines are higher; so are some letters
_NARROW = 0.45  # width of a bracket to its height
_FRAME = (0.9, 1.3)  # h: least width and height of a box
_FRAMED = 1.2  # h of ink: the least in a box
_RINGED, _ROUND = 9.0, 1.6  # the least in a ring that is not this much wider than high: it may be the sign of copyright
_CORNER = 0.7  # h by which the sides of a box may miss each other
_PAST = 0.3  # h by which letters may reach out of their box
_AT_ONCE = 5  # strokes, in which the four sides of a box are drawn
_DENSE, _DENSE_INK = 7.0, 14.0  # h of ink in a square h, and altogether
_MOST = 4000  # candidates of a kind; a page of more is no page of writing


@dataclass(frozen=True)
class Candidates:
    """What waits until the lines are known.

    Attributes:
        level: (S,) possible rules, underlines, strike-throughs.
        tall: (S,) possible margins and brackets.
    """

    level: Flags
    tall: Flags


def writing_size(strokes: Strokes) -> float:
    """h of a page by the strokes that may be letters: neither straight nor the frame of something.

    By all, where there are no such strokes.
    """
    form = shapes(strokes)
    plain = ~form.straight & ~form.level
    frames = np.zeros(len(strokes), dtype=bool)
    long = np.argsort(-form.ink, kind="stable")[:_MOST]
    for k in long[(plain & form.closed)[long]]:
        frames[k] = is_frame(strokes.path(k)) and _holds(form, k)
    for some in (plain & ~frames, plain, np.ones(len(strokes), dtype=bool)):
        if some.any() and (found := size(strokes.chosen(np.flatnonzero(some)))) > 0:
            return found
    return 0.0


def _holds(form: Shapes, k: int) -> bool:
    """Whether other strokes are within the box of this one."""
    return int(_within(form.boxes, form.boxes[k], 0.0).sum()) > 1


def _within(boxes: Floats, box: Floats, past: float) -> Flags:
    return np.asarray(((boxes[:, :2] >= box[:2] - past) & (boxes[:, 2:] <= box[2:] + past)).all(axis=1))


def candidates(form: Shapes, height: float) -> Candidates:
    """What may be a mark, by its shape.

    Args:
        height: h.
    """
    level = form.level & (form.width >= _WIDE * height)
    tall = (form.height >= _TALL * height) & (form.width <= _NARROW * form.height)
    tall &= form.ink <= 1.6 * form.height
    return Candidates(_longest(level, form.width), _longest(tall, form.height))


def _longest(flags: Flags, length: Floats) -> Flags:
    if flags.sum() <= _MOST:
        return flags
    least = np.sort(length[flags])[-_MOST]
    return np.asarray(flags & (length >= least))


def boxes(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    """Boxes and ellipses round writing, in one stroke or in four."""
    found = []
    large = (form.width >= _FRAME[0] * height) & (form.height >= _FRAME[1] * height)
    for k in np.flatnonzero(large & form.closed)[:_MOST]:
        if is_frame(strokes.path(k)):
            inside = _within(form.boxes, form.boxes[k], _PAST * height)
            inside[k] = False
            ink = float(form.ink[inside].sum()) / height
            is_wide = form.width[k] >= _ROUND * form.height[k]
            if ink >= (_FRAMED if is_wide or is_box(strokes.path(k)) else _RINGED):
                found.append(Mark("box", (int(k),)))
    return found + _boxes_of_four(form, height)


def _boxes_of_four(form: Shapes, height: float) -> list[Mark]:
    near = _CORNER * height
    level = np.flatnonzero(form.level & (form.width >= 1.2 * height))
    upright = np.flatnonzero(form.straight & (form.height >= 1.2 * height) & (form.width <= 0.2 * form.height))
    found: list[Mark] = []
    used: set[int] = set()
    order = level[np.argsort(form.boxes[level, 0], kind="stable")][:_MOST]
    for at, one in enumerate(order):
        for other in order[at + 1 : at + 12]:
            sides = _sides(form, int(one), int(other), upright, near)
            if sides and not used & set(sides) and _frames_ink(form, sides, height):
                used |= set(sides)
                found.append(Mark("box", tuple(sorted(sides))))
    return found


def _sides(form: Shapes, one: int, other: int, upright: Ints, near: float) -> tuple[int, ...]:
    """The strokes of a box whose level sides these may be; empty where they are none."""
    a, b = form.boxes[one], form.boxes[other]
    if max(abs(a[0] - b[0]), abs(a[2] - b[2])) > 1.5 * near:
        return ()
    low, high = sorted([(a[1] + a[3]) / 2, (b[1] + b[3]) / 2])
    if high - low < 1.2 * near:
        return ()
    ends = (np.abs(form.boxes[upright, 1] - low) <= near) & (np.abs(form.boxes[upright, 3] - high) <= near)
    middle = form.boxes[upright][:, [0, 2]].mean(axis=1)
    left = upright[ends & (np.abs(middle - (a[0] + b[0]) / 2) <= near)]
    right = upright[ends & (np.abs(middle - (a[2] + b[2]) / 2) <= near)]
    for first in left[:3].tolist():
        for last in right[:3].tolist():
            sides = (one, other, first, last)
            if len(set(sides)) == 4 and max(sides) - min(sides) <= _AT_ONCE:
                return sides
    return ()


def _frames_ink(form: Shapes, sides: tuple[int, ...], height: float) -> bool:
    own = form.boxes[list(sides)]
    box = np.concatenate([own[:, :2].min(axis=0), own[:, 2:].max(axis=0)])
    inside = _within(form.boxes, box, _PAST * height)
    inside[list(sides)] = False
    return bool(form.ink[inside].sum() >= height)


def scribbles(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    """Strokes with more ink in their box than letters have, and zigzags."""
    area = np.maximum(form.width, height) * np.maximum(form.height, height)
    with np.errstate(over="ignore"):
        dense = form.ink * height >= _DENSE * area
    dense &= form.ink >= _DENSE_INK * height
    long = ~dense & (form.ink >= _ZIGZAG * 0.8 * height) & (form.height >= _HIGH * height) & (form.ink <= 60 * height)
    long &= form.ink >= 0.7 * _ZIGZAG * form.height
    zigzags = [int(k) for k in np.flatnonzero(long)[:_MOST] if _is_zigzag(strokes.path(k), float(form.height[k]))]
    if len(zigzags) <= _FEW:  # more are how somebody writes
        dense[[k for k in zigzags if _is_alone(strokes, form, np.array([k]), height, _CLEAR)]] = True
    return [Mark("scribble", (int(k),)) for k in np.flatnonzero(dense)]


_FEW = 3
_CLEAR = 0.5  # h round a zigzag
_ZIGZAG = 5  # ups and downs, where a W has four
_HIGH = 0.6  # h
_ROUNDED = 1.06  # ink of a zigzag to the straight ways between its turns; letters are rounder
_EVEN = 0.6  # of the height of a zigzag, the least that its median up or down has


def _is_zigzag(path: Floats, height: float) -> bool:
    """Whether a stroke goes straight up and down many times, as high each time."""
    turns = [0]
    for k in range(1, len(path)):  # a turn is where the pen has come back by a quarter of the height
        if len(turns) > 1 and (path[k, 1] - path[turns[-1], 1]) * (path[turns[-1], 1] - path[turns[-2], 1]) >= 0:
            turns[-1] = k
        elif abs(path[k, 1] - path[turns[-1], 1]) >= 0.25 * height:
            turns.append(k)
    ways = np.diff(path[turns], axis=0)
    if len(ways) < _ZIGZAG:
        return False
    ink = float(np.hypot(*np.diff(path, axis=0).T).sum())
    rises = np.abs(ways[1:-1, 1])
    return ink <= _ROUNDED * float(np.hypot(*ways.T).sum()) and float(rises.min()) >= _EVEN * height


# ---- arrows

_SHAFT, _HEAD = 0.9, 1.7  # h: least length of a shaft, most of a head
_STEEPEST, _STEEPEST_SHORT = 50.0, 25.0  # degrees; of a shaft shorter than 2 h
_HEADED = 1.4  # width to height, of a level shaft with its head
_AT_TIP = 0.3  # h
_LONGER = 1.15  # a shaft than its head


def arrows(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    """Shafts whose next strokes, or whose own end, are a head: two sides that go back from the tip.

    Nothing else is in their box: an `x` or an `e` in a word may look like an arrow.
    """
    found, used = [], -1
    length = np.hypot(form.width, form.height)
    steepest = np.where(length < 2 * height, _STEEPEST_SHORT, _STEEPEST)
    level = form.width >= np.cos(np.radians(steepest)) * length
    level |= ~form.straight & (form.width >= _HEADED * form.height)
    long = length >= _SHAFT * height
    small = np.maximum(form.width, form.height) <= _HEAD * height
    for k in np.flatnonzero(level & long & ((form.ink <= 12 * height) | form.straight)):
        if k <= used:
            continue
        heads = _heads(strokes, form, int(k), small, height)
        if heads is not None:
            own = np.arange(k, k + heads + 1)
            if _is_alone(strokes, form, own, height):
                used = int(k) + heads
                found.append(Mark("arrow", tuple(own.tolist())))
    return found


_ALONE, _LONG = 0.25, 2.0  # h of room round a mark, and its length from which on it needs none


def _is_alone(strokes: Strokes, form: Shapes, own: Ints, height: float, clear: float = 0.0) -> bool:
    around = form.boxes[own]
    is_long = max(form.width[own[0]], form.height[own[0]]) >= _LONG * height
    room = height * (clear or (0.0 if is_long else _ALONE))
    low, high = around[:, :2].min(axis=0) - room, around[:, 2:].max(axis=0) + room
    touches = ((form.boxes[:, :2] <= high) & (form.boxes[:, 2:] >= low)).all(axis=1)
    # rules of the paper run through everything, and margins
    touches &= ~((form.level | form.straight) & (np.maximum(form.width, form.height) > 6 * height))
    touches[own] = False
    others = np.flatnonzero(touches)
    return not len(others) or (room == 0.0 and not _is_touched(strokes, own, form.boxes[others], _NEAR * height))


_PARTS, _NEAR = 16, 0.15  # of a long mark that slants; h round them


def _is_touched(strokes: Strokes, own: Ints, boxes: Floats, room: float) -> bool:
    """Whether some boxes touch parts of a mark, which fill its own box only in part."""
    for k in own:
        path = strokes.path(int(k))
        for part in np.array_split(np.arange(len(path) - 1), min(_PARTS, max(1, len(path) - 1))):
            points = path[part[0] : part[-1] + 2] if len(part) else path
            low, high = points.min(axis=0) - room, points.max(axis=0) + room
            if ((boxes[:, :2] <= high) & (boxes[:, 2:] >= low)).all(axis=1).any():
                return True
    return False


def _heads(strokes: Strokes, form: Shapes, k: int, small: Flags, height: float) -> int | None:
    """How many strokes after a shaft are its head, 0 where it is in the shaft; None where there is none."""
    path = strokes.path(k)
    if form.straight[k]:
        for count in (1, 2):
            after = range(k + 1, min(k + 1 + count, len(strokes)))
            if len(after) == count and all(small[one] for one in after):
                head = np.concatenate([strokes.path(one) for one in after])
                for tail, tip in ((path[0], path[-1]), (path[-1], path[0])):
                    if _is_head(head, tail, tip, height):
                        return count
        return None
    away = np.hypot(*(path - path[0]).T)
    far = int(np.argmax(away >= 0.97 * away.max()))  # the pen comes to the tip twice
    if not 2 <= far < len(path) - 2 or not _is_straight(path[: far + 1], height):
        return None
    return 0 if _is_head(path[far + 1 :], path[0], path[far], height) else None


def _is_straight(path: Floats, height: float) -> bool:
    chord = path[-1] - path[0]
    length = float(np.hypot(*chord))
    steps = float(np.hypot(*np.diff(path, axis=0).T).sum())
    return length >= 1.2 * _SHAFT * height and steps <= 1.1 * length


def _is_head(head: Floats, tail: Floats, tip: Floats, height: float) -> bool:
    shaft = tip - tail
    length = float(np.hypot(*shaft))
    if length < _SHAFT * height:
        return False
    unit = shaft / length
    away = head - tip
    along, beside = away @ unit, away @ np.array([-unit[1], unit[0]])
    reach = np.hypot(along, beside)
    if reach.max() > _HEAD * height or reach.min() > _AT_TIP * height or along.max() > 0.35 * height:
        return False
    if length < _LONGER * reach.max():
        return False
    left, right = int(np.argmax(beside)), int(np.argmin(beside))
    sides = [(beside[left], along[left]), (-beside[right], along[right])]
    return all(side >= 0.12 * height and -back >= 0.5 * side and -back <= min(5 * side, length) for side, back in sides)
