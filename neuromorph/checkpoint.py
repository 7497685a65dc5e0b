"""A session between two steps, in one file: everything that it needs to go on bit for bit, on any backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.compact import frozen
from neuromorph.errors import FaultList, InputError, raise_faults
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.program import FORMAT as PROGRAM_FORMAT
from neuromorph.program import Program, from_plain, to_plain
from neuromorph.recording import SpikeTrain, read_archive, write_archive
from neuromorph.session_inputs import event_faults

FORMAT = "neuromorph checkpoint 1"

State = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class StateVariable:
    """What one array of a session's state may hold."""

    shape: tuple[int | None, ...]  # None: any number of rows
    dtype: type
    highest: int | None = None  # of whole numbers from 0 on; None: any

    def faults(self, values: npt.NDArray[Any], *, whole: bool) -> list[str]:
        """Why an array is none of these, as ends of sentences; ``whole``: all numbers are those of a chip."""
        fits = len(values.shape) == len(self.shape) and all(
            wanted in (None, got) for wanted, got in zip(self.shape, values.shape, strict=True)
        )
        if values.dtype != self.dtype or not fits:
            wanted = ", ".join("any" if length is None else str(length) for length in self.shape)
            return [f"must be {np.dtype(self.dtype)} of shape ({wanted}), got {values.dtype} {values.shape}"]
        if self.dtype is np.int64 and values.size:
            low, high = int(values.min()), int(values.max())
            if low < 0 or (self.highest is not None and high > self.highest):
                limit = "" if self.highest is None else f" and <= {self.highest}"
                return [f"must be >= 0{limit}, got {low if low < 0 else high}"]
        if whole and self.dtype is np.float64:
            finite = values[np.isfinite(values)]
            if np.count_nonzero(finite % 1):
                return [f"must be whole in fixed point, got {float(finite[finite % 1 != 0][0])!r}"]
        return []


def state_layout(program: Program) -> dict[str, StateVariable]:
    """The arrays of a session's state by name: the same names and meanings on every backend.

    Of a population: ``u``, ``v``, ``v_threshold``, ``bias`` and, where it has one, ``threshold_adaptation`` as :meth:`Session.read` gives them; ``waiting``,
    refractory steps that are left; ``held``, v in those steps. Of a projection: ``weight``, one for each synapse;
    ``under_way``, whose row k is the current that arrives 1 + k steps from now, weights, exponent and all; and where
    it learns ``tag`` and ``delay``, where its rule changes them, traces, and ``pre_time`` and ``post_time``, the steps of the running epoch (1, 2, ...) in which
    neurons spiked last, 0 where they did not. Where rules see spikes that have arrived: ``sent``, rows of the spikes that
    have not, the oldest first.
    """
    found: dict[str, StateVariable] = {}
    for population in program.populations:
        for variable in (*population.states, "v_threshold", "bias", "held"):
            found[f"{population.name}.{variable}"] = StateVariable((population.size,), np.float64)
        found[f"{population.name}.waiting"] = StateVariable((population.size,), np.int64)
    for projection in program.projections:
        name, pre, post = projection.name, projection.pre_size, projection.post_size
        found[f"{name}.weight"] = StateVariable((projection.synapses,), np.float64)
        longest = projection.max_delay if program.delay_convention == "arrival" else None
        found[f"{name}.under_way"] = StateVariable((longest, post), np.float64)
        rule = projection.rule
        if rule is None:
            continue
        for variable in rule.targets:
            found[f"{name}.{variable}"] = StateVariable((projection.synapses,), np.float64)
        for trace in rule.traces:
            found[f"{name}.{trace}"] = StateVariable((pre if trace in PRE_TRACES else post,), np.float64)
        found[f"{name}.pre_time"] = StateVariable((pre,), np.int64, rule.epoch)
        found[f"{name}.post_time"] = StateVariable((post,), np.int64, rule.epoch)
        if program.plasticity_timing == "arrived":
            found[f"{name}.sent"] = StateVariable((None, pre), np.bool_)
    return found


def state_faults(program: Program, state: State) -> list[str]:
    """Why these arrays are not the whole state of a session of ``program``, as sentences."""
    layout = state_layout(program)
    found = [f"{name} lacks" for name in layout if name not in state]
    found += [f"there is no {name} in the program" for name in state if name not in layout]
    whole = program.arithmetic == "fixed"
    for name, variable in layout.items():
        if name in state:
            found += [f"{name} {fault}" for fault in variable.faults(state[name], whole=whole)]
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A session after ``steps_run`` steps. Random streams follow from the seed and the steps, and are not in it."""

    program: Program
    backend: str
    options: Mapping[str, Any]  # of the backend
    seed: int
    steps_run: int
    state: State  # as state_layout has it
    recent: Mapping[
        str, SpikeTrain
    ]  # spikes of the last steps, which counts of the next ones need; empty: there are none

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one file, through a temporary file that is renamed when complete."""
        odd = [name for name, value in self.options.items() if not isinstance(value, (str, int, float, type(None)))]
        raise_faults(
            InputError, [f"option {name!r} of backend {self.backend!r} is no text or number to write" for name in odd]
        )
        arrays: dict[str, npt.NDArray[Any]] = {}

        def reduce(array: npt.NDArray[Any]) -> str:
            name = f"program{len(arrays)}"
            arrays[name] = array
            return name

        stored: list[str] = []
        header = {
            "format": FORMAT,
            "program_format": PROGRAM_FORMAT,
            "program": to_plain(self.program, reduce, lambda projection, column: reduce(projection.narrow(column))),
            "fingerprint": self.program.fingerprint,
            "backend": self.backend,
            "options": dict(self.options),
            "seed": self.seed,
            "steps_run": self.steps_run,
            "state": stored,
            "recent": [[name, *train.shape] for name, train in self.recent.items()],
        }
        # static weights are those of the program, but where they were written
        unchanged = {f"{p.name}.weight": p.stored_weight for p in self.program.projections if p.rule is None}
        for name, values in self.state.items():
            if name not in unchanged or not np.array_equal(values, unchanged[name]):
                arrays[f"state{len(stored)}"] = values
                stored.append(name)
        for index, train in enumerate(self.recent.values()):
            arrays[f"recent{index}.steps"], arrays[f"recent{index}.ids"] = train.steps, train.ids
        write_archive(path, header, arrays, compressed=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read what :meth:`save` wrote; raises :class:`InputError` where the file is another or was changed."""
        header, arrays = read_archive(path, FORMAT)
        where = repr(os.fspath(path))
        if header.get("program_format") != PROGRAM_FORMAT:
            raise InputError(
                f"{where} holds a {header.get('program_format')!r}, and this version reads {PROGRAM_FORMAT!r}"
            )
        try:
            program = from_plain(header["program"], lambda reference: frozen(arrays[reference]))
            state = {name: arrays[f"state{index}"] for index, name in enumerate(header["state"])}
            recent = {
                name: SpikeTrain.owning(arrays[f"recent{index}.steps"], arrays[f"recent{index}.ids"], (steps, size))
                for index, (name, steps, size) in enumerate(header["recent"])
            }
            found = cls(
                program=program,
                backend=str(header["backend"]),
                options=dict(header["options"]),
                seed=int(header["seed"]),
                steps_run=int(header["steps_run"]),
                state={f"{p.name}.weight": p.weight for p in program.projections if p.rule is None} | state,
                recent=recent,
            )
            fingerprint = header["fingerprint"]
        except FaultList as error:
            raise InputError(f"{where} holds no sound program: {error}") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{where} is not a whole checkpoint: {error!r}") from None
        if program.fingerprint != fingerprint:
            raise InputError(f"{where} was changed after it was saved: its program's fingerprint does not match")
        raise_faults(InputError, [f"{where}: {fault}" for fault in found.faults()])
        return found

    def faults(self) -> list[str]:
        """What is wrong with the state, as sentences."""
        found = state_faults(self.program, self.state)
        if self.seed < 0 or self.steps_run < 0:
            found.append(f"seed and steps_run must be >= 0, got {self.seed} and {self.steps_run}")
        if self.recent:
            steps = max(train.shape[0] for train in self.recent.values())
            if list(self.recent) != list(self.program.sizes) or steps > self.steps_run:
                found.append(f"the last {steps} steps hold spikes of {', '.join(self.recent)}")
            else:
                for name, size in self.program.sizes.items():
                    found += [f"spikes of {name!r} {fault}" for fault in event_faults(self.recent[name], steps, size)]
        return found
