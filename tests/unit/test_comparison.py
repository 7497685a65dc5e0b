from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import registry
from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session
from neuromorph.backends.reference import ReferenceSession
from neuromorph.comparison import first_divergence
from neuromorph.errors import BackendUnavailable, InputError
from neuromorph.recording import SpikeTrain


def trains(*events: tuple[int, int], steps: int = 5, size: int = 3) -> dict[str, SpikeTrain]:
    dense = np.zeros((steps, size), dtype=bool)
    for step, neuron in events:
        dense[step, neuron] = True
    return {"p": SpikeTrain.from_dense(dense)}


def test_equal_spikes_have_no_divergence() -> None:
    assert first_divergence(trains((1, 2), (3, 0)), trains((1, 2), (3, 0))) is None


def test_the_first_divergence_is_the_earliest_on_either_side() -> None:
    found = first_divergence(trains((1, 2), (4, 0)), trains((1, 2), (3, 1), (4, 0)))
    assert found is not None
    assert (found.step, found.population, found.neuron, found.reference_spiked) == (4, "p", 1, False)
    found = first_divergence(trains((0, 2), (0, 1)), trains((0, 2)))
    assert found is not None
    assert (found.step, found.neuron, found.reference_spiked) == (1, 1, True)


def test_runs_of_different_length_are_not_compared() -> None:
    with pytest.raises(InputError, match="different runs"):
        first_divergence(trains(steps=5), trains(steps=6))


def network() -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 4), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0, 1), seed=1), plasticity=nm.STDP())],
    )


def test_a_backend_agrees_with_itself_in_spikes_and_weights() -> None:
    spikes = np.random.default_rng(0).random((100, 4)) < 0.3
    result = nm.compare(network(), 100, backends=["reference", "reference"], inputs={"in": spikes})
    assert result.all_equal
    assert result.runs[1].spikes_equal is True
    assert result.runs[1].largest_weight_difference == 0.0
    assert result.runs[0].recording is not None
    assert len(result.runs[0].recording.spikes["out"]) > 0


def test_a_backend_that_cannot_start_is_a_row_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    real = registry.load

    def load(name: str) -> type[Backend]:
        if name == "nengo":
            raise BackendUnavailable("backend 'nengo' cannot start: it is not here. Remedy: fetch it")
        return real(name)

    monkeypatch.setattr(registry, "load", load)
    result = nm.compare(network(), 10, backends=["reference", "nengo", "reference"])
    row = result["nengo"]
    assert row.recording is None
    assert "Remedy: fetch it" in row.reason
    assert result.to_json()["rows"][1]["available"] is False
    assert result.all_equal
    assert not nm.compare(network(), 10, backends=["reference", "nengo"]).all_equal


@pytest.mark.parametrize("backends", [[], "reference"])
def test_no_list_of_backends_is_refused_before_anything_runs(backends: object) -> None:
    with pytest.raises(InputError, match="backend"):
        nm.compare(network(), 10, backends=backends)  # type: ignore[arg-type]


class Breaks(Session):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.inner = ReferenceSession(*arguments, **options)

    def _advance(self, steps: int, inputs: Any, modulators: Any, beat: Any) -> Advance:
        return self.inner._advance(steps, inputs, modulators, beat)

    def _read(self, owner: str, variable: str) -> Any:
        values = self.inner._read(owner, variable).copy()
        values[0] = np.nan
        return values

    def _write(self, owner: str, variable: str, values: Any) -> None:
        self.inner._write(owner, variable, values)

    def _reset(self) -> None:
        self.inner._reset()

    def _close(self) -> None:
        self.inner.close()


class Raises(Breaks):
    def _advance(self, steps: int, inputs: Any, modulators: Any, beat: Any) -> Advance:
        raise OSError("device lost")


@dataclass(frozen=True)
class Odd(Backend):
    session: type[Session] = Breaks
    name: ClassVar[str] = "odd"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: nm.Program, *, seed: int, stall_second: float) -> Session:
        return self.session(program, backend=self.name, seed=seed, stall_second=stall_second)


def test_weights_that_are_no_numbers_are_no_agreement() -> None:
    result = nm.compare(network(), 10, backends=["reference", Odd()])
    assert result["odd"].spikes_equal is True
    assert result["odd"].largest_weight_difference == math.inf


def test_a_backend_that_breaks_on_the_way_is_neither_missing_nor_equal() -> None:
    result = nm.compare(network(), 10, backends=["reference", "reference", Odd(session=Raises)])
    assert result["odd"].failed
    assert "device lost" in result["odd"].reason
    assert result.diverges
    assert not result.all_equal


def test_a_name_that_no_backend_has_is_a_row_and_no_agreement() -> None:
    result = nm.compare(network(), 10, backends=["reference", "abacus"])
    assert "there is no backend 'abacus'; known: reference" in result["abacus"].reason
    assert not result.all_equal
    assert not result.diverges
