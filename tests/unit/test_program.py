import copy
import dataclasses
import math
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import CompileError, InputError
from neuromorph.program import ProbeProgram, Program, TraceProgram, from_plain, to_plain
from neuromorph.testing import minimal_cases, random_case
from neuromorph.textform import dumps, loads

PROGRAMS = [*(case.program for case in minimal_cases()), *(random_case(seed).program for seed in range(5))]


def small(**fields: object) -> Program:
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], plasticity=nm.STDP(w_max=9.0))],
        probes=[nm.Probe("out", "v")],
    )
    return dataclasses.replace(nm.compile(net), **fields)  # type: ignore[arg-type]


def test_saving_and_loading_keeps_the_fingerprint(tmp_path: Path) -> None:
    for index, program in enumerate(PROGRAMS):
        path = tmp_path / f"{index}.nm.npz"
        program.save(path)
        assert Program.load(path).fingerprint == program.fingerprint


def test_plain_and_back_is_the_same_program() -> None:
    for program in PROGRAMS:
        plain = to_plain(program, lambda array: array.tolist())
        again = from_plain(plain, lambda values: np.array(values))
        assert again.fingerprint == program.fingerprint
        assert to_plain(again, lambda array: array.tolist()) == plain


def test_programs_travel_to_other_processes() -> None:
    for program in PROGRAMS:
        for again in (pickle.loads(pickle.dumps(program)), copy.deepcopy(program)):
            assert again.fingerprint == program.fingerprint


def test_equal_descriptions_have_equal_fingerprints_and_any_change_another() -> None:
    program = small()
    assert program.fingerprint == small().fingerprint
    changed = [
        small(dt=2e-3),
        small(seed=1),
        small(integration="euler"),
        small(name="other"),
        program.with_weights({"in->out": np.ones((3, 2))}),
        program.with_weights({"in->out": program.projections[0].weight}, static=True),
        program.with_parameters("out", bias=0.5),
        program.with_probes([]),
    ]
    assert len({p.fingerprint for p in [program, *changed]}) == len(changed) + 1


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nm.npz"
    program = small()
    program.save(path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = next(key for key, value in arrays.items() if value.tolist() == [1, 2, 3, 4, 5, 6])
    arrays[name] = arrays[name] / 2
    np.savez(path, **arrays)
    with pytest.raises(InputError, match="was changed after it was saved"):
        Program.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"text"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz' is not a 'neuromorph program 2' file"):
        Program.load(path)
    with pytest.raises(InputError, match="there is no file"):
        Program.load(tmp_path / "missing.npz")


def test_a_recording_is_no_program(tmp_path: Path) -> None:
    nm.run(small(), 3).save(tmp_path / "r.npz")
    with pytest.raises(InputError, match="holds 'neuromorph recording 1', not 'neuromorph program 2'"):
        Program.load(tmp_path / "r.npz")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    small().save(path)
    before = path.read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space"):
        small(name="other").save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        small().projections[0].weight[0] = 1.0


def test_other_weights_may_be_given_dense_or_by_synapse() -> None:
    program = small()
    dense = np.arange(6.0).reshape(3, 2)
    by_synapse = program.with_weights({"in->out": dense.ravel()})
    assert program.with_weights({"in->out": dense}).fingerprint == by_synapse.fingerprint
    assert by_synapse.projections[0].rule is not None
    assert program.with_weights({"in->out": dense}, static=True).projections[0].rule is None
    with pytest.raises(InputError, match=r"weights of 'in->out' must have shape \(3, 2\) or \(6,\), got \(2, 3\)"):
        program.with_weights({"in->out": dense.T})
    with pytest.raises(InputError, match="there is no projection 'ghost'"):
        program.with_weights({"ghost": dense})


def test_other_parameters_are_threshold_or_bias() -> None:
    changed = small().with_parameters("out", threshold=[1.0, 2.0, 3.0], bias=0.1).population("out")
    assert changed.threshold.tolist() == [1.0, 2.0, 3.0] and changed.bias.tolist() == [0.1] * 3
    with pytest.raises(InputError, match="parameter must be threshold or bias, got 'decay_u'"):
        small().with_parameters("out", decay_u=0.5)
    with pytest.raises(InputError, match="there is no population 'ghost'; known: out"):
        small().with_parameters("ghost", bias=0.5)


def test_synapses_are_found_by_either_end() -> None:
    for program in PROGRAMS:
        for p in program.projections:
            pointer, order = p.by_pre
            for i in range(p.pre_size):
                assert order[pointer[i] : pointer[i + 1]].tolist() == np.flatnonzero(p.pre_index == i).tolist()
            for j in range(p.post_size):
                assert list(range(p.by_post[j], p.by_post[j + 1])) == np.flatnonzero(p.post_index == j).tolist()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"post_index": [0, 0, 0, 1, 1]}, "its synapse arrays differ in length"),
        ({"pre_index": [0, 1, 0, 1, 0, 7]}, "synapses must lie inside"),
        ({"pre_index": [1, 0, 0, 1, 0, 1]}, "ordered by post, then pre, each once"),
        ({"pre_index": [0, 0, 0, 1, 0, 1]}, "each once"),
        ({"delay": [0, 1, 1, 1, 1, 1]}, "delays must be at least one step"),
        ({"post_size": 4}, "its sizes do not match its populations"),
        ({"post": "ghost"}, "its sizes do not match its populations"),
        ({"weight": [math.nan, 1, 1, 1, 1, 1]}, "weights must be finite"),
    ],
)
def test_a_projection_that_is_not_sound_is_refused(change: dict[str, object], says: str) -> None:
    program = small()
    projection = dataclasses.replace(program.projections[0], **change)  # type: ignore[arg-type]
    with pytest.raises(CompileError) as caught:
        dataclasses.replace(program, projections=[projection])
    assert "projection 'in->out'" in str(caught.value) and says in str(caught.value)


def test_a_population_whose_arrays_do_not_fit_is_refused() -> None:
    program = small()
    population = dataclasses.replace(program.populations[0], bias=[0.0], refractory=[1, 2])
    with pytest.raises(CompileError, match=r"population 'out': bias must have shape \(3,\), got \(1,\)") as caught:
        dataclasses.replace(program, populations=[population])
    assert len(caught.value.faults) == 2


def test_a_rule_s_modulators_and_a_probe_s_target_exist() -> None:
    program = small()
    rule = dataclasses.replace(program.projections[0].rule, modulators={"ghost": 1.0})  # type: ignore[type-var]
    with pytest.raises(CompileError, match="projection 'in->out': there is no modulator 'ghost'"):
        dataclasses.replace(program, projections=[dataclasses.replace(program.projections[0], rule=rule)])
    with pytest.raises(CompileError, match="there is no population or projection 'ghost'"):
        program.with_probes([ProbeProgram(target="ghost", variable="v", every=1)])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"arithmetic": "ternary"}, "arithmetic must be 'float' or 'fixed', got 'ternary'"),
        ({"arithmetic": "fixed"}, "rounding must be 'toward zero' or 'down' or 'nearest', got 'none'"),
        ({"threshold_comparison": "=="}, "threshold_comparison must be '>' or '>=', got '=='"),
        ({"reset": "half"}, "reset must be 'zero' or 'subtract' or 'none', got 'half'"),
        ({"rounding": "floor"}, "rounding must be 'none'"),
        ({"integration": "magic"}, "integration must be 'exponential' or 'euler', got 'magic'"),
        ({"delay_convention": "x"}, "delay_convention must be 'arrival'"),
        ({"dt": -1.0}, "dt must be a float > 0 s, got -1.0"),
        ({"probes": [ProbeProgram(target="out", variable="v", every=0)]}, "every must be at least one step, got 0"),
        ({"probes": [ProbeProgram(target="out", variable="weight", every=1)]}, "it has spikes, u, v, not 'weight'"),
        ({"probes": [ProbeProgram(target="in", variable="v", every=1)]}, "it has spikes, not 'v'"),
    ],
)
def test_a_program_that_says_what_this_version_does_not_mean_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CompileError) as caught:
        dataclasses.replace(small(), **changes)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("decay_u", np.nan, "decay_u must be 0 to 1, got nan"),
        ("decay_v", 2.0, "decay_v must be 0 to 1, got 2.0"),
        ("threshold", -1.0, "threshold must be > 0, got -1.0"),
        ("bias", np.inf, "bias must be finite, got inf"),
        ("refractory", -1, "refractory must be >= 0 steps, got -1"),
    ],
)
def test_parameters_out_of_range_are_refused_in_programs_too(field: str, value: float, says: str) -> None:
    program = small()
    population = program.populations[0]
    wrong = dataclasses.replace(population, **{field: np.full(population.size, value)})
    with pytest.raises(CompileError) as caught:
        dataclasses.replace(program, populations=(wrong,))
    assert says in str(caught.value)


def test_numbers_of_numpy_make_the_same_program_as_plain_ones(tmp_path: Path) -> None:
    def built(number: type) -> Program:
        rule = nm.RewardModulatedSTDP(modulator="r", learning_rate=number(0.1), tau_e=number(0.5), A_plus=number(0.3))
        net = nm.Network(
            populations=[nm.Input("in", np.int64(2) if number is np.float64 else 2), nm.Population("out", 1, nm.LIF())],
            projections=[nm.Projection("in", "out", nm.AllToAll(number(0.5)), plasticity=rule)],
            modulators=[nm.Modulator("r")],
        )
        return nm.compile(net, dt=number(1e-3), integration="euler")

    built(np.float64).save(tmp_path / "a.npz")
    assert Program.load(tmp_path / "a.npz").fingerprint == built(float).fingerprint


def test_traces_of_other_kinds_are_saved_and_usual_ones_as_ever(tmp_path: Path) -> None:
    """What a trace is by default no file says, so that programs of before keep their fingerprints."""
    traces = {"x1": nm.Trace(10e-3, 1.0, "nearest"), "y1": nm.Trace(0.0, 2.0, source="v"), "x2": nm.Trace(10e-3)}
    rule = nm.LearningRule(dw="x1*x2*y0 - pos(y1 - 0.5)*x0", **traces)  # type: ignore[arg-type]
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5), plasticity=rule, name="p")],
    )
    program = nm.compile(net)
    program.save(tmp_path / "p.npz")
    for read in (nm.Program.load(tmp_path / "p.npz"), loads(dumps(program))):
        assert read.fingerprint == program.fingerprint
        assert read.projection("p").rule == program.projection("p").rule
    text = dumps(program)
    assert text.count("nearest") == text.count("source") == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epoch": 2}, "trace y1 follows v, which needs epochs of one step, got 2"),
        (
            {"traces": {"y1": TraceProgram(impulse=1.0, decay=0.5, source="v", nearest=True)}},
            "must follow 'spikes', or 'v'",
        ),
        ({"traces": {"y1": TraceProgram(impulse=1.0, decay=0.5, source="u")}}, "must follow 'spikes', or 'v'"),  # type: ignore[arg-type]
    ],
)
def test_traces_that_cannot_be_are_refused(changes: dict[str, object], says: str) -> None:
    rule = nm.LearningRule(dw="y1*x0", y1=nm.Trace(10e-3, source="v"))
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5), plasticity=rule, name="p")],
    )
    program = nm.compile(net)
    projection = program.projection("p")
    wrong = dataclasses.replace(projection, rule=dataclasses.replace(projection.rule, **changes))  # type: ignore[type-var, arg-type]
    with pytest.raises(CompileError, match=re.escape(says)):
        dataclasses.replace(program, projections=[wrong])


def test_weights_of_a_sparse_projection_go_back_as_a_session_gives_them() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 5), nm.Population("out", 4, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.FixedProbability(0.5, nm.Uniform(0.1, 0.9), seed=1))],
    )
    program = nm.compile(net)
    with nm.open(program, backend="reference") as session:
        weights = session.read("in->out.weight")
    assert program.with_weights({"in->out": weights}).fingerprint == program.fingerprint
    assert program.with_weights({"in->out": 2 * weights}).projections[0].weight.tolist() == (2 * weights).data.tolist()
    weights.data[0] = 0.0
    weights.eliminate_zeros()
    with pytest.raises(InputError, match="weights of 'in->out': the matrix must store exactly the 12 synapses"):
        program.with_weights({"in->out": weights})
