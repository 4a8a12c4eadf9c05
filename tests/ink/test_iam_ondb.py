from __future__ import annotations

import pytest

from asr.errors import DataError, DataWarning
from asr.ink import Ink, read_ink

SESSION = """<?xml version="1.0" encoding="ISO-8859-1"?>

<WhiteboardCaptureSession>
  <WhiteboardDescription>
    <SensorLocation corner="top_left"/>
    <DiagonallyOppositeCoords x="6512" y="1376"/>
  </WhiteboardDescription>
  <StrokeSet>
{}
  </StrokeSet>
</WhiteboardCaptureSession>
"""


@pytest.fixture
def read(tmp_path):
    def read(strokes):
        path = tmp_path / "a01-000u-01.xml"
        path.write_text(SESSION.format(strokes), encoding="iso-8859-1")
        return read_ink(path)

    return read


def test_strokes_are_read_with_their_times_and_y_turned_round(read):
    ink = read(
        """<Stroke colour="black" start_time="769.05" end_time="769.64">
             <Point x="1073" y="1058" time="769.05"/>
             <Point x="1072" y="1085" time="769.07"/>
           </Stroke>
           <Stroke colour="black"/>
           <Stroke colour="black"><Point x="5" y="6"/></Stroke>"""
    )
    assert ink == Ink.of([[1073, -1058, 769.05], [1072, -1085, 769.07]], [[5, -6]])


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ("", "holds no ink"),
        ("<Stroke/>", "holds no ink"),
        (
            '<Stroke>\n<Point x="1"/></Stroke>',
            r"stroke 0, counted from 0 \(line 9\): line 10: a point with y missing; expected a number",
        ),
        ('<Stroke><Point x="1" y="two"/></Stroke>', "a point with y 'two'"),
        ('<Stroke><Point x="1" y="nan"/></Stroke>', "NaN or infinite"),
        ('<Stroke><Point x="1" y="2" time="inf"/></Stroke>', "times that are NaN or infinite"),
    ],
)
def test_what_is_wrong_is_named(read, strokes, message):
    with pytest.raises(DataError, match=rf"a01-000u-01\.xml: .*{message}"):
        read(strokes)


@pytest.mark.parametrize("bad", ['<Point x="1"/>', '<Point x="1" y="&#10;31m"/>', '<Point x="nan" y="1"/>'])
def test_a_bad_stroke_is_named_and_the_others_are_read(read, bad):
    good = '<Stroke><Point x="1" y="2"/></Stroke>'
    with pytest.warns(
        DataWarning, match=r"left out 1 of 3 strokes: stroke 1, counted from 0 \(line 10\): .*"
    ) as caught:
        assert read(f"{good}\n<Stroke>{bad}</Stroke>{good}") == Ink.of([[1, -2]], [[1, -2]])
    assert len(caught) == 1
