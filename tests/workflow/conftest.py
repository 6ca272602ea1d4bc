"""One tiny study, run once a test session; tests that change it work on copies."""

import fcntl
import os

import pytest

from tests.workflow.study import Study


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory) -> Study:
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # One study for all workers: whoever needs it first runs it, the others wait.
        place = place.parent
    with open(place / "study.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "study.done").exists():
            Study.create(place / "study/tiny").run()
            (place / "study.done").touch()
    return Study(place / "study/tiny")
