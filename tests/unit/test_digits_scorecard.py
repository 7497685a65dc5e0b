"""The main job, on few samples: what its rows promise, and that a backend which lies is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from neuromorph import registry
from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session
from neuromorph.backends.reference import ReferenceSession
from neuromorph.digits_scorecard import DEFAULT_CHIPS, score_digits
from neuromorph.errors import BackendUnavailable, ChipError, InputError
from neuromorph.recording import SpikeTrain
from neuromorph.scorecard import Scorecard

KEYS = {
    "learner", "backend", "available", "reason", "accuracy", "samples", "seconds_per_sample", "steps_per_second",
    "synaptic_operations", "energy_joule", "latency_second", "learning_memory_byte", "spikes_equal", "first_divergence",
}  # fmt: skip


class LosesASpike(Session):
    """The reference, but for the first output spike of every run, which is lost."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.inner = ReferenceSession(*arguments, **options)

    def _advance(self, steps: int, inputs: Any, modulators: Any, beat: Callable[[], None]) -> Advance:
        done = self.inner._advance(steps, inputs, modulators, beat)
        spikes: dict[str, SpikeTrain] = {
            name: SpikeTrain(train.steps[1:], train.ids[1:], train.shape) for name, train in done.spikes.items()
        }
        return Advance(spikes=spikes, states=done.states)

    def _read(self, owner: str, variable: str) -> Any:
        return self.inner._read(owner, variable)

    def _write(self, owner: str, variable: str, values: Any) -> None:
        self.inner._write(owner, variable, values)

    def _reset(self) -> None:
        self.inner._reset()

    def _close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class Liar(Backend):
    name: ClassVar[str] = "nengo"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Any, *, seed: int, stall_second: float) -> Session:
        return LosesASpike(program, backend=self.name, seed=seed, stall_second=stall_second)


@pytest.fixture(scope="module")
def scorecard() -> Scorecard:
    steps: list[tuple[str, float]] = []
    card = score_digits(
        seeds=(3,),
        samples=60,
        quick=True,
        backends=("reference", "backprop"),
        chips=("loihi1", "loihi2", "cpu", "cortex_m4", "xeon", "cmos_45nm"),
        progress=lambda *a: steps.append(a),
    )
    shares = [share for _, share in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return card


def test_rows_hold_every_promised_key_and_survive_json(scorecard: Scorecard) -> None:
    plain = json.loads(json.dumps(scorecard.to_json(), allow_nan=False))
    assert {(row["learner"], row["backend"]) for row in plain["rows"]} == {
        ("reward-modulated STDP", "reference"),
        ("unsupervised STDP", "reference"),
        ("backprop", "backprop"),
    }
    for row in plain["rows"]:
        assert set(row) >= KEYS
        for ranges in (row["energy_joule"], row["latency_second"], row["learning_energy_joule"]):
            assert all(0 < low <= high for low, high in ranges.values())
    assert plain["versions"]["numpy"] == np.__version__
    assert all(len(value) == 64 for value in plain["fingerprints"].values())


def test_spiking_learners_are_costed_on_every_chip_that_can_and_backprop_on_conventional_ones(
    scorecard: Scorecard,
) -> None:
    assert DEFAULT_CHIPS == ("loihi1", "cpu")
    chips = {row.learner: set(row.energy_joule) for row in scorecard.rows}
    assert (
        chips["reward-modulated STDP"]
        == chips["unsupervised STDP"]
        == {
            "loihi1",
            "loihi2",
            "cpu",
            "cortex_m4",
            "cmos_45nm",
        }
    )
    assert chips["backprop"] == {
        "cpu",
        "cortex_m4",
        "xeon",
        "cmos_45nm",
    }  # of a Xeon only multiply-accumulates are known
    (dense,) = (row for row in scorecard.rows if row.learner == "backprop")
    assert set(dense.latency_second) == {"cpu", "cortex_m4", "xeon"}  # a table of energies has no times


def test_a_chip_that_is_not_known_is_refused_before_anything_is_learned() -> None:
    told: list[str] = []
    with pytest.raises(ChipError, match="loihi9"):
        score_digits(chips=("loihi9",), progress=lambda what, share: told.append(what))
    assert told == []


def test_learning_changes_weights_and_a_few_samples_beat_guessing(scorecard: Scorecard) -> None:
    for evidence in scorecard.evidence:
        assert not np.array_equal(evidence.weights_before, evidence.weights_after)
        assert evidence.confusion.sum() > 0
    accuracy = {row.learner: row.accuracy for row in scorecard.rows}
    assert all(value is not None and value > 0.15 for value in accuracy.values()), accuracy


def _with(monkeypatch: pytest.MonkeyPatch, replacement: Callable[..., Backend]) -> Mapping[str, Any]:
    real = registry.get

    def get(name: Any, **options: Any) -> Backend:
        return replacement() if name == "nengo" else real(name, **options)

    monkeypatch.setattr(registry, "get", get)
    card = score_digits(seeds=(0,), samples=20, quick=True, backends=("reference", "nengo"))
    return {(row.learner, row.backend): row for row in card.rows}


def test_a_backend_that_loses_a_spike_is_found_with_step_and_neuron(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _with(monkeypatch, Liar)
    for learner in ("reward-modulated STDP", "unsupervised STDP"):
        row = rows[learner, "nengo"]
        assert row.spikes_equal is False
        assert row.first_divergence["phase"] == "learning"
        assert row.first_divergence["population"] == "output"
        assert row.first_divergence["step"] >= 1
        assert row.first_divergence["reference_spiked"] is True
        assert rows[learner, "reference"].spikes_equal is True


def test_a_backend_that_is_not_installed_is_a_row_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Backend:
        raise BackendUnavailable(
            "backend 'nengo' cannot start: No module named 'nengo'. Remedy: pip install 'neuromorph[nengo]'"
        )

    row = _with(monkeypatch, missing)["unsupervised STDP", "nengo"]
    assert row.available is False
    assert "pip install" in row.reason
    assert row.accuracy is None


def test_an_undeclared_backend_is_an_error_before_anything_starts() -> None:
    with pytest.raises(InputError, match="abacus"):
        score_digits(backends=("abacus",))
