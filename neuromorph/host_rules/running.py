"""A run in chunks, with host rules that act after each: the same loop on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from neuromorph.errors import InputError, is_count, raise_faults
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.joining import joined
from neuromorph.recording import Recording, SpikeTrain
from neuromorph.session import Session
from neuromorph.session_inputs import checked_inputs, third_factor_faults

Feed = Mapping[str, Any] | Callable[[int, int], Mapping[str, Any]] | None
Progress = Callable[[int, int], None]


def run_with_host_rules(
    session: Session,
    steps: int,
    *,
    rules: Sequence[HostRule[Any] | HostRuleState],
    every: int = 100,
    inputs: Feed = None,
    modulators: Feed = None,
    from_rest: bool = False,
    progress: Progress | None = None,
) -> Recording:
    """Run ``steps`` steps and let ``rules`` act, in their order, after every ``every`` of them and at the end.

    ``inputs`` and ``modulators`` as :meth:`Session.run` takes them, or functions that give those of the next chunk from
    the steps already run here and the steps it has. A :class:`HostRule` begins anew; what its ``open(session)`` gave
    goes on from an earlier call. With ``from_rest`` the session is reset before each chunk: chunks are then samples that
    are shown one by one. ``progress`` is called with the steps run and ``steps`` after each chunk.

    It reads and writes only what any session lets read and write, so it runs on every backend. Returns the recording of
    the whole run. Raises :class:`InputError` before anything runs.

    >>> import neuromorph as nm
    >>> net = nm.Network(populations=[nm.Population("out", 1, nm.LIF(bias=0.2))], probes=[nm.Probe("out")])
    >>> slow = nm.IntrinsicExcitability(population="out", rate_target=10.0)
    >>> with nm.open(net) as session:
    ...     recording = nm.run_with_host_rules(session, 12_000, rules=[slow], every=200)
    >>> spikes = recording.spikes["out"]
    >>> bool(spikes.between(0, 1000).counts()[0] > 50), bool(abs(spikes.last(10_000).counts()[0] - 100) < 5)
    (True, True)
    """
    chunks = chunks_with_host_rules(
        session,
        steps,
        rules=rules,
        every=every,
        inputs=inputs,
        modulators=modulators,
        from_rest=from_rest,
        progress=progress,
    )
    return joined([chunk.recording for chunk in chunks])


def chunks_with_host_rules(
    session: Session,
    steps: int,
    *,
    rules: Sequence[HostRule[Any] | HostRuleState],
    every: int = 100,
    inputs: Feed = None,
    modulators: Feed = None,
    from_rest: bool = False,
    progress: Progress | None = None,
) -> Iterator[Chunk]:
    """:func:`run_with_host_rules` a chunk at a time, for loops that look in between and for runs too long to record."""
    if not is_count(steps):
        raise InputError(f"steps must be a whole number >= 0, got {steps!r}")
    if not is_count(every, 1):
        raise InputError(f"every must be a whole number of steps >= 1, got {every!r}")
    states = opened(session, rules)
    whole_inputs, whole_modulators = _checked(session, steps, inputs, modulators)
    return _chunks(session, steps, every, states, whole_inputs, whole_modulators, from_rest, progress)


def opened(session: Session, rules: Sequence[HostRule[Any] | HostRuleState]) -> list[HostRuleState]:
    """The states of rules; raises :class:`InputError` with all that the session's program lacks for any of them."""
    faults: list[str] = []
    states: list[HostRuleState] = []
    for rule in rules:
        if isinstance(rule, HostRuleState):
            states.append(rule)
        elif not isinstance(rule, HostRule):
            faults.append(f"rules must be host rules, or what their open(session) gave, got {rule!r}")
        else:
            try:
                states.append(rule.open(session))
            except InputError as error:
                faults += error.faults
    raise_faults(InputError, faults)
    return states


def _checked(session: Session, steps: int, inputs: Feed, modulators: Feed) -> tuple[Feed, Feed]:
    """What is given for the whole run, checked as a whole; functions are asked, and checked, chunk by chunk."""
    given = [{} if feed is None or callable(feed) else feed for feed in (inputs, modulators)]
    fed, factors = checked_inputs(session.program, steps, given[0], given[1])
    raise_faults(InputError, third_factor_faults(session.program, factors))
    return (
        inputs if callable(inputs) else {name: fed[name] for name in given[0]},
        modulators if callable(modulators) else {name: factors[name] for name in given[1]},
    )


def _chunks(
    session: Session,
    steps: int,
    every: int,
    states: list[HostRuleState],
    inputs: Feed,
    modulators: Feed,
    from_rest: bool,
    progress: Progress | None,
) -> Iterator[Chunk]:
    for state in states:
        state.begin(session)
    for start in range(0, max(steps, 1), every):
        stop = min(start + every, steps)
        if from_rest:
            session.reset()
        fed, factors = checked_inputs(
            session.program, stop - start, _part(inputs, start, stop), _part(modulators, start, stop)
        )
        recording = session.run(stop - start, inputs=fed, modulators=factors)
        chunk = Chunk(recording=recording, inputs=fed, modulators=factors)
        if stop > start:
            for state in states:
                state.update(session, chunk)
            for state in states:
                state.begin(session)
        yield chunk
        if progress is not None:
            progress(stop, steps)


def _part(feed: Feed, start: int, stop: int) -> Mapping[str, Any]:
    """What is fed in steps ``start`` to ``stop``."""
    if feed is None:
        return {}
    if callable(feed):
        return feed(start, stop - start)
    return {
        name: values.between(start, stop) if isinstance(values, SpikeTrain) else values[start:stop]
        for name, values in feed.items()
    }
