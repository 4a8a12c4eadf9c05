"""The strokes of IAM-OnDB, the handwriting database of a whiteboard (`lineStrokes/**.xml`, `original/**/strokesz.xml`).

    <WhiteboardCaptureSession>
      <WhiteboardDescription>...</WhiteboardDescription>
      <StrokeSet>
        <Stroke colour="black" start_time="769.05" end_time="769.64">
          <Point x="1073" y="1058" time="769.05"/>

y grows downwards and is turned round; times are seconds. What a unit is in millimetres the files do not tell.
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
    """The ink of a parsed file.

    Raises:
        DataError: no strokes, or none whose points have numbers; names the file, the stroke and the line.
    """
    builder = InkBuilder(path)
    strokes = [stroke for group in root.all("StrokeSet") for stroke in group.all("Stroke")]
    for number, stroke in enumerate(strokes):
        where = f"stroke {number} from 0 (line {stroke.line})"
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
