"""The conventional trainer as a backend: it trains descriptions by backprop and opens no session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.backend import Availability, Backend, Capabilities, Session
from neuromorph.backends.backprop.activations import Identity, ReLU
from neuromorph.backends.backprop.network import DenseNetwork
from neuromorph.errors import DescriptionError, UnsupportedError
from neuromorph.inputs import Input
from neuromorph.network import Network
from neuromorph.program import Program

REASON = (
    "backprop trains a description as rate units, without time steps and spikes:"
    " neuromorph.backends.backprop.dense_network(network) gives what its Trainer takes"
)


@final
@dataclass(frozen=True)
class BackpropBackend(Backend):
    """Dense layers and backprop in NumPy, for comparison on the same description."""

    name: ClassVar[str] = "backprop"
    capabilities: ClassVar[Capabilities] = Capabilities(
        runs_programs=False, note="trains descriptions; runs no programs"
    )

    def availability(self) -> Availability:
        """Always available."""
        return Availability(available=True, versions={"numpy": np.__version__})

    def faults(self, program: Program) -> list[str]:
        """No program can be run."""
        del program
        return [REASON]

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        del program, seed, stall_second
        raise UnsupportedError(REASON)


def dense_network(network: Network, *, outputs: int) -> DenseNetwork:
    """The rate network of a description: its feed-forward chain of populations as ReLU layers, and ``outputs`` units.

    A population of LIF neurons becomes a layer of as many ReLU units (its rate over current), its projection a trained
    weight matrix; recurrent projections, which shape spikes in time, have no counterpart and are left out. Where the last
    population is larger than ``outputs``, the vote of its neurons becomes a trained linear layer.

    Raises :class:`DescriptionError` where the populations do not form one chain from one input.
    """
    inputs = [population for population in network.populations if isinstance(population, Input)]
    reached = [inputs[0].name] if len(inputs) == 1 else []
    while reached:
        following = {p.post for p in network.projections if p.pre == reached[-1] and p.post not in reached}
        if len(following) > 1:
            raise DescriptionError(
                f"population {reached[-1]!r} feeds {sorted(following)}: backprop takes one chain of populations"
            )
        if not following:
            break
        reached.append(following.pop())
    if len(reached) != len(network.populations):
        raise DescriptionError(
            f"backprop takes one chain of populations from one input; {network.name!r} has {len(inputs)} inputs and"
            f" {len(network.populations)} populations of which {max(len(reached) - 1, 0)} follow one another"
        )
    sizes = [network.size(name) for name in reached]
    if sizes[-1] != outputs:
        sizes.append(outputs)
    return DenseNetwork.of_sizes(tuple(sizes), hidden=ReLU(), output=Identity())
