"""The error about a missing package ends with the line that installs it."""

from __future__ import annotations

import re
import sys

import pytest

from asr.errors import ConfigError, MissingExtra
from asr.extras import EXTRAS, explained, installed, require
from tests.test_dependencies import NAMES, named, project


def test_the_packages_of_each_extra_are_those_that_are_declared() -> None:
    declared = project()["optional-dependencies"]
    for extra, packages in EXTRAS.items():
        assert {NAMES.get(one, one) for one in packages} == named(declared[extra])


@pytest.mark.parametrize("extra", list(EXTRAS))
def test_what_is_missing_is_named_with_the_line_that_installs_it(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package = EXTRAS[extra][0]
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    line = re.escape(f"; install it: pip install 'ctc-asr[{extra}]'") + "$"
    with pytest.raises(MissingExtra, match=f"^asr-train needs {package}{line}"):
        require(package, what="asr-train")
    monkeypatch.setattr(sys, "argv", ["bin/asr-x"])
    with pytest.raises(ConfigError, match=f"^asr-x needs {package} for these options{line}"):
        raise explained(ModuleNotFoundError(f"No module named '{package}'", name=f"{package}.nn")) or AssertionError


def test_what_is_there_is_not_imported() -> None:
    sys.modules.pop("colorsys", None)
    require("colorsys", "json", what="nothing")
    assert "colorsys" not in sys.modules
    assert not installed("no_such_package")


def test_a_module_of_somebody_elses_is_no_extra() -> None:
    assert explained(ModuleNotFoundError("No module named 'x'", name="x")) is None
    assert explained(ModuleNotFoundError("No module named 'json.x'", name="json.x")) is None
