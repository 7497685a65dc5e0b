import numpy as np
import pytest

import neuromorph as nm
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.errors import BackendUnavailable, CompileError, InputError


def network() -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0.0, 1.0)))],
        probes=[nm.Probe("out")],
    )


SPIKES = {"in": np.random.default_rng(0).random((50, 3)) < 0.3}


def test_a_network_and_its_program_run_alike() -> None:
    short = nm.run(network(), 50, inputs=SPIKES, seed=3)
    program = nm.compile(network(), seed=3)
    with nm.open(program, seed=3) as session:
        long = session.run(50, inputs=SPIKES)
    again = nm.run(program, 50, inputs=SPIKES, backend=ReferenceBackend())
    assert short.spikes["out"].equals(long.spikes["out"]) and short.spikes["out"].equals(again.spikes["out"])
    assert len(short.spikes["out"]) > 0
    assert short.program_fingerprint == program.fingerprint


def test_a_network_is_opened_with_its_seed_and_steps() -> None:
    with nm.open(network(), seed=3) as session:
        assert session.program.fingerprint == nm.compile(network(), seed=3).fingerprint
    assert nm.run(network(), 1, dt=2e-3).dt == 2e-3


def test_the_session_of_a_run_is_closed_even_where_the_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    monkeypatch.setattr("neuromorph.backends.reference.ReferenceSession._close", lambda self: closed.append(True))
    with pytest.raises(InputError):
        nm.run(network(), 50, inputs={"in": np.ones((3, 3))})
    nm.run(network(), 50, inputs=SPIKES)
    assert closed == [True, True]


def test_what_is_wrong_is_said_before_anything_runs() -> None:
    with pytest.raises(BackendUnavailable, match="there is no backend 'loihi'"):
        nm.run(network(), 5, backend="loihi")
    with pytest.raises(CompileError, match="dt must be > 0 s"):
        nm.run(network(), 5, dt=0)
    with pytest.raises(InputError, match="has no option"):
        nm.run(network(), 5, speed="fast")
