"""Every backend that runs programs, held to the reference by the kit that strangers use."""

from typing import ClassVar

import pytest

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.errors import BackendUnavailable
from neuromorph.testing import BackendConformance


class _Installed(BackendConformance):
    """A backend by its name, skipped with the reason where its simulator is missing."""

    name: ClassVar[str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _is_there(cls) -> None:
        try:
            cls.backend: Backend = registry.get(cls.name)
        except BackendUnavailable as error:
            pytest.skip(str(error))


class TestReference(_Installed):
    name = "reference"


class TestEmulator(_Installed):
    name = "emulator"


class TestNengo(_Installed):
    name = "nengo"


class TestNengoLoihi(_Installed):
    name = "nengo-loihi"


class TestLava(_Installed):
    name = "lava"


def test_no_declared_backend_is_left_out() -> None:
    held = {kind.name for kind in _Installed.__subclasses__()}
    programs = {
        name
        for name in registry.backend_names()
        if not registry.availability(name).available or registry.load(name).capabilities.runs_programs
    }
    assert programs <= held
