"""Fixtures that every room's tests share, which tests may be skipped, and who runs which."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sharing import pytest_collection_modifyitems, pytest_configure  # noqa: F401  (hooks)
from tests.skipping import (  # noqa: F401  (hooks)
    SHARED_CASES,
    SHARED_DATA,
    pytest_ignore_collect,
    pytest_make_collect_report,
    pytest_runtest_makereport,
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora beside the checkout; tests that need it are skipped where it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data beside the checkout ({SHARED_DATA.name}/ is missing)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of small inputs that once went wrong; tests that need it are skipped where it is not there."""
    if not SHARED_CASES.is_dir():
        pytest.skip(f"no cases beside the checkout ({SHARED_CASES.name}/ is missing)")
    return SHARED_CASES
