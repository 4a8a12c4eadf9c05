from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.errors import DataError, DataWarning
from asr.ink import Ink, read_ink, write_svg
from asr.ink.svg_path import Budget, subpaths
from tests.ink.inks import SCREEN, inks


@pytest.fixture
def read(tmp_path):
    def read(body, attributes=""):
        path = tmp_path / "ink.svg"
        path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{body}</svg>')
        return read_ink(path)

    return read


def drawn(read, path):
    """Points of the strokes of a path, y downwards as in the file."""
    return [(stroke.points * [1, -1]).tolist() for stroke in read(f'<path d="{path}"/>').strokes]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ink=inks(SCREEN, timed=False))
def test_what_is_read_is_what_was_written(tmp_path, ink):
    path = tmp_path / "ink.svg"
    write_svg(path, ink)
    again = read_ink(path)
    assert again.strokes == ink.strokes
    assert again.resolution == (None if ink.resolution is None else pytest.approx(ink.resolution, rel=1e-9))


@pytest.mark.parametrize(
    ("path", "points"),
    [
        ("M 1 2 L 3 4 5 6", [[[1, 2], [3, 4], [5, 6]]]),
        ("m 1 2 l 3 4 5 6", [[[1, 2], [4, 6], [9, 12]]]),
        ("M1,2,3,4 5-6", [[[1, 2], [3, 4], [5, -6]]]),  # further pairs of a move are lines
        ("m1 2 3 4", [[[1, 2], [4, 6]]]),
        ("M1 2H5V-1", [[[1, 2], [5, 2], [5, -1]]]),
        ("m1 2h5 1v-1", [[[1, 2], [6, 2], [7, 2], [7, 1]]]),
        ("M0 0L2 0 2 2Z l 5 5", [[[0, 0], [2, 0], [2, 2], [0, 0]], [[0, 0], [5, 5]]]),
        ("M0 0L1 1M9 9M2 2L3 3", [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]),  # a move alone is no ink
        ("M1 2Z", [[[1, 2]]]),
        ("M1 2zz", [[[1, 2]]]),
        ("M.5.5-1e1-2E-1L0,0", [[[0.5, 0.5], [-10, -0.2], [0, 0]]]),
        ("M0 0A0 5 0 0 1 9 9", [[[0, 0], [9, 9]]]),  # an arc without a radius is a line
        ("M0 0L5 5A3 3 0 1 1 5 5", [[[0, 0], [5, 5], [5, 5]]]),
    ],
)
def test_lines(read, path, points):
    assert drawn(read, path) == points


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("M0 0C1 2 3 4 5 0", "m0 0c1 2 3 4 5 0"),
        ("M1 1C2 3 4 5 6 1S9 9 11 1", "M1 1c1 2 3 4 5 0C8-3 9 9 11 1"),  # S mirrors (4, 5) at (6, 1)
        ("M1 1S9 9 11 1", "M1 1C1 1 9 9 11 1"),
        ("M0 0Q3 6 6 0", "M0 0C2 4 4 4 6 0"),  # raised by one degree
        ("M0 0Q3 6 6 0T12 0", "M0 0Q3 6 6 0Q9-6 12 0"),
        ("M1 1t6 6", "M1 1Q1 1 7 7"),
        ("M0 0q3 6 6 0t6 0", "M0 0Q3 6 6 0T12 0"),
        ("M9 9a5 5 0 0110 0", "M9 9A5 5 0 0 1 19 9"),  # flags need nothing between them
        ("M0 0A1 1 0 0 1 10 0", "M0 0A5 5 0 0 1 10 0"),  # too small a radius grows until it reaches
    ],
)
def test_curves_that_are_the_same(read, one, other):
    (first,), (second,) = drawn(read, one), drawn(read, other)
    assert len(first) > 5
    assert np.allclose(first, second, atol=1e-9)


@pytest.mark.parametrize(
    ("flags", "centre", "middle"),  # of the circle of radius 5 through (0, 0) and (6, 0); where the arc's middle lies
    [("0 0", (3, -4), (3, 1)), ("0 1", (3, 4), (3, -1)), ("1 0", (3, 4), (3, 9)), ("1 1", (3, -4), (3, -9))],
)
def test_arcs(read, flags, centre, middle):
    """SVG 1.1, section 8.3.8: sweep 1 turns clockwise on the screen, where y grows downwards."""
    ((*points,),) = drawn(read, f"M0 0A5 5 0 {flags} 6 0")
    radii = np.linalg.norm(np.array(points) - centre, axis=1)
    assert np.allclose(radii, 5, atol=5 * 0.0003 + 10 / 2000)
    assert np.linalg.norm(np.array(points) - middle, axis=1).min() < 0.3
    assert (points[0], points[-1]) == ([0, 0], [6, 0])


def test_a_tilted_ellipse(read):
    ((*points,),) = drawn(read, "M0 0A10 5 90 0 1 10 0")
    x, y = np.array(points).T
    assert np.allclose(((x - 5) / 5) ** 2 + (y / 10) ** 2, 1, atol=0.005)
    assert y.min() == pytest.approx(-10, abs=0.01)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=4, max_size=4))
def test_flattened_curves_stay_within_the_tolerance(control):
    p = np.array(control)
    (path,) = subpaths("M{} {}C{} {} {} {} {} {}".format(*(f"{value:.17f}" for value in p.ravel())), Budget(1000))
    points = path.flattened(0.05, 10_000)
    t = np.linspace(0, 1, 301)[:, None]
    curve = (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t**2 * p[2] + t**3 * p[3]
    a, b = points[:-1], points[1:]
    along = b - a
    length = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip(((curve[:, None] - a) * along).sum(axis=2) / length, 0, 1)
    distance = np.linalg.norm(curve[:, None] - (a + share[..., None] * along), axis=2).min(axis=1)
    assert distance.max() <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("transform", "point"),
    [
        ("translate(10)", (11, 2)),
        ("translate(10 20)", (11, 22)),
        ("scale(2)", (2, 4)),
        ("scale(2,-3)", (2, -6)),
        ("rotate(90)", (-2, 1)),
        ("rotate(90, 1, 1)", (0, 1)),
        ("skewX(45)", (3, 2)),
        ("skewY(45)", (1, 3)),
        ("matrix(1 2 3 4 5 6)", (1 + 6 + 5, 2 + 8 + 6)),
        ("translate(10,20) scale(2)", (12, 24)),
        ("scale(2),translate(10,20)", (22, 44)),
    ],
)
def test_transforms(read, transform, point):
    ink = read(f'<g transform="{transform}"><g><path d="M0 0L1 2"/></g></g>')
    assert ink.strokes[0].points[1].tolist() == pytest.approx([point[0], -point[1]])
    nested = read(f'<g transform="translate(100 0)"><path transform="{transform}" d="M0 0L1 2"/></g>')
    assert nested.strokes[0].points[1].tolist() == pytest.approx([100 + point[0], -point[1]])


def test_shapes_and_what_is_not_drawn(read):
    ink = read(
        """<defs><path d="M0 0L9 9"/></defs><g display="none"><path d="M0 0L9 9"/></g><circle r="3"/><path/><path d=""/>
        <line x1="1" y1="2" x2="3"/><polyline points="1,2 3,4"/><polyline points="1 2-3 4"/>
        <polygon points="0 0 1 0 1 1"/><polyline points=""/>"""
    )
    assert ink == Ink.of([[1, -2], [3, 0]], [[1, -2], [3, -4]], [[1, -2], [-3, -4]], [[0, 0], [1, 0], [1, -1], [0, 0]])


@pytest.mark.parametrize(
    ("attributes", "resolution"),
    [
        ('viewBox="0 0 200 100" width="50mm"', 4),
        ('viewBox="0,0,72,72" width="1in"', 72 / 25.4),
        ('viewBox="0 0 200 100" width="50"', None),
        ('viewBox="0 0 200 100" width="50px"', None),
        ('viewBox="0 0 200 100" width="0mm"', None),
        ('viewBox="0 0 200" width="50mm"', None),
        ('width="50mm"', None),
    ],
)
def test_resolution(read, attributes, resolution):
    assert read('<path d="M0 0L1 1"/>', attributes).resolution == resolution


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "holds no ink"),
        ('<path d="M 1 2"/>', "holds no ink"),
        ('\n<path d="L 1 2"/>', r"path \(line 2\): the path begins with L; expected M"),
        ('<path d="M 1"/>', "path command M takes 2 numbers or a multiple of it, got 1"),
        ('<path d="M 1 2 L"/>', "path command L takes 2 numbers"),
        ('<path d="M 1 2 C 1 2 3 4 5"/>', "path command C takes 6 numbers"),
        ('<path d="M 1 2 L 3 x"/>', "in path command L: 'x' is not a number"),
        ('<path d="M 1 2 L 3 nan"/>', "'n' is not a number"),
        ('<path d="M 1 2 Z 3"/>', "path command Z takes no numbers"),
        ('<path d="3 M 1 2"/>', "'3 M 1 2' is not a path command"),
        ('<path d="hello"/>', "the path begins with h"),
        ('<path d="M 0 0 A 1 1 0 2 0 5 5"/>', "in path command A: '2 0 5 5' is not a number"),
        ('<path d="M 1 2 L 3 1e999"/>', r"path \(line 1\): point 1 .* NaN or infinite"),
        ('<path d="M 1 2 c 1e308 1e308 1e308 1e308 1e308 1e308 0 0 1e308 1e308 1e308 1e308"/>', "NaN or infinite"),
        ('<polyline points="1 2 3"/>', r"polyline \(line 1\): 3 coordinates; expected x and y"),
        ('<line x1="one"/>', "x1 is 'one'; expected a number"),
        ('<g transform="rotate(a)"><line/></g>', r"g \(line 1\): its transform cannot be read: 'rotate\(a\)'"),
        ('<g transform="matrix(1 2)"/>', "its transform cannot be read"),
        ('<g transform="turn(1)"/>', "its transform cannot be read"),
        ('<g transform="scale(1e999)"><line x1="1"/></g>', "NaN or infinite"),
    ],
)
def test_what_is_wrong_is_named(read, body, message):
    with pytest.raises(DataError, match=rf"(?s)ink\.svg: .*{message}"):
        read(body)


def test_a_long_stroke(read):
    ink = read(f'<path d="M0 0{"L1.5-2.5" * 200_000}"/>')
    assert ink.n_points == 200_001
    assert ink.bounds() == (0, 0, 1.5, 2.5)


def test_curves_of_too_many_points_are_refused(read, monkeypatch):
    monkeypatch.setattr("asr.ink.svg.MAX_POINTS", 1000)
    assert read(f'<path d="M0 0{"C9 9-9 9 0 0" * 5}"/>').n_points < 1000
    for path in ("M0 0" + "C9 9-9 9 0 0" * 50, "M0 0C9 9-9 9 0 0" * 50):
        with pytest.raises(DataError, match="more than 1000 points; cut it into pages"):
            read(f'<path d="{path}"/>')


PAGE = 'viewBox="0 0 600 800" fill="none" stroke="black"'
CURVE = '<path d="M10 10C20 0 30 40 50 20"/>'


def n_strokes(ink):
    return len(ink.strokes)


@pytest.mark.parametrize("name", ["s_tuhi_lines", "s_xournal_export_pressure", "s_xournal_export_ruled"])
def test_files_of_other_programs(shared_cases, name):
    """The same writing, as a pen of changing width and on ruled paper."""
    (file,) = shared_cases.glob(f"svg_*/{name}.svg")
    plain = read_ink(shared_cases / "svg_hidden" / "s_visibility.svg")
    ink = read_ink(file)
    assert [len(stroke) for stroke in ink.strokes] == [len(stroke) for stroke in plain.strokes]
    assert np.abs(ink.points() - plain.points()).max() < 0.006  # hundredths are what one of them writes


def test_what_is_hidden_is_not_read_in_files(shared_cases):
    files = sorted((shared_cases / "svg_hidden").glob("*.svg"))
    assert len(files) == 3
    assert [n_strokes(read_ink(file)) for file in files] == [16, 16, 16]


@pytest.mark.parametrize(
    ("sheet", "attributes"),
    [
        ("", 'display="none"'),
        ("", 'style="display:none"'),
        ("", 'style=" Display : NONE ! important ; x"'),
        ("", 'visibility="hidden"'),
        ("", 'style="stroke:red;visibility:collapse"'),
        ("", 'opacity="0"'),
        ("", 'style="opacity:0.0%"'),
        ("", 'style="stroke-opacity:0;fill:none"'),
        (".h{display:none}", 'class="a h"'),
        ("<![CDATA[.h{display:none}]]>", 'class="h"'),
        ("#old{visibility:hidden}", 'id="old"'),
        ("g{opacity:0}", ""),
        ("path,g.h.k{opacity:0}", 'class="k h"'),
        ("/* .h{} */ @media print{.x{fill:none}} @import 'a'; .h{display:none}", 'class="h"'),
        ("svg g path{display:none}", ""),
        ("svg > g > path{display:none}", ""),
        (".h path{display:none} path{display:inline}", 'class="h"'),
        (".h path{display:none!important} .h .p{display:inline}", 'class="h"'),
    ],
)
def test_what_is_hidden_is_not_read(read, sheet, attributes):
    body = f'<style>{sheet}</style><g {attributes}><path class="p" d="M0 0L1 1"/></g><line x2="1"/>'
    assert n_strokes(read(body)) == 1


@pytest.mark.parametrize(
    ("sheet", "attributes"),
    [
        ("", ""),
        ("", 'style="display:inline;opacity:.5"'),
        (".h{display:none}", 'class="hh"'),
        ("g.h{display:none}", 'class="i"'),
        ("@media print{.h{display:none}}", 'class="h"'),
        ("/*.h{display:none}*/", 'class="h"'),
        (".h{display:none} #i{display:inline}", 'class="h" id="i"'),
        (".h{display:none} .h{display:inline}", 'class="h"'),
        ("g{visibility:hidden} path{visibility:visible}", ""),
        (".h{display:none}", 'class="h" style="display:inline"'),
        ("svg > path{display:none} path g{display:none} .h:hover{display:none}", 'class="h"'),
    ],
)
def test_what_is_shown_is_read(read, sheet, attributes):
    body = f'<style>{sheet}</style><g {attributes}><path class="p" d="M0 0L1 1"/></g><line x2="1"/>'
    assert n_strokes(read(body)) == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<line x2="1"/><line x1="1" x2="2"/><line x1="2" x2="2" y2="1"/>', 1),
        ('<path d="M0 0L1 1"/><path d="M1 1L2 3"/><path d="M2 3C4 4 5 5 6 6"/>', 1),
        ('<polyline points="0 0 1 1"/><polyline points="1 1 2 2"/>', 1),
        ('<path d="M0 0L1 1M1 1L2 3M2 3L4 4"/>', 1),
        ('<g transform="scale(2)"><line x2="1"/><line x1="1" x2="2"/></g>', 1),
        ('<path stroke-width="1" d="M0 0L1 1 2 2"/><path stroke-width="2" d="M2 2L3 3 4 4"/>', 1),
        ('<path d="M0 0L1 1 2 2"/><path d="M2 2L3 3 4 4"/>', 2),  # whole strokes that touch by chance
        ('<g><line x2="1"/></g><g><line x1="1" x2="2"/></g>', 2),
        ('<line x2="1"/><line x1="2" x2="1"/>', 2),
        ('<path d="M0 0L1 1Z"/><path d="M0 0L5 5"/>', 2),
        ('<path d="M0 0Z"/><path d="M0 0L5 5"/>', 2),
    ],
)
def test_pieces_that_go_on_from_each_other_are_one_stroke(read, body, expected):
    ink = read(body)
    assert n_strokes(ink) == expected
    assert all((np.diff(stroke.points, axis=0) != 0).any(axis=1).all() for stroke in ink.strokes)  # no point twice


def rules(n, x=0, right=600, attributes=""):
    return "".join(f'<path {attributes} d="M{x} {80 + 24 * k}L{right} {80 + 24 * k}"/>' for k in range(n))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rules(30), 1),  # in the pen of the writing, from edge to edge
        (f'<path d="{"".join(f"M0 {9 * k}h600" for k in range(30))}"/>', 1),
        (rules(30) + "".join(f'<line x1="{24 * k}" x2="{24 * k}" y2="800"/>' for k in range(20)), 1),
        (rules(3, 50, 500, 'stroke="blue"'), 1),
        (rules(3, 50, 500, 'style="stroke-width:.3"'), 1),
        (rules(9, attributes='stroke="blue"') + '<line stroke="red" x1="60" x2="60" y2="800"/>', 1),
        ("".join(f'<polyline stroke="blue" points="0 {k} 200 {k} 400 {k}"/>' for k in (9, 30, 50)), 1),
        ("".join(f'<line stroke="blue" x1="{k}" x2="{k + 461}" y2="800"/>' for k in (9, 30, 50)), 1),
        (rules(4), 5),  # too few to be told from writing in the same pen
        (rules(30, 50, 500), 31),
        (rules(2, attributes='stroke="blue"'), 3),
        (rules(9, 10, 200, 'stroke="blue"'), 10),  # short
    ],
)
def test_the_rules_of_the_paper_are_no_strokes(read, body, expected):
    assert n_strokes(read(body + CURVE, PAGE)) == expected


def test_a_drawing_of_lines_alone_keeps_them(read):
    assert n_strokes(read(rules(30), PAGE)) == 30


def test_large_letters_are_no_rules(read):
    letters = '<path d="M0 0H100M0 50H100M0 100H100M0 0V100M20 0V100M40 0V100"/><path d="M0 0C10 20 30 40 90 90"/>'
    assert n_strokes(read(letters, 'viewBox="0 0 100 100"')) == 7
    assert n_strokes(read(letters)) == 7


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('<path d="M1 1L"/>', r"path \(line 1\): path command L takes 2 numbers"),
        ('<line x2="1e999"/>', r"line \(line 1\): point 1 \(from 0\) has points that are NaN or infinite"),
        ('<polyline points="1 2 3"/>', r"polyline \(line 1\): 3 coordinates"),
        ('<g transform="scale(x)"><line x2="1"/></g>', r"g \(line 1\): its transform cannot be read: 'scale\(x\)'"),
    ],
)
def test_a_bad_shape_is_named_and_the_others_are_read(read, bad, message):
    with pytest.warns(DataWarning, match=rf"ink\.svg: left out 1 of 3 strokes: {message}") as caught:
        assert read(f'<line x2="2"/>{bad}<line y2="1"/>') == Ink.of([[0, 0], [2, 0]], [[0, 0], [0, -1]])
    assert len(caught) == 1
