"""Read the strokes of IAM-OnDB, a database of handwriting on a whiteboard (`lineStrokes/**.xml`).

    <WhiteboardCaptureSession>
      <WhiteboardDescription>...</WhiteboardDescription>
      <StrokeSet>
        <Stroke colour="black" start_time="769.05" end_time="769.64">
          <Point x="1073" y="1058" time="769.05"/>

The files `original/**/strokesz.xml` have the same format. In the file, y grows downwards; it is negated here. Times are
in seconds. The files do not say how long a unit is in millimetres.

Source: M. Liwicki, H. Bunke, "IAM-OnDB: an on-line English sentence database acquired from handwritten text on a
whiteboard", ICDAR 2005, doi 10.1109/ICDAR.2005.132.
"""

from __future__ import annotations

from pathlib import Path

from asr.ink.assembling import BadStroke, InkBuilder, shown
from asr.ink.ink import Ink
from asr.ink.xml import Element

ROOT = "WhiteboardCaptureSession"


def read_iam_ondb(path: Path, root: Element) -> Ink:
    """Return the ink of a parsed file.

    Args:
        path: the file, for error messages.
        root: its root element.

    Raises:
        DataError: there is no stroke whose points can be read.
    """
    builder = InkBuilder(path)
    strokes = [stroke for group in root.all("StrokeSet") for stroke in group.all("Stroke")]
    for number, stroke in enumerate(strokes):
        where = f"stroke {number}, counted from 0 (line {stroke.line})"
        with builder.reading(where):
            points = stroke.all("Point")
            xs, ys = (_numbers(points, name) for name in "xy")
            has_times = all("time" in point.attributes for point in points)
            times = _numbers(points, "time") if has_times else None
            builder.add([(x, -y) for x, y in zip(xs, ys, strict=True)], times, where)
    return builder.ink()


def _numbers(points: list[Element], name: str) -> list[float]:
    values = []
    for point in points:
        text = point.attributes.get(name)
        try:
            values.append(float(text or ""))
        except ValueError:
            written = "missing" if text is None else shown(text)
            raise BadStroke(f"line {point.line}: a point with {name} {written}; expected a number") from None
    return values
