"""Parse the values of an InkML trace, in all encodings of the standard (section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asr.ink.assembling import BadStroke, shown
from asr.ink.inkml_format import Format
from asr.ink.numbers import plain_numbers

_VALUE = re.compile(
    r"""\s*([!'"]?)\s*([-+]?)\s*(?:([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)|\#([0-9A-Fa-f]{1,12})|([TF*?]))\s*"""
)
_LETTERS: Mapping[str, float | str | None] = {"T": 1.0, "F": 0.0, "*": "*", "?": None}


def trace_values(text: str, form: Format) -> NDArray[np.float64]:
    """Parse the text of a trace.

    Returns:
        (N, channels) float64; NaN for values that are not reported.

    Raises:
        BadStroke: the text does not fit the channels.

    >>> trace_values("10 0, 9 14, '-1 '2, '-2 '3", Format()).tolist()
    [[10.0, 0.0], [9.0, 14.0], [8.0, 16.0], [6.0, 19.0]]
    """
    text = text.strip().rstrip(",").rstrip()
    if not text:
        return np.zeros((0, len(form.channels)))
    values = plain_numbers(text.replace(",", " "))
    points = text.split(",")
    if values is not None:
        table = _table(values, points, text, form)
        if table is not None:
            return table
    return _decoded(points, form)


def _table(values: NDArray[np.float64], points: list[str], text: str, form: Format) -> NDArray[np.float64] | None:
    """Arrange explicit values to points, (N, channels); None if the counts need the whole grammar."""
    n_channels = len(form.channels)
    counts = {len(point.split()) for point in points}
    if counts == {n_channels}:
        return values.reshape(-1, n_channels)
    if len(counts) == 1 and max(form.channels.index(name) for name in "XY") < min(counts) < n_channels:
        table = np.full((len(points), n_channels), np.nan)  # the last channels are declared but absent
        table[:, : min(counts)] = values.reshape(len(points), -1)
        return table
    if len(points) == 1 and n_channels == form.n_regular and len(values) > n_channels:  # drafts: no commas at all
        if len(values) % n_channels:
            raise BadStroke(
                f"{len(values)} values without commas cannot be points of {n_channels} channels ({form.names})"
            )
        return values.reshape(-1, n_channels)
    if len(counts) <= 2 and all(word.count(",") == n_channels - 1 for word in text.split()):  # x,y x,y
        return values.reshape(-1, n_channels)
    return None


def _decoded(points: list[str], form: Format) -> NDArray[np.float64]:
    """Parse points by the whole grammar of the standard, and sum up differences."""
    n_channels = len(form.channels)
    orders = ["!"] * n_channels  # an encoding applies to its channel until another one is given
    value, speed, given = [0.0] * n_channels, [0.0] * n_channels, [0.0] * n_channels
    rows = np.full((len(points), n_channels), np.nan)
    for number, point in enumerate(points):
        tokens = _tokens(point, number)
        if not form.n_regular <= len(tokens) <= n_channels:
            raise BadStroke(
                f"point {number}, counted from 0, has {len(tokens)} values; expected {n_channels}, one per channel"
                f" ({form.names})"
            )
        for c, (order, token) in enumerate(tokens):
            if token is None:  # not reported
                continue
            orders[c] = order or orders[c]
            given[c] = given[c] if token == "*" else float(token)
            if orders[c] == "!":
                value[c], speed[c] = given[c], 0.0
            else:
                speed[c] = given[c] if orders[c] == "'" else speed[c] + given[c]
                value[c] += speed[c]
            rows[number, c] = value[c]
    if np.isinf(rows).any():
        raise BadStroke("values, or sums of differences, are too large")
    return rows


def _tokens(point: str, number: int) -> list[tuple[str, float | str | None]]:
    """Split a point into pairs (encoding or "", value); a value is a number, "*", or None if unknown."""
    tokens: list[tuple[str, float | str | None]] = []
    position = 0
    while position < len(point) and (match := _VALUE.match(point, position)):
        order, sign, decimal, hexadecimal, letter = match.groups()
        position = match.end()
        if letter:
            tokens.append((order, _LETTERS[letter]))
        else:
            size = float(decimal) if decimal else float(int(hexadecimal, 16))
            tokens.append((order, -size if sign == "-" else size))
    if position < len(point) and point.strip():
        raise BadStroke(
            f"point {number}, counted from 0, holds {shown(point[position : position + 20].strip())}; expected a value"
        )
    return tokens
