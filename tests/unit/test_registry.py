from importlib.metadata import EntryPoint

import pytest

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.errors import BackendUnavailable, InputError


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "reference": EntryPoint("reference", "neuromorph.backends.reference:ReferenceBackend", registry.GROUP),
        "nengo": EntryPoint("nengo", "a_simulator_that_is_not_installed:Backend", registry.GROUP),
        "stranger": EntryPoint("stranger", "another_one_that_is_not_installed:Backend", registry.GROUP),
    }
    monkeypatch.setattr(registry, "_entries", lambda: entries)


def test_our_backends_come_first_by_name() -> None:
    names = registry.backend_names()
    assert names[0] == "reference"
    assert {"nengo", "nengo-loihi", "lava"} <= set(names)


def test_a_backend_is_found_by_name_or_is_one_already() -> None:
    assert registry.load("reference") is ReferenceBackend
    assert registry.get("reference") == ReferenceBackend()
    backend = ReferenceBackend()
    assert registry.get(backend) is backend


def test_an_unknown_backend_is_refused_with_the_known_ones(declared: None) -> None:
    with pytest.raises(BackendUnavailable, match="there is no backend 'spinnaker'; known: reference, nengo, stranger"):
        registry.get("spinnaker")


def test_a_backend_that_is_not_installed_says_what_to_do(declared: None) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        registry.get("nengo")
    assert "backend 'nengo' cannot start: No module named 'a_simulator_that_is_not_installed'" in str(caught.value)
    assert "Remedy: uv sync in a checkout of neuromorph, else pip install 'nengo>=4.1'" in str(caught.value)
    found = registry.availability("nengo")
    assert not found.available
    assert "No module named" in found.reason
    assert "pip install 'nengo>=4.1'" in found.remedy
    assert "reinstall the package" in registry.availability("stranger").remedy


def test_asking_for_an_undeclared_backend_s_availability_never_raises(declared: None) -> None:
    assert not registry.availability("spinnaker").available


@pytest.mark.parametrize("backend", ["reference", ReferenceBackend()])
def test_an_option_that_a_backend_does_not_have_is_refused(backend: str | Backend) -> None:
    with pytest.raises(InputError, match="backend 'reference' has no option runtime, speed; known: rounding_seed"):
        registry.get(backend, speed=3, runtime="fast")


class Breaks:
    def load(self) -> object:
        raise AttributeError("module 'numpy' has no attribute 'bool'")


def test_a_simulator_that_breaks_at_import_is_unavailable_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_entries", lambda: {"nengo": Breaks()})
    found = registry.availability("nengo")
    assert not found.available
    assert "importing it raised AttributeError: module 'numpy' has no attribute 'bool'" in found.reason
