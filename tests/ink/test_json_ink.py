from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from asr.errors import DataError, DataWarning
from asr.ink import Ink, read_ink, write_json
from asr.ink.json_ink import ink_of_mapping
from tests.ink.inks import inks


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ink=inks())
def test_what_is_read_is_what_was_written(tmp_path, ink):
    path = tmp_path / "ink.json"
    write_json(path, ink)
    assert read_ink(path) == ink


def test_the_documented_example(tmp_path):
    path = tmp_path / "ink.json"
    path.write_text(
        '{"strokes": [[[10.5, 3], [11, 3.5]], [[12, 0, 0.25], [12, 1, 0.26]]], "resolution": 4.0, "y": "up"}'
    )
    ink = Ink.of([[10.5, 3], [11, 3.5]], [[12, 0, 0.25], [12, 1, 0.26]], resolution=4.0)
    assert read_ink(path) == ink
    path.write_text("\ufeff[[[10.5, -3], [11, -3.5]], [], [[12, 0]]]")
    assert read_ink(path) == Ink.of([[10.5, -3], [11, -3.5]], [[12, 0]])  # the empty stroke is left out
    path.write_text('{"strokes": [[[10.5, 3]]], "y": "down"}')
    assert read_ink(path) == Ink.of([[10.5, -3]])


def test_a_stroke_whose_time_runs_backwards_loses_its_times(tmp_path):
    path = tmp_path / "ink.json"
    path.write_text("[[[0, 0, 2], [1, 1, 1]], [[0, 0, 2], [1, 1, 2]]]")
    assert read_ink(path) == Ink.of([[0, 0], [1, 1]], [[0, 0, 2], [1, 1, 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", r'expected {"strokes"'),
        ('{"strokes": 3}', r'expected {"strokes"'),
        ('{"strokes": []}', "holds no ink"),
        ("[]", "holds no ink"),
        ("[[]]", "holds no ink"),
        ('{"strokes": [[[0, 0]]], "units": "mm"}', "unknown key 'units'; known are strokes, pages, resolution, y"),
        ('{"strokes": [[[0, 0]]], "y": "left"}', '"y" is \'left\'; expected "up" or "down"'),
        ('{"strokes": [[[0, 0]]], "resolution": "4"}', "\"resolution\" is '4'"),
        ('{"strokes": [[[0, 0]]], "resolution": 0}', r"the resolution is 0\.0"),
        ("[3]", r"stroke 0, counted from 0: is not a list of points"),
        ("[[], [3]]", r"stroke 1, counted from 0: point 0 is not a list of numbers"),
        ("[[[0, 0], [0, true]]]", "point 1 is not a list of numbers"),
        ("[[[0, 0], [0, null]]]", "point 1 is not a list of numbers"),
        ("[[[0, 0], [0]]]", "point 1 has 1 numbers, point 0 has 2"),
        ("[[[0, 0], [0, 0, 1]]]", "point 1 has 3 numbers, point 0 has 2"),
        ("[[[0, 0, 0, 0]]]", "point 0 has 4 numbers"),
        ("[[[0, NaN]]]", r"stroke 0, counted from 0: point 0 .* NaN or infinite"),
        ("[[[0, -Infinity]]]", "NaN or infinite"),
        ('{"strokes": [[[0, 0]]], "resolution": NaN}', "the resolution is nan"),
        ('{"strokes": [[[0, 0]]], "resolution": ' + "[" * 900 + "]" * 900 + "}", r'"resolution" is \[+\.\.\.'),
        ('{"strokes": [], "\\u001b[2J\\n' + "k" * 1000 + '": 0}', r"unknown key '\\x1b\[2J\\n"),
        ("[[[0, 1e999]]]", r"stroke 0, counted from 0: point 0 \(from 0\) has points that are NaN or infinite"),
        (f"[[[0, {'9' * 5000}]]]", "NaN or infinite"),
        ("[[[0, 0],\n[0, 1", "line 2: not JSON"),
        ("[" * 100000, "lists are nested too deeply"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = tmp_path / "ink.json"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"(?s)ink\.json: .*{message}"):
        read_ink(path)


def test_what_is_not_text_is_named(tmp_path):
    path = tmp_path / "ink.json"
    path.write_bytes(b"[\xff]")
    with pytest.raises(DataError, match="not UTF-8 at byte 1; save it as UTF-8"):
        read_ink(path)


def test_a_long_stroke_is_read(tmp_path):
    path = tmp_path / "ink.json"
    path.write_text(json.dumps([[[n / 2, n % 7] for n in range(200_000)]]))
    assert read_ink(path).n_points == 200_000


@pytest.mark.parametrize("bad", ["[[0, NaN]]", "[[0, 1e999]]", "[3]", "{}", "[[0, 0], [0]]"])
def test_bad_strokes_are_named_and_the_others_are_read(tmp_path, bad):
    path = tmp_path / "ink.json"
    path.write_text(f"[[[0, 0]], {bad}, [[1, 1]]]")
    with pytest.warns(DataWarning, match=r"ink\.json: left out 1 of 3 strokes: stroke 1, counted from 0: ") as caught:
        assert read_ink(path) == Ink.of([[0, 0]], [[1, 1]])
    assert len(caught) == 1


def test_a_warning_names_a_few_of_many(tmp_path):
    path = tmp_path / "ink.json"
    path.write_text(f"[[[0, 0]]{', [3]' * 50}]")
    message = r"left out 50 of 51 strokes: stroke 1, .*stroke 3, .*; and 47 more$"
    with pytest.warns(DataWarning, match=message) as caught:
        read_ink(path)
    assert len(str(caught[0].message)) < 600


def test_a_dictionary_is_read_as_its_file_is(tmp_path):
    strokes = [[[10.5, -3], [11, -3.5]], [[12, 0, 0.25], [12, 1, 0.26]]]
    record = {"strokes": strokes, "resolution": 4, "y": "down"}
    (tmp_path / "ink.json").write_text(json.dumps(record))
    expected = read_ink(tmp_path / "ink.json")
    assert ink_of_mapping(record) == expected
    assert ink_of_mapping({**record, "strokes": tuple(np.array(stroke) for stroke in strokes)}) == expected
    for wrong, message in [
        ({"strokes": 3}, r'<dictionary>: expected {"strokes"'),
        ({"strokes": [{1, 2}]}, "the dictionary is not an ink: it holds set; expected"),
        ({"strokes": [[[0, 0]]], "colour": 1}, "<dictionary>: unknown key 'colour'"),
    ]:
        with pytest.raises(DataError, match=message):
            ink_of_mapping(wrong)
