"""Rules of the program as a whole: its time steps, the chip that it was made for, its messages."""

from __future__ import annotations

from collections.abc import Iterator

from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, at_most
from neuromorph.design_rules.rule import design_rule


@design_rule(
    name="program.time-steps",
    remedy="take another dt, or times that are whole multiples of it",
)
def time_steps(design: Design) -> Iterator[Finding]:
    """Times are whole steps of dt.

    :func:`neuromorph.check` itself tells where a network cannot be compiled, before there is a program to look at.
    """
    yield Finding(where="the program", found=f"steps of {design.given.dt:g} s", limit="", broken=False)


@design_rule(
    name="program.chip",
    remedy="quantise the float program for this chip",
)
def made_for(design: Design) -> Iterator[Finding]:
    """A fixed-point program has the integers of one chip."""
    if design.given.arithmetic == "fixed":
        yield Finding(
            where="the program",
            found=f"integers of {design.given.chip}",
            limit=f"integers of {design.chip.name}",
            broken=not design.is_of_chip,
            remedy=f"quantise the float program for {design.chip.name}",
        )


@design_rule(
    name="program.quantisation",
    remedy="see the sentence",
)
def quantisation(design: Design) -> Iterator[Finding]:
    """Whether the suite has the integers of this chip."""
    if design.foreign:
        yield Finding(
            where="the program",
            found=f"rounding to the chip's integers was not looked at: {design.foreign}",
            limit="",
            broken=True,
            severity="note",
            remedy="the limits that are stated were looked at in float",
        )
    elif design.fixed is not None:
        yield Finding(where="the program", found=f"integers of {design.chip.name}", limit="", broken=False)


@design_rule(
    name="network.graded-spikes",
    limits=("network.spike_payload_bits",),
    remedy="send binary spikes",
)
def graded_spikes(design: Design) -> Iterator[Finding]:
    """Bits that a spike is to carry beside its address; those of a program carry none unless the caller says so."""
    most = int(design.limit("network.spike_payload_bits").high)
    remedy = "send binary spikes, of which several or a population carry a number"
    yield at_most("spikes", design.spike_bits, most, "bits in a spike", remedy=remedy)
