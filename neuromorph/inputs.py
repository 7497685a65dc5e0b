"""What enters a network from outside: spikes fed at run time, and third factors."""

from __future__ import annotations

from dataclasses import dataclass

from neuromorph.errors import DescriptionError, is_count, raise_faults


def name_faults(kind: str, name: object) -> list[str]:
    """What is wrong with a name: it must be non-empty text without the signs that addresses use."""
    if not isinstance(name, str) or not name:
        return [f"{kind} name must be non-empty text, got {name!r}"]
    if "." in name or name != name.strip() or any(not sign.isprintable() for sign in name):
        return [f"{kind} name {name!r} must be printable, without '.' or outer spaces: addresses are 'name.variable'"]
    return []


def size_faults(kind: str, name: object, size: object) -> list[str]:
    """What is wrong with a number of neurons."""
    if not is_count(size, least=1):
        return [f"{kind} {name!r}: size must be a whole number >= 1, got {size!r}"]
    return []


@dataclass(frozen=True)
class Input:
    """A population whose spikes are fed at run time: ``run(steps, inputs={name: bool array (steps, size)})``.

    >>> Input("image", 64).size
    64
    """

    name: str
    size: int

    def __post_init__(self) -> None:
        raise_faults(DescriptionError, name_faults("Input", self.name) + size_faults("Input", self.name, self.size))
        object.__setattr__(self, "size", int(self.size))


@dataclass(frozen=True)
class Modulator:
    """A third factor (reward, teacher, neuromodulator): ``run(steps, modulators={name: values})``.

    With ``size`` 1 it is one signed value per step for every synapse (values: shape (steps,)); otherwise it is one
    value per step and postsynaptic neuron (shape (steps, size)). Where a run gives no value it is 0.
    """

    name: str
    size: int = 1

    def __post_init__(self) -> None:
        raise_faults(
            DescriptionError, name_faults("Modulator", self.name) + size_faults("Modulator", self.name, self.size)
        )
        object.__setattr__(self, "size", int(self.size))
