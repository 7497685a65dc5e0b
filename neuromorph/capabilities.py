"""What backends can run, as data: features, declared gaps, availability, and what a program asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from neuromorph.errors import InputError
from neuromorph.parts import ADAPTATION_ARRAYS, NEURON_ARRAYS
from neuromorph.program import Program, ProjectionProgram

FEATURES: Mapping[str, str] = {
    "fixed_point": "integers of a chip, with their shifts, wraps, saturation and stochastic rounding",
    "per_neuron_parameters": "time constants, thresholds, bias or refractory periods that differ within a population",
    "refractory": "a refractory period",
    "adaptive_threshold": "thresholds that rise with every spike of their neuron and decay (threshold_increment)",
    "sparse": "projections in which not every synapse exists",
    "delay": "delays of more than one step",
    "delay_per_synapse": "delays that differ within a projection",
    "several_delays": "a projection with a longer delay than another one onto the same population",
    "recurrent": "recurrent projections",
    "learning": "learning rules",
    "learning_sparse": "learning where not every synapse exists",
    "learning_delay": "learning on a projection with delays of more than one step",
    "learned_delays": "delays that learn (dd)",
    "tag": "eligibility tags",
    "third_factor": "a third factor per step",
    "third_factor_per_neuron": "a third factor per step and postsynaptic neuron",
    "several_modulators": "a third factor mixed from several modulators",
    "epoch": "learning epochs of more than one step",
    "sparse_dependency": "products that act on every 2^k-th epoch (u1 to u9)",
    "second_traces": "second and third traces (x2, y2, y3)",
    "non_decaying_trace": "traces that do not decay",
    "nearest_traces": "traces that a spike sets to its impulse instead of adding it (nearest-spike pairing)",
    "membrane_traces": "postsynaptic traces that follow the membrane potential",
    "factors": "factors with constants or signs, as in (w - 1) and sgn(w)",
    "rectified_factors": "positive parts of factors, as in pos(y1 - 0.5)",
    "weight_bounds": "hard weight bounds",
}


@dataclass(frozen=True)
class Gap:
    """A feature that a backend lacks: why, and whose work would close it."""

    reason: str
    owner: Literal["ours", "theirs", "never"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a backend runs, as data: every feature of :data:`FEATURES` that is not a gap is supported.

    ``agreement`` is the class in which its spikes agree with the reference: "exact", "tolerance" or "statistical".
    """

    gaps: Mapping[str, Gap] = field(default_factory=dict)
    agreement: Literal["exact", "tolerance", "statistical"] = "tolerance"
    runs_programs: bool = True  # False: it trains descriptions instead, and opens no session
    fixed_agreement: Literal["exact", "tolerance", "statistical"] = "exact"  # the same in fixed point
    any_convention: bool = False  # True: it runs programs with other conventions than the suite's own, as the reference
    checkpoints: bool = False  # True: its sessions can be saved, and resumed from what any other backend saved
    rewiring: bool = False  # True: its sessions can be given other synapses between two steps
    note: str = ""

    def __post_init__(self) -> None:
        unknown = set(self.gaps) - set(FEATURES)
        if unknown:
            raise InputError(
                f"Capabilities.gaps names unknown features {sorted(unknown)}; known: {', '.join(FEATURES)}"
            )

    def faults(self, program: Program) -> list[str]:
        """Every feature that ``program`` uses and this backend lacks: feature, where, why."""
        found = [
            f"{feature} ({FEATURES[feature]}) in {where}: {self.gaps[feature].reason}"
            for feature, where in requirements(program)
            if feature in self.gaps
        ]
        if program.unusual_conventions and not self.any_convention:
            told = ", ".join(f"{name} = {value!r}" for name, value in program.unusual_conventions.items())
            found.append(f"the program's conventions are not the suite's own ({told}): only the reference runs such")
        return found


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether a backend can run here; if not, the reason and the remedy."""

    available: bool
    reason: str = ""
    remedy: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)  # of the simulator's packages


def requirements(program: Program) -> list[tuple[str, str]]:
    """Features that a program uses, each with the places where it does."""
    uses: dict[str, list[str]] = {}

    def note(feature: str, condition: bool, where: str) -> None:
        if condition:
            uses.setdefault(feature, []).append(where)

    note("fixed_point", program.arithmetic == "fixed", "the program")
    longest: dict[str, set[int]] = {}
    for population in program.populations:
        where = f"population {population.name!r}"
        arrays = [getattr(population, name) for name in NEURON_ARRAYS]
        if population.adapts:
            arrays += [getattr(population, name) for name in ADAPTATION_ARRAYS]
        note("per_neuron_parameters", any(bool(np.any(a != a[0])) for a in arrays), where)
        note("refractory", bool(np.any(population.refractory > 0)), where)
        note("adaptive_threshold", population.adapts, where)
    for projection in program.projections:
        where = f"projection {projection.name!r}"
        if projection.synapses:
            longest.setdefault(projection.post, set()).add(projection.max_delay)
        note("sparse", not projection.is_full, where)
        note("delay", projection.max_delay > 1, where)
        note("delay_per_synapse", not projection.has_one_delay, where)
        note("recurrent", _is_recurrent(program, projection), where)
        if (rule := projection.rule) is None:
            continue
        factors = [f for target in rule.targets.values() for product in target.products for f in product.factors]
        sizes = {modulator.name: modulator.size for modulator in program.modulators}
        note("learning", True, where)
        note("learning_sparse", not projection.is_full, where)
        note("learning_delay", projection.max_delay > 1, where)
        note("learned_delays", rule.dd is not None, where)
        note("tag", rule.dt is not None, where)
        note("third_factor", bool(rule.modulators), where)
        note("third_factor_per_neuron", any(sizes[name] > 1 for name in rule.modulators), where)
        note("several_modulators", len(rule.modulators) > 1, where)
        note("epoch", rule.epoch > 1, where)
        note("sparse_dependency", any(d[0] == "u" and d != "u0" for d in rule.dependencies), where)
        note("second_traces", not {"x2", "y2", "y3"}.isdisjoint(rule.traces), where)
        note("non_decaying_trace", any(trace.decay == 1.0 for trace in rule.traces.values()), where)
        note("nearest_traces", any(trace.nearest for trace in rule.traces.values()), where)
        note("membrane_traces", any(trace.follows_membrane for trace in rule.traces.values()), where)
        note("factors", any((f.constant != 0 or f.sign) and not f.positive for f in factors), where)
        note("rectified_factors", any(f.positive for f in factors), where)
        note("weight_bounds", bool(np.isfinite(rule.w_min) or np.isfinite(rule.w_max)), where)
    for name, delays in longest.items():
        note("several_delays", len(delays) > 1, f"population {name!r}")
    return [(feature, ", ".join(places)) for feature, places in uses.items()]


def _is_recurrent(program: Program, projection: ProjectionProgram) -> bool:
    """Whether a spike can come back to the population that sent it through this projection."""
    reached, frontier = {projection.post}, [projection.post]
    while frontier:
        here = frontier.pop()
        for other in program.projections:
            if other.pre == here and other.post not in reached:
                reached.add(other.post)
                frontier.append(other.post)
    return projection.pre in reached
