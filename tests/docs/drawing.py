"""The program that draws the pictures of the README, as a module."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

PROGRAM = Path(__file__).parents[2] / "docs" / "images" / "draw.py"


def _loaded() -> ModuleType:
    spec = spec_from_file_location("draw", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


draw = _loaded()
