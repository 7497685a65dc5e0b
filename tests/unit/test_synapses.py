import copy
import dataclasses
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import neuromorph as nm
from neuromorph import synapses
from neuromorph.errors import CompileError
from neuromorph.program import Program, ProjectionProgram
from neuromorph.testing import fixed_cases, minimal_cases, random_case

PROGRAMS = [
    *(case.program for case in minimal_cases()),
    *(case.program for case in fixed_cases()),
    *(random_case(seed).program for seed in range(5)),
]
ARRAYS = {"post_index": np.int64, "pre_index": np.int64, "weight": np.float64, "delay": np.int64}


def chain(**fields: object) -> ProjectionProgram:
    values: dict[str, object] = {"name": "a->b", "pre": "a", "post": "b", "pre_size": 2, "post_size": 2}
    values |= {"post_index": [0, 1, 1], "pre_index": [1, 0, 1], "weight": [0.1, 2.0, 3.0], "delay": [1, 1, 1]}
    return ProjectionProgram(**(values | fields))  # type: ignore[arg-type]


def test_arrays_are_read_in_wide_types_and_held_in_narrow_ones() -> None:
    for program in PROGRAMS:
        for p in program.projections:
            for name, dtype in ARRAYS.items():
                array = getattr(p, name)
                assert array.dtype == dtype and array.shape == (p.synapses,) and not array.flags.writeable
                assert array.flags.c_contiguous and getattr(p, name) is array
                np.testing.assert_array_equal(p.narrow(name), array)
            assert p.csr[0] is p.by_post and np.array_equal(p.csr[1], p.pre_index)
            pointer, post, order = p.csc()
            np.testing.assert_array_equal(post, p.post_index[order])
            np.testing.assert_array_equal(pointer, p.by_pre[0])
            learned = [p.rule.d_max] if p.rule is not None and p.rule.d_max is not None and p.synapses else []
            assert p.max_delay == max(1, *p.delay.tolist(), *learned, 1)
            assert p.has_one_delay == (len(set(p.delay.tolist())) <= 1 and not learned)


def test_fingerprints_do_not_depend_on_what_arrays_are_held_in() -> None:
    for program in PROGRAMS:
        for p in program.projections:
            for name in ARRAYS:
                array = getattr(p, name)
                digest = hashlib.sha256(array.astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()
                assert p.digests[name] == f"{array.dtype.kind}8{array.shape}{digest}"
    weights = np.array([[1.0, 0.0], [-3.0, 250.0]])
    net = [
        nm.Network(populations=[nm.Input("a", 2), nm.Population("b", 2, nm.LIF())], projections=[nm.Projection("a", "b", w)])
        for w in (weights, weights.astype(np.int64), weights.astype(np.float32), nm.Sparse(weights.ravel(), [0, 1] * 2, [0, 2, 4], (2, 2)))
    ]  # fmt: skip
    assert len({nm.compile(each).fingerprint for each in net}) == 1


def test_what_was_read_of_many_synapses_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synapses, "FEW_SYNAPSES", 2)
    projection = chain()
    for name in ARRAYS:
        assert name not in vars(projection) and getattr(projection, name).dtype == ARRAYS[name]
        assert name not in vars(projection)
    assert projection.delay.strides == (0,)


def test_a_change_shares_everything_else() -> None:
    before = chain(delay=[1, 2, 3])
    after = before.with_changes(weight=[1.0, 2.0, 4.0], weight_exponent=3)
    assert after.connectivity is before.connectivity and after.stored_delay is before.stored_delay
    assert (after.weight.tolist(), after.weight_exponent) == ([1.0, 2.0, 4.0], 3)
    assert before.with_changes().digests == before.digests == dataclasses.replace(before).digests
    fixed = nm.quantise(PROGRAMS[0], "loihi1")
    assert fixed.projections[0].connectivity is PROGRAMS[0].projections[0].connectivity


def test_arrays_of_the_caller_stay_the_caller_s() -> None:
    post, pre = np.array([0, 1, 1]), np.array([1, 0, 1], dtype=np.int32)
    weight, delay = np.array([0.1, 0.2, 0.3]), np.array([1, 2, 3], dtype=np.uint8)
    projection = chain(post_index=post, pre_index=pre, weight=weight, delay=delay)
    before = projection.digests
    for array in (post, pre, weight, delay):
        array[:] = 1
    assert projection.with_changes().digests == before
    assert projection.weight.tolist() == [0.1, 0.2, 0.3] and projection.delay.tolist() == [1, 2, 3]
    for array in (projection.stored_weight, projection.stored_delay, projection.csr[0], projection.csr[1]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_projections_travel_to_other_processes() -> None:
    projection = chain()
    for again in (pickle.loads(pickle.dumps(projection)), copy.deepcopy(projection)):
        assert again.digests == projection.digests and again.has_one_delay
        assert (again.name, again.rule, again.sign_mode) == ("a->b", None, "none")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"post_index": [1, 0, 1]}, "ordered by post, then pre, each once"),
        ({"pre_index": [1, 0]}, "its synapse arrays differ in length: [2, 3]"),
        (
            {"weight": [[0.1, 2.0, 3.0]]},
            "its weights and delays must be lists, one entry a synapse, got [(1, 3), (3,)]",
        ),
    ],
)
def test_synapses_that_are_not_sound_can_be_looked_at_and_have_no_connectivity(
    fields: dict[str, object], says: str
) -> None:
    projection = chain(**fields)
    assert says in projection.faults()[0]
    if "weight" not in fields:
        assert projection.post_index.tolist() == fields.get("post_index", [0, 1, 1])
        with pytest.raises(CompileError) as caught:
            _ = projection.connectivity
        assert f"projection 'a->b': {projection.faults()[0]}" in str(caught.value)


def test_the_other_size_of_a_connectivity_is_looked_at_anew() -> None:
    shared = chain().connectivity
    wider = chain(post_index=shared, pre_index=shared, pre_size=3)
    assert wider.connectivity is not shared and wider.pre_index.tolist() == [1, 0, 1] and not wider.faults()
    assert "must lie inside" in chain(post_index=shared, pre_index=shared, post_size=1).faults()[0]


def test_files_hold_narrow_arrays_and_wide_ones_are_read_too(tmp_path: Path) -> None:
    program = PROGRAMS[0]
    program.save(tmp_path / "narrow.npz")
    with np.load(tmp_path / "narrow.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    assert {"int32"} <= {array.dtype.name for array in arrays.values()}
    for name, array in arrays.items():
        if name != "header":
            arrays[name] = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
    np.savez(tmp_path / "wide.npz", **arrays)  # as earlier versions wrote it
    assert Program.load(tmp_path / "wide.npz").fingerprint == program.fingerprint


def test_bytes_of_memory_are_those_of_the_stored_arrays() -> None:
    size, many = 50, np.random.default_rng(0).random((50, 50))
    matrix = scipy.sparse.csr_array(np.where(many < 0.5, many, 0.0))
    single = matrix.astype(np.float32)
    for weights, each, rest in ((matrix, 4 + 8, 0), (many, 8, 0), (single, 4 + 4, 0), (nm.AllToAll(0.5), 0, 4)):
        net = nm.Network(
            populations=[nm.Population("n", size, nm.LIF())], projections=[nm.Projection("n", "n", weights)]
        )
        projection = nm.compile(net).projections[0]
        one_delay, pointer = 1, 8 * (size + 1)
        assert projection.nbytes == each * projection.synapses + rest + one_delay + pointer
        assert nm.compile(net).nbytes == projection.nbytes + 5 * 8 * size
