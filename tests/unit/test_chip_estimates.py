"""One run on several chips: placed where it can be, a reason where not, and the term that matters most."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.chip_estimates import ChipEstimate, Dominant, estimate_on_chips
from neuromorph.cost import Range, Term
from neuromorph.costs import estimate
from neuromorph.errors import ChipError
from neuromorph.program import Program
from neuromorph.recording import Recording


def small() -> tuple[Program, list[Recording]]:
    """Two chunks of one run."""
    net = nm.Network(
        populations=[nm.Input("in", 20), nm.Population("out", 10, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.4))],
    )
    program = nm.compile(net)
    spikes = np.random.default_rng(1).random((40, 20)) < 0.2
    with nm.open(program.with_all_spikes()) as session:
        return program, [session.run(20, inputs={"in": part}) for part in (spikes[:20], spikes[20:])]


def term(name: str, cost_set: str, high: float, *, shared: bool = False) -> Term:
    return Term(
        name=name, cost_set=cost_set, shared=shared, count=Range(1.0, 1.0), coefficient=Range(0.0, high), unit="J",
        source="", status="assumed",
    )  # fmt: skip


def test_every_chip_has_the_cost_that_estimate_gives_with_its_own_placement() -> None:
    program, recordings = small()
    found = estimate_on_chips(program, recordings, ["loihi1", "cpu"])
    assert [one.chip for one in found] == ["loihi1", "cpu"]
    assert found[0].cost == estimate(recordings, "loihi1", nm.place(program, "loihi1"))
    assert found[0].placement is not None and found[0].reason == ""
    assert found[1].cost == estimate(recordings, "cpu") and found[1].placement is None


def test_without_placing_there_are_bounds() -> None:
    program, recordings = small()
    (found,) = estimate_on_chips(program, recordings, ["loihi1"], placed=False)
    assert found.placement is None and found.cost == estimate(recordings, "loihi1")


def test_what_does_not_fit_is_estimated_with_bounds_and_the_reason() -> None:
    too_wide = nm.Network(
        populations=[nm.Input("in", 5000), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.1))],
    )
    program = nm.compile(too_wide)
    recording = nm.run(program.with_all_spikes(), 5, inputs={"in": np.ones((5, 5000))})
    (found,) = estimate_on_chips(program, recording, ["loihi1"])
    assert found.placement is None and found.cost is not None
    assert found.reason.startswith("not placed: ") and "axon" in found.reason


def test_a_chip_that_tells_too_little_is_a_row_with_its_reason(tmp_path: Path) -> None:
    program, recordings = small()
    found = estimate_on_chips(program, recordings, ["akida_akd1000", "loihi1"])
    assert found[0].cost is None and "akida" in found[0].reason
    assert found[1].cost is not None
    assert found[0].to_json() == {"chip": "akida_akd1000", "available": False, "reason": found[0].reason}


def test_unknown_chips_are_refused_before_any_work() -> None:
    program, recordings = small()
    told: list[str] = []
    with pytest.raises(ChipError, match="loihi9"):
        estimate_on_chips(program, recordings, ["loihi1", "loihi9"], progress=lambda what, share: told.append(what))
    assert told == []


def test_the_dominant_term_is_the_largest_share_of_its_own_account() -> None:
    terms = [term("a", "one", 6.0), term("b", "one", 4.0), term("c", "two", 30.0), term("d", "two", 70.0)]
    by_set = {"one": Range(0.0, 10.0), "two": Range(0.0, 100.0)}
    assert Dominant.of(terms, by_set) == Dominant(term=terms[3], share=0.7)
    # what all accounts share counts where least is beside it
    shared = term("s", "system", 90.0, shared=True)
    both = {"one": Range(0.0, 100.0), "two": Range(0.0, 190.0)}
    assert Dominant.of([*terms, shared], both) == Dominant(term=shared, share=0.9)
    assert Dominant.of([term("a", "one", 0.0)], {"one": Range(0.0, 0.0)}) is None


def test_json_holds_totals_terms_and_how_they_came_about() -> None:
    program, recordings = small()
    rows = json.loads(json.dumps([one.to_json() for one in estimate_on_chips(program, recordings, ["loihi1", "cpu"])]))
    loihi, cpu = rows
    assert (loihi["placed"], loihi["cores_used"], cpu["placed"]) == (True, 1, False)
    energy, latency, product = (loihi[name] for name in ("energy_joule", "latency_second", "energy_delay_product"))
    assert product == {end: pytest.approx(energy[end] * latency[end]) for end in ("low", "high")}
    assert 0 < loihi["dominant_energy_term"]["share"] <= 1
    assert {"name", "source", "status"} <= loihi["energy_terms"][0].keys()


def test_progress_rises_to_the_end() -> None:
    program, recordings = small()
    shares: list[float] = []
    found = estimate_on_chips(program, recordings, ["loihi1", "cpu"], progress=lambda what, share: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert all(isinstance(one, ChipEstimate) for one in found)
