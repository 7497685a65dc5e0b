"""As many synapses as a Loihi 1 holds: a few seconds, a few bytes each. ``pytest -m slow``."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import neuromorph as nm
from neuromorph.connectors import Connector

NEURONS, DEGREE = 131_072, 128
SYNAPSES = NEURONS * DEGREE


def compiled(weights: object, chip: str | None = None) -> nm.Program:
    net = nm.Network(
        populations=[nm.Population("n", NEURONS, nm.LIF())],
        projections=[nm.Projection("n", "n", weights)],  # type: ignore[arg-type]
    )
    return nm.compile(net, chip=chip)


@pytest.mark.slow
@pytest.mark.parametrize(
    "connector", [nm.FixedOutDegree(DEGREE), nm.FixedInDegree(DEGREE), nm.FixedProbability(DEGREE / NEURONS)]
)
def test_a_whole_chip_of_synapses_is_drawn_in_four_bytes_each(connector: Connector) -> None:
    program = compiled(connector)
    projection = program.projections[0]
    pointer, pre = projection.csr
    assert abs(projection.synapses / SYNAPSES - 1) < 0.01 and pre.dtype == np.int32
    inside = np.ones(projection.synapses, dtype=np.bool_)
    inside[pointer[1:-1]] = False  # the first of a row may lie below the last of the row before
    assert np.all((pre[1:] > pre[:-1])[inside[1:]])
    out, into = projection.fan_out, np.diff(pointer)
    if isinstance(connector, nm.FixedOutDegree):
        assert np.all(out == DEGREE) and into.min() > 80 and into.max() < 190
    elif isinstance(connector, nm.FixedInDegree):
        assert np.all(into == DEGREE) and out.min() > 80 and out.max() < 190
    else:
        for degrees in (into, out):
            assert abs(degrees.var() / DEGREE - 1) < 0.05
    assert program.nbytes < 4.01 * projection.synapses + 49 * NEURONS
    starts, post, order = projection.csc()
    chosen = np.random.default_rng(0).integers(0, projection.synapses, 10_000)
    np.testing.assert_array_equal(projection.connectivity.post_of(order[chosen]), post[chosen])
    np.testing.assert_array_equal(pre[order[chosen]], np.searchsorted(starts, chosen, side="right") - 1)


@pytest.mark.slow
def test_a_whole_chip_is_quantised_saved_and_loaded(tmp_path: Path) -> None:
    program = compiled(nm.FixedOutDegree(DEGREE, nm.Uniform(0.0, 0.1)), chip="loihi1")
    assert program.projections[0].stored_weight.dtype == np.uint8
    assert program.nbytes < 5.01 * SYNAPSES + 49 * NEURONS
    program.save(tmp_path / "chip.npz")
    assert nm.Program.load(tmp_path / "chip.npz").fingerprint == program.fingerprint


@pytest.mark.slow
def test_a_whole_chip_needs_little_more_memory_than_it_takes() -> None:
    compiled(nm.FixedOutDegree(1), chip="loihi1")  # what is imported on the way counts for nothing
    tracemalloc.start()
    try:
        program = compiled(nm.FixedOutDegree(DEGREE, nm.Uniform(0.0, 0.1)), chip="loihi1")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < program.nbytes + 2**20
    assert peak < 16 * SYNAPSES + 2000 * NEURONS  # of these, 12 a synapse are the program in float


@pytest.mark.slow
def test_a_sparse_matrix_of_a_whole_chip_becomes_the_same_program_in_any_form() -> None:
    first = compiled(nm.FixedOutDegree(DEGREE, nm.Uniform(0.0, 0.1)))
    projection = first.projections[0]
    single = projection.stored_weight.astype(np.float32)
    matrix = scipy.sparse.csr_array(
        (single, projection.csr[1], projection.csr[0].astype(np.int32)), shape=(NEURONS,) * 2
    )
    programs = [compiled(form) for form in (matrix, matrix.tocsc(), matrix.tocoo())]
    assert len({program.fingerprint for program in programs}) == 1
    assert programs[0].nbytes < 8.01 * SYNAPSES + 49 * NEURONS
    assert programs[0].projections[0].digests["pre_index"] == projection.digests["pre_index"]
