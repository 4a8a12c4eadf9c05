from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from asr.errors import DataError
from asr.ink import Ink, read_ink, write_inkml
from tests.ink.inks import inks


@pytest.fixture
def read(tmp_path):
    def read(body):
        path = tmp_path / "ink.inkml"
        path.write_text(f'<ink xmlns="http://www.w3.org/2003/InkML">{body}</ink>')
        return read_ink(path)

    return read


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ink=inks())
def test_what_is_read_is_what_was_written(tmp_path, ink):
    path = tmp_path / "ink.inkml"
    write_inkml(path, ink)
    assert read_ink(path) == ink


def test_y_grows_downwards_where_no_format_is_given(read):
    assert read("<trace>1 2, 3 4,</trace><trace>-5.5 .5</trace>") == Ink.of([[1, -2], [3, -4]], [[-5.5, -0.5]])


def test_the_example_of_the_standard(read):
    """Section 3.2.1 of the standard: values, velocities, accelerations; its rules followed with pencil and paper."""
    ink = read(
        """<traceFormat><channel name="X" type="integer"/><channel name="Y" type="integer"/><intermittentChannels>
        <channel name="B1" type="boolean" default="F"/><channel name="B2" type="boolean" default="F"/>
        </intermittentChannels></traceFormat>
        <trace>1125 18432,'23'43,"7"-8,3-5,7 -3,6 2,6 8,3 6 T,2 4*T,3 6,3-6 F F</trace>"""
    )
    xs = [1125, 1148, 1178, 1211, 1251, 1297, 1349, 1404, 1461, 1521, 1584]
    ys = [18432, 18475, 18510, 18540, 18567, 18596, 18633, 18676, 18723, 18776, 18823]
    assert ink.points().tolist() == [[x, -y] for x, y in zip(xs, ys, strict=True)]


@pytest.mark.parametrize(
    ("trace", "points"),
    [
        ("1 2,'3 *,4 *,!9 7", [[1, 2], [4, 2], [8, 2], [9, 7]]),  # * gives the last number again
        ("1 2,'3'5,* *", [[1, 2], [4, 7], [7, 12]]),
        ("1 2,'1'1,\"1\"1,* *", [[1, 2], [2, 3], [4, 5], [7, 8]]),
        ("10-20,11-21.5", [[10, -20], [11, -21.5]]),  # a sign parts two values
        ("#A #ff,#10-#1", [[10, 255], [16, -1]]),
        ("1 2,? 3,4 5", [[1, 2], [4, 5]]),
        ("1e2 2E-1", [[100, 0.2]]),
        ("1,119 2,118", [[1, 119], [2, 118]]),  # other programs' order of commas
        ("1,119", [[1, 119]]),
        ("10 0 9 14 8 28", [[10, 0], [9, 14], [8, 28]]),  # drafts of the standard
    ],
)
def test_values(read, trace, points):
    assert (read(f"<trace>{trace}</trace>").points() * [1, -1]).tolist() == points


XYT = '<channel name="X"/><channel name="Y"/><channel name="T"{}/>'
SECONDS, DAYS = ' units="s"', ' units="days"'


@pytest.mark.parametrize(("units", "scale"), [("", 0.001), (' units="ms"', 0.001), (' units="s"', 1)])
def test_times_are_milliseconds_unless_told_otherwise(read, units, scale):
    ink = read(f"<traceFormat>{XYT.format(units)}</traceFormat><trace>0 0 5, 1 0 7</trace>")
    assert ink.strokes[0].times.tolist() == [5 * scale, 7 * scale]


def test_times_that_are_unknown_or_run_backwards_are_dropped(read):
    form = f"<traceFormat>{XYT.format('')}</traceFormat>"
    ink = read(form + "<trace>0 0 7, 1 0 5</trace><trace>0 0 1, 1 0 ?</trace><trace>0 0 4000</trace>")
    assert ink == Ink.of([[0, 0], [1, 0]], [[0, 0], [1, 0]], [[0, 0, 4]])
    assert read(form + '<trace timeOffset="500">0 0 1000</trace>') == Ink.of([[0, 0, 1.5]])


def test_channels_stand_where_the_format_says(read):
    channels = '<channel name="F"/><channel name="Y" orientation="-ve"/><channel name="X" units="mm"/>'
    form = f"<traceFormat>{channels}</traceFormat>"
    assert read(form + "<trace>9 2 1, 8 4 3</trace>") == Ink.of([[1, 2], [3, 4]], resolution=1.0)
    assert read('<traceFormat xml:id="f"/><trace>1 2</trace>') == Ink.of([[1, -2]])


def test_the_definitions_of_office_programs(read):
    ink = read(
        """<definitions><context xml:id="ctx0"><inkSource xml:id="src0"><traceFormat>
        <channel name="X" type="integer" max="32767" units="cm"/><channel name="Y" type="integer" units="cm"/>
        <channel name="F" type="integer"/></traceFormat>
        <channelProperties><channelProperty channel="X" name="resolution" value="1000" units="1/cm"/>
        </channelProperties>
        </inkSource></context><trace>7 7 7</trace></definitions>
        <traceGroup/><traceGroup contextRef="#ctx0"><trace>1 2 9,'1'1'-3,"2"2"0</trace>
        <traceGroup><trace contextRef="#ctx0">5 5 5</trace></traceGroup></traceGroup>
        <traceGroup><trace contextRef="#DefaultContext">6 6</trace></traceGroup>"""
    )
    assert ink.points().tolist() == [[1, -2], [2, -3], [5, -6], [5, -5], [6, -6]]
    assert ink.resolution is None  # known for some strokes only
    assert len(ink.strokes) == 3


def test_a_resolution_is_known_where_all_traces_share_it(read):
    context = '<context><inkSource><traceFormat><channel name="X" units="himetric"/><channel name="Y"/></traceFormat>'
    assert read(f"{context}</inkSource></context><trace>1 2</trace>").resolution == 100.0


def test_formats_that_are_referred_to(read):
    ink = read(
        f"""<definitions><traceFormat xml:id="f">{XYT.format(SECONDS)}</traceFormat>
        <inkSource xml:id="pen"><traceFormat href="#f"/></inkSource>
        <context xml:id="a" traceFormatRef="#f"/><context xml:id="b" contextRef="#a"/>
        <context xml:id="c" inkSourceRef="#pen"/>
        </definitions><trace contextRef="#b">1 2 3</trace><trace contextRef="#c">1 2 3</trace>
        <context contextRef="#a"/><trace>4 5 6</trace>"""
    )
    assert ink == Ink.of([[1, -2, 3]], [[1, -2, 3]], [[4, -5, 6]])


def test_pen_ups_are_left_out_and_continued_traces_joined(read):
    ink = read(
        '<trace id="1" continuation="begin">1 2</trace><trace type="penUp">9 9</trace><trace>5 5</trace><trace></trace>'
        '<trace continuation="end" priorRef="#1">3 4, 5 6</trace>'
    )
    assert ink == Ink.of([[1, -2], [3, -4], [5, -6]], [[5, -5]])


def test_channels_that_are_declared_but_not_written(read):
    form = f"<traceFormat>{XYT.format('')}</traceFormat>"
    assert read(form + "<trace>1 2, 3 4</trace>") == Ink.of([[1, -2], [3, -4]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "holds no ink: not one stroke has a point"),
        ("<trace> </trace>", "holds no ink"),
        ("<definitions><trace>1 2</trace></definitions>", "holds no ink"),
        ("\n<trace id='7'>1 2, 3</trace>", r"trace 7 \(line 2\): point 1 \(from 0\) has 1 values; expected 2.*\(X Y\)"),
        ("<trace>1 2 3, 4 5 6</trace>", r"trace 0 \(line 1\): point 0 \(from 0\) has 3 values"),
        ("<trace>1 2 3</trace>", "3 values without commas cannot be points of 2 channels"),
        ("<trace>1 2</trace><trace>1 NaN</trace>", r"trace 1 .*: point 0 \(from 0\) holds 'NaN', which is no value"),
        ("<trace>1 1e999</trace>", r"trace 0 .*: point 0 \(from 0\) has points that are NaN or infinite"),
        ("<trace>1 2,'1e308'1,* *,* *</trace>", "too large for a number"),
        ("<trace>1 2_0</trace>", "which is no value"),
        ("<trace>1 ٣</trace>", "which is no value"),
        ("<trace contextRef='#x'>1 2</trace>", "line 1: contextRef to 'x', which is not in the file"),
        ('<context xml:id="a" contextRef="#a"/>', "contexts refer to each other in a circle"),
        (
            '<traceFormat><channel name="X"/></traceFormat>',
            "a traceFormat with the channels X; expected one X and one Y",
        ),
        (f"<traceFormat>{XYT.format(DAYS)}</traceFormat>", "times in 'days'; expected one of s, ms"),
        (
            f"<traceFormat>{XYT.format('')}</traceFormat><trace timeOffset='x'>1 2 3</trace>",
            "a timeOffset that is no number",
        ),
    ],
)
def test_what_is_wrong_is_named(read, body, message):
    with pytest.raises(DataError, match=rf"(?s)ink\.inkml: .*{message}"):
        read(body)


@pytest.mark.parametrize(("point", "n_points"), [("12345.5 -67,", 900_000), ("'1'-1,", 100_000)])
def test_a_long_stroke(read, point, n_points):
    assert read(f"<trace>0 0,{point * n_points}</trace>").n_points == n_points + 1


def test_real_files(shared_data):
    files = sorted((shared_data / "inkml_samples").rglob("*.inkml"))
    assert len(files) == 65
    inks = {file.name: read_ink(file) for file in files}
    for file in files:
        assert len(inks[file.name].strokes) == file.read_text(encoding="utf-8").count("<trace ")
    assert [name for name, ink in inks.items() if ink.has_times] == [
        f"MfrDB{number}.inkml" for number in ("0193", "0215", "1044", "1525", "2143", "2866", "2908", "2957", "3068")
    ]
    first = inks["MfrDB0215.inkml"].strokes[0]
    assert (first.points[0].tolist(), first.times[0]) == ([345, -156], 45.017)
    strokes = inks["107_david.inkml"].strokes  # a^2 + ...: the exponent is above
    assert strokes[1].points[:, 1].min() > strokes[0].points[:, 1].mean()
