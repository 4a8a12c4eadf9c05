from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy.stats import ttest_1samp, ttest_ind

from asr.errors import DataError, MissingExtra, Problems
from asr.evaluation.result import result_name
from asr.report.comparison import difference, ways
from asr.report.markdown import comparison_table, parts_table, results_table
from asr.report.readme import fill, update
from asr.report.results import read_results
from tests.report.made import cells, put, rate, result

GRU = "model/cell=gru"
README = f"![errors](results/ctc.svg)\n\n<!-- results:an4/ctc against {GRU} -->\n<!-- /results -->\n"


def run(root: Path, errors: Sequence[int], *options: str) -> None:
    put(root, *(result("an4/ctc", seed, 10, test, options=options) for seed, test in enumerate(errors, 1)))


def test_mean_and_difference_are_those_of_scipy(root: Path) -> None:
    run(root, (81, 90, 84))
    run(root, (60, 71), GRU)
    plain, gru = ways(read_results(root / "recipes" / "an4"))
    assert (plain.name, gru.name) == ("as it is", GRU)
    ours, theirs = plain.percents("test", "wer"), gru.percents("test", "wer")
    interval = ttest_1samp(ours, 0).confidence_interval()
    estimate = plain.estimate("test", "wer")
    assert estimate is not None
    assert estimate.half_width is not None
    assert estimate.mean == pytest.approx(8.5)
    assert estimate.mean + estimate.half_width == pytest.approx(interval.high)
    between = difference(gru, plain, "test", "wer")
    welch = ttest_ind(theirs, ours, equal_var=False).confidence_interval()
    assert between is not None
    assert between.half_width is not None
    assert between.mean - between.half_width == pytest.approx(welch.low)
    assert between.mean + between.half_width == pytest.approx(welch.high)
    assert str(between) == f"-2.0 [{welch.low:.1f}, {welch.high:.1f}]"


def test_one_seed_has_no_interval_and_equal_seeds_one_of_no_width(root: Path) -> None:
    run(root, (81,))
    run(root, (60, 60), GRU)
    plain, gru = ways(read_results(root / "recipes" / "an4"))
    assert str(plain.estimate("test", "wer")) == "8.1"
    assert str(difference(gru, plain, "test", "wer")) == "-2.1"
    assert str(gru.estimate("test", "wer")) == "6.0 [6.0, 6.0]"
    assert str(difference(gru, gru, "test", "wer")) == "0.0 [0.0, 0.0]"
    assert plain.estimate("test", "per") is None
    assert difference(gru, plain, "test", "per") is None


def test_every_way_has_a_row_beside_the_one_that_is_named(root: Path) -> None:
    run(root, (81,))
    run(root, (60, 70), GRU)
    table = comparison_table("an4/ctc", root / "recipes", GRU)
    assert f"| run with | dev wer, % | test wer, % | test, less `{GRU}` |" in table
    assert cells(table) == [
        ["`as it is`", "5.0", "8.1", "1.6", "1", "10 min"],
        [f"`{GRU}`", "5.0 [5.0, 5.0]", "6.5 [0.1, 12.9]", "", "1, 2", "10 min"],
    ]


def test_departures_have_rows_of_their_own_in_all_tables(root: Path) -> None:
    one = result("an4/ctc", 1, 10, 81, options=["model.layers=2", GRU])
    one["splits"]["test"]["by"] = {"sex": {value: {"wer": rate(30, 400)} for value in ("f", "m", "n")}}
    put(root, one)
    assert (root / "recipes/an4/results/ctc-model.layers=2-model_cell=gru-seed1.json").is_file()
    label = f"`an4/ctc` `model.layers=2` `{GRU}`"
    assert [row[0] for row in cells(results_table("an4", root / "recipes"))] == [label, "`an4/ctc_large`"]
    rows = cells(parts_table("an4/ctc", root / "recipes", "sex", ["m", "n"]))
    assert [row[:3] for row in rows] == [[label, "`greedy`", "m"], [label, "`greedy`", "n"]]


def test_many_departures_make_no_long_name(root: Path) -> None:
    options = [f"model.option{number}=0.123456" for number in range(9)]
    run(root, (81, 90), *options)
    names = [path.name for path in (root / "recipes/an4/results").iterdir()]
    assert max(map(len, names)) < 40
    assert names[0].startswith("ctc-")
    assert len(read_results(root / "recipes" / "an4")) == 2
    other = result_name("an4/ctc", [*options[:-1], "model.option8=0.123457"], 1)
    assert other not in names


def test_the_plot_is_drawn_where_results_changed_and_nowhere_else(root: Path) -> None:
    pytest.importorskip("matplotlib")
    run(root, (81, 90), "model/cell=lstm")
    run(root, (60, 71), GRU)
    readme, picture = root / "recipes/an4/README.md", root / "recipes/an4/results/ctc.svg"
    readme.write_text(README, encoding="utf-8")
    assert set(update(root)) == {root / "README.md", readme, picture}
    assert update(root, check=True) == []
    drawn = picture.read_text(encoding="utf-8")
    assert ">an4/ctc, model/cell<" in drawn
    assert drawn.index(">gru<") < drawn.index(">lstm<")  # the better one first
    run(root, (60, 72), GRU)
    with pytest.raises(Problems, match=r"results/ctc\.svg: the file differs from the result files"):
        update(root, check=True)
    assert set(update(root)) == {root / "README.md", readme, picture}
    assert picture.read_text(encoding="utf-8") != drawn
    run(root, (60, 71), GRU)
    update(root)
    assert picture.read_text(encoding="utf-8") == drawn  # the same bytes


def test_what_cannot_be_compared_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="give a recipe that was run, task/name"):
        comparison_table("an4/ctc", root / "recipes", GRU)
    run(root, (81, 90))
    with pytest.raises(DataError, match="give a recipe that was run, task/name"):
        comparison_table("an4", root / "recipes", GRU)
    with pytest.raises(DataError, match=rf"no result was run with '{GRU}'; there are: as it is"):
        comparison_table("an4/ctc", root / "recipes", GRU)
    (root / "README.md").write_text("<!-- results:an4/ctc against as it is -->\n<!-- /results -->\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"a plot needs matplotlib; install it: pip install 'ctc-asr\[plot\]'"):
        update(root)
    run(root, (82, 91))
    written = (root / "README.md").read_bytes()
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingExtra, match=r"needs scipy; install it: pip install 'ctc-asr\[train\]'"):
        update(root)
    assert (root / "README.md").read_bytes() == written


def test_other_references_cannot_be_compared(root: Path) -> None:
    run(root, (81, 90))
    other = result("an4/ctc", 1, 10, 81, options=[GRU])
    other["splits"]["test"]["rates"]["wer"] = rate(40, 500)
    put(root, other)
    with pytest.raises(DataError, match=rf"results differ in reference length \(1000 with as it is, 500 with {GRU}"):
        comparison_table("an4/ctc", root / "recipes", GRU)


def test_marks_that_mean_nothing_are_named(root: Path) -> None:
    one = result("an4/ctc", 1, 10, 81)
    one["splits"]["test"]["by"] = {"sex": {"f": {"wer": rate(30, 400)}}}
    put(root, one)
    with pytest.raises(DataError, match="by sex=g: no result has this value"):
        parts_table("an4", root / "recipes", "sex", ["f", "g"])
    for mark in ("results:an4/ctc agianst as it is", "results:an4 by sex=f m"):
        with pytest.raises(Problems, match=rf"TOP\.md:2: '<!-- {mark} -->' is malformed; see asr-report --help"):
            fill(f"a\n<!-- {mark} -->\n<!-- /results -->\n", root / "recipes", "TOP.md")


def test_a_recipe_has_one_plot(root: Path) -> None:
    run(root, (81, 90))
    run(root, (60, 71), GRU)
    marks = [f"<!-- results:an4/ctc against {base} -->\n<!-- /results -->\n" for base in (GRU, "as it is")]
    (root / "README.md").write_text("".join(marks), encoding="utf-8")
    with pytest.raises(Problems, match=rf"against as it is: another table compares with '{GRU}'; use one"):
        update(root)
