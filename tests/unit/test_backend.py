import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.backend import Availability, Backend, Capabilities, Gap, Session
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.errors import InputError, UnsupportedError
from neuromorph.program import Program
from neuromorph.testing import feature_cases, minimal_cases


@dataclass(frozen=True)
class Lacking(Backend):
    """The reference without delays and learning."""

    name: ClassVar[str] = "lacking"
    capabilities: ClassVar[Capabilities] = Capabilities(
        gaps={"delay": Gap("no wires", "never"), "learning": Gap("no patience", "ours")}
    )

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return ReferenceBackend().open(program, seed=seed, stall_second=stall_second)


def test_a_program_with_gaps_is_refused_with_all_of_them_before_anything_opens() -> None:
    with pytest.raises(UnsupportedError) as caught:
        Lacking().open(feature_cases()["learning_delay"].program)
    assert [fault.partition(" (")[0] for fault in caught.value.faults] == [
        "backend 'lacking' cannot run 'network': delay",
        "backend 'lacking' cannot run 'network': learning",
    ]
    with Lacking().open(minimal_cases()[0].program) as session:
        assert session.run(3).steps == 3


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_a_wrong_seed_is_refused(seed: object) -> None:
    with pytest.raises(InputError, match="seed must be a whole number >= 0, got"):
        ReferenceBackend().open(minimal_cases()[0].program, seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("second", [0.0, -1.0, math.nan, "60"])
def test_a_wrong_deadline_is_refused(second: object) -> None:
    with pytest.raises(InputError, match="stall_second must be > 0 s, got"):
        ReferenceBackend().open(minimal_cases()[0].program, stall_second=second)  # type: ignore[arg-type]


def test_a_session_knows_its_backend_and_its_seed() -> None:
    with ReferenceBackend().open(minimal_cases()[0].program, seed=np.int64(7)) as session:  # type: ignore[arg-type]
        recording = session.run(1)
    assert (recording.backend, recording.seed, type(recording.seed)) == ("reference", 7, int)
    assert recording.program_fingerprint == minimal_cases()[0].program.fingerprint


def test_sessions_of_one_program_do_not_share_state() -> None:
    case = feature_cases()["learning"]
    program = case.program.with_all_spikes()
    with nm.open(program) as busy, nm.open(program) as idle:
        first = busy.run(100, inputs={"in": case.inputs["in"][:100]})
        idle.write("out.bias", 0.0)
        second = idle.run(100, inputs={"in": case.inputs["in"][:100]})
    assert first.spikes["out"].equals(second.spikes["out"])
    assert program.fingerprint == case.program.with_all_spikes().fingerprint
