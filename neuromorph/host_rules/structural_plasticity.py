"""Structural plasticity: synapses that are weak or idle go, others grow in their place, under a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from neuromorph.errors import UnsupportedError, is_count
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    FINITE,
    SECONDS,
    SEED,
    SHARE,
    choice_faults,
    modulator_faults,
    name_faults,
    number_faults,
    projection_faults,
    spike_faults,
)
from neuromorph.host_rules.weights import Weights, bounds, unit
from neuromorph.program import Program
from neuromorph.recording import FloatArray, IntArray
from neuromorph.session import Session

FEW_PAIRS = 1 << 22  # of so many, free places are listed; of more they are found by trying


@final
@dataclass(frozen=True, kw_only=True)
class StructuralPlasticity(HostRule["StructuralPlasticityState"]):
    """Every ``interval`` the least of the synapses go, a ``fraction`` of them, and new ones grow up to the budget.

    The least are those of least ``|w|``, or with ``prune`` "use" those of least ``|w| x`` (presynaptic spikes since the
    last time). New synapses grow where there is none, at random, or with ``grow`` "activity" with a chance in proportion
    to (1 + presynaptic spikes) (1 + postsynaptic spikes); a place that was just pruned stays free once. With ``grow``
    "error" they grow where ``|sum of presynaptic spikes x modulator|`` is greatest, the sum being over chunks: where a
    rule ``dw = x0 * r`` would have changed a weight most. Mocanu et al., Nature Communications 9:2383, 2018; Bellec et
    al., ICLR 2018 (Deep Rewiring); Evci et al., ICML 2020 (growth by error); Butz, Woergoetter and van Ooyen, Brain
    Research Reviews 60(2), 2009.

    With ``candidates`` "any" every pair of neurons may be connected, and :meth:`Session.rewire` makes it so: rows stay
    sparse, on backends that declare rewiring. With "declared" the synapses of the projection are all that may be used;
    those that are not weigh 0 and are held at 0 after each chunk, on every backend.

    >>> StructuralPlasticity(projection="in->out", interval=1.0, weight_new=0.1).fraction
    0.1
    """

    projection: str
    interval: float  # s
    weight_new: float  # of a synapse that grows
    fraction: float = 0.1  # of the synapses go each time
    budget: int | None = None  # synapses of the projection; None: as many as there are when the rule begins
    prune: Literal["weight", "use"] = "weight"
    grow: Literal["random", "activity", "error"] = "random"
    modulator: str = ""  # the error, of one value for each postsynaptic neuron; with grow="error"
    within: Literal["projection", "neuron"] = (
        "projection"  # "neuron": each postsynaptic one keeps its number of synapses
    )
    candidates: Literal["any", "declared"] = "any"
    seed: int = 0

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = [
            *name_faults(self, "projection"),
            *number_faults(self, SECONDS, "interval"),
            *number_faults(self, FINITE, "weight_new"),
            *number_faults(self, SHARE, "fraction"),
            *choice_faults(self, "prune", ("weight", "use")),
            *choice_faults(self, "grow", ("random", "activity", "error")),
            *choice_faults(self, "within", ("projection", "neuron")),
            *choice_faults(self, "candidates", ("any", "declared")),
            *number_faults(self, SEED, "seed"),
        ]
        if not isinstance(self.modulator, str) or bool(self.modulator) != (self.grow == "error"):
            found.append(f"modulator must be a name with grow='error', and empty else, got {self.modulator!r}")
        if self.budget is not None and not is_count(self.budget, 1):
            found.append(f"budget must be None or a whole number >= 1, got {self.budget!r}")
        if self.budget is not None and self.within == "neuron":
            found.append("budget must be None with within='neuron': each neuron keeps its number of synapses")
        return found

    def program_faults(self, program: Program) -> list[str]:
        """The projection, spikes where activity counts, and room for new synapses."""
        if found := projection_faults(program, self.projection):
            return found
        projection = program.projection(self.projection)
        if self.prune == "use" or self.grow != "random":
            found += spike_faults(program, projection.pre)
        if self.grow == "error":
            found += self._error_faults(program)
        if self.grow == "activity":
            found += spike_faults(program, projection.post)
        low, high = (bound * unit(program, projection) for bound in bounds(program, projection))
        if not low <= self.weight_new <= high:
            found.append(
                f"weight_new must lie within {low!r}..{high!r} of {self.projection!r}, got {self.weight_new!r}"
            )
        most = projection.synapses if self.candidates == "declared" else projection.post_size * projection.pre_size
        if self.budget is not None and self.budget > most:
            found.append(f"budget must be at most the {most} synapses that may exist, got {self.budget!r}")
        if self.candidates == "any" and any(
            probe.target == self.projection and probe.variable in ("weight", "tag") for probe in program.probes
        ):
            found.append(
                f"weights or tags of {self.projection!r} are probed, and their number changes: leave the probe out and"
                " read them between chunks, or use candidates='declared'"
            )
        return found

    def _error_faults(self, program: Program) -> list[str]:
        projection = program.projection(self.projection)
        if found := modulator_faults(program, self.modulator):
            return found
        size = next(modulator.size for modulator in program.modulators if modulator.name == self.modulator)
        if size != projection.post_size:
            found.append(f"modulator {self.modulator!r} must have size {projection.post_size}, got {size}")
        if (pairs := projection.post_size * projection.pre_size) > FEW_PAIRS:
            found.append(f"grow='error' looks at every pair of neurons, at most {FEW_PAIRS} of them, got {pairs}")
        return found

    def _state(self, session: Session) -> StructuralPlasticityState:
        if self.candidates == "any" and not session.can_be_rewired:
            raise UnsupportedError(
                f"StructuralPlasticity: backend {session.backend!r} cannot be rewired: declare every synapse of"
                f" {self.projection!r} that may ever exist, with weight 0 where it does not yet, and use"
                " candidates='declared'; or run on the reference or the emulator"
            )
        return StructuralPlasticityState(self, session)


@final
class StructuralPlasticityState(HostRuleState):
    """Spikes since the last rewiring; with declared candidates also which synapses are in use."""

    def __init__(self, rule: StructuralPlasticity, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        projection = session.program.projection(rule.projection)
        self.pre, self.post, self.pre_size = projection.pre, projection.post, projection.pre_size
        self.pre_spikes, self.post_spikes = np.zeros(projection.pre_size), np.zeros(projection.post_size)
        self.errors: FloatArray = np.zeros(projection.post_size * projection.pre_size if rule.grow == "error" else 0)
        self.random = np.random.default_rng(rule.seed)
        self.since = 0.0  # s
        self.pruned = self.grown = 0  # synapses, in all
        values = self.weights.read(session)
        in_use = np.ones(values.size) if rule.candidates == "any" else (values != 0).astype(np.float64)
        self.weights.remember("in use", in_use, new=1.0)
        self.budget = int(in_use.sum()) if rule.budget is None else rule.budget

    @property
    def synapses(self) -> int:
        """Synapses that are in use."""
        return int(np.count_nonzero(self.weights["in use"]))

    def update(self, session: Session, chunk: Chunk) -> None:
        """Count spikes, hold unused synapses at 0, and rewire where it is due."""
        rule = self.rule
        if rule.prune == "use" or rule.grow == "activity":
            self.pre_spikes += chunk.counts(self.pre)
        if rule.grow == "error":
            self.errors += np.outer(chunk.modulator(rule.modulator), chunk.counts(self.pre)).ravel()
        if rule.grow == "activity":
            self.post_spikes += chunk.counts(self.post)
        self.since += chunk.seconds
        is_due = self.since >= rule.interval * (1 - 1e-9)
        if is_due:
            self._rewire(session)
            self.since = 0.0
            for sums in (self.pre_spikes, self.post_spikes, self.errors):
                sums[:] = 0.0
        elif rule.candidates == "declared":
            self.weights.write(session, self.weights.read(session) * self.weights["in use"])

    def _rewire(self, session: Session) -> None:
        values = self.weights.read(session)
        keys = self.weights.keys()
        in_use = self.weights["in use"] > 0
        going = self._least(values, keys, in_use)
        taken = keys[in_use]  # also of those that go: they stay free this time
        wanted = self._wanted(keys[in_use & ~going])
        pool = None if self.rule.candidates == "any" else _without(keys, taken)
        grown = np.sort(self._places(taken, pool, wanted))
        self.pruned += int(np.count_nonzero(going))
        self.grown += grown.size
        if self.rule.candidates == "declared":
            place = np.searchsorted(keys, grown)
            values = np.where(in_use & ~going, values, 0.0)
            values[place] = self.rule.weight_new
            now = (in_use & ~going).astype(np.float64)
            now[place] = 1.0
            self.weights.remember("in use", now, new=1.0)
            self.weights.write(session, values)
            return
        stay = in_use & ~going
        after = np.concatenate([keys[stay], grown])
        order = np.argsort(after)
        new = np.concatenate([values[stay], np.full(grown.size, self.rule.weight_new)])
        self.weights.rewire(session, after[order], new[order])

    def _least(self, values: FloatArray, keys: IntArray, in_use: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which synapses go; of equals those drawn at random."""
        worth = np.abs(values)
        if self.rule.prune == "use":
            worth = worth * self.pre_spikes[keys % self.pre_size]
        synapses = self.random.permutation(np.flatnonzero(in_use))
        order = synapses[np.argsort(worth[synapses], kind="stable")]
        going = np.zeros(keys.size, dtype=np.bool_)
        if self.rule.within == "projection":
            excess = max(0, synapses.size - self.budget)
            going[order[: max(excess, int(np.ceil(self.rule.fraction * synapses.size)))]] = True
            return going
        post = keys[order] // self.pre_size
        counts = np.bincount(post, minlength=self.post_spikes.size)
        by_post = order[np.argsort(post, kind="stable")]  # least first within each neuron
        rank = np.arange(by_post.size) - np.repeat(np.cumsum(counts) - counts, counts)
        going[by_post[rank < np.repeat(np.ceil(self.rule.fraction * counts), counts)]] = True
        return going

    def _wanted(self, staying: IntArray) -> IntArray:
        """How many are to grow: in the whole projection, shape (1,), or onto each neuron, shape (post,)."""
        if self.rule.within == "projection":
            return np.array([max(0, self.budget - staying.size)])
        before = np.bincount(
            self.weights.keys()[self.weights["in use"] > 0] // self.pre_size, minlength=self.post_spikes.size
        )
        return np.asarray(before - np.bincount(staying // self.pre_size, minlength=before.size), dtype=np.int64)

    def _places(self, taken: IntArray, pool: IntArray | None, wanted: IntArray) -> IntArray:
        """Keys of new synapses, as many as wanted or as there are places for."""
        pairs = self.post_spikes.size * self.pre_size
        if self.rule.within == "neuron":
            found = [np.zeros(0, dtype=np.int64)]
            for post in np.flatnonzero(wanted):
                row = post * self.pre_size, (post + 1) * self.pre_size
                if pool is None:
                    free = _without(np.arange(*row), taken[slice(*np.searchsorted(taken, row))])
                else:
                    free = pool[slice(*np.searchsorted(pool, row))]
                found.append(self._drawn(free, int(wanted[post])))
            return np.concatenate(found)
        if pool is None and pairs > FEW_PAIRS and 2 * (taken.size + wanted[0]) < pairs:
            return self._tried(taken, int(wanted[0]))
        free = _without(np.arange(pairs), taken) if pool is None else pool
        return self._drawn(free, int(wanted[0]))

    def _drawn(self, free: IntArray, count: int) -> IntArray:
        count = min(count, free.size)
        if count == 0:
            return np.zeros(0, dtype=np.int64)
        if self.rule.grow == "random":
            return self.random.choice(free, count, replace=False)
        if self.rule.grow == "error":
            return free[np.argsort(-np.abs(self.errors[free]), kind="stable")[:count]]
        post, pre = np.divmod(free, self.pre_size)
        chance = (1.0 + self.pre_spikes[pre]) * (1.0 + self.post_spikes[post])
        return self.random.choice(free, count, replace=False, p=chance / chance.sum())

    def _tried(self, taken: IntArray, count: int) -> IntArray:
        """Free places among so many that they are not listed: drawn, and drawn again where they are taken."""
        chances = [
            None if self.rule.grow == "random" else (1.0 + spikes) / (1.0 + spikes).sum()
            for spikes in (self.post_spikes, self.pre_spikes)
        ]
        found = np.zeros(0, dtype=np.int64)
        while found.size < count:
            post, pre = (
                self.random.choice(spikes.size, count, p=chance)
                for spikes, chance in zip((self.post_spikes, self.pre_spikes), chances, strict=True)
            )
            drawn = np.sort(np.concatenate([found, post * self.pre_size + pre]))
            found = _without(drawn[np.diff(drawn, prepend=-1) > 0], taken)
        return self.random.permutation(found)[:count]


def _without(values: IntArray, taken: IntArray) -> IntArray:
    """Of ``values`` those that are not among ``taken``, both rising and each once; NumPy's own is ten times slower here."""
    if taken.size == 0:
        return values
    found: IntArray = values[taken[np.minimum(np.searchsorted(taken, values), taken.size - 1)] != values]
    return found
