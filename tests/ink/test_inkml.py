from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from asr.errors import DataError, DataWarning
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
SECONDS = ' units="s"'


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
        ("", "holds no ink: no stroke has a point"),
        ("<trace> </trace>", "holds no ink"),
        ("<definitions><trace>1 2</trace></definitions>", "holds no ink"),
        (
            "\n<trace id='7'>1 2, 3</trace>",
            r"trace 7 \(line 2\): point 1, counted from 0, has 1 values; expected 2.*\(X Y\)",
        ),
        ("<trace>1 2 3, 4 5 6</trace>", r"trace 0 \(line 1\): point 0, counted from 0, has 3 values"),
        ("<trace>1 2 3</trace>", "3 values without commas cannot be points of 2 channels"),
        ("<trace/><trace>1 NaN</trace>", r"trace 1 .*: point 0, counted from 0, holds 'NaN'; expected a value"),
        ("<trace>1 1e999</trace>", r"trace 0 .*: point 0 \(from 0\) has points that are NaN or infinite"),
        ("<trace>1 2,'1e308'1,* *,* *</trace>", "sums of differences, are too large"),
        ("<trace>1 2_0</trace>", "expected a value"),
        ("<trace>1 ٣</trace>", "expected a value"),
        ("<trace contextRef='#x'>1 2</trace>", "line 1: contextRef names 'x', which is not in the file"),
        (
            '<context xml:id="a" contextRef="#a"/><trace contextRef="#a">1 2</trace>',
            "contexts refer to each other in a cycle",
        ),
        (
            '<traceFormat><channel name="X"/></traceFormat><trace>1 2</trace>',
            "the traceFormat has the channels X; expected one X and one Y",
        ),
        (
            "<traceFormat><channel name='X'/><channel name='Y'/>"
            + "<channel/>" * 63
            + "</traceFormat><trace>1 2</trace>",
            "at most 64 channels",
        ),
        (
            f"<traceFormat>{XYT.format('')}</traceFormat><trace timeOffset='x'>1 2 3</trace>",
            "its timeOffset is not a number",
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


def hello(shared_cases):
    return read_ink(shared_cases / "inkml_highlighter" / "i_ms_no_highlighter.inkml")


def test_times_of_the_device_are_no_seconds(shared_cases, read):
    ink = read_ink(shared_cases / "inkml_office_T_dev" / "i_msoffice_Tdev.inkml")
    assert ink == hello(shared_cases)
    assert not ink.has_times


@pytest.mark.parametrize(
    ("units", "properties", "seconds"),
    [
        ("dev", "", None),
        ("dev", 'value="1" units="1/dev"', None),
        ("dev", 'value="100" units="1/s"', 0.01),
        ("ms", 'value="10" units="1/ms"', 0.0001),
    ],
)
def test_times_in_units_of_the_device(read, units, properties, seconds):
    time = f'units="{units}"'
    ink = read(
        f"""<context><inkSource><traceFormat>{XYT.format(" " + time)}</traceFormat><channelProperties>
        <channelProperty channel="T" name="resolution" {properties}/></channelProperties></inkSource></context>
        <trace>1 2 3, 4 5 7</trace>"""
    )
    times = ink.strokes[0].times
    assert (None if times is None else times.tolist()) == (seconds and [pytest.approx(3 * seconds), 7 * seconds])


def test_times_in_other_units_are_named(read):
    unit = ' units="days"'
    with pytest.warns(DataWarning, match=r"line 1: times in 'days' are ignored; expected one of s, ms, us, ns, dev"):
        ink = read(f"<traceFormat>{XYT.format(unit)}</traceFormat><trace>1 2 3</trace><trace>3 4 5</trace>")
    assert ink == Ink.of([[1, -2]], [[3, -4]])


def test_highlighters_are_left_out_of_files(shared_cases):
    assert read_ink(shared_cases / "inkml_highlighter" / "i_ms_highlighter_zigzag.inkml") == hello(shared_cases)


@pytest.mark.parametrize(
    ("properties", "read_too"),
    [
        ({"rasterOp": "maskPen"}, False),
        ({"rasterOp": "copyPen"}, True),
        ({"rasterOp": "copyPen", "transparency": "127"}, False),
        ({"transparency": "0.5"}, False),
        ({"transparency": "0"}, True),
        ({"transparency": "0.1"}, True),  # a pencil
        ({"transparency": "much"}, True),
        ({"width": "400"}, True),
    ],
)
def test_highlighters_are_left_out(read, properties, read_too):
    brush = "".join(f'<brushProperty name="{name}" value="{value}"/>' for name, value in properties.items())
    pen = '<brush xml:id="pen"><brushProperty name="rasterOp" value="copyPen"/></brush>'
    definitions = f"""<definitions>{pen}<brush xml:id="b">{brush}</brush><brush xml:id="more" brushRef="#b"/>
        <context xml:id="c"><brush brushRef="#b"/></context><context xml:id="d" brushRef="#b"/></definitions>"""
    for reference in ('brushRef="#b"', 'brushRef="#more"', 'contextRef="#c"', 'contextRef="#d"'):
        one, own = f"<trace {reference}>1 2</trace>", "<trace>3 4</trace>"
        group = f'<traceGroup {reference}><trace>1 2</trace><trace brushRef="#pen">3 4</trace></traceGroup>'
        for body in (one + own, group):
            assert len(read(definitions + body).strokes) == 1 + read_too
    assert len(read('<trace brushRef="#nowhere">1 2</trace>').strokes) == 1


def formed(x, y, rest=""):
    """A context with properties of the channels X and Y."""
    properties = "".join(
        f'<channelProperty channel="{name}" name="resolution" {one}/>' for name, one in (("X", x), ("Y", y)) if one
    )
    return (
        '<context><inkSource><traceFormat><channel name="X" units="cm"/><channel name="Y" units="cm"/></traceFormat>'
        f"<channelProperties>{properties}</channelProperties></inkSource>{rest}</context>"
    )


CENTI, MILLI = 'value="1000" units="1/cm"', 'value="50" units="1/mm"'


@pytest.mark.parametrize(
    ("x", "y", "point", "resolution"),
    [
        (CENTI, CENTI, [100, -100], 100),
        (CENTI, 'value="100" units="1/mm"', [100, -100], 100),
        (CENTI, MILLI, [100, -200], 100),  # 2 mm
        (MILLI, CENTI, [100, -50], 50),
        (CENTI, "", [100, -100], 100),
        ("", CENTI, [100, -100], 0.1),
    ],
)
def test_each_channel_has_its_own_resolution(read, x, y, point, resolution):
    ink = read(formed(x, y) + "<trace>100 100</trace>")
    assert (ink.points().tolist(), ink.resolution) == ([point], pytest.approx(resolution))


def test_units_of_the_channels_may_differ(read):
    ink = read(
        '<traceFormat><channel name="X" units="mm"/><channel name="Y" units="cm"/></traceFormat><trace>5 1</trace>'
    )
    assert ink == Ink.of([[5, -10]], resolution=1.0)


def test_traces_of_several_resolutions_are_scaled_to_the_first(read):
    ink = read(f"{formed(CENTI, CENTI)}<trace>100 100</trace>{formed(MILLI, MILLI)}<trace>100 100</trace>")
    assert ink == Ink.of([[100, -100]], [[200, -200]], resolution=100.0)


def test_an_affine_canvas_in_a_file(shared_cases):
    ink, plain = read_ink(shared_cases / "inkml_affine" / "i_mapping.inkml"), hello(shared_cases)
    assert [len(stroke) for stroke in ink.strokes] == [len(stroke) for stroke in plain.strokes]
    (a, b), (c, d) = ([part.points()[:, 1] - part.points()[0, 1] for part in (ink, plain)], (1, 3))
    assert np.abs(a * d / c - b).max() < 3  # upright, in units three times as large


FLIP = "1 0 0 0 -1 0"


@pytest.mark.parametrize(
    ("transform", "point"),
    [
        (f'<mapping type="affine">{FLIP}</mapping>', [10, 20]),
        ('<mapping type="affine">1 0 0, 0 -1 0</mapping>', [10, 20]),
        (f'<mapping type="affine"><affine>{FLIP}</affine></mapping>', [10, 20]),
        (
            f"<mapping type='affine'><matrix>{FLIP}</matrix></mapping><mapping type='affine'>9 9 9 9 9 9</mapping>",
            [10, 20],
        ),
        ('<mapping type="affine">0 1 5 2 0 7</mapping>', [25, -27]),
        ('<mapping mappingRef="#m"/>', [10, 20]),
        ('<mapping type="identity"/>', [10, -20]),
        (
            '<mapping type="affine"><bind source="Y"/><bind source="X"/><bind target="X"/><bind target="Y"/>'
            "<matrix>0 1 0, -1 0 0</matrix></mapping>",
            [10, 20],
        ),
        (
            '<mapping type="affine"><bind source="X" target="X"/><bind source="Y" target="Y"/><bind source="F"'
            ' target="F"/>1 0 0 0 0 -1 0 0 0 0 1 0</mapping>',
            [10, 20],
        ),
        ("", [10, -20]),
    ],
)
def test_an_affine_canvas_transform_is_applied(read, transform, point):
    definitions = f"""<definitions><mapping xml:id="m" type="affine">{FLIP}</mapping>
        <canvasTransform xml:id="t">{transform}</canvasTransform><context xml:id="r" canvasTransformRef="#t"/>
        <context xml:id="c"><canvasTransform>{transform}</canvasTransform></context>
        <context xml:id="d" contextRef="#c"/></definitions>"""
    for name in "crd":
        assert read(f'{definitions}<trace contextRef="#{name}">10 20</trace>').points().tolist() == [point]


@pytest.mark.parametrize(
    "transform",
    [
        '<mapping type="lookup"/>',
        '<mapping type="mathml"/>',
        '<mapping type="affine">1 0 0</mapping>',
        '<mapping type="affine">1 0 0 1 0 0</mapping>',  # all on a line
        '<mapping type="affine">1e308 0 0 0 1e308 0</mapping>',
        '<mapping type="affine">nan 0 0 0 1 0</mapping>',
        '<mapping type="affine"><bind source="X"/><bind source="Y"/><bind source="F"/>1 0 1 0 0 1 0 0</mapping>',
    ],
)
def test_other_canvas_transforms_are_named(read, transform):
    with pytest.warns(DataWarning, match=r"line 1: a canvasTransform of type '\w+' is ignored") as caught:
        ink = read(f"<context><canvasTransform>{transform}</canvasTransform></context><trace>1 2</trace>")
    assert (len(caught), ink.points().tolist()) == (1, [[1, -2]])


@pytest.mark.parametrize(("matrix", "resolution"), [("2 0 0 0 -2 0", 200), ("0 3 0 3 0 0", 300), ("1 0 0 0 2 0", None)])
def test_the_resolution_of_a_canvas(read, matrix, resolution):
    rest = f'<canvasTransform><mapping type="affine">{matrix}</mapping></canvasTransform>'
    assert read(formed(CENTI, CENTI, rest) + "<trace>1 1</trace>").resolution == pytest.approx(resolution)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("<trace id='b'>1 2, 3</trace>", r"trace b \(line 1\): point 1, counted from 0, has 1 values"),
        ("<trace>1 1e999</trace>", r"trace 1 \(line 1\): point 0 .* NaN or infinite"),
        ("<trace contextRef='#x'>1 2</trace>", r"trace 1 \(line 1\): line 1: contextRef names 'x', which is not in"),
        ("<traceGroup contextRef='#x'><trace>1 2</trace></traceGroup>", r"trace 1 .*: contextRef names 'x', which is"),
        ("<trace id='&#10;&#9;long" + "g" * 999 + "'>x</trace>", r"trace \\n\\tlongg{30,35} \(line 1\): point 0"),
    ],
)
def test_a_bad_trace_is_named_and_the_others_are_read(read, bad, message):
    with pytest.warns(DataWarning, match=rf"ink\.inkml: left out 1 of 3 strokes: {message}") as caught:
        assert read(f"<trace>1 2</trace>{bad}<trace>3 4</trace>") == Ink.of([[1, -2]], [[3, -4]])
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
