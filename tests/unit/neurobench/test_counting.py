"""Metrics of programs: numbers by hand, loops over all synapses, and no figure that was not known."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.neurobench import Metrics, measure
from neuromorph.neurobench import measuring as measuring_module
from neuromorph.neurobench.measuring import observed
from neuromorph.nir.linear_maps import window_map
from neuromorph.program import Program
from neuromorph.recording import Recording
from neuromorph.testing import Case, random_case

MASK = np.array([[1.0, 0.0, -2.0], [0.5, 0.0, 3.0]])  # nonzero in its columns: 2, 0, 2
SPIKES = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 1]])  # ACs by row: 2, 0, 4, 2


def feedforward(weights: Any = MASK, **population: Any) -> Program:
    size = weights.shape[0]
    network = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", size, nm.LIF(**{"v_threshold": 0.9} | population))],
        projections=[nm.Projection("in", "out", weights)],
    )
    return observed(nm.compile(network, dt=1e-3))


def run(program: Program, spikes: np.ndarray = SPIKES) -> Recording:
    return nm.run(program, len(spikes), inputs={"in": spikes})


def test_every_metric_of_a_masked_layer_is_the_one_by_hand() -> None:
    program = feedforward()
    recording = run(program)
    found = nm.metrics(program, recording)
    spikes = int(np.asarray(recording.spikes["out"]).sum())
    v = recording.states["out", "v"]
    assert spikes > 0
    assert found.connection_sparsity == 2 / 6
    assert found.activation_sparsity == 1 - spikes / (4 * 2)
    assert (found.effective_acs, found.effective_macs, found.dense_operations) == (8, 0, 4 * 6)
    assert found.membrane_updates == 2 + sum(v[t, j] != v[t - 1, j] for t in (1, 2, 3) for j in (0, 1))


def test_a_membrane_that_stays_is_not_updated() -> None:
    program = feedforward(np.zeros((2, 3)))  # v is 0 always
    assert nm.metrics(program, run(program)).membrane_updates == 2


def test_samples_of_one_recording_are_cut_where_they_begin() -> None:
    program = feedforward()
    found = nm.metrics(program, run(program), samples=2)
    assert found.by_sample["effective_acs"].tolist() == [2, 6]
    assert found.by_sample["dense_operations"].tolist() == [12, 12]
    assert found.per_sample["effective_acs"] == 4.0
    assert found.effective_acs == 8  # of both
    uneven = nm.metrics(program, run(program), samples=[1, 3])
    assert uneven.by_sample["effective_acs"].tolist() == [2, 6]
    assert uneven.by_sample["dense_operations"].tolist() == [6, 18]
    # each sample has a first step, in which all neurons count
    whole = nm.metrics(program, run(program)).membrane_updates
    v = run(program).states["out", "v"]
    assert whole is not None
    assert uneven.membrane_updates == whole + int(np.count_nonzero(v[1] == v[0]))


def test_a_recording_for_each_sample_is_as_good_as_one_of_all() -> None:
    program = feedforward()
    with nm.open(program) as session:
        parts = [session.run(2, inputs={"in": SPIKES[:2]}), session.run(2, inputs={"in": SPIKES[2:]})]
    assert nm.metrics(program, parts).to_json() == nm.metrics(program, run(program), samples=2).to_json()


def test_absent_synapses_are_zeros_unless_they_are_no_weights() -> None:
    # a sparse projection lists what exists: a zero among it is a zero weight either way
    sparse = nm.Sparse(np.array([1.0, 0.0, 3.0]), np.array([0, 2, 2]), np.array([0, 2, 3]), (2, 3))
    program = feedforward(sparse)
    recording = run(program)
    masked, listed = nm.metrics(program, recording), nm.metrics(program, recording, absent="none")
    assert masked.connection_sparsity == 4 / 6 and listed.connection_sparsity == 1 / 3
    assert masked.dense_operations == 4 * 6 and listed.dense_operations == 4 * 3
    # columns read by nonzero weights: 1, 0, 1
    assert masked.effective_acs == listed.effective_acs == 1 + 0 + 2 + 1


def test_graded_inputs_are_multiply_accumulates_step_by_step() -> None:
    program = feedforward()
    graded = SPIKES * np.array([[1.0], [0.3], [0.7], [1.0]])
    found = nm.metrics(program, run(program), graded={"in": graded})
    assert (found.effective_acs, found.effective_macs, found.dense_operations) == (2 + 2, 0 + 4, 24)
    by_running = measure(program, 4, inputs={"in": graded})
    assert by_running.to_json() == found.to_json()


def test_a_convolution_has_the_weights_of_its_kernel_and_no_operations_on_padding() -> None:
    kernel = np.array([[[0.5, 0.25, -1.0]]])
    matrix, _ = window_map(kernel, (1, 3), stride=1, padding=1, dilation=1, groups=1)  # three outputs, seven uses
    program = feedforward(nm.Sparse(matrix.data, matrix.indices, matrix.indptr, matrix.shape))
    recording = run(program)
    found = nm.metrics(program, recording, kernels={"in->out": kernel})
    assert found.connection_sparsity == 0.0
    assert found.dense_operations == 4 * 7
    assert found.effective_acs == int((SPIKES * [2, 3, 2]).sum())
    assert found.footprint["weights"] == 3 * 4
    # without its kernel it is a masked matrix, of which two in nine entries are zero
    unrolled = nm.metrics(program, recording)
    assert unrolled.connection_sparsity == 2 / 9 and unrolled.dense_operations == 4 * 9
    assert unrolled.effective_acs == found.effective_acs


def test_learned_weights_count_as_they_were_when_the_spike_was_sent() -> None:
    # the weight starts at 0 and is learned by its only synapse's first pairing: the spike of step 0 met a zero
    rule = nm.LearningRule(dw="x0", w_min=0.0, w_max=1.0)
    network = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", np.array([[0.0]]), plasticity=rule)],
    )
    program = nm.compile(network, dt=1e-3)
    spikes = np.array([[1], [1], [0], [1]])
    watched = observed(program)
    exact = nm.metrics(watched, nm.run(watched, 4, inputs={"in": spikes}))
    assert exact.effective_acs == 2
    assert not any("upper bound" in note for note in exact.notes)
    bound = nm.metrics(program.with_all_spikes(), nm.run(program.with_all_spikes(), 4, inputs={"in": spikes}))
    assert bound.effective_acs == 3
    assert any("upper bound" in note for note in bound.notes)


def brute_force(case: Case, recording: Recording) -> dict[str, int]:
    """Totals by loops over steps and synapses, from spikes, weights and membranes of every step."""
    acs = dense = updates = 0
    for projection in case.program.projections:
        sent = np.asarray(recording.spikes[projection.pre])
        weights = np.repeat(projection.weight[np.newaxis], case.steps, axis=0)
        if projection.rule is not None:
            weights[1:] = recording.states[projection.name, "weight"][:-1]
        for t in range(case.steps):
            dense += projection.pre_size * projection.post_size
            for i, w in zip(projection.pre_index, weights[t], strict=True):
                acs += bool(sent[t, i]) and w != 0
    for population in case.program.populations:
        v = recording.states[population.name, "v"]
        updates += population.size
        updates += sum(v[t, j] != v[t - 1, j] for t in range(1, case.steps) for j in range(population.size))
    return {"effective_acs": int(acs), "dense_operations": dense, "membrane_updates": int(updates)}


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_give_what_loops_over_all_synapses_give(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(seed, steps=60)
    watched = observed(case.program)
    recording = nm.run(watched, case.steps, inputs=case.inputs, modulators=case.modulators)
    found = nm.metrics(watched, recording)
    assert {name: getattr(found, name) for name in ("effective_acs", "dense_operations", "membrane_updates")} == (
        brute_force(case, recording)
    )
    # in pieces of a few steps it is the same
    monkeypatch.setattr(measuring_module, "PIECE_VALUES", 1000)
    pieces = measure(case.program, case.steps, inputs=case.inputs, modulators=case.modulators)
    assert pieces.to_json() == found.to_json()


def test_measured_samples_begin_from_rest() -> None:
    program = feedforward()
    found = measure(program, 4, inputs=[{"in": SPIKES}, {"in": SPIKES}, {"in": SPIKES[::-1]}])
    assert found.samples == 3
    by_sample = {name: values.tolist() for name, values in found.by_sample.items()}
    assert all(values[0] == values[1] for values in by_sample.values())
    assert by_sample["effective_acs"] == [8, 8, 8]


def test_what_was_not_recorded_is_none_with_its_reason_and_never_zero() -> None:
    program = feedforward().with_all_spikes()
    found = nm.metrics(program, run(program))
    assert found.membrane_updates is None and found.per_sample["membrane_updates"] is None
    assert found.neurobench()["MembraneUpdates"] is None
    assert "Probe('out', 'v')" in found.missing["membrane_updates"]
    assert found.effective_acs == 8


def test_counts_stand_in_for_spikes_where_no_weight_is_zero() -> None:
    full = feedforward(np.ones((2, 3)))
    bare = full.with_probes([])
    found = nm.metrics(bare, run(bare))
    assert found.effective_acs == 2 * int(SPIKES.sum())
    assert found.activation_sparsity == nm.metrics(full, run(full)).activation_sparsity
    with pytest.raises(InputError, match="with_all_spikes"):
        nm.metrics(bare, run(bare), samples=2)
    masked = feedforward().with_probes([])
    with pytest.raises(InputError, match="spikes of 'in' were not recorded"):
        nm.metrics(masked, run(masked))


def test_recordings_of_other_programs_are_refused() -> None:
    program, other = feedforward(), feedforward(np.ones((5, 3)))
    with pytest.raises(InputError, match="another program"):
        nm.metrics(other, run(program))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"samples": 3}, "equal parts"),
        ({"samples": 0}, "equal parts"),
        ({"samples": [1, 2]}, "add up"),
        ({"graded": {"eye": np.zeros((4, 3))}}, "no input"),
        ({"graded": {"in": np.zeros((3, 4))}}, "shape"),
        ({"kernels": {"in->eye": [1.0]}}, "no projection"),
        ({"kernels": {"in->out": []}}, "finite numbers"),
        ({"absent": "maybe"}, "absent"),
        ({"value_byte": 0}, "value_byte"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options: dict[str, Any], complaint: str) -> None:
    program = feedforward()
    with pytest.raises(InputError, match=complaint):
        nm.metrics(program, run(program), **options)


def test_json_holds_numbers_only_and_neurobenchs_names() -> None:
    program = feedforward()
    plain = json.loads(json.dumps(nm.metrics(program, run(program), samples=2).to_json(), allow_nan=False))
    assert plain["neurobench"]["SynapticOperations"] == {"Effective_MACs": 0.0, "Effective_ACs": 4.0, "Dense": 12.0}
    assert plain["neurobench"]["Footprint"] == plain["footprint_byte"] == sum(plain["footprint"].values())


def test_a_network_without_synapses_has_no_sparsity_of_connections() -> None:
    program = observed(nm.compile(nm.Network(populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF())])))
    found: Metrics = nm.metrics(program, run(program))
    assert found.connection_sparsity is None
    assert (found.effective_acs, found.dense_operations) == (0, 0)
    assert dataclasses.is_dataclass(found)
