"""A whole program as one part of a user's own graph, one step at a time: what every kind of graph needs of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError, raise_faults
from neuromorph.parts import ProbeProgram
from neuromorph.program import Program
from neuromorph.recording import IntArray
from neuromorph.session import Session

Part = TypeVar("Part")


class Named(dict[str, Part]):
    """Parts by name; a name that is not among them is an error that lists those that are.

    >>> Named("input", {"image": 1})["sound"]
    Traceback (most recent call last):
    ...
    neuromorph.errors.InputError: there is no input 'sound'; known: image
    """

    def __init__(self, kind: str, parts: Mapping[str, Part]) -> None:
        super().__init__(parts)
        self.kind = kind

    def __missing__(self, name: object) -> Part:
        raise InputError(f"there is no {self.kind} {name!r}; known: {', '.join(self) or 'none'}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kind, dict(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """A program whose spikes leave for a graph around it; it pickles, so that a session can open in another process."""

    program: Program  # probes the spikes of the populations that send, and nothing else
    open_session: Callable[[Program], Session]

    def open(self) -> Session:
        """A fresh session of the program."""
        return self.open_session(self.program)

    @cached_property
    def inputs(self) -> Named[int]:
        """Neurons of every input, in the program's order."""
        return Named("input", {item.name: item.size for item in self.program.inputs})

    @cached_property
    def modulators(self) -> Named[int]:
        """Values of every modulator, in the program's order."""
        return Named("modulator", {item.name: item.size for item in self.program.modulators})

    @cached_property
    def outputs(self) -> Named[int]:
        """Neurons of every population whose spikes leave, in the order that was asked for."""
        return Named("population that sends", {p.target: self.program.sizes[p.target] for p in self.program.probes})

    def step(
        self, session: Session, inputs: Mapping[str, npt.NDArray[Any]], modulators: Mapping[str, npt.NDArray[Any]]
    ) -> dict[str, IntArray]:
        """Run one step; ``inputs[name]`` has shape (size,), any nonzero entry a spike. Returns who spiked in it."""
        recording = session.run(
            1,
            inputs={name: values[np.newaxis] for name, values in inputs.items()},
            modulators={name: values[np.newaxis] for name, values in modulators.items()},
        )
        return {name: recording.spikes[name].ids for name in self.outputs}


def embedding(
    program: object, *, populations: Sequence[str] | None, open_session: Callable[[Program], Session]
) -> Embedding:
    """Check what a user asks to embed; without ``populations`` the spikes of all of them leave.

    Raises :class:`InputError` with every name that is none.
    """
    if not isinstance(program, Program):
        raise InputError(f"what runs in another graph is a Program (neuromorph.compile makes one), got {program!r}")
    known = [population.name for population in program.populations]
    if isinstance(populations, str):
        raise InputError(f"populations must be a list of names, got {populations!r}: write [{populations!r}]")
    sending = known if populations is None else list(populations)
    faults = [
        f"populations: there is no population {name!r}; known: {', '.join(known)}"
        for name in dict.fromkeys(sending)
        if name not in known
    ]
    faults += [
        f"populations: {name!r} is named {sending.count(name)} times"
        for name in dict.fromkeys(sending)
        if sending.count(name) > 1
    ]
    raise_faults(InputError, faults or ([] if sending else ["populations: name at least one, or leave it out for all"]))
    probes = [ProbeProgram(target=name, variable="spikes", every=1) for name in sending]
    return Embedding(program=program.with_probes(probes), open_session=open_session)
