"""Random fixed-point cases: programs drawn directly in integers, edges of every range included."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from neuromorph import registry
from neuromorph.arithmetic import WEIGHT_RANGES, SignMode, weight_step
from neuromorph.backend import FEATURES
from neuromorph.errors import InputError
from neuromorph.inputs import Input, Modulator
from neuromorph.parts import PopulationProgram, ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.plasticity.language import Factor, Product, SumOfProducts
from neuromorph.program import Program
from neuromorph.recording import IntArray
from neuromorph.testing.case import MS, Case, reward_rows, spike_rows
from neuromorph.testing.integers import integer_neurons, integer_synapses

SIGN_MODES: tuple[SignMode, ...] = ("mixed", "excitatory", "inhibitory")
LARGEST_MANTISSA = 131071  # of a threshold
LEAST_RATE, LARGEST_RATE = 0.005, 0.5  # spikes per neuron and step of the liveliest population
_DRAWS, _SETTLINGS, _SETTLING_STEPS = 200, 24, 100


def random_fixed_case(
    seed: int,
    *,
    features_allowed: Collection[str] = tuple(FEATURES),
    accepted: Callable[[Program], bool] = lambda program: True,
    steps: int = 1000,
) -> Case:
    """A random fixed-point program that uses no feature but ``features_allowed``; equal arguments give equal cases.

    Sizes, decays, thresholds, biases, exponents, sign modes, weight bits, delays, dense and sparse, recurrent and plastic
    projections are drawn from their whole ranges, edges more often. Thresholds are fitted until something spikes.
    """
    allowed = frozenset(features_allowed) | {"fixed_point"}
    if unknown := allowed - set(FEATURES):
        raise InputError(f"features_allowed names unknown features {sorted(unknown)}; known: {', '.join(FEATURES)}")
    for attempt in range(_DRAWS):
        drawn = _Draw(np.random.default_rng([seed, attempt, 1]), allowed).case(f"random fixed {seed}", steps)
        if drawn.features <= allowed and accepted(drawn.program) and (settled := _settled(drawn)) is not None:
            return settled
    raise InputError(f"no active program was found for seed {seed} and features {sorted(allowed)}: give another seed")


def _settled(case: Case) -> Case | None:
    """The same case with thresholds at which it is active; None where none are found."""
    program, reference = case.program, registry.get("reference")
    steps = min(case.steps, _SETTLING_STEPS)
    fed = {name: rows[:steps] for name, rows in case.inputs.items()}
    factors = {name: rows[:steps] for name, rows in case.modulators.items()}
    for _ in range(_SETTLINGS):
        with reference.open(program.with_all_spikes()) as session:
            spikes = session.run(steps, inputs=fed, modulators=factors).spikes
        rates = {p.name: len(spikes[p.name]) / (steps * p.size) for p in program.populations}
        if max(rates.values()) >= LEAST_RATE and all(rate <= LARGEST_RATE for rate in rates.values()):
            return dataclasses.replace(case, program=program)
        for population in program.populations:
            factor = 4 if rates[population.name] > LARGEST_RATE else 0.25 if rates[population.name] < LEAST_RATE else 1
            mantissa = np.clip(np.floor(population.threshold / 64 * factor), 1, LARGEST_MANTISSA)
            program = program.with_parameters(population.name, threshold=mantissa * 64)
    return None


class _Draw:
    """One random program."""

    def __init__(self, rng: np.random.Generator, allowed: frozenset[str]) -> None:
        self.rng, self.allowed = rng, allowed

    def case(self, name: str, steps: int) -> Case:
        rng = self.rng
        inputs = [Input(f"in{i}", int(rng.integers(1, 9))) for i in range(rng.integers(1, 3))]
        populations = [self.population(f"pop{i}") for i in range(rng.integers(1, 4))]
        modulators = [Modulator("reward")] if self.may("third_factor", 0.4) else []
        if modulators and self.may("third_factor_per_neuron", 0.3):
            modulators.append(Modulator("teacher", populations[0].size))
        projections = [
            self.projection(item.name, item.size, target, modulators)
            for item in inputs
            for target in populations
            if target is populations[0] or rng.random() < 0.5
        ]
        for source in populations:
            for target in populations:
                loop = populations.index(source) >= populations.index(target)
                if rng.random() < 0.5 and not (loop and "recurrent" not in self.allowed):
                    projections.append(self.projection(source.name, source.size, target, modulators))
        program = Program(
            name=name,
            dt=MS,
            seed=0,
            inputs=inputs,
            populations=populations,
            projections=projections,
            modulators=modulators,
            arithmetic="fixed",
            chip="loihi1",
        )
        rate, feed = float(rng.uniform(0.05, 0.4)), int(rng.integers(2**31))
        return Case(
            name=name,
            program=program,
            inputs={item.name: spike_rows(steps, item.size, rate, feed + i) for i, item in enumerate(inputs)},
            modulators={m.name: reward_rows(steps, m.size, feed + 7 + i) for i, m in enumerate(modulators)},
            steps=steps,
        )

    def may(self, feature: str, probability: float) -> bool:
        return feature in self.allowed and bool(self.rng.random() < probability)

    def population(self, name: str) -> PopulationProgram:
        rng, size = self.rng, int(self.rng.integers(1, 9))
        count = size if self.may("per_neuron_parameters", 0.4) else 1
        du = rng.choice([0, 1, 4094, 4095, *rng.integers(0, 4096, 4)], count)
        dv = rng.choice([0, 1, 4095, 4096, *rng.integers(0, 600, 4)], count)
        exponent = rng.choice([0, 0, 0, 3, 7], count)
        bias = rng.choice([0, 0, 0, 1, -1, 4095, -4095, *rng.integers(-4095, 4096, 3)], count) << exponent
        threshold = 2 ** rng.uniform(0, 17, count)
        period = rng.integers(1, 6, count) if self.may("refractory", 0.3) else np.zeros(count, np.int64)
        mantissa = np.clip(np.floor(threshold), 1, LARGEST_MANTISSA)
        return integer_neurons(name, size, du=du, dv=dv, threshold=mantissa, bias=bias, refractory=period)

    def projection(
        self, pre: str, pre_size: int, target: PopulationProgram, modulators: list[Modulator]
    ) -> ProjectionProgram:
        rng = self.rng
        exists = np.ones((target.size, pre_size), dtype=np.bool_)
        if self.may("sparse", 0.4):
            exists = rng.random(exists.shape) < rng.uniform(0.2, 0.9)
        rule = None
        if self.may("learning", 0.5) and (bool(exists.all()) or "learning_sparse" in self.allowed):
            rule = self.rule(modulators if modulators and rng.random() < 0.7 else [], target.size)
        sign_mode = SIGN_MODES[int(rng.choice(3, p=[0.4, 0.45, 0.15]))]
        bits = 8 if rule is not None or rng.random() < 0.5 else int(rng.integers(1, 9))
        low, high = WEIGHT_RANGES[sign_mode]
        step = 1 if rule is not None else weight_step(sign_mode, bits)  # learned weights may be odd in any mode
        synapses = int(np.count_nonzero(exists))
        drawn = rng.integers(low, high + 1, synapses)
        weights, delays = np.zeros(exists.shape, dtype=np.int64), np.ones(exists.shape, dtype=np.int64)
        weights[exists] = np.sign(drawn) * (np.abs(drawn) // step * step)
        delays[exists] = self.delay(synapses, rule is not None)
        return integer_synapses(
            pre,
            target.name,
            weights,
            exists=exists,
            delay=delays,
            rule=rule,
            sign_mode=sign_mode,
            exponent=int(rng.choice([-7, -2, -1, 0, 0, 0, 1, 3, 7])),
            bits=bits,
        )

    def delay(self, synapses: int, plastic: bool) -> IntArray:
        none: IntArray = np.ones(synapses, dtype=np.int64)
        if plastic and "learning_delay" not in self.allowed:
            return none
        if not plastic and self.may("delay_per_synapse", 0.25):
            return self.rng.integers(1, 8, synapses)
        return none * int(self.rng.choice([2, 3, 9, 63])) if self.may("delay", 0.25) else none

    def rule(self, modulators: list[Modulator], post_size: int) -> RuleProgram:
        rng = self.rng
        names = [name for name in ("x1", "y1") if rng.random() < 0.8]
        if self.may("second_traces", 0.3):
            names += [name for name in (("x2",) if modulators else ("x2", "y2", "y3")) if rng.random() < 0.6]
        traces = {
            name: TraceProgram(
                impulse=float(
                    rng.choice([0, 1, 16, 127, *rng.integers(1, 128, 3), *(rng.integers(1, 127 * 256, 3) / 256)])
                ),
                decay=0.0 if rng.random() < 0.1 else math.exp(-1 / int(rng.integers(1, 60))),
            )
            for name in names
        }
        tagged = self.may("tag", 0.4)
        clock = f"u{int(rng.integers(1, 4))}" if self.may("sparse_dependency", 0.3) else "u0"
        known = [*names, "w", *(["t"] if tagged else []), *(["r"] if modulators else [])]
        weights = {m.name: float(rng.choice([1.0, -0.5])) for m in modulators if m.size in (1, post_size)}
        if "several_modulators" not in self.allowed:
            weights = dict(list(weights.items())[:1])
        return RuleProgram(
            name="random",
            dw=self.target([*known, "r"] if modulators else known, clock, most=3),
            dt=self.target([name for name in known if name != "w"], clock, most=3) if tagged else None,
            traces=traces,
            epoch=int(rng.integers(2, 6)) if self.may("epoch", 0.3) else 1,
            w_min=0.0,
            w_max=0.0,
            modulators=weights,
            third_factor_scale=64.0 if modulators else 1.0,
        )

    def target(self, known: list[str], clock: str, *, most: int) -> SumOfProducts:
        products = [self.product(known, clock) for _ in range(self.rng.integers(1, most + 1))]
        return SumOfProducts(tuple(products))

    def product(self, known: list[str], clock: str) -> Product:
        rng = self.rng
        chosen = list(rng.choice(known, int(rng.integers(0, 4))))
        if chosen.count("r") > 1:
            chosen = [name for name in chosen if name != "r"] + ["r"]
        factors = tuple(self.factor(str(name)) for name in chosen)
        mantissa = int(rng.choice([m for m in range(-7, 8) if m]))
        exponent = int(rng.integers(-7, 3)) if len(chosen) < 2 else int(rng.integers(-6, 9))
        return Product(mantissa * 2.0**exponent, str(rng.choice(["x0", "y0", clock])), factors)

    def factor(self, name: str) -> Factor:
        options: dict[str, Any] = {}
        if name != "r" and self.may("factors", 0.25):
            options["constant"] = float(self.rng.integers(-100, 101))
            options["sign"] = name in ("w", "t") and bool(self.rng.random() < 0.4)
        return Factor(name, **options)
