"""A whole program as a ``nengo.Process``, and the Node of it with a view for each of its parts."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import nengo
import numpy as np
from nengo.builder.processes import SimProcess

from neuromorph.embedding import Embedding, Named
from neuromorph.errors import InputError, SimulatorError, raise_faults
from neuromorph.recording import FloatArray
from neuromorph.session import Session

_SESSION = "session"


@final
class EmbeddedProgram(nengo.Process):  # type: ignore[misc]
    """A program, one step in every step of Nengo: see :func:`neuromorph.to_nengo`.

    A Node of it takes the spikes of all inputs and then the values of all modulators, in the program's order, and puts
    out the spikes of the sending populations in theirs. Each simulator has a session of its own, which begins anew with
    :meth:`nengo.Simulator.reset` and ends with the simulator.
    """

    def __init__(self, *, embedding: Embedding, amplitude: float = 1.0) -> None:
        self.embedding, self.amplitude = embedding, amplitude
        self.inputs = _slices(embedding.inputs)
        self.modulators = _slices(embedding.modulators, start=sum(embedding.inputs.values()))
        self.outputs = _slices(embedding.outputs)
        self._sessions: dict[int, Session] = {}  # by the array that stands for it in a simulator
        super().__init__(
            default_size_in=sum((*embedding.inputs.values(), *embedding.modulators.values())),
            default_size_out=sum(embedding.outputs.values()),
            default_dt=embedding.program.dt,
        )

    # Nengo takes processes of equal sizes for the same.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_sessions": {}}

    def node(self, label: str | None = None) -> EmbeddedNode:
        """A Node of it in the network that is being built."""
        node = nengo.Node(self, label=label or self.embedding.program.name)
        return EmbeddedNode(
            process=self,
            node=node,
            inputs=_views(node, self.inputs),
            modulators=_views(node, self.modulators),
            outputs=_views(node, self.outputs),
        )

    def session(self, simulator: nengo.Simulator) -> Session:
        """The session in a simulator: read and write weights and states between its runs; do not run or close it."""
        if simulator.closed:
            raise SimulatorError("this nengo.Simulator was closed, and its session with it: read before it is")
        found = [
            operator
            for operator in simulator.model.operators
            if isinstance(operator, SimProcess) and operator.process is self
        ]
        if len(found) != 1:
            raise InputError(
                f"{self.embedding.program.name!r} is in {len(found)} Nodes of this simulator's network, and a session is"
                " that of one: make a process for each Node"
            )
        return self._sessions[id(_owner(simulator.signals[found[0].state[_SESSION]]))]

    def make_state(
        self, shape_in: tuple[int, ...], shape_out: tuple[int, ...], dt: float, dtype: Any = None
    ) -> dict[str, FloatArray]:
        """An array that lives as long as the simulator; raises :class:`InputError` where sizes or dt do not fit."""
        del dtype
        program = self.embedding.program
        faults = [
            f"{program.name!r} in a Node: {what} must be {wanted}, got {got}"
            for what, wanted, got in (
                ("size_in", self.default_size_in, sum(shape_in)),
                ("size_out", self.default_size_out, sum(shape_out)),
            )
            if wanted != got
        ]
        if abs(dt - program.dt) > 1e-9 * program.dt:
            faults.append(
                f"{program.name!r} was compiled for steps of {program.dt!r} s, and the simulator's are {dt!r} s:"
                f" nengo.Simulator(..., dt={program.dt!r}), or compile it for the other dt"
            )
        raise_faults(InputError, faults)
        return {_SESSION: np.zeros(1)}

    def make_step(
        self,
        shape_in: tuple[int, ...],
        shape_out: tuple[int, ...],
        dt: float,
        rng: np.random.RandomState,
        state: Mapping[str, FloatArray],
    ) -> Callable[..., FloatArray]:
        """A fresh session, and what advances it."""
        del shape_in, rng
        owner = _owner(state[_SESSION])
        if (before := self._sessions.pop(id(owner), None)) is not None:
            before.close()  # the simulator was reset
        else:
            weakref.finalize(owner, _end, self._sessions, id(owner))
        session = self._sessions[id(owner)] = self.embedding.open()
        embedding, height = self.embedding, self.amplitude / dt
        inputs, modulators, outputs = dict(self.inputs), dict(self.modulators), dict(self.outputs)

        def step(t: float, x: FloatArray | None = None) -> FloatArray:
            del t
            spikes = np.zeros(shape_out)
            spiking = embedding.step(
                session,
                {} if x is None else {name: x[part] for name, part in inputs.items()},
                {} if x is None else {name: x[part] for name, part in modulators.items()},
            )
            for name, ids in spiking.items():
                spikes[outputs[name]][ids] = height
            return spikes

        return step


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddedNode:
    """A Node that runs a program, and its parts by name: connect to inputs and modulators, from outputs."""

    process: EmbeddedProgram
    node: nengo.Node
    inputs: Named[Any]
    modulators: Named[Any]
    outputs: Named[Any]

    def session(self, simulator: nengo.Simulator) -> Session:
        """See :meth:`EmbeddedProgram.session`."""
        return self.process.session(simulator)


def _slices(sizes: Named[int], start: int = 0) -> Named[slice]:
    ends = np.cumsum([start, *sizes.values()]).tolist()
    return Named(sizes.kind, {name: slice(*ends[k : k + 2]) for k, name in enumerate(sizes)})


def _views(node: nengo.Node, parts: Named[slice]) -> Named[Any]:
    return Named(parts.kind, {name: node[part] for name, part in parts.items()})


def _owner(array: FloatArray) -> Any:
    """The array that holds the memory of a view."""
    return array if array.base is None else array.base


def _end(sessions: dict[int, Session], key: int) -> None:
    session = sessions.pop(key, None)
    if session is not None:
        session.close()
