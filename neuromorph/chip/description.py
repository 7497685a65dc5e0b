"""A chip, the accounts of what its work costs, and the board it sits on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from neuromorph.chip.quantity import Quantity, Statement
from neuromorph.chip.schema import limit_name
from neuromorph.errors import ChipError

# Without these nothing is known of how a network would lie on the cores of a chip.
NEEDED_FOR_CORES = ("chip.cores", "core.compartments", "core.synapse_memory", "synapse.memory")
SPIKING_WORK = ("synaptic_operation", "neuron_update", "learning_update")  # as counted on a processor
# Told apart only by a placement or by a measurement: no estimate from the counts of a run charges these.
NOT_COUNTED = (
    "synaptic_operation_dense",
    "synaptic_operation_sparse",
    "synaptic_operation_convolution",
    "neuron_noise",
    "tile_hop_east_west",
    "tile_hop_north_south",
    "core_hop",
    "chip_to_chip_bit",
    "chip_reset",
    "clock_cycle",
    "layer_passed",
    "host_step",
    "host_spike_in",
    "host_spike_out",
    "busy_core",
    "framework_call",
    "framework_layer",
    "multiply_accumulate",
)


@dataclass(frozen=True, kw_only=True)
class CostSet:
    """Coefficients of one origin: an ``alternative`` account of the work, or ``shared`` by every account."""

    role: str
    description: str
    coefficients: Mapping[str, Quantity] = field(compare=False)  # by "operation.quantity"
    missing: tuple[str, ...] = ()  # what this origin does not tell
    overlaps: bool = False  # its times are those of cores that receive spikes while they update neurons and send theirs


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board or system: which chip, how many, how they are joined, and what it draws."""

    chip: str
    quantities: Mapping[str, Quantity] = field(compare=False)  # chips, static_power, ...
    statements: Mapping[str, Statement] = field(compare=False)  # topology, host_link
    missing: tuple[str, ...] = ()  # what is not known of it

    @property
    def chips(self) -> Quantity:
        """How many chips it carries."""
        return self.quantities["chips"]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "chip": self.chip,
            **{name: quantity.to_json() for name, quantity in self.quantities.items()},
            **{name: statement.to_json() for name, statement in self.statements.items()},
            "missing": list(self.missing),
        }


@dataclass(frozen=True, kw_only=True)
class Chip:
    """Limits and costs of one chip, or of the chip of a board; two are equal when their files are."""

    name: str
    kind: str  # of a board that of its chip: the board is in ``board``
    description: str
    fingerprint: str  # SHA-256 of the file; of a board's file and its chip's
    limits: Mapping[str, Quantity] = field(compare=False)  # by "part.limit"
    costs: Mapping[str, CostSet] = field(compare=False)
    board: Board | None = field(default=None, compare=False)

    def limit(self, name: str) -> Quantity:
        """The limit ``part.limit``; raises :class:`ChipError` where the file does not state it."""
        found = limit_name(name)
        if found not in self.limits:
            known = ", ".join(sorted(self.limits)) or "none"
            raise ChipError(f"chip {self.name!r} states no limit {name!r}, needed here; it states: {known}")
        return self.limits[found]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The rival sets of coefficients, each of which can be selected."""
        return tuple(name for name, costs in self.costs.items() if costs.role == "alternative")

    def with_costs(self, account: str) -> Chip:
        """The chip with one of its accounts, and what is shared; it is named ``chip.account``.

        >>> from neuromorph.chip import load_chip
        >>> tuple(load_chip("loihi1").with_costs("sanafe").costs)
        ('sanafe', 'system')
        """
        if account not in self.accounts:
            near = difflib.get_close_matches(account, self.accounts, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ChipError(
                f"chip {self.name!r} has no cost set {account!r} to select; "
                f"it has: {', '.join(self.accounts) or 'none'}{meant}"
            )
        kept = {name: costs for name, costs in self.costs.items() if name == account or costs.role == "shared"}
        return replace(self, name=f"{self.name}.{account}", costs=kept)

    @property
    def estimates(self) -> tuple[str, ...]:
        """What can be estimated of spiking work from this file: energy, latency, learning; and dense products."""
        stated = {key for name in self.accounts for key in self.costs[name].coefficients}
        on_cores = self.kind == "neuromorphic"
        operations = {key: key.partition(".")[0] for key in stated}
        kinds = {
            key.rpartition(".")[2]
            for key, operation in operations.items()
            if (operation not in NOT_COUNTED if on_cores else operation in SPIKING_WORK)
        }
        powered = not on_cores and "busy_core.power" in {
            key for costs in self.costs.values() for key in costs.coefficients
        }
        if powered and "time" in kinds:  # time x power of a busy core
            kinds.add("energy")
            stated |= {f"{operation}.energy" for key, operation in operations.items() if key.endswith(".time")}
        placed = not on_cores or all(name in self.limits for name in NEEDED_FOR_CORES)
        can = {
            "energy": placed and bool(kinds & ({"energy", "power"} if on_cores else {"energy"})),
            "latency": placed and "time" in kinds,
            "learning": placed and "learning_update.energy" in stated,
            "dense products": any(key.startswith("multiply_accumulate") and key.endswith("energy") for key in stated),
        }
        return tuple(name for name, whether in can.items() if whether)

    def numbers(self) -> Iterator[tuple[str, Quantity]]:
        """Every number, and where it stands."""
        if self.board is not None:
            yield from ((f"board.{name}", quantity) for name, quantity in self.board.quantities.items())
        yield from ((f"limits.{name}", quantity) for name, quantity in self.limits.items())
        for set_name, costs in self.costs.items():
            yield from ((f"costs.{set_name}.{name}", quantity) for name, quantity in costs.coefficients.items())

    def to_json(self) -> dict[str, Any]:
        """Every number with its source and status, as plain data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "fingerprint": self.fingerprint,
            "estimates": list(self.estimates),
            "board": None if self.board is None else self.board.to_json(),
            "limits": {name: quantity.to_json() for name, quantity in self.limits.items()},
            "costs": {
                name: {key: quantity.to_json() for key, quantity in costs.coefficients.items()}
                for name, costs in self.costs.items()
            },
            "missing": {name: list(costs.missing) for name, costs in self.costs.items()},
        }
