"""What a run makes a chip do, as data: the noun between counts and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from neuromorph.chip import OPERATIONS
from neuromorph.cost import ONE, ZERO, Range
from neuromorph.errors import InputError, is_number, raise_faults

Count = float | Range  # a number, or what is known of it


@dataclass(frozen=True, kw_only=True)
class Work:
    """Operations of a whole run on the cores of a chip, as ranges; exact ones where a placement and all spikes are known.

    ``totals`` is how often each operation of :data:`neuromorph.chip.OPERATIONS` happens on all cores together,
    ``busiest`` how often on the slowest core of each step, summed over steps. Which core is slowest depends on the times
    of operations, so that each account of a chip can have counts of its own in ``busiest_by_account``.
    """

    chip: str  # of which these are cores
    steps: int
    dt: float | None  # s, a step of a run held to real time; None: not known
    cores: Range  # in use
    chips: Range  # in use
    tiles: Range | None  # in use on the fullest chip; None: the chip states no tiles
    totals: Mapping[str, Range]
    busiest: Mapping[str, Range]
    # Of one account; where it lets a core receive while it updates and sends, the longer side alone, and below both.
    busiest_by_account: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    in_series_by_account: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    period_second: float | None = None  # s, what the run takes when something outside paces it
    resets: Range = ZERO  # of the state of all chips in use
    embedded: Range = ONE  # share of the time that the embedded processors are awake
    clock_hertz: Range | None = None  # Hz, of chips that pay for every clock cycle
    memory_byte: Mapping[str, Range] = field(default_factory=dict)  # bytes held, by what they hold
    missing: tuple[str, ...] = ()  # what is not in these counts

    def __post_init__(self) -> None:
        """Check names, and that there are cores and chips to do the work."""
        faults = []
        if self.steps < 1:
            faults.append(f"Work.steps must be >= 1, got {self.steps}: there is no cost of nothing")
        for name in ("dt", "period_second"):
            seconds = getattr(self, name)
            if seconds is not None and not (is_number(seconds) and seconds > 0):
                faults.append(f"Work.{name} must be > 0 s, got {seconds}")
        if self.clock_hertz is not None and not self.clock_hertz.low > 0:
            faults.append(f"Work.clock_hertz must be > 0 Hz, got {self.clock_hertz.low}")
        for name in ("cores", "chips", "tiles"):
            used: Range | None = getattr(self, name)
            if used is not None and used.low < 1:
                faults.append(f"Work.{name} must be at least 1, got {used.low:g}")
        if self.embedded.high > 1:
            faults.append(f"Work.embedded is a share of the time, 0 to 1, got {self.embedded.high:g}")
        for where in ("totals", "busiest"):
            unknown = [name for name in getattr(self, where) if name not in OPERATIONS]
            faults += [f"Work.{where} has no operation {name!r}; known: {', '.join(OPERATIONS)}" for name in unknown]
        raise_faults(InputError, faults)

    @property
    def real_time_second(self) -> float | None:
        """What paces the run from outside (s), else steps x dt."""
        if self.period_second is not None:
            return self.period_second
        return None if self.dt is None else self.steps * self.dt

    def total(self, operation: str) -> Range:
        """How often an operation happens; 0 where it is not counted."""
        return self.totals.get(operation, ZERO)

    def on_busiest(self, account: str) -> Mapping[str, Range]:
        """Operations of the slowest cores under the times of an account."""
        return self.busiest_by_account.get(account, self.busiest)

    def with_totals(self, **counts: Count) -> Work:
        """The same with other totals, such as ``chip_reset=1`` or ``host_step=100``.

        The busiest core keeps its counts: this is for what happens once for all cores.
        """
        return replace(self, totals={**self.totals, **{name: Range.of(count) for name, count in counts.items()}})

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""

        def ends(span: Range | None) -> list[float] | None:
            return None if span is None else [span.low, span.high]

        return {
            "chip": self.chip,
            "steps": self.steps,
            "dt_second": self.dt,
            "period_second": self.period_second,
            "cores": ends(self.cores),
            "chips": ends(self.chips),
            "tiles": ends(self.tiles),
            "totals": {name: ends(count) for name, count in self.totals.items()},
            "busiest": {name: ends(count) for name, count in self.busiest.items()},
            **{
                which: {
                    account: {name: ends(count) for name, count in counts.items()}
                    for account, counts in getattr(self, which).items()
                }
                for which in ("busiest_by_account", "in_series_by_account")
            },
            "resets": ends(self.resets),
            "embedded": ends(self.embedded),
            "clock_hertz": ends(self.clock_hertz),
            "memory_byte": {name: ends(held) for name, held in self.memory_byte.items()},
            "missing": list(self.missing),
        }
