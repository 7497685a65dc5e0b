"""The contract between programs and simulators: Backend, Session, Capabilities, Availability."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from neuromorph.counts import count
from neuromorph.errors import InputError, SimulatorError, UnsupportedError, raise_faults
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording, SpikeTrain
from neuromorph.watchdog import Watchdog

FEATURES: Mapping[str, str] = {
    "per_neuron_parameters": "time constants, thresholds, bias or refractory periods that differ within a population",
    "refractory": "a refractory period",
    "sparse": "projections in which not every synapse exists",
    "delay": "delays of more than one step",
    "delay_per_synapse": "delays that differ within a projection",
    "several_delays": "a projection with a longer delay than another one onto the same population",
    "recurrent": "recurrent projections",
    "learning": "learning rules",
    "learning_sparse": "learning where not every synapse exists",
    "learning_delay": "learning on a projection with delays of more than one step",
    "tag": "eligibility tags",
    "third_factor": "a third factor per step",
    "third_factor_per_neuron": "a third factor per step and postsynaptic neuron",
    "several_modulators": "a third factor mixed from several modulators",
    "epoch": "learning epochs of more than one step",
    "sparse_dependency": "products that act on every 2^k-th epoch (u1 to u9)",
    "second_traces": "second and third traces (x2, y2, y3)",
    "non_decaying_trace": "traces that do not decay",
    "factors": "factors with constants or signs, as in (w - 1) and sgn(w)",
    "weight_bounds": "hard weight bounds",
}


@dataclass(frozen=True)
class Gap:
    """A feature that a backend lacks: why, and whose work would close it."""

    reason: str
    owner: Literal["ours", "theirs", "never"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a backend runs, as data: every feature of :data:`FEATURES` that is not a gap is supported.

    ``agreement`` is the class in which its spikes agree with the reference: "exact", "tolerance" or "statistical".
    """

    gaps: Mapping[str, Gap] = field(default_factory=dict)
    agreement: Literal["exact", "tolerance", "statistical"] = "tolerance"
    runs_programs: bool = True  # False: it trains descriptions instead, and opens no session
    note: str = ""

    def __post_init__(self) -> None:
        unknown = set(self.gaps) - set(FEATURES)
        if unknown:
            raise InputError(f"Capabilities.gaps names unknown features {sorted(unknown)}; known: {', '.join(FEATURES)}")

    def faults(self, program: Program) -> list[str]:
        """Every feature that ``program`` uses and this backend lacks: feature, where, why."""
        return [
            f"{feature} ({FEATURES[feature]}) in {where}: {self.gaps[feature].reason}"
            for feature, where in requirements(program)
            if feature in self.gaps
        ]


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether a backend can run here; if not, the reason and the remedy."""

    available: bool
    reason: str = ""
    remedy: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)  # of the simulator's packages


def requirements(program: Program) -> list[tuple[str, str]]:
    """Features that a program uses, each with the places where it does."""
    uses: dict[str, list[str]] = {}

    def note(feature: str, condition: bool, where: str) -> None:
        if condition:
            uses.setdefault(feature, []).append(where)

    longest: dict[str, set[int]] = {}
    for population in program.populations:
        where = f"population {population.name!r}"
        arrays = (population.decay_u, population.decay_v, population.threshold, population.bias, population.refractory)
        note("per_neuron_parameters", any(bool(np.any(a != a[0])) for a in arrays), where)
        note("refractory", bool(np.any(population.refractory > 0)), where)
    for projection in program.projections:
        where = f"projection {projection.name!r}"
        longest.setdefault(projection.post, set()).add(projection.max_delay)
        note("sparse", not projection.is_full, where)
        note("delay", projection.max_delay > 1, where)
        note("delay_per_synapse", not projection.has_one_delay, where)
        note("recurrent", _is_recurrent(program, projection), where)
        if (rule := projection.rule) is None:
            continue
        factors = [f for target in rule.targets.values() for product in target.products for f in product.factors]
        sizes = {modulator.name: modulator.size for modulator in program.modulators}
        note("learning", True, where)
        note("learning_sparse", not projection.is_full, where)
        note("learning_delay", projection.max_delay > 1, where)
        note("tag", rule.dt is not None, where)
        note("third_factor", bool(rule.modulators), where)
        note("third_factor_per_neuron", any(sizes[name] > 1 for name in rule.modulators), where)
        note("several_modulators", len(rule.modulators) > 1, where)
        note("epoch", rule.epoch > 1, where)
        note("sparse_dependency", any(d[0] == "u" and d != "u0" for d in rule.dependencies), where)
        note("second_traces", not {"x2", "y2", "y3"}.isdisjoint(rule.traces), where)
        note("non_decaying_trace", any(trace.decay == 1.0 for trace in rule.traces.values()), where)
        note("factors", any(f.constant != 0 or f.sign for f in factors), where)
        note("weight_bounds", bool(np.isfinite(rule.w_min) or np.isfinite(rule.w_max)), where)
    for name, delays in longest.items():
        note("several_delays", len(delays) > 1, f"population {name!r}")
    return [(feature, ", ".join(places)) for feature, places in uses.items()]


def _is_recurrent(program: Program, projection: ProjectionProgram) -> bool:
    """Whether a spike can come back to the population that sent it through this projection."""
    reached, frontier = {projection.post}, [projection.post]
    while frontier:
        here = frontier.pop()
        for other in program.projections:
            if other.pre == here and other.post not in reached:
                reached.add(other.post)
                frontier.append(other.post)
    return projection.pre in reached


class Backend(ABC):
    """A simulator, or a way of running one; concrete backends are frozen dataclasses whose fields are their options."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    @abstractmethod
    def availability(self) -> Availability:
        """Whether it can run on this machine, with versions."""

    @abstractmethod
    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        """A session for a program that was checked."""

    def faults(self, program: Program) -> list[str]:
        """Why this backend cannot run ``program``; empty where it can."""
        return self.capabilities.faults(program)

    def open(self, program: Program, *, seed: int = 0, stall_second: float = 60.0) -> Session:
        """Start a session; raises :class:`UnsupportedError` with every unsupported feature before anything runs.

        ``stall_second``: a run that completes no step for so long is ended with :class:`SimulatorStalled`.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise InputError(f"seed must be a whole number >= 0, got {seed!r}")
        if not (isinstance(stall_second, (int, float)) and stall_second > 0):
            raise InputError(f"stall_second must be > 0 s, got {stall_second!r}")
        faults = self.faults(program)
        raise_faults(UnsupportedError, [f"backend {self.name!r} cannot run {program.name!r}: {fault}" for fault in faults])
        return self._open(program, seed=int(seed), stall_second=float(stall_second))


@dataclass(frozen=True, eq=False)
class Advance:
    """What a simulator hands back for some steps: spikes of every population, and probed neuron states.

    ``states[population, variable]`` has shape (steps, neurons), for each pair in ``Session.state_probes``.
    """

    spikes: Mapping[str, SpikeTrain]
    states: Mapping[tuple[str, str], FloatArray]


class Session(ABC):
    """A program loaded into a simulator: run it in chunks, read and write its state, close it.

    Running 10 x 100 steps equals running 1000 steps; state is reset only by :meth:`reset`. Use it as a context manager.

    A subclass implements :meth:`_advance`, :meth:`_read`, :meth:`_write`, :meth:`_reset` and :meth:`_close`; synapse
    variables pass through them as vectors with one entry for each existing synapse in the program's order.
    """

    def __init__(self, program: Program, *, backend: str, seed: int, stall_second: float) -> None:
        self.program, self.backend, self.seed, self.stall_second = program, backend, seed, stall_second
        self.steps_run = 0
        self._closed = False
        self._failed = ""
        self.state_probes = [(p.target, p.variable) for p in program.probes if p.variable in ("u", "v")]

    @abstractmethod
    def _advance(
        self, steps: int, inputs: Mapping[str, BoolArray], modulators: Mapping[str, FloatArray], beat: Callable[[], None]
    ) -> Advance:
        """Run ``steps`` steps; call ``beat`` at least once a step. Inputs (steps, size), modulators (steps, size)."""

    @abstractmethod
    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        """A variable of :meth:`variables` as a vector."""

    @abstractmethod
    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        """Set a variable from a full vector."""

    @abstractmethod
    def _reset(self) -> None:
        """Forget u, v, refractory counts, spikes under way, traces and tags; keep weights, thresholds and bias."""

    @abstractmethod
    def _close(self) -> None:
        """Free everything; called once."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session; more than once does no harm."""
        if not self._closed:
            self._closed = True
            self._close()

    def variables(self) -> dict[str, int]:
        """Addresses that :meth:`read` and :meth:`write` take, with the number of values each holds."""
        found: dict[str, int] = {}
        for population in self.program.populations:
            for variable in ("u", "v", "v_threshold", "bias"):
                found[f"{population.name}.{variable}"] = population.size
        for projection in self.program.projections:
            found[f"{projection.name}.weight"] = projection.synapses
            if projection.rule is not None:
                if projection.rule.dt is not None:
                    found[f"{projection.name}.tag"] = projection.synapses
                for trace in projection.rule.traces:
                    found[f"{projection.name}.{trace}"] = (
                        projection.pre_size if trace in PRE_TRACES else projection.post_size
                    )
        return found

    def read(self, name: str) -> Any:
        """The present value of ``population.variable`` or ``projection.variable``.

        Neuron variables and traces have shape (n,). Synapse variables are arrays (post, pre) where every synapse exists,
        and SciPy CSR arrays of that shape otherwise.
        """
        owner, variable, projection = self._address(name)
        values = np.array(self._read(owner, variable), dtype=np.float64)
        if projection is None:
            return values
        if projection.is_full:
            return projection.matrix(values)
        from scipy.sparse import csr_array

        shape = (projection.post_size, projection.pre_size)
        return csr_array((values, projection.pre_index.copy(), projection.by_post.copy()), shape=shape)

    def write(self, name: str, value: Any) -> None:
        """Set a variable: one number for all, or what :meth:`read` gives. Weights must respect the rule's bounds."""
        owner, variable, projection = self._address(name)
        size = self.variables()[name]
        values = self._vector(name, value, size, projection)
        if not np.all(np.isfinite(values)):
            raise InputError(f"{name} must be finite")
        if variable == "v_threshold" and np.any(values <= 0):
            raise InputError(f"{name} must be > 0, got {float(values.min())!r}")
        if variable == "weight" and projection is not None and (rule := projection.rule) is not None:
            if values.size and (values.min() < rule.w_min or values.max() > rule.w_max):
                raise InputError(
                    f"{name} must lie in the rule's bounds {rule.w_min!r}..{rule.w_max!r},"
                    f" got {float(values.min())!r}..{float(values.max())!r}: clip first"
                )
        self._write(owner, variable, values)

    def reset(self) -> None:
        """Forget u, v, refractory counts, spikes under way, traces and tags; keep weights, thresholds, bias and time."""
        self._check_open()
        self._reset()

    def run(
        self, steps: int, *, inputs: Mapping[str, Any] | None = None, modulators: Mapping[str, Any] | None = None
    ) -> Recording:
        """Run ``steps`` time steps.

        ``inputs[name]``: spikes of an input, shape (steps, size), any nonzero entry a spike; inputs not given are silent.
        ``modulators[name]``: third factor, shape (steps,) or (steps, size); not given: 0. Raises :class:`InputError` with
        everything that does not fit, :class:`SimulatorError` where the simulator fails, :class:`SimulatorStalled` where it
        hangs.
        """
        self._check_open()
        fed, factors = self._checked(steps, inputs or {}, modulators or {})
        first = self.steps_run
        began = time.perf_counter()
        pieces: list[Advance] = []
        synapse_samples: dict[tuple[str, str], list[FloatArray]] = {}
        synapse_steps: dict[tuple[str, str], list[int]] = {}
        try:
            with Watchdog(stall_second=self.stall_second, what=f"{self.backend} run of {self.program.name!r}") as dog:
                for start, stop in self._pieces(steps):
                    pieces.append(
                        self._advance(
                            stop - start,
                            {name: values[start:stop] for name, values in fed.items()},
                            {name: values[start:stop] for name, values in factors.items()},
                            dog.beat,
                        )
                    )
                    self.steps_run = first + stop
                    for probe in self.program.probes:
                        if probe.variable in ("weight", "tag") and self.steps_run % probe.every == 0 and stop > start:
                            key = (probe.target, probe.variable)
                            synapse_samples.setdefault(key, []).append(np.array(self._read(*key), dtype=np.float64))
                            synapse_steps.setdefault(key, []).append(stop - 1)
        except BaseException as error:
            self._failed = f"{type(error).__name__}: {error}"
            self.close()
            raise
        wall = time.perf_counter() - began
        return self._recording(first, steps, fed, pieces, synapse_samples, synapse_steps, wall)

    def _recording(
        self,
        first: int,
        steps: int,
        fed: Mapping[str, BoolArray],
        pieces: list[Advance],
        synapse_samples: Mapping[tuple[str, str], list[FloatArray]],
        synapse_steps: Mapping[tuple[str, str], list[int]],
        wall: float,
    ) -> Recording:
        spikes = {name: SpikeTrain.from_dense(values) for name, values in fed.items()}
        for population in self.program.populations:
            spikes[population.name] = _joined([piece.spikes[population.name] for piece in pieces], population.size)
        states: dict[tuple[str, str], FloatArray] = {}
        state_steps: dict[tuple[str, str], IntArray] = {}
        for probe in self.program.probes:
            key = (probe.target, probe.variable)
            if probe.variable in ("u", "v"):
                rows = np.flatnonzero((first + 1 + np.arange(steps)) % probe.every == 0)
                size = self.program.sizes[probe.target]
                whole = np.concatenate([piece.states[key] for piece in pieces]) if pieces else np.zeros((0, size))
                states[key], state_steps[key] = whole[rows], rows
            elif probe.variable in ("weight", "tag"):
                samples = synapse_samples.get(key, [])
                size = self.program.projection(probe.target).synapses
                states[key] = np.array(samples, dtype=np.float64).reshape(len(samples), size)
                state_steps[key] = np.array(synapse_steps.get(key, []), dtype=np.int64)
        wanted = {probe.target for probe in self.program.probes if probe.variable == "spikes"}
        return Recording(
            program_fingerprint=self.program.fingerprint,
            backend=self.backend,
            seed=self.seed,
            dt=self.program.dt,
            first_step=first,
            steps=steps,
            spikes={name: train for name, train in spikes.items() if name in wanted},
            states=states,
            state_steps=state_steps,
            counts=count(self.program, spikes, first_step=first, steps=steps),
            wall_second=wall,
        )

    def _pieces(self, steps: int) -> Iterator[tuple[int, int]]:
        """Runs between samples of probed synapse variables, which are read while the simulator stands still."""
        every = [probe.every for probe in self.program.probes if probe.variable in ("weight", "tag")]
        stops = {steps}
        for interval in every:
            stops.update(range(interval - self.steps_run % interval, steps, interval))
        start = 0
        for stop in sorted(stops):
            yield start, stop
            start = stop

    def _checked(
        self, steps: object, inputs: Mapping[str, Any], modulators: Mapping[str, Any]
    ) -> tuple[dict[str, BoolArray], dict[str, FloatArray]]:
        faults: list[str] = []
        if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0:
            raise InputError(f"steps must be a whole number >= 0, got {steps!r}")
        sizes = {item.name: item.size for item in self.program.inputs}
        fed = {name: np.zeros((int(steps), size), dtype=np.bool_) for name, size in sizes.items()}
        for name, values in inputs.items():
            if name not in sizes:
                faults.append(f"inputs: there is no input {name!r}; known: {', '.join(sizes) or 'none'}")
                continue
            array = np.asarray(values)
            if array.shape != (steps, sizes[name]) or array.dtype.kind not in "biuf":
                faults.append(f"inputs[{name!r}] must be numbers of shape ({steps}, {sizes[name]}), got {array.dtype} {array.shape}")
            elif array.dtype.kind == "f" and not np.all(np.isfinite(array)):
                faults.append(f"inputs[{name!r}] must be finite")
            else:
                fed[name] = array != 0
        known = {modulator.name: modulator.size for modulator in self.program.modulators}
        factors = {name: np.zeros((int(steps), size)) for name, size in known.items()}
        for name, values in modulators.items():
            if name not in known:
                faults.append(f"modulators: there is no modulator {name!r}; known: {', '.join(known) or 'none'}")
                continue
            array = np.asarray(values, dtype=np.float64)
            if array.shape == (steps,) and known[name] == 1:
                array = array[:, np.newaxis]
            if array.shape != (steps, known[name]):
                wanted = f"({steps},)" if known[name] == 1 else f"({steps}, {known[name]})"
                faults.append(f"modulators[{name!r}] must have shape {wanted}, got {array.shape}")
            elif not np.all(np.isfinite(array)):
                faults.append(f"modulators[{name!r}] must be finite")
            else:
                factors[name] = array
        raise_faults(InputError, faults)
        return fed, factors

    def _address(self, name: str) -> tuple[str, str, ProjectionProgram | None]:
        self._check_open()
        known = self.variables()
        if name not in known:
            raise InputError(f"there is no variable {name!r}; known: {', '.join(known)}")
        owner, _, variable = name.rpartition(".")
        if variable in ("weight", "tag"):
            return owner, variable, self.program.projection(owner)
        return owner, variable, None

    def _vector(self, name: str, value: Any, size: int, projection: ProjectionProgram | None) -> FloatArray:
        if projection is not None and type(value).__module__.partition(".")[0] == "scipy":
            csr = value.tocsr()
            csr.sort_indices()
            fits = csr.shape == (projection.post_size, projection.pre_size)
            if not fits or not (
                np.array_equal(csr.indptr, projection.by_post) and np.array_equal(csr.indices, projection.pre_index)
            ):
                raise InputError(f"{name}: the matrix must store exactly the {size} synapses that exist")
            return np.asarray(csr.data, dtype=np.float64)
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{name} must be numbers, got {value!r}") from None
        if array.ndim == 0:
            return np.full(size, float(array))
        if projection is not None and array.shape == (projection.post_size, projection.pre_size):
            values = array[projection.post_index, projection.pre_index]
            if np.count_nonzero(array) != np.count_nonzero(values):
                raise InputError(f"{name}: there are nonzero values where no synapse exists; an absent synapse never grows")
            return np.asarray(values, dtype=np.float64)
        if projection is None and array.shape == (size,):
            return array.copy()
        wanted = f"({size},)" if projection is None else f"({projection.post_size}, {projection.pre_size})"
        raise InputError(f"{name} must be one number or have shape {wanted}, got {array.shape}")

    def _check_open(self) -> None:
        if self._closed:
            reason = f" after it failed with {self._failed}" if self._failed else ""
            raise SimulatorError(f"this {self.backend} session was closed{reason}: open a new one")


def reward(modulators: Mapping[str, FloatArray], weights: Mapping[str, float], step: int) -> FloatArray | None:
    """r of one step: the weighted sum of modulator values, shape (1,) or (post_size,); None where no modulator is named."""
    if not weights:
        return None
    total: FloatArray = np.zeros(1)
    for name, weight in weights.items():
        total = total + weight * modulators[name][step]
    return total


def _joined(trains: list[SpikeTrain], size: int) -> SpikeTrain:
    offset, steps, ids = 0, [], []
    for train in trains:
        steps.append(train.steps + offset)
        ids.append(train.ids)
        offset += train.shape[0]
    if not trains:
        return SpikeTrain(np.zeros(0, np.int64), np.zeros(0, np.int64), (0, size))
    return SpikeTrain(np.concatenate(steps), np.concatenate(ids), (offset, size))
