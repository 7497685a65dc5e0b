"""What a run would cost on a chip: counted work x published coefficients, as ranges with their sources.

The road is ``Counts (and a Placement) -> Work -> terms -> Cost``. Energy and latency are sums of terms, nothing fitted:

    energy  = sum over operations of n e                        (J)    e: energy of one operation
            + resets chips e_reset
            + (P_core cores + P_chip chips + P_embedded chips) T  (J)  T: latency of the run, unthrottled
    latency = sum over steps of max over cores of sum over operations of n t   (s)   the slowest core of every step
            + steps (t_barrier(tiles) + t_between_chips(chips))
            + what a sustained step lasts beyond that

Coefficients, their sources and status are in the chip's hardware file. Where publications disagree the file
has several sets of them (for Loihi 1: Davies et al. 2018, IEEE Micro 38(1), Table 2, and the regression of
SANA-FE); each account is summed alone and the estimate reaches from the lowest to the highest.

With a placement and all spikes every operation is counted on its core and in its step. Without, the two ends need not
belong to one mapping: cores are packed as densely as compartments and synaptic memory allow; the slowest core does an
even share to all of the work; messages, output axons and hops lie between what synaptic events need and what spikes can
send. Work can also be stated by hand (:func:`stated_work`), as a paper tells it.

A conventional processor costs at least operations x energy in the best case; where the wall time was measured
it costs at most wall time x power of a core, and where there was a meter what it showed. ``Cost.missing`` says what is in
no term. All equations: docs/costs.md.
"""

from neuromorph.cost import Cost, Operations, Range, Term
from neuromorph.costs.counted import work_of_counts
from neuromorph.costs.estimates import estimate, estimate_counts, estimate_operations
from neuromorph.costs.meters import EnergyMeter
from neuromorph.costs.on_cores import estimate_work
from neuromorph.costs.placed import work_of_placement
from neuromorph.costs.stated import ChipLike, stated_work
from neuromorph.costs.work import Work

__all__ = [
    "ChipLike",
    "Cost",
    "EnergyMeter",
    "Operations",
    "Range",
    "Term",
    "Work",
    "estimate",
    "estimate_counts",
    "estimate_operations",
    "estimate_work",
    "stated_work",
    "work_of_counts",
    "work_of_placement",
]
