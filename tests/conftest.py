"""Where several workers run the tests, the long files come first, so that none is alone in the end."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the workflow's tests before the others; the order within a file stays."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: "tests/workflow/" not in item.nodeid)
