"""Power of TrueNorth at three rates (Akopyan et al. 2015): a line through two of them predicts the third."""

from __future__ import annotations

from neuromorph.cost import Range
from neuromorph.costs import estimate_work, stated_work
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row, Target

NEURONS, SYNAPSES, CORES = 1_048_576, 128, 4096  # synapses: active ones of a neuron
SWEEP = {11.58: 68e-3, 20.07: 71e-3, 95.93: 94e-3}  # Hz -> W, at 0.8 V
HELD_OUT = 20.07  # Hz: the coefficients come from the other two


def power(rate: float) -> Range:
    """Power (W) of the chip in real time, ticks of 1 ms, every neuron spiking ``rate`` times a second."""
    spikes = NEURONS * rate
    work = stated_work(
        "truenorth",
        steps=1000,
        dt=1e-3,
        neurons=NEURONS,
        synaptic_operations=spikes * SYNAPSES,
        spikes=spikes,
        messages=spikes,
        cores=CORES,
    )
    watt = estimate_work(work, "truenorth").average_power_watt
    assert watt is not None  # the work has a dt
    return watt


def predict() -> tuple[Row, ...]:
    """The third point, the two that were fitted, and two of other voltages."""
    rows = [
        Row(
            what=f"power at {rate:g} Hz",
            unit="W",
            predicted=power(rate),
            measured=measured(watt),
            target=Target(factor=1.03) if rate == HELD_OUT else None,
            basis="predicted" if rate == HELD_OUT else "fitted",
            is_independent=rate == HELD_OUT,
        )
        for rate, watt in SWEEP.items()
    ]
    elsewhere = (("0.775 V (Merolla et al. 2014)", 72e-3), ("0.75 V (Akopyan et al. 2015, section VII)", 65e-3))
    rows += [
        Row(
            what=f"power at 20 Hz and {where}",
            unit="W",
            predicted=power(20.0),
            measured=measured(watt),
            basis="at 0.8 V: voltage is not modelled",
        )
        for where, watt in elsewhere
    ]
    return tuple(rows)


CASE = Case(
    name="truenorth-rates",
    title="V4. Power of TrueNorth at three rates",
    summary=(
        "Random recurrent networks fill the chip, one neuron reaching 128 others, at three mean rates. Static power and the energy of"
        " one more synaptic event are a line through the lowest and the highest rate; the one between is predicted."
    ),
    source="Akopyan et al. 2015, IEEE TCAD 34(10), Fig. 17, as quoted by secondary sources",
    unknown="Nothing that matters: rates, synapses and voltage are stated. Energy of hops is in that of events, as the line was.",
    predict=predict,
)
