"""The Process that holds a program, and the ProcessModel that runs it in a session of a backend."""

from __future__ import annotations

import multiprocessing
import sys
import weakref
from abc import ABCMeta
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neuromorph.backends.lava import compat
from neuromorph.embedding import Embedding, Named
from neuromorph.errors import InputError, raise_faults
from neuromorph.program import Program
from neuromorph.session import Session
from neuromorph.session_variables import address, as_matrix, checked_value, variables

LavaPyType = compat.LavaPyType

# Which ports and Vars there are depends on the program: a name says by how it begins what it stands for.
SPIKES_IN, MODULATOR_IN, SPIKES_OUT, VALUE = "s_in_", "m_in_", "s_out_", "value_of_"
TYPES = {
    SPIKES_IN: LavaPyType(compat.PyInPort.VEC_DENSE, float),
    MODULATOR_IN: LavaPyType(compat.PyInPort.VEC_DENSE, float),
    SPIKES_OUT: LavaPyType(compat.PyOutPort.VEC_DENSE, np.int32),
    VALUE: LavaPyType(np.ndarray, float),
}


class ProgramVar(compat.Var):  # type: ignore[misc]
    """A variable of the program: read and written in its session, where it has always the present value."""

    def __init__(self, program: Program, address: str, value: Any) -> None:
        held = _held(value)
        super().__init__(shape=held.shape, init=held)
        self.program, self.address = program, address

    def set(self, value: Any, idx: Any = None) -> None:
        """Give it another value, as a whole; raises :class:`InputError` where the program does not allow it."""
        if idx is not None:
            raise InputError(f"{self.address} is written as a whole, got idx={idx!r}: get it, change it, set it")
        values = np.asarray(value, dtype=np.float64)
        if values.shape not in ((), self.init.shape):
            raise InputError(f"{self.address} must be one number or have shape {self.init.shape}, got {values.shape}")
        whole = np.full(self.init.shape, values)
        checked_value(self.program, self.address, _shown(self.program, self.address, whole))
        super().set(whole)


class EmbeddedProgram(compat.AbstractProcess):  # type: ignore[misc]
    """A program with a port for each input, modulator and sending population: see :func:`neuromorph.to_lava`.

    ``inputs``, ``modulators`` and ``outputs`` are its ports by name, ``variables`` its Vars by address.
    """

    def __init__(self, *, embedding: Embedding, values: Mapping[str, Any], name: str) -> None:
        super().__init__(embedding=embedding, name=name)
        program = embedding.program
        self.program = program
        self.inputs = Named("input", {key: compat.InPort(shape=(n,)) for key, n in embedding.inputs.items()})
        self.modulators = Named(
            "modulator", {key: compat.InPort(shape=(n,)) for key, n in embedding.modulators.items()}
        )
        self.outputs = Named(
            embedding.outputs.kind, {key: compat.OutPort(shape=(n,)) for key, n in embedding.outputs.items()}
        )
        self.variables = Named("variable", {key: ProgramVar(program, key, value) for key, value in values.items()})
        for beginning, members in (
            (SPIKES_IN, self.inputs),
            (MODULATOR_IN, self.modulators),
            (SPIKES_OUT, self.outputs),
            (VALUE, self.variables),
        ):
            for key, member in members.items():
                setattr(self, beginning + key, member)  # Lava looks for its parts among the attributes

    def read(self, address: str) -> Any:
        """The present value of a variable between runs, in the form that :meth:`Session.read` gives."""
        return _shown(self.program, address, self.variables[address].get())


def embedded_program(
    embedding: Embedding, *, addresses: Sequence[str] | None = None, name: str | None = None
) -> EmbeddedProgram:
    """The Process of a program that could be opened, with Vars for ``addresses``: all, where left out."""
    program = embedding.program
    known = variables(program)
    if isinstance(addresses, str):
        raise InputError(f"variables must be a list of addresses, got {addresses!r}: write [{addresses!r}]")
    chosen = list(known if addresses is None else dict.fromkeys(addresses))
    raise_faults(
        InputError,
        [f"variables: there is no variable {key!r}; known: {', '.join(known)}" for key in chosen if key not in known],
    )
    # Opened here once: what cannot run is said now, and not in a process of Lava's where nobody would hear it.
    with embedding.open() as session:
        values = {key: session.read(key) for key in chosen}
    return EmbeddedProgram(embedding=embedding, values=values, name=name or program.name)


class _TypesByName(ABCMeta):
    """Lava asks a ProcessModel's class for the type of each port and Var of its Process."""

    def __getattr__(cls, name: str) -> Any:
        for beginning, kind in TYPES.items():
            if name.startswith(beginning):
                return kind
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


@compat.implements(proc=EmbeddedProgram, protocol=compat.LoihiProtocol)
@compat.requires(compat.CPU)
class EmbeddedProgramModel(compat.PyLoihiProcessModel, metaclass=_TypesByName):  # type: ignore[misc]
    """One step of the program in every step of Lava; without a tag, since the program decides its arithmetic."""

    _session: Session | None = None  # opened when it is first needed, in the process where it runs
    _handed: dict[str, tuple[Any, Any]]

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._embedding: Embedding = proc_params["embedding"]
        self._handed = {}

    def run_spk(self) -> None:
        """Receive the inputs of this step, run it, and send its spikes."""
        embedding, ports = self._embedding, self.__dict__
        inputs = {name: ports[SPIKES_IN + name].recv() for name in embedding.inputs}
        modulators = {name: ports[MODULATOR_IN + name].recv() for name in embedding.modulators}
        if self._handed:
            self._handed.clear()
        try:
            spiking = embedding.step(self._opened(), inputs, modulators)
        except BaseException as error:
            for name, size in embedding.outputs.items():
                ports[SPIKES_OUT + name].send(np.zeros(size, dtype=np.int32))  # else the others wait for ever
            if multiprocessing.parent_process() is not None:  # Lava raises that there was an error, and not which
                sys.stderr.write(f"{embedding.program.name!r} failed in step {self.time_step}: {error}\n")
            raise
        for name, ids in spiking.items():
            spikes = np.zeros(embedding.outputs[name], dtype=np.int32)
            spikes[ids] = 1
            ports[SPIKES_OUT + name].send(spikes)

    def on_var_update(self) -> None:
        """Lava writes a Var in place: take over what has changed since it was handed out."""
        for name, (values, before) in self._handed.items():
            if not np.array_equal(values, before):
                setattr(self, name, values)
        self._handed.clear()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(VALUE):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        values = _held(self._opened().read(name[len(VALUE) :]))
        self._handed[name] = values, values.copy()
        return values

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith(VALUE):
            super().__setattr__(name, value)
        elif self._session is not None:  # else Lava builds, and gives it what the program begins with
            address = name[len(VALUE) :]
            self._session.write(address, _shown(self._embedding.program, address, value))

    def _opened(self) -> Session:
        if self._session is None:
            self._session = session = self._embedding.open()
            weakref.finalize(self, session.close)  # where Lava does not stop it
        return self._session

    def _stop(self) -> None:
        if self._session is not None:
            self._session.close()
        super()._stop()


def _held(value: Any) -> Any:
    """A variable as Lava holds it: of sparse synapses one number for each, in the program's order."""
    return np.array(value if isinstance(value, np.ndarray) else value.data, dtype=np.float64)


def _shown(program: Program, name: str, values: Any) -> Any:
    """The inverse: what a session reads and takes."""
    projection = address(program, name)[2]
    return values if projection is None or projection.is_full else as_matrix(np.asarray(values), projection)
