from __future__ import annotations

import json
from pathlib import Path

import pytest

from asr.errors import DataError, Problems
from asr.evaluation.result import read_result
from asr.report.markdown import parts_table, results_table
from asr.report.readme import fill, readmes, update
from asr.report.results import read_results
from tests.report.made import cells, put, rate, result

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_missing_run_reads_not_run(root: Path) -> None:
    assert [row[:4] for row in cells(results_table("an4", root / "recipes"))] == [
        ["`an4/ctc`", "", "not run", "not run"],
        ["`an4/ctc_large`", "", "not run", "not run"],
    ]


def test_one_seed_stands_with_its_interval(root: Path) -> None:
    put(root, result("an4/ctc", 1, dev=10, test=81))
    assert cells(results_table("an4/ctc", root / "recipes")) == [
        ["`an4/ctc`", "`greedy`", "5.0 [4.0, 7.0]", "8.1 [7.1, 10.1]", "1000 words", "1", "10 min", "0123456"]
    ]


def test_an_interval_stays_on_one_line(root: Path) -> None:
    put(root, result("an4/ctc", 1, dev=10, test=81))
    assert "| 8.1 [7.1,\N{NO-BREAK SPACE}10.1] |" in results_table("an4/ctc", root / "recipes")


def test_several_seeds_stand_with_mean_and_range(root: Path) -> None:
    put(root, *(result("an4/ctc", seed, dev=10, test=test) for seed, test in ((1, 81), (2, 90), (10, 84))))
    assert cells(results_table("an4/ctc", root / "recipes"))[0][2:6] == [
        "5.0 (5.0 to 5.0)",
        "8.5 (8.1 to 9.0)",
        "1000 words",
        "1, 2, 10",
    ]


@pytest.fixture
def with_characters(root: Path) -> Path:
    """A result whose test set has character errors, too."""
    values = result("an4/ctc", 1, 10, 81)
    values["splits"]["test"]["rates"]["cer"] = rate(40, 4000, unit="characters")
    put(root, values)
    return root


def test_every_rate_of_a_recipe_has_its_columns(with_characters: Path) -> None:
    put(with_characters, result("an4/ctc_large", 1, 10, 81))
    text = results_table("an4", with_characters / "recipes")
    assert "| recipe | decoder | `wer` dev, % | `wer` test, % | `cer` dev, % | `cer` test, % | test reference |" in text
    assert [row[2:7] for row in cells(text)] == [
        ["5.0 [4.0, 7.0]", "8.1 [7.1, 10.1]", "not run", "1.0 [0.0, 3.0]", "1000 words"],
        ["5.0 [4.0, 7.0]", "8.1 [7.1, 10.1]", "", "", "1000 words"],
    ]


def test_only_the_rates_that_are_named_are_shown(with_characters: Path) -> None:
    put(with_characters, result("an4/ctc_large", 1, 10, 81))
    text = fill("<!-- results:an4 rates cer -->\n<!-- /results -->\n", with_characters / "recipes")
    assert cells(text) == [
        ["`an4/ctc`", "`greedy`", "not run", "1.0 [0.0, 3.0]", "4000 characters", "1", "10 min", "0123456"]
    ]


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        (["ce"], r"results:an4 rates ce: no result reports 'ce' on 'dev'; did you mean 'cer'\?"),
        (["wer", "cer/tst"], "rates wer,cer/tst: no result reports 'cer' on 'tst'; splits are dev and test"),
    ],
)
def test_a_rate_that_nobody_reports_is_named(with_characters: Path, rates: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        results_table("an4", with_characters / "recipes", rates)


def test_a_rate_may_be_shown_on_one_split(with_characters: Path) -> None:
    text = results_table("an4/ctc", with_characters / "recipes", ["wer", "cer/test"])
    assert "| recipe | decoder | `wer` dev, % | `wer` test, % | `cer` test, % | test reference |" in text
    assert cells(text)[0][2:6] == [
        "5.0 [4.0, 7.0]",
        "8.1 [7.1, 10.1]",
        "1.0 [0.0, 3.0]",
        "1000 words",
    ]


def test_a_recipe_that_was_never_run_stays_beside_others(with_characters: Path) -> None:
    rows = cells(results_table("an4", with_characters / "recipes"))
    assert rows[1] == ["`an4/ctc_large`", "", "not run", "not run", "not run", "not run", "", "", "", ""]


def test_a_table_of_several_recipes_keeps_their_order(root: Path) -> None:
    put(root, result("an4/ctc", 1, 10, 81), result("an4/ctc_large", 1, 10, 81))
    rows = cells(results_table("an4/ctc_large,an4/ctc", root / "recipes"))
    assert [row[0] for row in rows] == ["`an4/ctc_large`", "`an4/ctc`"]


def test_excluded_utterances_are_shown(root: Path) -> None:
    values = result("an4/ctc", 1, 10, 81)
    values["splits"]["test"]["excluded"] = ["u1", "u2"]
    put(root, values)
    assert "1000 words, 2 utterances excluded" in results_table("an4/ctc", root / "recipes")


def test_update_fills_between_the_marks_and_nothing_else(root: Path) -> None:
    put(root, result("an4/ctc", 1, 10, 81))
    (root / "recipes" / "an4" / "README.md").write_text("no table here\n", encoding="utf-8")
    assert update(root) == [root / "README.md"]
    text = (root / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Top\n\n<!-- results:an4 -->\n\n| recipe |")
    assert text.endswith("\n\n<!-- /results -->\n\nEnd\n")
    assert "old" not in text
    assert update(root) == []  # a second time nothing changes


def test_a_page_of_experiments_may_hold_a_table(root: Path) -> None:
    page = root / "docs" / "experiments" / "an4.md"
    page.parent.mkdir(parents=True)
    page.write_text("<!-- results:an4 -->\n<!-- /results -->\n", encoding="utf-8")
    assert update(root) == [root / "README.md", page]


def test_check_complains_and_writes_nothing(root: Path) -> None:
    before = (root / "README.md").read_text(encoding="utf-8")
    with pytest.raises(Problems, match=r"README\.md: the file differs from the result files; run asr-report"):
        update(root, check=True)
    assert (root / "README.md").read_text(encoding="utf-8") == before
    update(root)
    assert update(root, check=True) == []


def test_two_tables_in_one_readme(root: Path) -> None:
    text = "<!-- results:an4/ctc -->\n<!-- /results -->\nand\n<!-- results:an4/ctc_large -->\n<!-- /results -->\n"
    filled = fill(text, root / "recipes")
    assert filled.index("`an4/ctc`") < filled.index("and") < filled.index("`an4/ctc_large`")
    assert fill(filled, root / "recipes") == filled


def test_marks_that_do_not_fit_are_named(root: Path) -> None:
    text = "a\n<!-- results:an4 -->\n<!-- results:an4/ctc -->\n<!-- /results -->\n"
    with pytest.raises(Problems, match=r"TOP\.md:2: '<!-- results:an4 -->' has no '<!-- /results -->' after it"):
        fill(text, root / "recipes", "TOP.md")


def test_an_unknown_name_gets_the_nearest(root: Path) -> None:
    with pytest.raises(DataError, match=r"results:an4/cct: no task or recipe has this name; did you mean 'an4/ctc'\?"):
        results_table("an4/cct", root / "recipes")
    with pytest.raises(DataError, match=r"results:an5: .* did you mean 'an4'\?"):
        results_table("an5", root / "recipes")


def test_all_problems_of_results_come_together(root: Path) -> None:
    put(root, result("an4/ctc", 1, 10, 81))
    folder = root / "recipes" / "an4" / "results"
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / "copy.json").write_bytes((folder / "ctc-seed1.json").read_bytes())
    (folder / "empty.json").write_text('{"recipe": "an4/ctc"}', encoding="utf-8")
    with pytest.raises(Problems) as caught:
        update(root)
    text = str(caught.value)
    assert "3 problems" in text
    assert "broken.json: not a result file" in text
    assert "copy.json: it has recipe 'an4/ctc', seed 1; rename it to an4/ctc-seed1.json" in text
    assert "empty.json: the field 'seed' is missing" in text


def test_problems_of_several_readmes_come_together(root: Path) -> None:
    put(root, result("an4/gone", 1, 10, 81))
    (root / "recipes" / "an4" / "README.md").write_text("<!-- results:an5 -->\n<!-- /results -->\n", encoding="utf-8")
    with pytest.raises(Problems, match="2 problems in the README files and their results") as caught:
        update(root)
    assert "recipes/an4/README.md: results:an5: no task or recipe has this name" in str(caught.value)


def test_a_number_changed_by_hand_is_found(root: Path) -> None:
    values = result("an4/ctc", 1, 10, 81)
    values["splits"]["test"]["rates"]["wer"]["percent"] = 7.1
    put(root, values)
    with pytest.raises(DataError, match=r"test wer: 7.1 % contradicts its counts, which give 8.1 %"):
        read_result(root / "recipes" / "an4" / "results" / "ctc-seed1.json")


def test_seeds_scored_on_different_references_are_not_averaged(root: Path) -> None:
    other = result("an4/ctc", 2, 10, 81)
    other["splits"]["test"]["rates"]["wer"] = rate(81, 990)
    put(root, result("an4/ctc", 1, 10, 81), other)
    with pytest.raises(Problems, match="test wer: seeds with different reference lengths cannot be averaged"):
        results_table("an4", root / "recipes")


def test_nor_are_parts_of_seeds(root: Path) -> None:
    results = [result("an4/ctc", seed, 10, 81) for seed in (1, 2)]
    for each, reference in zip(results, (400, 401), strict=True):
        each["splits"]["test"]["by"] = {"sex": {"f": {"wer": rate(30, reference)}}}
    put(root, *results)
    with pytest.raises(Problems, match=r"test sex=f wer: seeds with different reference lengths cannot be averaged"):
        results_table("an4", root / "recipes")


def test_a_result_without_a_recipe_is_named(root: Path) -> None:
    put(root, result("an4/gone", 1, 10, 81))
    with pytest.raises(Problems, match=r"gone-seed1\.json: no recipe is named 'an4/gone'"):
        results_table("an4", root / "recipes")


def test_results_are_sorted_by_seed_as_a_number(root: Path) -> None:
    put(root, *(result("an4/ctc", seed, 10, 81) for seed in (10, 9)))
    assert [each.seed for each in read_results(root / "recipes" / "an4")] == [9, 10]


def test_a_result_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json cannot be read"):
        read_result(tmp_path / "none.json")


def test_tables_of_this_project_are_what_its_result_files_say() -> None:
    if not (REPOSITORY / "recipes").is_dir():
        pytest.skip("the tests do not stand in a checkout with recipes/")
    assert readmes(REPOSITORY), "no README found"
    assert update(REPOSITORY, check=True) == []


def test_a_recipe_is_told_by_the_values_of_a_tag(root: Path) -> None:
    one = result("an4/ctc", 1, 20, 90)
    one["splits"]["test"]["by"] = {"sex": {"f": {"wer": rate(30, 400), "ser": rate(1, 2)}, "": {"wer": rate(60, 600)}}}
    put(root, one)
    rows = cells(parts_table("an4", root / "recipes", "sex"))
    assert [row[:4] for row in rows] == [["`an4/ctc`", "`greedy`", tag, "`wer`"] for tag in ("", "f")]
    assert rows[1][4:] == ["none", "7.5 [6.5, 9.5]", "400 words", "1"]
    text = fill("<!-- results:an4/ctc by sex -->\n<!-- /results -->\n", root / "recipes")
    assert "| recipe | decoder | sex | rate |" in text
    assert cells(fill(text, root / "recipes")) == rows


def test_a_part_is_told_of_the_seeds_that_have_it(root: Path) -> None:
    one, other = result("an4/ctc", 1, 20, 90), result("an4/ctc", 2, 20, 90)
    assert cells(parts_table("an4", root / "recipes", "sex")) == [
        [f"`an4/{name}`", "", "", "", "not run", "not run", "", ""] for name in ("ctc", "ctc_large")
    ]
    one["splits"]["test"]["by"] = {"sex": {"f": {"wer": rate(30, 400)}}}
    put(root, one, other)
    rows = cells(parts_table("an4", root / "recipes", "sex"))
    assert rows[0][-3:] == ["7.5 [6.5, 9.5]", "400 words", "1"]
    with pytest.raises(DataError, match=r"results:an4 by sx: no result has the tag 'sx'; did you mean 'sex'"):
        parts_table("an4", root / "recipes", "sx")


def test_a_percentage_of_a_part_is_checked_too(root: Path) -> None:
    one = result("an4/ctc", 1, 20, 90)
    one["splits"]["test"]["by"] = {"sex": {"f": {"wer": rate(30, 400, percent=7.0)}}}
    put(root, one)
    with pytest.raises(Problems, match=r"test sex=f wer: 7.0 % contradicts its counts, which give 7.5 %"):
        read_results(root / "recipes" / "an4")


def test_a_run_that_was_not_finished_is_no_result(root: Path) -> None:
    put(root, result("an4/ctc", 1, 20, 90, unfinished=True))
    with pytest.raises(Problems, match=r"ctc-seed1.json: the run was not finished; finish it and evaluate it again"):
        read_results(root / "recipes" / "an4")


def test_a_summary_has_one_row_a_task(root: Path) -> None:
    put(root, result("an4/ctc", 1, 10, 81), result("an4/ctc", 2, 10, 79))
    rows = "an4/ctc wer | AN4 | 5.95, Kaldi\nan4/ctc_large wer | AN4 again | none"
    text = f"# Top\n\n<!-- summary\n{rows}\n-->\nold\n<!-- /results -->\nEnd\n"
    filled = fill(text, root / "recipes")
    assert cells(filled[filled.index("| task") :]) == [
        ["AN4", "[`an4/ctc`](recipes/an4/README.md)", "`wer`", "8.0 (7.9 to 8.1)", "1000 words", "5.95, Kaldi"],
        ["AN4 again", "[`an4/ctc_large`](recipes/an4/README.md)", "`wer`", "not run", "", "none"],
    ]
    assert filled.endswith("<!-- /results -->\nEnd\n")
    assert fill(filled, root / "recipes") == filled


def test_a_row_of_a_summary_takes_no_mean_over_decoders(root: Path) -> None:
    beam = {"_target_": "asr.decoding.beam.BeamDecoder", "lm": "a.lm", "name": "beam,lm=a", "chosen_on": "dev"}
    put(root, result("an4/ctc", 1, 10, 81))
    other = result("an4/ctc", 1, 5, 41, decoder=beam)
    (root / "recipes/an4/results/ctc-seed1-beam,lm=a.json").write_text(json.dumps(other))
    filled = fill("<!-- summary\nan4/ctc wer | AN4 | none\n-->\n<!-- /results -->\n", root / "recipes")
    assert cells(filled[filled.index("| task") :])[0][3].startswith("8.1 ")
    filled = fill("<!-- summary\nan4/ctc wer beam | AN4 | none\n-->\n<!-- /results -->\n", root / "recipes")
    row = cells(filled[filled.index("| task") :])[0]
    assert row[1] == "[`an4/ctc`](recipes/an4/README.md), `beam`"
    assert row[3].startswith("4.1 ")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("an4/ctc | AN4 | none", "expected `task/recipe rate | task | published figure`"),
        ("an4/cct wer | AN4 | none", r"no task or recipe has this name; did you mean 'an4/ctc'\?"),
        ("an4/ctc wer lexicon | AN4 | none", "an4/ctc has no result with the decoder 'lexicon'"),
        ("an4/ctc wre | AN4 | none", r"an4/ctc reports no 'wre'; did you mean 'wer'\?"),
    ],
)
def test_a_row_of_a_summary_that_means_nothing_is_named(root: Path, row: str, message: str) -> None:
    put(root, result("an4/ctc", 1, 10, 81))
    with pytest.raises(DataError, match=message.replace("|", r"\|")):
        fill(f"<!-- summary\n{row}\n-->\n<!-- /results -->\n", root / "recipes")


def test_texts_scored_by_the_old_rule_are_marked(root: Path) -> None:
    put(root, {**result("an4/ctc", 1, 10, 81), "scoring": 1}, result("an4/ctc_large", 1, 10, 81))
    table = results_table("an4", root / "recipes")
    assert [row[0] for row in cells(table)] == ["`an4/ctc` ¹", "`an4/ctc_large`"]
    assert "¹ Scored by the rule of version 0.1" in table


def with_decoders(root: Path, *names: str) -> list[list[str]]:
    """Return the rows of a recipe that was run with several decoders."""
    put(root, result("an4/ctc", 1, 10, 81))
    for number, name in enumerate(names):
        values = {**result("an4/ctc", 1, 10, 61 + number), "decoder": {"_target_": "my.Beam", "name": name}}
        path = root / "recipes" / "an4" / "results" / f"ctc-seed1-{name}.json"
        path.write_text(json.dumps(values), encoding="utf-8")
    return cells(results_table("an4/ctc", root / "recipes"))


def test_decoders_stand_beside_each_other(root: Path) -> None:
    rows = with_decoders(root, "Beam,width=9")
    assert [row[:2] for row in rows] == [["`an4/ctc`", "`greedy`"], ["`an4/ctc`", "`Beam`"]]
    assert [row[3] for row in rows] == ["8.1 [7.1, 10.1]", "6.1 [5.1, 8.1]"]
    text = results_table("an4/ctc", root / "recipes")
    assert "Weights and other numbers of a decoder stand in the result files." in text


def test_a_table_of_whole_names_says_nothing_of_weights(root: Path) -> None:
    with_decoders(root, "Beam,lm=a.lm,sure=maybe")
    assert "Weights" not in results_table("an4/ctc", root / "recipes")


def test_decoders_that_differ_in_weights_alone_show_them(root: Path) -> None:
    rows = with_decoders(root, "beam,beam=50,lm=a,lm_weight=2", "beam,lm=a,lm_weight=2", "beam,beam=50,lm=b")
    assert sorted(row[1] for row in rows) == [
        "`beam, beam=50, lm=a`",
        "`beam, lm=a`",
        "`beam, lm=b`",
        "`greedy`",
    ]
