"""A program: what a backend runs. Arrays and whole steps only, with every convention in a field.

The meaning of a program, to the bit, is what :mod:`neuromorph.backends.reference` does with it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuromorph.compact import Array, frozen
from neuromorph.conventions import ARITHMETIC_CONVENTIONS, CONVENTIONS, Integration
from neuromorph.errors import CompileError, FaultList, InputError, raise_faults
from neuromorph.inputs import Input, Modulator
from neuromorph.parts import (
    ADAPTATION_ARRAYS,
    NEURON_ARRAYS,
    PopulationProgram,
    ProbeProgram,
    ProjectionProgram,
    RuleProgram,
    TraceProgram,
)
from neuromorph.plasticity.language import SumOfProducts, parse
from neuromorph.recording import read_archive, write_archive
from neuromorph.synapses import SYNAPSE_ARRAYS

__all__ = [
    "FORMAT",
    "Integration",
    "PopulationProgram",
    "ProbeProgram",
    "Program",
    "ProjectionProgram",
    "RuleProgram",
    "TraceProgram",
    "from_plain",
    "to_plain",
]

FORMAT = "neuromorph program 2"


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """A network in steps of ``dt``, with its conventions.

    Compare programs by :attr:`fingerprint`. :meth:`save` and :meth:`load` keep one in a file;
    :func:`neuromorph.textform.dumps` prints one.
    """

    name: str
    dt: float  # s
    seed: int  # connectors without a seed of their own were drawn from it
    inputs: Sequence[Input]
    populations: Sequence[PopulationProgram]
    projections: Sequence[ProjectionProgram]
    modulators: Sequence[Modulator] = ()
    probes: Sequence[ProbeProgram] = ()
    integration: Integration = "exponential"  # decay = exp(-dt / tau); "euler": 1 - dt / tau
    arithmetic: Literal["float", "fixed"] = "float"
    chip: str = ""  # fixed point: the chip whose limits were kept
    # A spike sent at t acts on u at t + delay, delay >= 1. One step sooner, a delay of one step is none where the
    # presynaptic population comes before the postsynaptic one; elsewhere it stays one step.
    delay_convention: str = "arrival"
    threshold_comparison: str = ">"
    reset: str = "zero"  # where the reset leaves v, there the refractory period holds it
    # These four are empty at most until the program is made: then they are what ARITHMETIC_CONVENTIONS begins with.
    rounding: str = ""  # of decays; in fixed point "toward zero", and traces, tags and weights are rounded at random
    u_overflow: str = ""  # fixed point: u wraps once at 24 bits
    v_overflow: str = ""  # fixed point: v saturates at 24 bits
    summation: str = ""  # "first to last": currents add up in the order of projections and presynaptic neurons
    # A rule sees a presynaptic spike in the step it is sent; or when it has arrived at the last of its synapses.
    plasticity_timing: str = "sent"
    coincidence: str = "seen"  # pre and post spikes of one step see each other's full impulse
    weight_timing: str = "before learning"  # spikes of a step carry the weights that they find

    def __post_init__(self) -> None:
        for name in ("inputs", "populations", "projections", "modulators", "probes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, allowed in ARITHMETIC_CONVENTIONS.get(self.arithmetic, {}).items():
            object.__setattr__(self, name, getattr(self, name) or allowed[0])
        raise_faults(CompileError, self._faults())

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only mappings do not pickle.
        return from_plain, (to_plain(self, np.asarray, ProjectionProgram.narrow), np.asarray)

    def _faults(self) -> list[str]:
        sizes = self.sizes
        modulators = {modulator.name: modulator.size for modulator in self.modulators}
        found: list[str] = []
        by_arithmetic = ARITHMETIC_CONVENTIONS.get(self.arithmetic, {})
        for name, allowed in {**CONVENTIONS, **by_arithmetic}.items():
            if getattr(self, name) not in allowed:
                found.append(f"{name} must be {' or '.join(map(repr, allowed))}, got {getattr(self, name)!r}")
        if not (isinstance(self.dt, float) and 0 < self.dt < float("inf")):
            found.append(f"dt must be a float > 0 s, got {self.dt!r}")
        names = [item.name for item in (*self.inputs, *self.populations, *self.projections)]  # type: ignore[attr-defined]
        found += [
            f"the name {name!r} is used {names.count(name)} times"
            for name in sorted(set(names))
            if names.count(name) > 1
        ]
        for population in self.populations:
            faults = population.faults() or (population.fixed_faults() if self.arithmetic == "fixed" else [])
            found += [f"population {population.name!r}: {fault}" for fault in faults]
        for projection in self.projections:
            where = f"projection {projection.name!r}"
            faults = projection.faults() or (projection.fixed_faults() if self.arithmetic == "fixed" else [])
            found += [f"{where}: {fault}" for fault in faults]
            if (projection.pre_size, projection.post_size) != (sizes.get(projection.pre), sizes.get(projection.post)):
                found.append(f"{where}: its sizes do not match its populations")
            for name in () if projection.rule is None else projection.rule.modulators:
                if modulators.get(name) not in (1, projection.post_size):
                    known = ", ".join(modulators) or "none"
                    found.append(
                        f"{where}: there is no modulator {name!r} of size 1 or {projection.post_size}; known: {known}"
                    )
        return found + [
            f"probe of {probe.target!r}: {fault}" for probe in self.probes for fault in self._probe_faults(probe)
        ]

    def _probe_faults(self, probe: ProbeProgram) -> list[str]:
        projections = {projection.name: projection for projection in self.projections}
        if probe.target in projections:
            rule = projections[probe.target].rule
            known = ["weight"] if rule is None else list(dict.fromkeys(("weight", *rule.targets)))
        elif probe.target in self.sizes:
            is_input = probe.target in {item.name for item in self.inputs}
            known = ["spikes", *(() if is_input else self.population(probe.target).states)]
        else:
            targets = ", ".join(sorted([*self.sizes, *projections]))
            return [f"there is no population or projection {probe.target!r}; known: {targets}"]
        found = []
        if probe.variable not in known:
            found.append(f"it has {', '.join(known)}, not {probe.variable!r}")
        if probe.every < 1:
            found.append(f"every must be at least one step, got {probe.every!r}")
        return found

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Neurons of every input and population."""
        return {item.name: item.size for item in self.inputs} | {item.name: item.size for item in self.populations}

    @cached_property
    def unusual_conventions(self) -> dict[str, str]:
        """Conventions that are not the suite's own, by field; integration and arithmetic are choices and not among them."""
        usual = {name: values[0] for name, values in CONVENTIONS.items() if name not in ("integration", "arithmetic")}
        usual |= {name: values[0] for name, values in ARITHMETIC_CONVENTIONS[self.arithmetic].items()}
        return {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content, hexadecimal; equal programs have equal fingerprints on every machine."""
        digest = hashlib.sha256()

        def reduce(array: npt.NDArray[Any]) -> str:
            little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
            return (
                f"{little.dtype.kind}{little.dtype.itemsize}{little.shape}"
                + hashlib.sha256(little.tobytes()).hexdigest()
            )

        plain = to_plain(self, reduce, lambda projection, column: projection.digests[column])
        digest.update(json.dumps(plain, sort_keys=True).encode())
        return digest.hexdigest()

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the arrays take, without what was found from them on first use."""
        neurons = sum(
            value.nbytes
            for population in self.populations
            for value in vars(population).values()
            if isinstance(value, np.ndarray)
        )
        return neurons + sum(projection.nbytes for projection in self.projections)

    def projection(self, name: str) -> ProjectionProgram:
        """The projection called ``name``."""
        for projection in self.projections:
            if projection.name == name:
                return projection
        raise InputError(f"there is no projection {name!r}; known: {', '.join(p.name for p in self.projections)}")

    def population(self, name: str) -> PopulationProgram:
        """The population called ``name``."""
        for population in self.populations:
            if population.name == name:
                return population
        raise InputError(f"there is no population {name!r}; known: {', '.join(p.name for p in self.populations)}")

    def with_probes(self, probes: Sequence[ProbeProgram]) -> Program:
        """The same program with these probes instead."""
        return dataclasses.replace(self, probes=tuple(probes))

    def with_all_spikes(self) -> Program:
        """The same program, recording the spikes of every input and population and no states."""
        return self.with_probes([ProbeProgram(target=name, variable="spikes", every=1) for name in self.sizes])

    def with_weights(self, weights: Mapping[str, npt.ArrayLike], *, static: bool = False) -> Program:
        """The same program with other weights, by projection name: dense (post, pre), or one value for each synapse.

        A SciPy sparse array of exactly the synapses that exist does too, as :meth:`Session.read` gives it.
        With ``static`` those projections lose their learning rule: a learned network, frozen.
        """
        return self._with_synapses("weight", weights, static)

    def with_delays(self, delays: Mapping[str, npt.ArrayLike], *, static: bool = False) -> Program:
        """The same program with other delays in steps, in the forms of :meth:`with_weights`.

        They are rounded as spikes round delays that learn, halves to the even step; with ``static`` learned ones are
        frozen, and the program is one that a chip may hold.
        """
        return self._with_synapses("delay", delays, static)

    def _with_synapses(self, column: str, given: Mapping[str, npt.ArrayLike], static: bool) -> Program:
        changed = []
        known = {projection.name for projection in self.projections}
        raise_faults(InputError, [f"there is no projection {name!r}" for name in given if name not in known])
        for projection in self.projections:
            if projection.name not in given:
                changed.append(projection)
                continue
            entries = _stored(given[projection.name], projection, f"{column}s of {projection.name!r}")
            try:
                values = np.asarray(entries, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"{column}s of {projection.name!r} must be numbers: {error}") from None
            if values.shape == (projection.post_size, projection.pre_size):
                values = projection.connectivity.entries(values)
            if values.shape != (projection.synapses,):
                raise InputError(
                    f"{column}s of {projection.name!r} must have shape ({projection.post_size}, {projection.pre_size})"
                    f" or ({projection.synapses},), got {values.shape}"
                )
            rule = None if static else projection.rule
            kept = np.rint(values) if column == "delay" else values
            changed.append(projection.with_changes(**{column: kept, "rule": rule}))
        return dataclasses.replace(self, projections=tuple(changed))

    def with_parameters(self, population: str, **arrays: npt.ArrayLike) -> Program:
        """The same program with other ``threshold`` or ``bias`` arrays in one population."""
        raise_faults(
            InputError,
            [
                f"parameter must be threshold or bias, got {name!r}"
                for name in arrays
                if name not in ("threshold", "bias")
            ],
        )
        target = self.population(population)
        try:
            filled: dict[str, Any] = {
                name: np.broadcast_to(np.asarray(values, dtype=np.float64), (target.size,))
                for name, values in arrays.items()
            }
        except (TypeError, ValueError) as error:
            raise InputError(f"{' and '.join(arrays)} must be one number or shape ({target.size},): {error}") from None
        new = dataclasses.replace(target, **filled)
        return dataclasses.replace(self, populations=tuple(new if p is target else p for p in self.populations))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program to one file, through a temporary file that is renamed when complete."""
        arrays: dict[str, npt.NDArray[Any]] = {}

        def reduce(array: npt.NDArray[Any]) -> str:
            name = f"array{len(arrays)}"
            arrays[name] = array
            return name

        plain = to_plain(self, reduce, lambda projection, column: reduce(projection.narrow(column)))
        write_archive(path, {"format": FORMAT, "fingerprint": self.fingerprint, "program": plain}, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Program:
        """Read what :meth:`save` wrote; raises :class:`InputError` where the file is another or was changed."""
        header, arrays = read_archive(path, FORMAT)
        try:
            program = from_plain(header["program"], lambda reference: frozen(arrays[reference]))
        except FaultList as error:
            raise InputError(f"{os.fspath(path)!r} is not a sound program: {error}") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{os.fspath(path)!r} is not a whole program: {error!r}") from None
        if program.fingerprint != header.get("fingerprint"):
            raise InputError(f"{os.fspath(path)!r} was changed after it was saved: its fingerprint does not match")
        return program


def _stored(values: Any, projection: ProjectionProgram, what: str) -> Any:
    """The entries of a sparse array that stores the projection's synapses; anything else as it is."""
    if type(values).__module__.partition(".")[0] != "scipy":
        return values
    rows = values.tocsr(copy=True)
    rows.sort_indices()
    pointer, pre = projection.csr
    if rows.shape != (projection.post_size, projection.pre_size) or not (
        np.array_equal(rows.indptr, pointer) and np.array_equal(rows.indices, pre)
    ):
        raise InputError(f"{what}: the matrix must store exactly the {projection.synapses} synapses that exist")
    return rows.data


def to_plain(
    program: Program, reduce: Callable[[Array], Any], column: Callable[[ProjectionProgram, str], Any] | None = None
) -> dict[str, Any]:
    """Nested dictionaries, lists, numbers and text; every array becomes what ``reduce`` makes of it.

    Arrays of synapses, by projection and field, become what ``column`` makes of them, where it is given.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, ProjectionProgram) and column is not None:
            names = (item.name for item in dataclasses.fields(value))
            return {
                name: column(value, name) if name in SYNAPSE_ARRAYS else plain(getattr(value, name)) for name in names
            }
        if isinstance(value, np.ndarray):
            return reduce(value)
        if isinstance(value, SumOfProducts):
            return str(value)
        if isinstance(value, Mapping):
            return {name: plain(item) for name, item in sorted(value.items())}
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        if isinstance(value, TraceProgram):  # what most traces are not, files do not say
            usual = {item.name: item.default for item in dataclasses.fields(value)}
            return {name: given for name, given in vars(value).items() if given != usual[name]}
        if isinstance(value, PopulationProgram):  # nor do they speak of thresholds that stay where they are
            given = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
            return {
                name: plain(held) for name, held in given.items() if held is not None or name not in ADAPTATION_ARRAYS
            }
        if isinstance(value, RuleProgram):
            given = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
            return {
                name: plain(held) for name, held in given.items() if held is not None or name not in ("dd", "d_max")
            }
        if dataclasses.is_dataclass(value):
            return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return value

    result = plain(program)
    assert isinstance(result, dict)
    return result


def from_plain(plain: Mapping[str, Any], restore: Any) -> Program:
    """The inverse of :func:`to_plain`."""

    def rule(values: Mapping[str, Any] | None) -> RuleProgram | None:
        if values is None:
            return None
        return RuleProgram(
            **{
                **values,
                "dw": parse(values["dw"]) if values["dw"] else SumOfProducts(()),  # a rule may teach delays alone
                "dt": None if values["dt"] is None else parse(values["dt"]),
                "dd": None if values.get("dd") is None else parse(values["dd"]),
                "traces": {name: TraceProgram(**trace) for name, trace in values["traces"].items()},
            }
        )

    def arrays(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        return {**values, **{name: restore(values[name]) for name in names}}

    def population(values: Mapping[str, Any]) -> PopulationProgram:
        given = [name for name in ADAPTATION_ARRAYS if name in values]
        return PopulationProgram(**arrays(values, [*NEURON_ARRAYS, *given]))

    return Program(
        **{
            **plain,
            "inputs": tuple(Input(**values) for values in plain["inputs"]),
            "populations": tuple(map(population, plain["populations"])),
            "projections": tuple(
                ProjectionProgram(**{**arrays(v, SYNAPSE_ARRAYS), "rule": rule(v["rule"])})
                for v in plain["projections"]
            ),
            "modulators": tuple(Modulator(**values) for values in plain["modulators"]),
            "probes": tuple(ProbeProgram(**values) for values in plain["probes"]),
        }
    )
