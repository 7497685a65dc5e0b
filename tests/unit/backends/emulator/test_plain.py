"""The emulator without its compiled kernel: the same results, a reason and a remedy."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from neuromorph import doctor, registry
from neuromorph.backends.emulator import plain
from neuromorph.backends.reference import ReferenceSession
from neuromorph.errors import BackendUnavailable, InputError
from neuromorph.testing.cases import minimal_cases


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(plain.VARIABLE, raising=False)
    monkeypatch.setattr(plain, "library_path", lambda: None)


@pytest.mark.usefixtures("no_library")
def test_without_a_library_it_warns_once_with_reason_and_remedy_and_runs_the_definition() -> None:
    backend, case = registry.get("emulator"), minimal_cases()[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        warnings.simplefilter("default")
        for _ in range(2):
            with backend.open(case.program) as session:
                assert isinstance(session, ReferenceSession)
                assert session.run(case.steps, inputs=case.inputs).backend == "emulator"
    (warning,) = caught
    assert warning.category is plain.PlainKernelWarning
    assert "the same results, slowly. Reason: none was built" in str(warning.message)
    assert "uv sync --reinstall-package neuromorph" in str(warning.message)


@pytest.mark.usefixtures("no_library")
def test_what_runs_slowly_is_available_with_a_remedy() -> None:
    found = registry.availability("emulator")
    assert (found.available, found.versions["kernel"]) == (True, "plain NumPy")
    assert found.reason.startswith("slowly, in plain NumPy: none was built")
    assert f"emulator: {plain.REMEDY}" in doctor.diagnose().advice


@pytest.mark.usefixtures("no_library")
def test_a_kernel_that_is_insisted_on_and_missing_is_no_slow_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plain.VARIABLE, "compiled")
    with pytest.raises(BackendUnavailable, match="insists on the compiled kernel, but none was built"):
        registry.get("emulator")


def test_who_asks_for_numpy_gets_it_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plain.VARIABLE, "plain")
    found = registry.availability("emulator")
    assert (found.available, found.remedy, found.versions["kernel"]) == (True, "", "plain NumPy")
    with registry.get("emulator").open(minimal_cases()[0].program) as session:  # warnings are errors here
        assert isinstance(session, ReferenceSession)


def test_another_value_of_the_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plain.VARIABLE, "fast")
    with pytest.raises(InputError, match="must be plain or compiled, or not set, got 'fast'"):
        plain.plain_reason()


def test_a_library_older_than_its_source_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library, source = tmp_path / "_kernel.so", tmp_path / "csrc" / "kernel.c"
    source.parent.mkdir()
    for path, second in ((library, 1000), (source, 2000)):
        path.touch()
        os.utime(path, (second, second))
    monkeypatch.delenv(plain.VARIABLE, raising=False)
    monkeypatch.setattr(plain, "library_path", lambda: library)
    monkeypatch.setattr(plain, "SOURCES", source.parent)
    assert plain.plain_reason() == "_kernel.so is older than its source kernel.c"
    os.utime(library, (3000, 3000))
    monkeypatch.setattr(plain, "kernel", lambda: None)
    assert plain.plain_reason() == ""


def test_a_library_that_does_not_load_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "_kernel.so"
    library.write_text("no library")

    def load() -> None:
        raise BackendUnavailable("invalid ELF header")

    monkeypatch.delenv(plain.VARIABLE, raising=False)
    monkeypatch.setattr(plain, "library_path", lambda: library)
    monkeypatch.setattr(plain, "SOURCES", tmp_path / "csrc")
    monkeypatch.setattr(plain, "kernel", load)
    assert plain.plain_reason() == "_kernel.so cannot be loaded: invalid ELF header"
