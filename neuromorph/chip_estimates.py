"""One recorded run on several chips: what each would cost, placed where its file allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from neuromorph.chip import Chip, load_chip
from neuromorph.cost import Cost, Range, Term
from neuromorph.costs import ChipLike, estimate
from neuromorph.errors import ChipError, CompileError, FaultList
from neuromorph.placement import Placement, place
from neuromorph.program import Program
from neuromorph.recording import Recording

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Dominant:
    """The term that is the largest part of a total, at the high end of the account in which it is."""

    term: Term
    share: float  # of that account, 0 to 1

    @property
    def text(self) -> str:
        """Its name, and how much of the whole it is."""
        return f"{self.term.name}, {100 * self.share:.0f} %"

    @classmethod
    def of(cls, terms: Iterable[Term], by_set: Mapping[str, Range]) -> Dominant | None:
        """The largest of ``terms``, whose accounts have the totals ``by_set``; None where nothing costs anything.

        A term that all accounts share counts in the one with the least else.
        """
        shares = []
        for term in terms:
            totals = by_set.values() if term.shared else [by_set[term.cost_set]]
            highs = [total.high for total in totals if total.high > 0]
            if highs:
                shares.append((term.total.high / min(highs), term))
        if not shares:
            return None
        share, term = max(shares, key=lambda entry: entry[0])
        return cls(term=term, share=share)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChipEstimate:
    """A run on one chip."""

    chip: str
    cost: Cost | None  # None: the chip's file does not tell enough, and reason says what is missing
    placement: Placement | None = None
    reason: str = ""  # why there is no cost, or no placement; empty where both are there or none was asked for

    @property
    def mostly(self) -> Dominant | None:
        """The largest term of the energy."""
        return None if self.cost is None else Dominant.of(self.cost.energy_terms, self.cost.energy_by_set)

    @property
    def slowest(self) -> Dominant | None:
        """The largest term of the latency."""
        return None if self.cost is None else Dominant.of(self.cost.latency_terms, self.cost.latency_by_set)

    def to_json(self) -> dict[str, Any]:
        """Plain data: the cost with its terms, and how it came about."""
        if self.cost is None:
            return {"chip": self.chip, "available": False, "reason": self.reason}
        mostly, slowest = self.mostly, self.slowest
        return {
            **self.cost.to_json(),
            "available": True,
            "reason": self.reason,
            "energy_delay_product": asdict(self.cost.energy_delay_product),
            "dominant_energy_term": None if mostly is None else {"name": mostly.term.name, "share": mostly.share},
            "dominant_latency_term": None if slowest is None else {"name": slowest.term.name, "share": slowest.share},
            "placed": self.placement is not None,
            "cores_used": None if self.placement is None else len(self.placement.cores),
        }


def estimate_on_chips(
    program: Program,
    recordings: Recording | Sequence[Recording],
    chips: Sequence[ChipLike],
    *,
    placed: bool = True,
    seed: int = 0,
    progress: Progress = lambda what, share: None,
) -> tuple[ChipEstimate, ...]:
    """The cost of a recorded run of ``program`` on every chip.

    With ``placed`` the program is placed where a chip's file states its cores; where that fails the estimate has bounds
    instead, and ``reason`` says why. A chip that cannot be estimated is a row with its reason; one that is not known
    raises :class:`ChipError` before anything is done.
    """
    hardware = [chip if isinstance(chip, Chip) else load_chip(chip) for chip in chips]
    found = []
    for number, chip in enumerate(hardware):
        progress(f"estimate: {chip.name}", number / len(hardware))
        placement, reason = _placement(program, chip, seed) if placed else (None, "")
        try:
            cost = estimate(recordings, chip, placement)
        except ChipError as error:
            found.append(ChipEstimate(chip=chip.name, cost=None, reason=_sentence(error)))
            continue
        found.append(ChipEstimate(chip=chip.name, cost=cost, placement=placement, reason=reason))
    progress("estimated", 1.0)
    return tuple(found)


def _placement(program: Program, chip: Chip, seed: int) -> tuple[Placement | None, str]:
    if chip.kind != "neuromorphic":
        return None, ""
    try:
        return place(program, chip, seed=seed), ""
    except (CompileError, ChipError) as error:
        return None, f"not placed: {_sentence(error)}"


def _sentence(error: FaultList) -> str:
    """The first fault, and how many more."""
    more = len(error.faults) - 1
    return error.faults[0] + (f" (and {more} more)" if more > 0 else "")
