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
    assert "Remedy: pip install 'neuromorph[nengo]'" in str(caught.value)
    found = registry.availability("nengo")
    assert (
        not found.available and "No module named" in found.reason and found.remedy == "pip install 'neuromorph[nengo]'"
    )
    assert "reinstall the package" in registry.availability("stranger").remedy


def test_asking_for_an_undeclared_backend_s_availability_never_raises(declared: None) -> None:
    assert not registry.availability("spinnaker").available


@pytest.mark.parametrize("backend", ["reference", ReferenceBackend()])
def test_an_option_that_a_backend_does_not_have_is_refused(backend: str | Backend) -> None:
    with pytest.raises(InputError, match="backend 'reference' has no option runtime, speed; known: none"):
        registry.get(backend, speed=3, runtime="fast")
