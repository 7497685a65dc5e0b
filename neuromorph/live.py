"""Descriptions of models that a user has built in a simulator: live objects in, a Network out; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from neuromorph import registry
from neuromorph.network import Network
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
