"""The description of a network: populations, projections, inputs, modulators and probes, in physical units."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.connectors import Connector, as_connector
from neuromorph.errors import DescriptionError, is_number, raise_faults
from neuromorph.inputs import Input, Modulator, name_faults, size_faults
from neuromorph.neurons import LIF, Neuron
from neuromorph.plasticity import LearningRule

NEURON_VARIABLES = ("spikes", "u", "v", "threshold_adaptation")
SYNAPSE_VARIABLES = ("weight", "tag", "delay")


@dataclass(frozen=True, eq=False)
class Population:
    """``size`` neurons of one model; parameters may differ from neuron to neuron."""

    name: str
    size: int
    neuron: Neuron

    def __post_init__(self) -> None:
        faults = name_faults("Population", self.name) + size_faults("Population", self.name, self.size)
        if not isinstance(self.neuron, Neuron):
            faults.append(
                f"Population {self.name!r}: neuron must be a neuron model such as LIF(...), got {self.neuron!r}"
            )
        elif not faults:
            faults += [f"Population {self.name!r}: {fault}" for fault in self.neuron.size_faults(self.size)]
        raise_faults(DescriptionError, faults)
        object.__setattr__(self, "size", int(self.size))


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another.

    ``weights`` is an array of shape (post, pre), a SciPy sparse matrix of that shape, or a connector. A spike sent at
    time t acts at t + ``delay``; ``delay`` is in seconds, a whole number of time steps, at least one: one number, or an
    array of shape (post, pre) of which the entries at existing synapses count; None is one time step.

    Raises :class:`DescriptionError` with every fault.
    """

    pre: str
    post: str
    weights: Connector | npt.ArrayLike
    delay: float | npt.NDArray[np.float64] | None = None  # s
    plasticity: LearningRule | None = None
    name: str = ""  # empty: "pre->post"

    def __post_init__(self) -> None:
        ends = name_faults("Projection: presynaptic population's", self.pre)
        raise_faults(DescriptionError, ends + name_faults("Projection: postsynaptic population's", self.post))
        if not self.name:
            object.__setattr__(self, "name", f"{self.pre}->{self.post}")
        faults = name_faults("Projection", self.name)
        where = f"Projection {self.name!r}"
        try:
            object.__setattr__(self, "weights", as_connector(self.weights))
        except DescriptionError as error:
            faults += [f"{where}: {fault}" for fault in error.faults]
        if self.plasticity is not None and not isinstance(self.plasticity, LearningRule):
            faults.append(f"{where}: plasticity must be a learning rule such as STDP(...), got {self.plasticity!r}")
        if self.delay is not None:
            try:
                if isinstance(self.delay, bool):
                    raise TypeError
                delay = np.array(self.delay, dtype=np.float64)
            except (TypeError, ValueError):
                faults.append(f"{where}: delay must be seconds, one number or an array (post, pre), got {self.delay!r}")
            else:
                if delay.ndim not in (0, 2):
                    faults.append(
                        f"{where}: delay must be one number or have shape (post, pre), got shape {delay.shape}"
                    )
                elif not np.all(np.isfinite(delay)) or np.any(delay <= 0):
                    faults.append(
                        f"{where}: delay must be finite and > 0 s, at least one time step, got {self.delay!r}"
                    )
                delay.flags.writeable = False
                object.__setattr__(self, "delay", delay if delay.ndim else float(delay))
        raise_faults(DescriptionError, faults)

    @property
    def connector(self) -> Connector:
        """The connector that ``weights`` became."""
        if not isinstance(self.weights, Connector):
            raise DescriptionError(f"Projection {self.name!r} has no connector")
        return self.weights


@dataclass(frozen=True)
class Probe:
    """What a run records: ``spikes``, ``u`` or ``v`` of a population, or ``weight`` or ``tag`` of a projection.

    A population whose thresholds adapt also has ``threshold_adaptation``: what spikes have added to them. A projection
    whose rule has a ``dd`` also has ``delay``, in time steps.
    States are recorded after learning and reset, every ``every`` seconds (None: every step). Spikes are always complete.
    """

    target: str
    variable: str = "spikes"
    every: float | None = None  # s, a whole number of time steps

    def __post_init__(self) -> None:
        faults = name_faults("Probe: target's", self.target)
        known = NEURON_VARIABLES + SYNAPSE_VARIABLES
        if self.variable not in known:
            faults.append(
                f"Probe of {self.target!r}: variable must be one of {', '.join(known)}, got {self.variable!r}"
            )
        if self.every is not None and not (is_number(self.every) and self.every > 0):
            faults.append(f"Probe of {self.target!r}: every must be > 0 s, got {self.every!r}")
        if self.every is not None and self.variable == "spikes":
            faults.append(f"Probe of {self.target!r}: spikes are recorded in every step; leave out every")
        raise_faults(DescriptionError, faults)


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A whole network, checked when it is built: one :class:`DescriptionError` names everything that is wrong.

    It knows nothing of steps, chips or backends; :func:`neuromorph.compile` turns it into a program.

    >>> from neuromorph.neurons import LIF
    >>> net = Network(populations=[Input("in", 2), Population("out", 1, LIF())],
    ...               projections=[Projection("in", "out", [[0.5, 0.5]])])
    >>> net.size("out")
    1
    """

    populations: Sequence[Population | Input]
    projections: Sequence[Projection] = ()
    modulators: Sequence[Modulator] = ()
    probes: Sequence[Probe] = ()
    name: str = "network"
    metadata: Mapping[str, Any] = field(
        default_factory=dict
    )  # where it came from and what was assumed; plain JSON values
    _sizes: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        faults: list[str] = []
        for item, kinds in (
            ("populations", (Population, Input)),
            ("projections", (Projection,)),
            ("modulators", (Modulator,)),
            ("probes", (Probe,)),
        ):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            try:
                values = tuple(getattr(self, item))
            except TypeError:
                faults.append(f"Network.{item} must be a list of {wanted} objects, got {getattr(self, item)!r}")
                continue
            object.__setattr__(self, item, values)
            faults += [
                f"Network.{item} must hold {wanted} objects, got {v!r}" for v in values if not isinstance(v, kinds)
            ]
        if not isinstance(self.name, str) or not self.name.isprintable():
            faults.append(f"Network.name must be printable text, got {self.name!r}")
        try:
            object.__setattr__(self, "metadata", MappingProxyType(json.loads(json.dumps(dict(self.metadata)))))
        except (TypeError, ValueError) as error:
            faults.append(f"Network.metadata must hold plain JSON values by name: {error}")
        raise_faults(DescriptionError, faults)
        object.__setattr__(self, "_sizes", {population.name: population.size for population in self.populations})
        raise_faults(DescriptionError, self._faults())

    def __reduce__(self) -> tuple[Any, ...]:
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.init}
        return partial(Network, **values | {"metadata": dict(self.metadata)}), ()

    def size(self, population: str) -> int:
        """Neurons of a population or input."""
        return self._sizes[population]

    def _faults(self) -> list[str]:
        found: list[str] = []
        if not any(isinstance(population, Population) for population in self.populations):
            found.append("Network.populations holds no Population: there is nothing to simulate")
        found += _duplicates("population or projection", [p.name for p in (*self.populations, *self.projections)])
        found += _duplicates("modulator", [modulator.name for modulator in self.modulators])
        found += _duplicates("probe", [f"{probe.target}.{probe.variable}" for probe in self.probes])
        for projection in self.projections:
            found += self._projection_faults(projection)
        for probe in self.probes:
            found += self._probe_faults(probe)
        return found

    def _projection_faults(self, projection: Projection) -> list[str]:
        where = f"Projection {projection.name!r}"
        inputs = {p.name for p in self.populations if isinstance(p, Input)}
        found = [
            f"{where}: there is no population {end!r}; known: {', '.join(self._sizes)}"
            for end in (projection.pre, projection.post)
            if end not in self._sizes
        ]
        if projection.post in inputs:
            found.append(f"{where}: {projection.post!r} is an input and receives nothing")
        if found:
            return found
        post, pre = self._sizes[projection.post], self._sizes[projection.pre]
        found += [f"{where}: {fault}" for fault in projection.connector.size_faults(post, pre)]
        if isinstance(projection.delay, np.ndarray) and projection.delay.shape != (post, pre):
            found.append(
                f"{where}: delay must be one number or have shape ({post}, {pre}), got {projection.delay.shape}"
            )
        if projection.plasticity is not None:
            sizes = {modulator.name: modulator.size for modulator in self.modulators}
            for name in projection.plasticity.modulators:
                if name not in sizes:
                    known = ", ".join(sizes) or "none; add Modulator(...) to the network's modulators"
                    found.append(f"{where}: there is no modulator {name!r}; known: {known}")
                elif sizes[name] not in (1, post):
                    found.append(
                        f"{where}: modulator {name!r} has size {sizes[name]}; a projection onto {post} neurons takes 1 or {post}"
                    )
        return found

    def _probe_faults(self, probe: Probe) -> list[str]:
        where = f"Probe of {probe.target!r}"
        inputs = {p.name for p in self.populations if isinstance(p, Input)}
        plastic = {p.name for p in self.projections if p.plasticity is not None and p.plasticity.dt is not None}
        moving = {p.name for p in self.projections if p.plasticity is not None and p.plasticity.dd is not None}
        projections = [projection.name for projection in self.projections]
        if probe.target not in self._sizes and probe.target not in projections:
            return [
                f"{where}: there is no such population or projection; known: {', '.join([*self._sizes, *projections])}"
            ]
        if probe.target in projections and probe.variable not in SYNAPSE_VARIABLES:
            held = [name for name in SYNAPSE_VARIABLES if name != "delay" or probe.target in moving]
            return [f"{where}: a projection has {' and '.join(held)}, not {probe.variable!r}"]
        neurons = {p.name: p.neuron for p in self.populations if isinstance(p, Population)}
        adapting = {name for name, neuron in neurons.items() if isinstance(neuron, LIF) and neuron.adapts}
        known = [name for name in NEURON_VARIABLES if name != "threshold_adaptation" or probe.target in adapting]
        if probe.target in self._sizes and probe.variable not in NEURON_VARIABLES:
            return [f"{where}: a population has {', '.join(known)}, not {probe.variable!r}"]
        if probe.target in inputs and probe.variable != "spikes":
            return [f"{where}: an input has spikes only, not {probe.variable!r}"]
        if probe.variable == "threshold_adaptation" and probe.target not in adapting:
            return [f"{where}: its thresholds do not adapt: give its neuron a threshold_increment"]
        if probe.variable == "tag" and probe.target not in plastic:
            return [f"{where}: its learning rule has no tag (dt)"]
        if probe.variable == "delay" and probe.target not in moving:
            return [f"{where}: its delays do not learn: give its learning rule a dd"]
        return []


def _duplicates(kind: str, names: Sequence[str]) -> list[str]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    return [f"the {kind} name {name!r} is used {names.count(name)} times: names must differ" for name in repeated]
