"""The pass: a program in float becomes one in the integers of a chip."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from neuromorph.chip import Chip, load_chip
from neuromorph.conventions import ARITHMETIC_CONVENTIONS, Integration
from neuromorph.discretise import discretise
from neuromorph.errors import CompileError, InputError, LimitFault, is_count, is_number, raise_faults
from neuromorph.network import Network
from neuromorph.parts import NO_FIXED_ADAPTATION
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.quantisation.coefficients import LEAST_IMPULSE
from neuromorph.quantisation.limits import MOST_WEIGHT_BITS, ChipLimits
from neuromorph.quantisation.neurons import fixed_population, leak_faults, refractory_faults, with_held_decays
from neuromorph.quantisation.report import Rounding, RoundingReport
from neuromorph.quantisation.rules import RuleConversion
from neuromorph.quantisation.scale import Receiver, choose_scale
from neuromorph.quantisation.synapses import WeightGrid, fixed_projection, weight_grid
from neuromorph.rule_program import NO_FIXED_DELAYS

ChipLike = str | os.PathLike[str] | Chip
ScaleBy = Literal["population", "network"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantised:
    """A fixed-point program, and what it cost."""

    program: Program
    report: RoundingReport


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """Quantisation for one chip, by its limits; call it with a program.

    Weights onto a population, its threshold and its bias are multiplied by one scale, so that no spike changes but by
    rounding: ``mantissa 2^(6 + exponent) = scale weight``, ``mantissa 2^6 = scale threshold``. Learning rules are
    compensated so that they mean the same.

    Raises :class:`CompileError` with everything that has no place on the chip, and :class:`ChipError`.
    """

    chip: ChipLike = "loihi1"
    scale_by: ScaleBy = "population"  # "network": one scale for all populations, so that their v can be compared
    percentile: float = (
        100.0  # of |weight|, 0 excluded: static weights beyond it are clipped, the others gain resolution
    )
    weight_bits: int | None = None  # of static weights, without the sign; None: as many as the chip has
    busy_rate: float = 100.0  # Hz, of all presynaptic neurons: u, v and the input of a step are to have room for it
    third_factor_limit: float = 1.0  # the largest |r| that is to be told from smaller ones
    bound_headroom: float = 4.0  # learned weights without a bound may grow to so many times the largest initial one
    trace_headroom: float = 4.0  # so many impulses fit into a trace
    tag_headroom: float = 4.0  # so many of the largest single change fit into a tag

    def __post_init__(self) -> None:
        faults = []
        if self.scale_by not in get_args(ScaleBy):
            faults.append(f"scale_by must be 'population' or 'network', got {self.scale_by!r}")
        if not (is_number(self.percentile) and 0 < self.percentile <= 100):
            faults.append(f"percentile must be > 0 and at most 100, got {self.percentile!r}")
        if self.weight_bits is not None and not (is_count(self.weight_bits, least=1) and self.weight_bits <= 8):
            faults.append(f"weight_bits must be 1..8, or None for as many as the chip has, got {self.weight_bits!r}")
        for name in ("busy_rate", "third_factor_limit", "bound_headroom", "trace_headroom", "tag_headroom"):
            least = 0 if name in ("busy_rate", "third_factor_limit") else 1
            value = getattr(self, name)
            if not (is_number(value) and value >= least and value > 0):
                faults.append(f"{name} must be {'> 0' if least == 0 else '>= 1'} and finite, got {value!r}")
        raise_faults(InputError, faults)

    def __call__(self, program: Program) -> Quantised:
        """The program in fixed point; one that is already fixed for this chip is returned as it is."""
        if not isinstance(program, Program):
            raise InputError(f"quantise takes a Program (nm.compile makes one of a network), got {program!r}")
        chip = self.chip if isinstance(self.chip, Chip) else load_chip(self.chip)
        limits = ChipLimits.of(chip)
        if program.arithmetic == "fixed":
            if program.chip != chip.name:
                raise CompileError(
                    f"program {program.name!r} is fixed for {program.chip!r} already: quantise the float program for {chip.name!r}"
                )
            raise_faults(CompileError, _step_faults(program, limits) + _width_faults(program, limits))
            return Quantised(program=program, report=RoundingReport(program=program.name, chip=chip.name, rows=()))
        raise_faults(CompileError, self._option_faults(limits))
        return self._quantised(program, limits)

    def _option_faults(self, limits: ChipLimits) -> list[str]:
        """Options that this chip has no room for."""
        found: list[str] = []
        if self.weight_bits not in (None, *limits.weight_widths):
            widths = ", ".join(map(str, limits.weight_widths))
            text = f"weight_bits must be one of {widths} on {limits.chip}, got {self.weight_bits}"
            found.append(LimitFault(text, rule="synapse.weight-bits"))
        if self.trace_headroom > (most := limits.trace / LEAST_IMPULSE):
            text = f"trace_headroom must be at most {most:.6g} on {limits.chip}, got {self.trace_headroom!r}"
            found.append(LimitFault(text, rule="learning.trace-impulse"))
        if self.tag_headroom > limits.tag:
            text = f"tag_headroom must be at most {limits.tag} on {limits.chip}, got {self.tag_headroom!r}"
            found.append(LimitFault(text, rule="learning.tag-bits"))
        return found

    def _quantised(self, program: Program, limits: ChipLimits) -> Quantised:
        faults = _step_faults(program, limits)
        receivers, sound = {}, {}
        for population in program.populations:
            faults += leak_faults(population, limits, program)
            before = len(faults)
            grids = [
                self._grid(p, population, limits, faults) for p in program.projections if p.post == population.name
            ]
            held = with_held_decays(population, limits)
            busy = min(1.0, self.busy_rate * program.dt)
            receivers[population.name] = Receiver(population=held, grids=grids, busy=busy)
            if len(faults) == before:
                sound[population.name] = receivers[population.name]
        together = self.scale_by == "population" or len(sound) == len(receivers)
        scales = self._scales(sound, limits, faults) if together else {}
        conversions = {
            projection.name: self._conversion(
                program, limits, receivers[projection.post], projection, scales.get(projection.post)
            )
            for projection in program.projections
            if projection.rule is not None
        }
        rules = {name: conversion.fixed() for name, conversion in conversions.items()}
        for conversion in conversions.values():
            faults += conversion.faults
        raise_faults(CompileError, faults)
        rows: list[Rounding] = []
        populations, projections = [], []
        for population in program.populations:
            fixed, found = fixed_population(receivers[population.name], program, scales[population.name], limits)
            populations.append(fixed)
            rows += found
        for projection in program.projections:
            grid = _grid_of(receivers[projection.post], projection)
            synapses, found = fixed_projection(
                grid, scales[projection.post], self._weight_bits(limits), rules.get(projection.name)
            )
            projections.append(synapses)
            rows += found
            rows += conversions[projection.name].rows if projection.name in conversions else []
        usual: dict[str, Any] = dict.fromkeys(ARITHMETIC_CONVENTIONS["fixed"], "")  # the suite's own in fixed point
        result = dataclasses.replace(
            program,
            populations=populations,
            projections=projections,
            arithmetic="fixed",
            chip=limits.chip,
            **usual,
        )
        return Quantised(
            program=result, report=RoundingReport(program=program.name, chip=limits.chip, rows=tuple(rows))
        )

    def _weight_bits(self, limits: ChipLimits) -> int:
        return max(limits.weight_widths) if self.weight_bits is None else self.weight_bits

    def _grid(
        self, projection: ProjectionProgram, population: PopulationProgram, limits: ChipLimits, faults: list[str]
    ) -> WeightGrid:
        finite = population.threshold[np.isfinite(population.threshold)]
        return weight_grid(
            projection,
            limits,
            weight_bits=self._weight_bits(limits),
            percentile=self.percentile,
            bound_headroom=self.bound_headroom,
            range_hint=float(finite.min(initial=1.0)),
            faults=faults,
        )

    def _scales(self, receivers: dict[str, Receiver], limits: ChipLimits, faults: list[str]) -> dict[str, float]:
        together = [list(receivers)] if self.scale_by == "network" else [[name] for name in receivers]
        scales = {}
        for names in together:
            scale = choose_scale([receivers[name] for name in names], limits, faults)
            if scale is not None:
                scales.update(dict.fromkeys(names, scale))
        return scales

    def _conversion(
        self,
        program: Program,
        limits: ChipLimits,
        receiver: Receiver,
        projection: ProjectionProgram,
        scale: float | None,
    ) -> RuleConversion:
        """Where no scale could be found the rule is checked at the bound's own, so that its faults are told too."""
        assert projection.rule is not None
        grid = _grid_of(receiver, projection)
        value = grid.unit if scale is None else grid.mantissa_value(scale)
        return RuleConversion(
            rule=projection.rule,
            program=program,
            limits=limits,
            where=f"projection {projection.name!r}: rule {projection.rule.name!r}",
            sign_mode=grid.sign_mode,
            mantissa_value=value if value > 0 else 1.0,
            third_factor_limit=float(self.third_factor_limit),
            trace_headroom=float(self.trace_headroom),
            tag_headroom=float(self.tag_headroom),
        )


def quantise(program: Program, chip: ChipLike = "loihi1", **options: Any) -> Program:
    """The program in the integers of a chip; ``options`` are the fields of :class:`Quantisation`.

    The float program stays as it is, and a program that is fixed for this chip comes back itself.
    :func:`rounding_report` tells what was rounded.

    >>> from neuromorph import LIF, Input, Network, Population, Projection, compile
    >>> net = Network(populations=[Input("in", 1), Population("out", 1, LIF())],
    ...               projections=[Projection("in", "out", [[0.5]])])
    >>> fixed = quantise(compile(net), "loihi1")
    >>> fixed.arithmetic, fixed.projections[0].weight.tolist(), quantise(fixed) is fixed
    ('fixed', [255.0], True)
    """
    return _pass(chip, options)(program).program


def rounding_report(
    network: Network | Program,
    chip: ChipLike = "loihi1",
    *,
    dt: float | None = None,
    integration: Integration | None = None,
    seed: int = 0,
    **options: Any,
) -> RoundingReport:
    """What a chip makes of every number of a network or float program: asked, held, relative error.

    A network is compiled first (see :func:`neuromorph.discretise.discretise`), a program has all that already. Same roundings as those of
    :func:`neuromorph.compile` with ``chip``; ``options`` are the fields of :class:`Quantisation`.
    """
    if isinstance(network, Network):
        network = discretise(network, dt=dt, integration=integration, seed=seed)
    elif dt is not None or integration is not None:
        raise InputError("a program has its own dt and integration: leave them out")
    return _pass(chip, options)(network).report


def _pass(chip: ChipLike, options: dict[str, Any]) -> Quantisation:
    known = [field.name for field in dataclasses.fields(Quantisation) if field.name != "chip"]
    raise_faults(
        InputError,
        [f"quantise has no option {name!r}; known: {', '.join(known)}" for name in options if name not in known],
    )
    return Quantisation(chip=chip, **options)


def _grid_of(receiver: Receiver, projection: ProjectionProgram) -> WeightGrid:
    return next(grid for grid in receiver.grids if grid.projection.name == projection.name)


def _step_faults(program: Program, limits: ChipLimits) -> list[str]:
    """Times that are too long, and learned weights on a chip without the bits for them."""
    found = [fault for population in program.populations for fault in refractory_faults(population, limits, program.dt)]
    found += [
        LimitFault(f"population {p.name!r}: {NO_FIXED_ADAPTATION}", rule="neuron.adaptive-threshold")
        for p in program.populations
        if p.adapts
    ]
    most = limits.extra_delay + 1
    for projection in program.projections:
        where = f"projection {projection.name!r}"
        if projection.max_delay > most:
            text = (
                f"{where}: delays must be at most {most} steps on {limits.chip} ({most * program.dt:.6g} s), got"
                f" {projection.max_delay}: shorten them, or take a larger dt of which all are whole multiples"
            )
            found.append(LimitFault(text, rule="synapse.delay"))
        if projection.rule is not None and projection.learns_delays:
            text = f"{where}: rule {projection.rule.name!r}: {NO_FIXED_DELAYS}"
            found.append(LimitFault(text, rule="learning.factors"))
        if projection.rule is not None and MOST_WEIGHT_BITS not in limits.weight_widths:
            text = (
                f"{where}: rule {projection.rule.name!r}: learned weights have {MOST_WEIGHT_BITS} bits beside the sign, and"
                f" {limits.chip} has at most {max(limits.weight_widths)}: leave the rule out, or take another chip"
            )
            found.append(LimitFault(text, rule="learning.weight-bits"))
    return found


def _width_faults(program: Program, limits: ChipLimits) -> list[str]:
    """Weights of a fixed-point program that the chip has no form for."""
    return [
        LimitFault(
            f"projection {projection.name!r}: weight_bits must be one of {', '.join(map(str, limits.weight_widths))} on"
            f" {limits.chip}, got {projection.weight_bits}: quantise the float program",
            rule="synapse.weight-bits",
        )
        for projection in program.projections
        if projection.weight_bits not in limits.weight_widths
    ]
