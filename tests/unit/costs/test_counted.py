"""Work from counts alone: totals are those of the counts, what only a placement tells has bounds."""

from __future__ import annotations

import pytest

from neuromorph.costs import Range, estimate_work, work_of_counts
from neuromorph.recording import Counts, PopulationCounts, ProjectionCounts


def counts(projections: int = 1, events: int = 1000) -> Counts:
    """Ten spikes of 20 neurons, and five from outside, through projections of as many events each."""
    return Counts(
        steps=10,
        populations={
            "in": PopulationCounts(neurons=4, is_input=True, spikes=5, neuron_updates=0, active_updates=0),
            "a": PopulationCounts(neurons=20, is_input=False, spikes=10, neuron_updates=200, active_updates=60),
        },
        projections={
            f"p{number}": ProjectionCounts(synapses=50, plastic=True, synaptic_events=events, learning_updates=30)
            for number in range(projections)
        },
    )


def test_totals_are_those_of_the_counts() -> None:
    work = work_of_counts(counts(2), "loihi1")
    expected = {
        "synaptic_operation": 2000,
        "neuron_update": 200,
        "neuron_update_active": 60,
        "neuron_update_idle": 140,
        "spike_generated": 10,
        "learning_update": 60,
        "host_spike_in": 5,
    }
    assert {name: work.totals[name] for name in expected} == {name: Range.of(n) for name, n in expected.items()}
    assert work_of_counts(counts(2), "loihi1", learning=False).total("learning_update") == Range.of(0)


@pytest.mark.parametrize("projections", [1, 2, 3])
def test_a_spike_is_at_most_one_message_a_projection_and_core(projections: int) -> None:
    work = work_of_counts(counts(projections), "loihi1")
    assert work.cores == Range.of(1)
    assert work.totals["axon_in"] == Range(15.0, 15.0 * projections)  # 1000 events on 20 neurons: every spike is sent
    assert work.totals["axon_out"] == Range(0.0, 10.0 * projections)
    assert work_of_counts(counts(projections, events=2), "loihi1").totals["axon_in"] == Range(2 / 20, 2.0 * projections)
    silent = work_of_counts(counts(projections, events=0), "loihi1")
    assert silent.totals["axon_in"] == Range.of(0)  # no spike has a synapse


def test_known_cores_are_taken_and_the_reason_why_no_more_is_known_is_told() -> None:
    work = work_of_counts(counts(), "loihi1", cores=3, tiles=1, chips=1, without_placement="nobody looked")
    assert (work.cores, work.tiles, work.chips) == (Range.of(3), Range.of(1), Range.of(1))
    missing = estimate_work(work).missing
    assert any("nobody looked" in line for line in missing) and not any(line.startswith("axons") for line in missing)
