"""From a network in seconds to a program in steps of dt."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.compact import frozen, repeated
from neuromorph.errors import CompileError, is_number, raise_faults
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.neurons import LIF, Neuron, Parameter
from neuromorph.plasticity import LearningRule
from neuromorph.plasticity.language import Factor, Product, SumOfProducts
from neuromorph.program import (
    Integration,
    PopulationProgram,
    ProbeProgram,
    Program,
    ProjectionProgram,
    RuleProgram,
    TraceProgram,
)
from neuromorph.recording import FloatArray, IntArray

LARGEST_STEP_ERROR = 1e-3  # steps; however long a time is, half a step is not a whole one
MOST_STEPS = 2**31 - 1  # what every simulator can count
WHOLE_STEP_TOLERANCE = 1e-6  # relative; covers the rounding of decimal seconds in binary, far below any real mistake


DEFAULT_DT = 1e-3  # s, of a network that was not read for another
ORIGINS = ("nir", "nengo", "lava")  # keys of a network's metadata that say for which time step it was read


def discretise(
    network: Network, *, dt: float | None = None, integration: Integration | None = None, seed: int = 0
) -> Program:
    """Compile ``network`` for time steps of ``dt`` seconds; ``seed`` draws connectors that have no seed of their own.

    Decay per step is ``exp(-dt / tau)`` ("exponential", exact for a constant current between steps) or ``1 - dt / tau``
    ("euler"). None takes what the network was read for (:func:`neuromorph.from_nir` and others), else 1 ms and
    "exponential". Raises :class:`CompileError` with every delay, refractory period, epoch or probe interval that is not a
    whole number of steps, every weight outside its rule's bounds and every time constant too short for Euler steps.
    """
    read_for: Mapping[str, Any] = next(iter(_clocks(network)), {"dt": DEFAULT_DT, "integration": "exponential"})
    dt = read_for["dt"] if dt is None else dt
    integration = read_for["integration"] if integration is None else integration
    raise_faults(CompileError, _argument_faults(dt, integration, seed))
    dt = float(dt)
    faults = _origin_faults(network, dt, integration)
    compiler = _Compiler(dt, integration, faults)
    populations = [compiler.population(p) for p in network.populations if isinstance(p, Population)]
    projections = []
    for index, projection in enumerate(network.projections):
        own = projection.connector.seed
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)) if own is None else own)
        projections.append(compiler.projection(projection, network, rng))
    probes = [compiler.probe(probe) for probe in network.probes]
    raise_faults(CompileError, faults)
    return Program(
        name=network.name,
        dt=dt,
        seed=int(seed),
        integration=integration,
        inputs=[p for p in network.populations if isinstance(p, Input)],
        populations=populations,
        projections=projections,
        modulators=network.modulators,
        probes=probes,
    )


def _argument_faults(dt: object, integration: object, seed: object) -> list[str]:
    faults = []
    if not (is_number(dt) and float(dt) > 0):  # type: ignore[arg-type]
        faults.append(f"dt must be > 0 s and finite, got {dt!r}")
    if integration not in ("exponential", "euler"):
        faults.append(f"integration must be 'exponential' or 'euler', got {integration!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        faults.append(f"seed must be a whole number >= 0, got {seed!r}")
    return faults


def exact_clock(dt: float, integration: Integration = "exponential") -> dict[str, Any]:
    """What the metadata of a network say, under its origin, whose weights hold for one time step only."""
    clock = {"dt": dt, "integration": integration}
    return {**clock, "weights_hold_for": clock}


def _clocks(network: Network) -> list[Mapping[str, Any]]:
    """What the metadata of a network that was read from another tool say of its time steps, the last reading first."""
    origins = [network.metadata.get(name) for name in ORIGINS]
    return [origin for origin in origins if isinstance(origin, Mapping) and {"dt", "integration"} <= origin.keys()]


def _origin_faults(network: Network, dt: float, integration: Integration) -> list[str]:
    """Weights that were scaled for one time step when they were read (see :func:`neuromorph.from_nir`) hold for it only."""
    holds = next((clock["weights_hold_for"] for clock in _clocks(network) if "weights_hold_for" in clock), None)
    if holds is None or (math.isclose(holds["dt"], dt, rel_tol=1e-9) and holds["integration"] == integration):
        return []
    return [
        f"the weights of network {network.name!r} were read for dt={holds['dt']!r} and integration={holds['integration']!r},"
        f" and hold for these only: compile with them, or read it again for dt={dt!r}, integration={integration!r}"
    ]


class _Compiler:
    """Turns parts into steps and notes what cannot be."""

    def __init__(self, dt: float, integration: Integration, faults: list[str]) -> None:
        self.dt, self.integration, self.faults = dt, integration, faults
        self.lowering: dict[type[Neuron], Callable[[Population], PopulationProgram]] = {LIF: self.lif}

    def population(self, population: Population) -> PopulationProgram:
        lower = self.lowering.get(type(population.neuron))
        if lower is None:
            known = ", ".join(kind.__name__ for kind in self.lowering)
            raise CompileError(
                f"population {population.name!r}: {type(population.neuron).__name__} has no program form; known: {known}"
            )
        return lower(population)

    def lif(self, population: Population) -> PopulationProgram:
        neuron, size = population.neuron, population.size
        assert isinstance(neuron, LIF)
        where = f"population {population.name!r}"
        increment, decay = self.adaptation(neuron, where, size)
        return PopulationProgram(
            name=population.name,
            size=size,
            decay_u=_spread(self.decays(neuron.tau_syn, f"{where}: tau_syn"), size),
            decay_v=_spread(self.decays(neuron.tau_mem, f"{where}: tau_mem"), size),
            threshold=_spread(neuron.v_threshold, size),
            bias=_spread(neuron.bias, size),
            refractory=np.broadcast_to(self.steps(neuron.refractory, f"{where}: refractory"), (size,)),
            threshold_increment=increment,
            decay_threshold=decay,
        )

    def adaptation(self, neuron: LIF, where: str, size: int) -> tuple[FloatArray, FloatArray] | tuple[None, None]:
        """What spikes add to thresholds, and what of it is kept; None where no threshold adapts."""
        if not neuron.adapts:
            return None, None
        decay = self.decays(neuron.tau_threshold, f"{where}: tau_threshold")
        return _spread(neuron.threshold_increment, size), _spread(decay, size)

    def projection(self, projection: Projection, network: Network, rng: np.random.Generator) -> ProjectionProgram:
        where = f"projection {projection.name!r}"
        post_size, pre_size = network.size(projection.post), network.size(projection.pre)
        synapses = projection.connector.synapses(post_size, pre_size, rng)
        size = synapses.connectivity.synapses
        delay = repeated(1, size, np.int64)
        if isinstance(projection.delay, np.ndarray):
            delay = frozen(self.steps(synapses.connectivity.entries(projection.delay), f"{where}: delay", least=1))
        elif projection.delay is not None:
            delay = repeated(self.steps(projection.delay, f"{where}: delay", least=1), size, np.int64)
        rule = None
        if projection.plasticity is not None:
            rule = self.rule(projection.plasticity, where)
            if rule.d_max is not None and size and delay.max() > rule.d_max:
                self.faults.append(
                    f"{where}: delays begin with up to {int(delay.max())} steps, and d_max of rule {rule.name!r} is"
                    f" {rule.d_max}: give a larger d_max"
                )
            weight = synapses.weight
            if weight.size and not (rule.w_min <= weight.min() and weight.max() <= rule.w_max):
                outside = (weight < rule.w_min) | (weight > rule.w_max)
                self.faults.append(
                    f"{where}: {int(outside.sum())} initial weights lie outside the rule's bounds {rule.w_min!r}.."
                    f"{rule.w_max!r}, the first is {float(weight[outside][0])!r}: widen the bounds or clip them"
                )
        return ProjectionProgram(
            name=projection.name,
            pre=projection.pre,
            post=projection.post,
            pre_size=pre_size,
            post_size=post_size,
            post_index=synapses.connectivity,
            pre_index=synapses.connectivity,
            weight=synapses.weight,
            delay=delay,
            rule=rule,
        )

    def rule(self, rule: LearningRule, where: str) -> RuleProgram:
        name = f"{where}: epoch of rule {rule.name!r}"
        epoch = 1 if rule.epoch is None else int(self.steps(rule.epoch, name, least=1))
        tag = rule.dt_sum
        if tag is not None and rule.tau_tag is not None:
            lost = 1.0 - self.decay(rule.tau_tag, f"{where}: tau_tag", steps=epoch)
            if lost > 0:
                tag = SumOfProducts((*tag.products, Product(-lost, "u0", (Factor("t"),))))
        longest = None if rule.d_max is None else int(self.steps(rule.d_max, f"{where}: d_max", least=1))
        return RuleProgram(
            name=rule.name,
            dw=SumOfProducts(()) if rule.dw_sum is None else rule.dw_sum,
            dt=tag,
            traces={
                name: TraceProgram(
                    impulse=float(trace.impulse),
                    decay=self.decay(trace.tau, f"{where}: tau of {name}"),
                    nearest=trace.pairing == "nearest",
                    source=trace.source,
                )
                for name, trace in rule.traces.items()
            },
            epoch=epoch,
            w_min=float(rule.w_min),
            w_max=float(rule.w_max),
            modulators=rule.modulators,
            dd=rule.dd_sum,
            d_max=longest,
        )

    def probe(self, probe: Probe) -> ProbeProgram:
        every = 1 if probe.every is None else int(self.steps(probe.every, f"probe of {probe.target!r}: every", least=1))
        return ProbeProgram(target=probe.target, variable=probe.variable, every=every)

    def decays(self, tau: Parameter, where: str) -> Parameter:
        if isinstance(tau, float):
            return self.decay(tau, where)
        distinct, inverse = np.unique(tau, return_inverse=True)
        return np.array([self.decay(float(value), where) for value in distinct])[inverse]

    def decay(self, tau: float, where: str, *, steps: int = 1) -> float:
        """The factor per ``steps``, as a multiple of 2^-53: simulators that hold ``1 - decay`` then hold the same number."""
        if tau == 0:
            return 0.0
        elapsed = steps * self.dt
        if self.integration == "euler":
            if tau < elapsed:
                what = "dt" if steps == 1 else "the epoch"
                self.faults.append(
                    f"{where} = {tau!r} s is shorter than {what} = {elapsed!r} s, which Euler steps cannot hold"
                )
            return float(1.0 - elapsed / tau)
        return 1.0 - (1.0 - math.exp(-elapsed / tau))

    def steps(self, seconds: Parameter | npt.NDArray[np.float64], where: str, *, least: int = 0) -> IntArray:
        """Seconds as whole steps, at least ``least``; what is not becomes a fault that names the nearest."""
        exact = np.asarray(seconds, dtype=np.float64) / self.dt
        whole = np.rint(exact)
        allowed = np.minimum(WHOLE_STEP_TOLERANCE * np.maximum(exact, 1.0), LARGEST_STEP_ERROR)
        wrong = ~(np.abs(exact - whole) <= allowed)
        wrong |= (whole < least) | (whole > MOST_STEPS)
        if np.any(wrong):
            first = float(np.atleast_1d(np.asarray(seconds))[np.atleast_1d(wrong)][0])
            if first / self.dt > MOST_STEPS:
                self.faults.append(f"{where} must be at most {MOST_STEPS} steps of dt = {self.dt!r} s, got {first!r} s")
                return np.full(np.shape(whole), max(least, 1), dtype=np.int64)
            below = math.floor(first / self.dt)
            nearest = " or ".join(f"{steps * self.dt:.12g}" for steps in (below, below + 1) if steps >= least)
            self.faults.append(
                f"{where} must be a whole number of steps of dt = {self.dt!r} s{', at least one' if first / self.dt < least else ''},"
                f" got {first!r} s = {first / self.dt:.6g} steps; nearest: {nearest} s"
            )
        return np.maximum(whole, least).astype(np.int64)


def time_constant(decay: float, dt: float) -> float:
    """The tau in seconds whose decay per step of ``dt`` compiles to ``decay``, or comes nearest to it.

    ``tau = -dt / log(decay)``, moved by the few units in the last place that the rounding of both ways takes. A decay of
    1 or more is no decay, infinity; one of 0 or less gives dt / 1000, of which nothing is left in float64.

    >>> 1.0 - (1.0 - math.exp(-1e-3 / time_constant(0.5, 1e-3))), time_constant(1.0, 1e-3)
    (0.5, inf)
    """
    if decay >= 1.0:
        return math.inf
    if decay <= 0.0:
        return dt / 1000  # exp(-1000) is 0 in float64
    tau = -dt / math.log(decay)
    near = tau + np.arange(-8, 9) * np.spacing(tau)
    distance = [abs(1.0 - (1.0 - math.exp(-dt / float(value))) - decay) for value in near]
    return float(near[int(np.argmin(distance))])


def time_constants(decays: FloatArray, dt: float) -> FloatArray:
    """:func:`time_constant` of neurons, for which a tau of 0 says that nothing is kept."""
    distinct, inverse = np.unique(decays, return_inverse=True)
    return np.array([time_constant(float(decay), dt) if decay > 0 else 0.0 for decay in distinct])[inverse]


def _spread(value: Parameter, size: int) -> FloatArray:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (size,))
