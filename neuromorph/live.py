"""Live objects of simulators: a user's model read as a Network, and a program as one part of a user's model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.embedding import Embedding, embedding
from neuromorph.errors import InputError, is_number
from neuromorph.network import Network
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray

if TYPE_CHECKING:
    from neuromorph.backends.lava import LavaBackend
    from neuromorph.backends.nengo import NengoBackend


def from_nengo(model: object, *, dt: float | None = None, spike_height: float = 1.0) -> Network:
    """Read a ``nengo.Network`` whose neurons are connected to neurons, or a ``nengo.Simulator`` of one.

    A simulator also holds the gains, biases and weights that Nengo draws when it builds. ``dt``: seconds of a step, by
    default the simulator's or Nengo's own 1e-3; ``spike_height``: the value that stands for a spike in what a Node of
    the user's own puts out. Where Nengo's neurons differ from ours, ``metadata["nengo"]["assumptions"]`` says how.

    Raises :class:`UnsupportedError` that names every object without a counterpart, and what to do.
    """
    backend = cast("NengoBackend", registry.get("nengo"))
    return backend.describe(model, dt=dt, spike_height=spike_height)


def nengo_inputs(
    model: object, steps: int, *, dt: float | None = None, spike_height: float = 1.0
) -> dict[str, BoolArray]:
    """What the input Nodes of a model put out in its first ``steps`` steps: the ``inputs`` of a run of its network.

    ``dt`` and ``spike_height`` are those of :func:`from_nengo`. Raises :class:`UnsupportedError` for a Node whose values
    are not known before it is built, or are others than 0 and ``spike_height``.
    """
    registry.get("nengo")  # it is imported now, or the error says why it cannot be
    from neuromorph.backends.nengo.describe import inputs

    return inputs(model, steps, dt=dt, spike_height=spike_height)


def from_lava(
    process: Any | Sequence[Any], *, dt: float = 1e-3, arithmetic: Literal["infer", "float", "fixed"] = "infer"
) -> Network:
    """Read the graph of Lava Processes that ``process`` is connected to; one Process of each connected part will do.

    ``dt``: seconds that a step of Lava stands for, for which the network compiles. ``arithmetic``: whether parameters
    are real numbers or Loihi's integers; "infer" takes integers where a decay is above 1. What was decided and where
    the network differs is in ``metadata["lava"]["assumptions"]``.

    Raises :class:`UnsupportedError` that names every Process without a counterpart, and what to do.
    """
    backend = cast("LavaBackend", registry.get("lava"))
    return backend.describe(process, dt=dt, arithmetic=arithmetic)


def lava_inputs(process: Any | Sequence[Any], steps: int) -> dict[str, BoolArray]:
    """The spikes that the RingBuffers of a graph send in its first ``steps`` steps: the ``inputs`` of a run.

    Names are those of :func:`from_lava`, which raises what this raises.
    """
    registry.get("lava")
    from neuromorph.backends.lava.describe import inputs

    return inputs(process, steps)


def lava_modulators(process: Any | Sequence[Any], steps: int) -> dict[str, FloatArray]:
    """The third factors that the RingBuffers of a graph send in its first ``steps`` steps: the ``modulators`` of a run."""
    registry.get("lava")
    from neuromorph.backends.lava.describe import modulators

    return modulators(process, steps)


def to_lava(
    program: Program,
    *,
    populations: Sequence[str] | None = None,
    variables: Sequence[str] | None = None,
    backend: str | Backend = "emulator",
    seed: int = 0,
    name: str | None = None,
    **options: Any,
) -> Any:
    """A whole program as one Lava Process, to be connected in a graph of Processes and run by Lava's own runtime.

    ``process.inputs[name]`` and ``process.modulators[name]`` are its InPorts, ``process.outputs[name]`` the OutPorts of
    ``populations`` (all, where left out), each of shape (neurons,). What the InPorts receive in a step of Lava is the
    input of that step of the program, any nonzero number a spike, and the OutPorts send 1 for each spike of that step in
    the same step of Lava: seen from outside it is a Process of LIF neurons.

    ``process.variables[address]`` are Vars, with the addresses of :meth:`Session.variables` or those that ``variables``
    lists; ``process.read(address)`` gives one as :meth:`Session.read` does. They hold present values between runs.
    ``backend``, ``seed`` and ``options`` as :func:`neuromorph.open` takes them: the session opens where Lava runs the
    Process and closes when Lava stops.

    Raises :class:`InputError` for unknown names and what :func:`neuromorph.open` raises, now and not in the run.
    """
    registry.get("lava")
    from neuromorph.backends.lava.embedded.process import embedded_program

    return embedded_program(_embedding(program, populations, backend, seed, options), addresses=variables, name=name)


def to_nengo(
    program: Program,
    *,
    populations: Sequence[str] | None = None,
    amplitude: float = 1.0,
    backend: str | Backend = "emulator",
    seed: int = 0,
    **options: Any,
) -> Any:
    """A whole program as one ``nengo.Process``; its ``node()`` makes the Node in the network that is being built.

    The Node takes the spikes of all inputs and then all modulators, any nonzero number a spike, and puts out the spikes
    of ``populations`` (all, where left out). ``node.inputs[name]``, ``node.modulators[name]`` and ``node.outputs[name]``
    are views of its parts. What enters in a step of Nengo is the input of that step of the program, and what spikes in
    it leaves in the same step, as ``amplitude / dt``: the height that Nengo's own neurons give a spike.

    The simulator must have the program's dt. ``node.session(simulator)`` is the :class:`Session` in it, for weights and
    states. ``backend``, ``seed`` and ``options`` as :func:`neuromorph.open` takes them.

    Raises :class:`InputError` for unknown names, and with the simulator for another dt; and what
    :func:`neuromorph.open` raises.
    """
    registry.get("nengo")
    from neuromorph.backends.nengo.embedded import EmbeddedProgram

    if not is_number(amplitude) or amplitude == 0:
        raise InputError(f"amplitude must be a number other than 0, got {amplitude!r}")
    embedded = _embedding(program, populations, backend, seed, options)
    embedded.open().close()
    return EmbeddedProgram(embedding=embedded, amplitude=float(amplitude))


def _embedding(
    program: Program,
    populations: Sequence[str] | None,
    backend: str | Backend,
    seed: int,
    options: dict[str, Any],
) -> Embedding:
    opener = registry.get(backend, **options)
    return embedding(program, populations=populations, open_session=partial(opener.open, seed=seed))
