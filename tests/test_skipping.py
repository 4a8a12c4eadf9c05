"""A test is skipped only where what it needs is missing."""

from __future__ import annotations

import pytest

from tests import skipping

pytest_plugins = ["pytester"]

SKIPS = """
import pytest

@pytest.fixture
def shared_data():
    pytest.skip("no unipen.zip")

def test_on_real_data(shared_data): pass

@pytest.mark.sclite
@pytest.mark.skipif(True, reason="not found")
def test_beside_sclite(): pass

@pytest.mark.skipif(True, reason="another system")
def test_elsewhere(): pass

@pytest.mark.xfail
def test_known(shared_data): pass
"""


@pytest.mark.parametrize("ci", ["true", ""])
@pytest.mark.parametrize("here", [True, False])
def test_a_continuous_integration_skips_nothing_whose_needs_are_here(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, here: bool, ci: str
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(skipping, "NEEDS", {"shared_data": lambda: here, "sclite": lambda: here})
    pytester.makepyfile(SKIPS)
    result = pytester.runpytest_inprocess("-p", "tests.skipping", "-p", "no:xdist", "-W", "ignore")
    counts = result.parseoutcomes()
    failed = counts.get("failed", 0) + counts.get("errors", 0)
    assert (failed, counts["skipped"]) == ((3, 1) if here and ci else (0, 4))
    if failed:
        result.stdout.fnmatch_lines(["*skipped although what it needs is here (shared_data): *no unipen.zip*"])


def test_where_pytorch_is_missing_the_rooms_without_it_are_tested(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = pytester.path / "tests"
    needs_it = "import sys\nif True:\n    raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    for name, text in {
        "audio/test_audio.py": "def test_it(): pass",
        "audio/test_forgotten.py": needs_it,  # a fault: the room promises to need none
        "cli/test_cli.py": f"def test_it(): pass\ndef test_other():\n    {needs_it.replace(chr(10), chr(10) + '    ')}",
        "cli/test_whole.py": needs_it,
        "training/test_training.py": needs_it,
        "training/conftest.py": needs_it,
        "test_files.py": "def test_it(): pass",
    }.items():
        path = tests / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(skipping, "TESTS", tests)
    monkeypatch.setattr(skipping, "WITH_TORCH", False)
    result = pytester.runpytest_inprocess(
        "-p", "tests.skipping", "-p", "no:xdist", "--continue-on-collection-errors", "-rsE", "-W", "ignore"
    )
    assert result.parseoutcomes() == {"passed": 3, "skipped": 2, "errors": 1}
    result.stdout.fnmatch_lines(["ERROR tests/audio/test_forgotten.py*"])
    result.stdout.fnmatch_lines(["SKIPPED*tests/cli/test_whole.py:1: needs PyTorch"])
