"""Random cases of the conformance kit: networks over all features that are allowed, active enough to prove something."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from neuromorph import registry
from neuromorph.backend import FEATURES
from neuromorph.connectors import AllToAll, Connector, FixedProbability, OneToOne, Uniform
from neuromorph.discretise import discretise
from neuromorph.errors import InputError
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Projection
from neuromorph.neurons import LIF
from neuromorph.plasticity import STDP, LearningRule, RewardModulatedSTDP, Trace
from neuromorph.program import Integration, Program
from neuromorph.recording import FloatArray
from neuromorph.testing.case import MS, Case, reward_rows, spike_rows

LEAST_RATE, LARGEST_RATE = 0.02, 0.2  # spikes per neuron and step, on average over the neurons that can be driven
_DRAWS = 200  # networks that are drawn before giving up
_SETTLINGS = 15  # runs in which thresholds are fitted to the activity of one network


def random_case(
    seed: int,
    *,
    features_allowed: Collection[str] = tuple(FEATURES),
    accepted: Callable[[Program], bool] = lambda program: True,
    steps: int = 500,
) -> Case:
    """A random network that uses no feature but ``features_allowed``; the same arguments give the same case.

    Thresholds are fitted with the reference so that neurons fire in 2 to 20 % of the steps. ``accepted`` may turn
    programs down that a backend refuses for reasons finer than features, as ``lambda p: not backend.faults(p)`` does.

    >>> case = random_case(1, features_allowed=["learning", "recurrent"])
    >>> case.features <= {"learning", "recurrent"}
    True
    """
    allowed = frozenset(features_allowed)
    if unknown := allowed - set(FEATURES):
        raise InputError(f"features_allowed names unknown features {sorted(unknown)}; known: {', '.join(FEATURES)}")
    for attempt in range(_DRAWS):
        drawn = _Draw(np.random.default_rng([seed, attempt]), allowed).case(f"random {seed}", steps)
        if drawn.features <= allowed and accepted(drawn.program) and (settled := _settled(drawn)) is not None:
            return settled
    raise InputError(f"no active network was found for seed {seed} and features {sorted(allowed)}: give another seed")


def _settled(case: Case) -> Case | None:
    """The same case with thresholds at which every population that can be driven is active; None where none are found."""
    driven = _driven(case)
    if 2 * len(driven) < len(case.program.populations):
        return None
    backend = registry.get("reference")
    for _ in range(_SETTLINGS):
        with backend.open(case.program.with_all_spikes()) as session, np.errstate(over="raise", invalid="raise"):
            try:
                recording = session.run(case.steps, inputs=case.inputs, modulators=case.modulators)
            except FloatingPointError:
                return None  # its weights grow without end
        rates = {name: len(recording.spikes[name]) / recording.spikes[name].shape[1] / case.steps for name in driven}
        if all(LEAST_RATE <= rate <= LARGEST_RATE for rate in rates.values()):
            return case
        program = case.program
        for name, rate in rates.items():
            gain = (
                1.0
                if LEAST_RATE <= rate <= LARGEST_RATE
                else float(np.clip(math.sqrt((rate + 0.005) / 0.08), 0.4, 2.5))
            )
            program = program.with_parameters(name, threshold=program.population(name).threshold * gain)
        case = dataclasses.replace(case, program=program)
    return None


def _driven(case: Case) -> list[str]:
    """Populations that spikes or a bias can reach, in order."""
    reached = {name for name, rows in case.inputs.items() if rows.any()}
    reached |= {population.name for population in case.program.populations if np.any(population.bias > 0)}
    for _ in case.program.populations:
        reached |= {p.post for p in case.program.projections if p.pre in reached and np.any(p.weight > 0)}
    return [population.name for population in case.program.populations if population.name in reached]


class _Draw:
    """One random network; what chance offers is taken where its features are allowed."""

    def __init__(self, rng: np.random.Generator, allowed: frozenset[str]) -> None:
        self.rng, self.allowed = rng, allowed

    def may(self, probability: float, *features: str) -> bool:
        """Chance, for what needs ``features``."""
        return bool(self.rng.random() < probability) and self.allowed.issuperset(features)

    def whole(self, low: int, high: int) -> int:
        """A whole number within low..high."""
        return int(self.rng.integers(low, high + 1))

    def steps(self, low: int, high: int, shape: int | tuple[int, int]) -> FloatArray:
        """Whole numbers of steps within low..high, in seconds."""
        return np.asarray(MS * self.rng.integers(low, high + 1, shape), dtype=np.float64)

    def seed(self) -> int:
        """A seed for a connector."""
        return self.whole(0, 2**31)

    def case(self, name: str, steps: int) -> Case:
        """The network and what is fed to it."""
        inputs = [Input(f"in{index}", self.whole(3, 8)) for index in range(self.whole(1, 2))]
        sizes = [self.whole(2, 8)] * 3 if self.may(0.3) else [self.whole(1, 8) for _ in range(3)]
        populations = [Population(f"p{k}", n, self.neuron(n)) for k, n in enumerate(sizes[: self.whole(1, 3)])]
        self.modulators: dict[str, Modulator] = {}
        projections = self.projections(inputs, populations)
        network = Network(
            populations=[*inputs, *populations],
            projections=projections,
            modulators=list(self.modulators.values()),
            name=name,
        )
        integration: Integration = "euler" if self.may(0.2) else "exponential"
        program = discretise(network, dt=MS, integration=integration, seed=self.seed())
        rates = [0.0 if index and self.may(0.2) else float(self.rng.uniform(0.05, 0.2)) for index in range(len(inputs))]
        return Case(
            name=name,
            program=program,
            inputs={
                item.name: spike_rows(steps, item.size, rate, self.seed())
                for item, rate in zip(inputs, rates, strict=True)
            },
            modulators={item.name: reward_rows(steps, item.size, self.seed()) for item in self.modulators.values()},
            steps=steps,
        )

    def neuron(self, size: int) -> LIF:
        """A neuron with a chance of every corner: no leak, no filter, no decay, bias, refractory period, adaptation."""
        each = size if self.may(0.4, "per_neuron_parameters") else 1
        refractory = self.steps(0, 4, each) if self.may(0.4, "refractory") else np.zeros(1)
        bias = self.rng.uniform(-0.02, 0.1, each) if self.may(0.4) else np.zeros(1)
        parameters: dict[str, FloatArray] = {
            "tau_mem": np.full(1, math.inf) if self.may(0.15) else self.rng.uniform(2.0, 30.0, each) * MS,
            "tau_syn": np.zeros(1) if self.may(0.25) else self.rng.uniform(1.0, 10.0, each) * MS,
            "v_threshold": self.rng.uniform(0.8, 2.0, each),
            "bias": bias,
            "refractory": refractory,
        }
        if self.may(0.3, "adaptive_threshold"):
            parameters["threshold_increment"] = self.rng.uniform(0.02, 0.5, each)
            parameters["tau_threshold"] = np.full(1, math.inf) if self.may(0.1) else self.rng.uniform(5, 100, each) * MS
        return LIF(**{key: float(value[0]) if value.size == 1 else value for key, value in parameters.items()})

    def projections(self, inputs: list[Input], populations: list[Population]) -> list[Projection]:
        """A path from an input to every population, and others beside it."""
        ends: list[tuple[Input | Population, Population]] = []
        for index, post in enumerate(populations):
            sources = [*inputs, *populations[:index]]
            ends += [(sources[k], post) for k in self.rng.permutation(len(sources))[: self.whole(1, 2)]]
        if self.may(0.5, "recurrent"):
            pre, post = (populations[self.whole(0, len(populations) - 1)] for _ in range(2))
            ends.append((pre, post))
        shared = self.whole(2, 6) if self.may(0.3, "delay") else 1
        return [self.projection(f"s{index}", pre, post, shared) for index, (pre, post) in enumerate(ends)]

    def projection(self, name: str, pre: Input | Population, post: Population, steps: int) -> Projection:
        """One projection; ``steps`` is the delay that it has where delays may not differ."""
        delay: float | FloatArray = steps * MS
        if self.may(0.4, "delay", "delay_per_synapse", "several_delays"):
            delay = self.steps(1, 8, (post.size, pre.size))
        elif self.may(0.4, "delay", "several_delays"):
            delay = MS * self.whole(1, 8)
        rule = self.rule(post.size) if self.may(0.5, "learning") else None
        weights = self.connector(pre.size, post.size)
        return Projection(pre.name, post.name, weights, delay=delay, plasticity=rule, name=name)

    def connector(self, pre_size: int, post_size: int) -> Connector:
        """Weights mostly positive, within the bounds that rules get."""
        weight = Uniform(-0.3, 0.7) if self.may(0.5) else Uniform(0.0, 0.8)
        if self.may(0.4, "sparse"):
            if pre_size == post_size and self.may(0.4):
                return OneToOne(weight, seed=self.seed())
            return FixedProbability(0.0 if self.may(0.1) else 0.5, weight, seed=self.seed())
        return AllToAll(weight, seed=self.seed())

    def trace(self, *, may_follow: bool = False) -> Trace:
        """Tens of steps, or no decay; one that ``may_follow`` the membrane does so at times."""
        if self.may(0.15, "non_decaying_trace"):
            return Trace(math.inf, 0.02)
        tau, impulse = float(self.rng.uniform(2.0, 30.0)) * MS, float(self.rng.uniform(0.3, 1.5))
        if may_follow and self.may(0.2, "membrane_traces"):
            return Trace(0.0 if self.may(0.3) else tau, impulse, source="v")
        return Trace(tau, impulse, "nearest" if self.may(0.25, "nearest_traces") else "all-to-all")

    def factors(self, post_size: int) -> dict[str, float]:
        """Modulators for a rule, made on demand."""
        names = ["reward", "surprise"] if self.may(0.4, "several_modulators") else ["reward"]
        for index, name in enumerate(names):
            each = post_size if self.may(0.4, "third_factor_per_neuron") else 1
            names[index] = key = name if each == 1 else f"{name} of {each}"
            self.modulators.setdefault(key, Modulator(key, each))
        return {name: float(self.rng.choice([1.0, -0.5, 2.0])) for name in names}

    def rule(self, post_size: int) -> LearningRule:
        """A named rule, or one of random products."""
        bounds: dict[str, Any] = {"w_min": -0.5, "w_max": 1.0} if self.may(0.5, "weight_bounds") else {}
        if self.may(0.25):
            return STDP(A_plus=0.02, A_minus=0.02, tau_plus=10 * MS, tau_minus=15 * MS, **bounds)
        if self.may(0.25, "tag", "third_factor"):
            modulator = next(iter(self.factors(post_size)))
            return RewardModulatedSTDP(modulator=modulator, learning_rate=0.02, tau_plus=10 * MS, tau_e=0.05, **bounds)
        has_tag = self.may(0.3, "tag")
        modulators = self.factors(post_size) if self.may(0.4, "third_factor") else {}
        dw = [self.product(tag=has_tag and k == 0, third=bool(modulators) and k == 0) for k in range(self.whole(1, 3))]
        dt = [self.product() for _ in range(self.whole(1, 2))] + ["-0.1*t*u0"] if has_tag else []
        moves = self.may(0.3, "learned_delays", "learning_delay", "delay", "delay_per_synapse", "several_delays")
        dd = [self.product(scale=30.0) for _ in range(self.whole(1, 2))] if moves else []
        dd += ["-0.05*d*x0"] if moves and self.may(0.5) else []
        used = " ".join(dw + dt + dd)
        epoch = MS * self.whole(2, 5) if self.may(0.4, "epoch") else None
        traces: dict[str, Any] = {
            name: self.trace(may_follow=name[0] == "y" and epoch is None)
            for name in ("x1", "x2", "y1", "y2", "y3")
            if name in used
        }
        return LearningRule(
            dw=_joined(dw),
            dt=_joined(dt) if has_tag else None,
            dd=_joined(dd) if moves else None,
            d_max=MS * self.whole(8, 12) if moves else None,
            modulators=modulators,
            tau_tag=0.03 if has_tag and self.may(0.5) else None,
            epoch=epoch,
            **traces,
            **bounds,
        )

    def product(self, *, tag: bool = False, third: bool = False, scale: float = 1.0) -> str:
        """A small coefficient times ``scale``, a dependency and up to three factors."""
        dependencies = ["x0", "y0", "x0", "y0", "u0"]
        if "sparse_dependency" in self.allowed:
            dependencies += ["u1", "u2"]
        dependency = str(self.rng.choice(dependencies))
        variables = ["x1", "y1", "w", *(("x2", "y2", "y3") if "second_traces" in self.allowed else ())]
        factors = [str(name) for name in self.rng.choice(variables, self.whole(0, 2))]
        factors = [f"pos({name} - 0.2)" if self.may(0.1, "rectified_factors") else name for name in factors]
        if "factors" in self.allowed:
            factors = [self.bracket(name) if name in variables and self.may(0.3) else name for name in factors]
        factors += ["t"] * tag + ["r"] * third
        coefficient = scale * float(self.rng.choice([-1.0, 1.0])) * float(self.rng.uniform(0.002, 0.02))
        return "*".join([repr(coefficient), *factors, dependency])

    def bracket(self, name: str) -> str:
        """The variable with a constant, its sign, or both."""
        constant = round(float(self.rng.uniform(0.1, 0.9)), 2)
        forms = (f"({name} - {constant})", f"({constant} - {name})", f"sgn({name})", f"sgn({name} - {constant})")
        return forms[self.whole(0, len(forms) - 1)]


def _joined(products: list[str]) -> str:
    return " + ".join(products).replace("+ -", "- ")
