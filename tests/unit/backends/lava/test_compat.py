"""Lava is imported without its side effects."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neuromorph.backends.lava import compat

IMPORT = """
import dataclasses, logging, multiprocessing, warnings
{before}
plain = dataclasses.dataclass, multiprocessing.set_start_method, multiprocessing.get_start_method(allow_none=True)
from neuromorph.backends.lava import compat
assert plain == (
    dataclasses.dataclass, multiprocessing.set_start_method, multiprocessing.get_start_method(allow_none=True)
)
assert logging.getLogger().handlers == []
"""


@pytest.mark.parametrize("method", [None, "spawn"])
def test_import_changes_nothing_and_warns_of_nothing(method: str | None) -> None:
    before = f"multiprocessing.set_start_method({method!r})" if method else ""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT.format(before=before)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_version_report_names_what_decides_the_result() -> None:
    report = compat.version_report()
    assert report["lava-nc"] == "0.10.0"
    assert list(report) == ["python", "lava-nc", "greenlet", "numpy", "scipy", "networkx", "asteval"]


def test_everything_exported_exists() -> None:
    assert [name for name in compat.__all__ if not hasattr(compat, name)] == []
    assert sorted(compat.__all__) == sorted(set(compat.__all__))
