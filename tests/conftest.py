"""Fixtures that every room's tests share, which tests may be skipped, and who runs which."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.sharing import pytest_collection_modifyitems, pytest_configure  # noqa: F401  (hooks)
from tests.skipping import (  # noqa: F401  (hooks)
    SHARED_CASES,
    SHARED_DATA,
    pytest_ignore_collect,
    pytest_make_collect_report,
    pytest_runtest_makereport,
)

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # on a busy one no test fails for its slowness


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


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifests of recordings of tones, see `tests.tones`."""
    from tests.tones import make_corpus

    return make_corpus(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="session")
def trained(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder whose model has learned the tones."""
    from asr.experiment.experiment import Experiment  # torch: only where it is needed
    from asr.experiment.run_evaluation import evaluate_run
    from tests.experiment.conftest import compose_small, quiet
    from tests.training.toy import Silent

    folder = tmp_path_factory.mktemp("run")
    experiment = Experiment(compose_small(tones, **{"training.epochs": "50"}), folder, quiet)
    experiment.train(Silent())
    evaluate_run(experiment.run, ("dev", "test"), quiet)
    return folder
