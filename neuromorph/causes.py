"""Why two backends part: the reference runs again with one convention switched at a time, and one run is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from neuromorph import registry
from neuromorph.arithmetic import ALIGNMENT, STATE_LIMIT
from neuromorph.backend import Backend
from neuromorph.divergence import Cause, CauseClass, Divergence, Window, WindowRow, number_text
from neuromorph.lockstep import BEFORE, TOLERANCE, Difference, Experiment, Follower, Pair, Piece, first_difference
from neuromorph.parts import NEURON_STATES, SYNAPSE_STATES
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.program import Program
from neuromorph.variants import Variant, variants, variants_of

BEYOND = 50  # steps after a divergence through which a switched reference must follow, as far as there are any
MOST_STEPS, MOST_UPDATES = 20_000, 10_000_000  # up to a divergence, and neurons times these: a cause is looked for
_KEPT_VALUES = 20_000_000  # states of the steps around a divergence that are held in memory
_PIECE = 256  # steps
SINGLE_PRECISION = 1e-6  # relative: some tens of roundings of float32


def explain(experiment: Experiment, backends: tuple[Backend, Backend], last: int, *, why: bool) -> Divergence | None:
    """The first difference of two backends in the steps up to ``last`` with its window and, with ``why``, its cause.

    None where they do not differ when they run in steps and pieces.
    """
    pair = Pair(experiment=experiment, backends=backends)
    located = pair.first_difference(last)
    if located is None:
        return None
    found, around = located
    cause = _Search(pair, found, around).cause() if why else None
    return _divergence(pair, found, around, cause)


class _Search:
    """For the likely cause of one difference."""

    def __init__(self, pair: Pair, found: Difference, around: Sequence[tuple[Piece, Piece]]) -> None:
        self.pair, self.found, self.around, self.experiment = pair, found, around, pair.experiment
        learned = self.experiment.learned_values
        beyond = BEYOND if learned == 0 else max(1, min(BEYOND, _KEPT_VALUES // learned))
        self.last = min(self.experiment.steps, found.step + beyond)
        self.reference = registry.get("reference")
        self.names = _names(pair)

    def cause(self) -> Cause:
        """The class of the cause, by what reproduces it."""
        step, most = self.found.step, min(MOST_STEPS, MOST_UPDATES // self.experiment.neurons)
        if step > most:
            reason = f"not looked for so late: of {self.experiment.neurons} neurons {most} steps are run again"
            return Cause(classes=("unknown",), reason=reason)
        odd, tape = 1, self._tape(1)
        if not self._repeats(tape):
            reason = f"{self.names[1]} does not repeat itself with the same seed"
            return Cause(classes=("random stream",), reason=reason)
        plain = Variant(switch="", kind="unknown", program=self.experiment.program, seed=self.experiment.seed)
        if self._follows(plain, tape) >= step:  # the reference does as the second one: the first is the odd one
            odd, tape = 0, self._tape(0)
        program, seed = self.experiment.program, self.experiment.seed
        tried = [*variants(program, seed), *variants_of(program, self.found, seed)]
        followed = [(self._follows(variant, tape), variant) for variant in tried]
        furthest = max((steps for steps, _ in followed), default=0)
        best = [variant for steps, variant in followed if steps == furthest]
        switches = tuple(variant.switch for variant in tried)
        if furthest < step:
            return self._guess(odd, switches)
        told = " or with ".join(variant.switch for variant in best)
        subject = "" if odd == 1 else f"it is {self.names[0]} that is "
        if furthest >= self.last:
            reason = f"{subject}reproduced by the reference with {told}"
        else:
            reason = f"the reference with {told} does as {self.names[odd]} until step {furthest}, not further"
        return Cause(
            classes=tuple(dict.fromkeys(variant.kind for variant in best)),
            reproduced=furthest >= self.last,
            switches=tuple(variant.switch for variant in best),
            reason=reason,
            tried=switches,
        )

    @cached_property
    def _stops(self) -> list[int]:
        """Ends of pieces: long ones before the difference, then single steps where something is learned."""
        step, experiment = self.found.step, self.experiment
        before = list(experiment.stops(0, step - 1, _PIECE))
        return before + (list(range(step, self.last + 1)) if experiment.learned else [self.last])

    def _tape(self, which: int) -> list[Piece]:
        """What one of the backends does, to the end of what is looked at; of early steps the spikes alone."""
        per_step = 2 * self.experiment.neurons + self.experiment.learned_values // _PIECE
        keep = self.found.step - max(_PIECE, _KEPT_VALUES // per_step)
        tape = []
        with np.errstate(all="ignore"), Follower(self.experiment, self.pair.backends[which]) as follower:
            for stop in self._stops:
                piece = follower.advance(stop)
                tape.append(piece if stop >= keep else piece.spikes_only())
        return tape

    def _repeats(self, tape: Sequence[Piece]) -> bool:
        """Whether the tape of the second backend holds the value that it differed by."""
        address, expected = (self.found.variable, self.found.owner), self.found.values[1]
        for piece in tape:
            if piece.start < self.found.step <= piece.stop:
                if address in piece.series:
                    value = float(piece.series[address][self.found.step - piece.start - 1, self.found.index])
                else:
                    value = piece.value(address, self.found.index)
                return value == expected or (value != value and expected != expected)
        return False

    def _follows(self, variant: Variant, tape: Sequence[Piece]) -> int:
        """How many steps the reference, so switched, does as the tape has it."""
        program = variant.program
        follower = Follower(self.experiment, self.reference, program=program, seed=variant.seed)
        with np.errstate(all="ignore"), follower:
            for piece in tape:
                differs = first_difference(program, follower.advance(piece.stop), piece, self.pair.relative)
                if differs is not None:
                    return differs.step - 1
        return self.last

    def _guess(self, odd: int, tried: tuple[str, ...]) -> Cause:
        """The likeliest cause where no switch reproduces the odd one."""
        name, suggested = self.names[odd], self._suggested(odd)
        if suggested is None:
            told = ", ".join(dict.fromkeys(switch.partition(" = ")[0] for switch in tried))
            reason = f"nothing that was tried makes the reference do as {name} ({told})"
            return Cause(classes=("unknown",), reason=reason, tried=tried)
        kind, sign = suggested
        return Cause(classes=(kind,), reason=f"{sign}; nothing that was tried reproduces {name}", tried=tried)

    def _suggested(self, odd: int) -> tuple[CauseClass, str] | None:
        """What the values themselves suggest: a class, and the sign of it."""
        found, capabilities = self.found, self.pair.backends[odd].capabilities
        is_fixed = self.experiment.program.arithmetic == "fixed"
        if (capabilities.fixed_agreement if is_fixed else capabilities.agreement) == "statistical":
            return "random stream", "it declares that it agrees only in its statistics"
        if found.variable in (*NEURON_STATES, "spikes"):
            return self._of_currents(odd) or (self._of_integers() if is_fixed else self._of_floats())
        limit = self._limit()
        if limit is not None:
            return "saturation", limit
        if is_fixed and self._apart == 1:
            return "random stream", "one unit apart where rounding is drawn at random"
        return None if is_fixed else self._of_floats()

    @property
    def _at(self) -> int:
        """Where among the steps around the difference its own is."""
        return next(index for index, (mine, _) in enumerate(self.around) if mine.stop == self.found.step)

    @property
    def _apart(self) -> float:
        mine, theirs = self.found.values
        return abs(mine - theirs)

    def _of_integers(self) -> tuple[CauseClass, str] | None:
        """Of u and v in fixed point."""
        found, apart = self.found, self._apart
        if apart == 2 * STATE_LIMIT:
            return "wrap", "2^24 apart"
        if STATE_LIMIT - 1 in map(abs, found.values):
            return "saturation", "one of them stands at the limit of 24 bits"
        if apart == 1 and found.variable != "spikes":
            return "rounding", "one unit apart"
        onto = [p for p in self.experiment.program.projections if p.post == found.owner and p.weight_exponent < 0]
        if found.variable == "u" and onto and apart % 2**ALIGNMENT == 0 and apart <= len(onto) * 2**ALIGNMENT:
            return "rounding", "one unit of a weight apart where sums of weights are shifted down"
        return None

    def _of_floats(self) -> tuple[CauseClass, str] | None:
        """Of anything in float."""
        if self._is_near_threshold():
            return "rounding", "the membrane lies within rounding of its threshold"
        if self.found.variable != "spikes" and self._apart <= SINGLE_PRECISION * max(
            abs(self.found.values[0]), self._scale()
        ):
            return "rounding", "no further apart than single precision leaves them"
        return None

    def _of_currents(self, odd: int) -> tuple[CauseClass, str] | None:
        """Of a u to which nothing comes on the odd one, or that forgets what it was where its neuron has spiked."""
        found, at, program = self.found, self._at, self.experiment.program
        if found.variable != "u" or at == 0:
            return None
        value, expected = found.values[odd], found.values[1 - odd]
        keeps = program.population(found.owner).decay_u[found.index]
        kept = self.around[at - 1][odd].value(("u", found.owner), found.index) * keeps
        near = 1.0 if program.arithmetic == "fixed" else TOLERANCE * max(abs(kept), self._scale())
        now_and_before = self.around[at - 1 : at + 1]
        has_spiked = any(pair[odd].value(("spikes", found.owner), found.index) for pair in now_and_before)
        if has_spiked and abs(kept) > near and (value == 0 or abs(expected - value - kept) <= near):
            return "reset", "u forgets what it was where the neuron has spiked"
        if abs(value - kept) <= near:
            return "delay", "nothing arrives in this step"
        return None

    def _limit(self) -> str | None:
        """Whether one value of a rule stands at a bound and the other lies beyond it."""
        rule, (mine, theirs) = self.experiment.program.projection(self.found.owner).rule, self.found.values
        bounds = {"weight": () if rule is None else (rule.w_min, rule.w_max)}.get(self.found.variable, ())
        for bound, sign in zip(bounds, (-1, 1), strict=False):
            if bound in (mine, theirs) and sign * (mine + theirs - 2 * bound) > 0:
                return f"one of them stands at the rule's bound {number_text(bound)}, and the other beyond it"
        return None

    def _scale(self) -> float:
        """The threshold, for u and v."""
        if self.found.variable not in NEURON_STATES:
            return 0.0
        threshold = float(self.experiment.program.population(self.found.owner).threshold[self.found.index])
        return threshold if np.isfinite(threshold) else 0.0

    def _is_near_threshold(self) -> bool:
        """Whether one spikes and the other does not, from membranes that round to either side of the threshold."""
        found, at = self.found, self._at
        if found.variable not in ("v", "spikes"):
            return False
        population, index = self.experiment.program.population(found.owner), found.index
        spiked, membranes = set(), []
        for side in (0, 1):
            now = self.around[at][side]
            before = self.around[at - 1][side].value(("v", found.owner), index) if at else 0.0
            membranes.append(
                before * population.decay_v[index] + now.value(("u", found.owner), index) + population.bias[index]
            )
            spiked.add(now.value(("spikes", found.owner), index))
        threshold = population.threshold[index]
        if population.decay_threshold is not None and at:  # what earlier spikes have added, by the first of the two
            earlier = self.around[at - 1][0].value(("threshold_adaptation", found.owner), index)
            threshold = threshold + population.decay_threshold[index] * earlier
        return len(spiked) == 2 and all(abs(membrane - threshold) <= TOLERANCE * threshold for membrane in membranes)


def named_apart(first: str, second: str) -> tuple[str, str]:
    """The names of two backends, or of one that was compared with itself.

    >>> named_apart("nengo", "nengo")
    ('nengo', 'the other nengo')
    """
    return (first, second) if first != second else (first, f"the other {second}")


def _names(pair: Pair) -> tuple[str, str]:
    return named_apart(*(backend.name for backend in pair.backends))


def _divergence(
    pair: Pair, found: Difference, around: Sequence[tuple[Piece, Piece]], cause: Cause | None
) -> Divergence:
    """The difference with names for numbers."""
    program = pair.experiment.program
    projection, pre_neuron, population, neuron = "", None, found.owner, found.index
    if found.variable not in (*NEURON_STATES, "spikes"):
        owner = program.projection(found.owner)
        projection = owner.name
        population = owner.pre if found.variable in PRE_TRACES else owner.post
        if found.variable in SYNAPSE_STATES:
            neuron, pre_neuron = int(owner.post_index[found.index]), int(owner.pre_index[found.index])
    at = next(index for index, (mine, _) in enumerate(around) if mine.stop == found.step)
    spiked, other_spiked = (bool(piece.value(("spikes", population), neuron)) for piece in around[at])
    return Divergence(
        step=found.step,
        population=population,
        neuron=neuron,
        reference_spiked=spiked if spiked != other_spiked else None,
        variable=found.variable,
        projection=projection,
        pre_neuron=pre_neuron,
        backends=_names(pair),
        values=found.values,
        window=_window(program, found, around[max(0, at - BEFORE) :], (population, neuron), pre_neuron),
        cause=cause,
    )


def _window(
    program: Program,
    found: Difference,
    around: Sequence[tuple[Piece, Piece]],
    place: tuple[str, int],
    pre_neuron: int | None,
) -> Window:
    """What differs, then states and spikes of its neuron, then the spikes of the presynaptic one."""
    population, neuron = place
    is_input = population in {item.name for item in program.inputs}
    states = ["spikes"] if is_input else ["u", "v", "spikes", *program.population(population).states[2:]]
    where = f"[{neuron}]" if pre_neuron is None else f"[{pre_neuron} -> {neuron}]"
    wanted = [(f"{found.owner}.{found.variable}{where}", (found.variable, found.owner), found.index)]
    wanted += [(f"{population}.{name}[{neuron}]", (name, population), neuron) for name in states]
    if pre_neuron is not None:
        pre = program.projection(found.owner).pre
        wanted.append((f"{pre}.spikes[{pre_neuron}]", ("spikes", pre), pre_neuron))
    rows = {}
    for what, address, index in wanted:
        mine, theirs = (tuple(pieces[side].value(address, index) for pieces in around) for side in (0, 1))
        rows[what] = WindowRow(what=what, reference=mine, other=theirs)
    return Window(
        steps=tuple(mine.stop for mine, _ in around),
        rows=tuple(rows.values()),
        threshold=None if is_input else float(program.population(population).threshold[neuron]),
    )
