"""The table of pretrained models is what the cards in their bundles say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError, Problems
from asr.recogniser.pretrained import pretrained_bundle
from asr.report.models import models_table
from asr.report.readme import fill, update
from tests.report.made import cells

ROW = "quickstart per_39 | speech of eSpeak NG | the embedded corpus | made on the spot"


@pytest.fixture
def checkout(root: Path) -> Path:
    """A checkout with one shipped model."""
    (root / "asr" / "pretrained").mkdir(parents=True)
    shutil.copy(pretrained_bundle("quickstart"), root / "asr" / "pretrained")
    return root


def rewrite(path: Path, **facts: str) -> None:
    """Change facts of a bundle's card."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(str(path), framework="np") as file:
        header = json.loads(file.metadata()["bundle"])
        tensors = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  (not a dict)
    header["card"] |= facts
    save_file(tensors, path, {"bundle": json.dumps(header)})


def test_a_row_holds_what_the_card_says(checkout: Path) -> None:
    (row,) = cells(models_table([ROW], checkout))
    assert row == [
        "[`quickstart`](asr/pretrained/quickstart.md)", "speech of eSpeak NG", "4.9&nbsp;[2.3,&nbsp;7.9]",
        "10318 labels of the embedded corpus", "Apache-2.0; made on the spot", "2.1",
    ]  # fmt: skip
    rewrite(checkout / "asr/pretrained/quickstart.safetensors", decoder="beam,lm=a", licence="a|b")
    (row,) = cells(models_table([ROW], checkout))
    assert (row[2], row[4]) == ("4.9&nbsp;[2.3,&nbsp;7.9], `beam`", "a&#124;b; made on the spot")


def test_the_table_is_filled_and_checked_like_the_others(checkout: Path) -> None:
    readme = checkout / "README.md"
    text = f"# Top\n\n<!-- models\n{ROW}\n-->\nold\n<!-- /results -->\nEnd\n"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(Problems, match=r"README\.md: the file differs from the result files; run asr-report"):
        update(checkout, check=True)
    assert update(checkout) == [readme]
    filled = readme.read_text(encoding="utf-8")
    assert filled.endswith("<!-- /results -->\nEnd\n")
    assert "| [`quickstart`](asr/pretrained/quickstart.md) |" in filled
    assert update(checkout, check=True) == []
    assert fill(filled, checkout / "recipes") == filled


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "models: no row for quickstart; write one: `model rate |"),
        ([ROW, ROW.replace("quickstart", "quickstrat")], r"no asr/pretrained/quickstrat\.safetensors; did you mean"),
        ([ROW.replace("per_39", "per_93")], "the card of quickstart has no 'per_93' of test; did you mean 'per_39'"),
        ([ROW.replace(" per_39", "")], "is not `model rate | what it reads"),
        ([ROW.replace(" | made on the spot", "")], "is not `model rate | what it reads"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(checkout: Path, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        models_table(rows, checkout)


def test_a_damaged_bundle_is_a_problem_of_the_readme(checkout: Path) -> None:
    (checkout / "asr/pretrained/quickstart.safetensors").write_bytes(b"no bundle")
    (checkout / "README.md").write_text(f"<!-- models\n{ROW}\n-->\n<!-- /results -->\n", encoding="utf-8")
    with pytest.raises(Problems, match=r"README\.md: .*quickstart\.safetensors is not a complete bundle"):
        update(checkout)
