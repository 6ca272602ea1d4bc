"""One tiny study, run once a test session; tests that change it work on copies."""

import pytest

from tests.workflow.study import Study


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory) -> Study:
    study = Study.create(tmp_path_factory.mktemp("study") / "tiny")
    study.run()
    return study
