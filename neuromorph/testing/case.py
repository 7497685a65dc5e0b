"""A case of the conformance kit: a program with everything that is fed to it, and the smallest networks that cases are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from neuromorph.backend import requirements
from neuromorph.connectors import (
    AllToAll,
    Connector,
    Uniform,
)
from neuromorph.discretise import discretise
from neuromorph.errors import InputError, raise_faults
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Projection
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.program import Integration, Program
from neuromorph.recording import BoolArray, FloatArray

MS = 1e-3  # s; the time step of every case


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A program, the spikes and third factors that are fed to it, and for how many steps.

    >>> from neuromorph.testing import minimal_cases
    >>> case = minimal_cases()[0]
    >>> case.name, case.steps, sorted(case.features)
    ('plain', 200, [])
    """

    name: str
    program: Program
    inputs: Mapping[str, BoolArray] = field(default_factory=dict)  # by input, shape (steps, size); not given: silent
    modulators: Mapping[str, FloatArray] = field(default_factory=dict)  # by modulator, shape (steps, size)
    steps: int = 500

    def __post_init__(self) -> None:
        for name in ("inputs", "modulators"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        sizes = {item.name: item.size for item in self.program.inputs}
        sizes |= {item.name: item.size for item in self.program.modulators}
        raise_faults(
            InputError,
            [
                f"case {self.name!r}: {name!r} must have shape ({self.steps}, {sizes.get(name, 'unknown')}), got {fed.shape}"
                for name, fed in (*self.inputs.items(), *self.modulators.items())
                if fed.shape != (self.steps, sizes.get(name))
            ],
        )

    @cached_property
    def features(self) -> frozenset[str]:
        """Features of :data:`neuromorph.backend.FEATURES` that the program uses."""
        return frozenset(feature for feature, _ in requirements(self.program))

    @property
    def period(self) -> int:
        """Steps after which epochs, and the epochs in which products act, repeat."""
        periods = [1]
        for projection in self.program.projections:
            if projection.rule is not None:
                slowest = max(int(d[1:]) for d in ("u0", *projection.rule.dependencies) if d[0] == "u")
                periods.append(projection.rule.epoch * 2**slowest)
        return math.lcm(*periods)


def spike_rows(steps: int, size: int, rate: float, seed: int) -> BoolArray:
    """Independent spikes, each neuron in a share ``rate`` of the steps."""
    return np.random.default_rng(seed).random((steps, size)) < rate


def reward_rows(steps: int, size: int, seed: int) -> FloatArray:
    """Third factors of both signs: none in most steps, in the others a value within -1..1."""
    rng = np.random.default_rng(seed)
    values: FloatArray = rng.uniform(-1.0, 1.0, (steps, size))
    return np.where(rng.random((steps, size)) < 0.3, values, 0.0)


def pair_rule(**fields: Any) -> LearningRule:
    """Pair STDP without bounds."""
    return LearningRule(dw="0.02 * x1 * y0 - 0.015 * y1 * x0", x1=Trace(10 * MS), y1=Trace(15 * MS), **fields)


def modulated_rule(**modulators: float) -> LearningRule:
    """Potentiation that a third factor turns on, off and round."""
    return LearningRule(
        dw="0.1 * r * x1 * y0 - 0.002 * y1 * x0", x1=Trace(10 * MS), y1=Trace(15 * MS), modulators=modulators
    )


def named(name: str, case: Case) -> Case:
    """The case by another name."""
    return Case(name=name, program=case.program, inputs=case.inputs, modulators=case.modulators, steps=case.steps)


def case_of(
    neuron: LIF | None = None,
    *,
    weights: Connector | None = None,
    delay: float | FloatArray | None = None,
    rule: LearningRule | None = None,
    second_delay: float | None = None,
    recurrent: Uniform | Connector | None = None,
    recurrent_delay: FloatArray | None = None,
    recurrent_rule: LearningRule | None = None,
    modulators: Sequence[Modulator] = (),
    integration: Integration = "exponential",
    inputs: int = 6,
    rate: float = 0.12,
    steps: int = 200,
) -> Case:
    """An input onto four neurons, with what the arguments add to it."""
    projections = [
        Projection("in", "out", weights or AllToAll(Uniform(0.1, 0.6), seed=3), delay=delay, plasticity=rule)
    ]
    if second_delay is not None:
        second = AllToAll(Uniform(0.0, 0.5), seed=6)
        projections.append(Projection("in", "out", second, delay=second_delay, name="second"))
    if recurrent is not None:
        loop = AllToAll(recurrent, seed=7) if isinstance(recurrent, Uniform) else recurrent
        projections.append(Projection("out", "out", loop, delay=recurrent_delay, plasticity=recurrent_rule))
    network = Network(
        populations=[
            Input("in", inputs),
            Population("out", 4, neuron or LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=5.0)),
        ],
        projections=projections,
        modulators=modulators,
    )
    return Case(
        name="case",
        program=discretise(network, dt=MS, integration=integration),
        inputs={"in": spike_rows(steps, inputs, rate, seed=1)},
        modulators={m.name: reward_rows(steps, m.size, seed=20 + index) for index, m in enumerate(modulators)},
        steps=steps,
    )
