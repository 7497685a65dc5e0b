"""What every experiment's test asks: one short run on the fast backend, held against the experiment's own ranges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neuromorph.networks.catalogue import experiment
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


@pytest.fixture(scope="session")
def conduct() -> Conduct:
    """``conduct(name, backend="emulator", seed=0, chip=None)``: the result of a quick run; the same call runs once."""
    done: dict[tuple[str, str, int, str | None], Result] = {}

    def run(name: str, *, backend: str = "emulator", seed: int = 0, chip: str | None = None) -> Result:
        key = name, backend, seed, chip
        if key not in done:
            done[key] = experiment(name)().quick().run(backend, seed=seed, chip=chip)
        return done[key]

    return run
