"""Replay in sleep: a small store of what was shown before is shown again between tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from neuromorph.errors import InputError, is_count
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.joining import joined
from neuromorph.host_rules.parameters import COUNT, SEED, choice_faults, number_faults
from neuromorph.host_rules.running import run_with_host_rules
from neuromorph.program import Program
from neuromorph.recording import FloatArray, Recording, SpikeTrain
from neuromorph.session import Session


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What was fed in one chunk: spikes of the inputs, and modulators such as teachers."""

    steps: int
    inputs: dict[str, SpikeTrain]
    modulators: dict[str, FloatArray]


@final
@dataclass(frozen=True, kw_only=True)
class SleepReplay(HostRule["SleepReplayState"]):
    """Keeps ``capacity`` of the chunks that were run, each with equal chance; :meth:`SleepReplayState.sleep` shows them again.

    The k-th chunk enters with probability capacity / k in the place of a random one: after any number of chunks each of
    them is held with the same probability (reservoir sampling, algorithm R: Vitter, ACM Transactions on Mathematical
    Software 11(1), 1985). Modulators are stored and fed again with the spikes. With ``patterns`` "generated", sleep draws
    new spikes at each stored sample's mean rates, one chance for every neuron, instead of repeating their times. Interleaved
    replay against forgetting: McClelland, McNaughton and O'Reilly, Psychological Review 102(3), 1995; Robins, Connection
    Science 7(2), 1995.

    >>> SleepReplay(capacity=50).patterns
    'stored'
    """

    capacity: int  # chunks
    patterns: Literal["stored", "generated"] = "stored"
    seed: int = 0

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        return [
            *number_faults(self, COUNT, "capacity"),
            *choice_faults(self, "patterns", ("stored", "generated")),
            *number_faults(self, SEED, "seed"),
        ]

    def program_faults(self, program: Program) -> list[str]:
        """An input: without one there is nothing to show."""
        return [] if program.inputs else ["the program has no input, so that nothing can be shown again"]

    def _state(self, session: Session) -> SleepReplayState:
        return SleepReplayState(self)


@final
class SleepReplayState(HostRuleState):
    """The samples that are held."""

    def __init__(self, rule: SleepReplay) -> None:
        self.rule = rule
        self.samples: list[Sample] = []
        self.seen = 0  # chunks
        self.random = np.random.default_rng(rule.seed)

    def update(self, session: Session, chunk: Chunk) -> None:
        """Keep the chunk, or not."""
        del session
        self.seen += 1
        place = len(self.samples)
        if place == self.rule.capacity:
            place = int(self.random.integers(self.seen))
            if place >= self.rule.capacity:
                return
        sample = Sample(
            steps=chunk.recording.steps,
            inputs={name: chunk.train(name) for name in chunk.inputs},
            modulators={name: np.array(values) for name, values in chunk.modulators.items()},
        )
        self.samples[place : place + 1] = [sample]

    def sleep(
        self, session: Session, replays: int, *, rules: Sequence[HostRuleState] = (), from_rest: bool = True
    ) -> Recording:
        """Show ``replays`` of the samples, one drawn after the other in random passes, with learning at work.

        ``rules``, opened ones, act after each as they do awake. What is replayed is not stored again.
        """
        if not is_count(replays, 1):
            raise InputError(f"replays must be a whole number >= 1, got {replays!r}")
        if not self.samples:
            raise InputError("SleepReplay holds no sample: run chunks with it before it can sleep")
        if self in rules:
            raise InputError("SleepReplay.sleep does not store what it replays: leave it out of rules")
        passes = -(-replays // len(self.samples))
        order = np.concatenate([self.random.permutation(len(self.samples)) for _ in range(passes)])[:replays]
        return joined([self._show(session, self.samples[index], rules, from_rest) for index in order])

    def _show(self, session: Session, sample: Sample, rules: Sequence[HostRuleState], from_rest: bool) -> Recording:
        inputs: dict[str, Any] = dict(sample.inputs)
        if self.rule.patterns == "generated":
            inputs = {
                name: self.random.random(train.shape) < train.counts() / train.shape[0]
                for name, train in sample.inputs.items()
            }
        return run_with_host_rules(
            session,
            sample.steps,
            rules=rules,
            every=sample.steps,
            inputs=inputs,
            modulators=sample.modulators,
            from_rest=from_rest,
        )
