"""Where several workers run the tests, the long files come first, so that none is alone in the end."""

from collections.abc import Iterator

import pytest

from dlre_core.foundation.design import design_in_use, use_design


@pytest.fixture(autouse=True)
def the_same_design() -> Iterator[None]:
    """Leave the design in use as it was: a process works for one study, but tests for many."""
    before = design_in_use()
    yield
    use_design(before)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the workflow's tests before the others; the order within a file stays."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: "tests/workflow/" not in item.nodeid)
