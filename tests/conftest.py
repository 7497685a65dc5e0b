"""How the tests are shared out where pytest-xdist runs them in several processes (``pytest -n 2 --dist loadgroup``)."""

from pathlib import Path

import pytest

ALONE = Path(__file__).parent / "unit" / "backends" / "lava"  # they count the machine's shared memory: one at a time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if ALONE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("lava"))
