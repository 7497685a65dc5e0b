"""More measured networks, as far as what was published suffices: shown for the error of the estimates, not judged."""

from __future__ import annotations

import itertools

from neuromorph.cost import Operations, Range
from neuromorph.costs import estimate_operations, estimate_work, stated_work
from neuromorph.validation.activity import RATE_CODE, Structure, convolution, every
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row


def odin() -> tuple[Row, ...]:
    """Power at two working points of ODIN: clock and synaptic operations in a second."""
    rows = []
    for clock, events, watt in ((75e6, 37.5e6, 477e-6), (1.3e6, 650e3, 35e-6)):
        work = stated_work(
            "odin",
            steps=1000,
            period_second=1.0,
            neurons=256,
            synaptic_operations=events,
            spikes=events / 256,
            clock_hertz=clock,
            cores=1,
        )
        joule = estimate_work(work, "odin").real_time_energy_joule
        assert joule is not None  # the work has a period, of a second
        rows.append(
            Row(
                what=f"ODIN, power at {clock / 1e6:g} MHz",
                unit="W",
                predicted=joule,
                measured=measured(watt),
                basis="the three terms are printed in the paper, the two points were measured",
                is_independent=False,
            )
        )
    return tuple(rows)


def truenorth_networks() -> tuple[Row, ...]:
    """Convolutional networks on TrueNorth; half of a crossbar is taken to hold a synapse."""
    rows = []
    for name, cores, frames, watt in (
        ("CIFAR-10", 4042, 1249, 204.4e-3),
        ("voice activity", 423, 1539, 26.1e-3),
    ):
        per_frame = RATE_CODE.scaled(cores * 256 * 256 / 2)
        work = stated_work(
            "truenorth",
            steps=frames,
            dt=1 / frames,
            neurons=cores * 256,
            synaptic_operations=per_frame.scaled(frames),
            spikes=RATE_CODE.scaled(cores * 256 * frames),
            cores=cores,
        )
        power = estimate_work(work, "truenorth").average_power_watt
        assert power is not None  # the work has a dt
        rows.append(
            Row(
                what=f"TrueNorth, power, {name} on {cores} cores",
                unit="W",
                predicted=power,
                measured=measured(watt),
                basis="static power of the cores in use; coefficients of 0.8 V, measured at 1.0 V",
            )
        )
    return tuple(rows)


def relational_network() -> tuple[Row, ...]:
    """The relational network on 22 Loihi: what follows from chips, cores and steps alone."""
    chips, steps = 22, 143
    cores = Range((chips - 1) * 128 + 1, chips * 128)  # the last one used is on the last chip
    work = stated_work("loihi1", steps=steps, neurons=cores, cores=cores, chips=chips, embedded=1)
    cost = estimate_work(work, "loihi1", static="cores")
    seconds = cost.latency_second

    def power(part: str) -> Range:
        energy = cost.energy_of(part)
        return Range(energy.low / seconds.low, energy.high / seconds.high)

    return (
        Row(
            what="Loihi, power of x86 cores, relational network on 22 chips",
            unit="W",
            predicted=power("embedded"),
            measured=measured(9.54e-3 + 407.4e-3),
            basis="low end of the power from this measurement",
            is_independent=False,
        ),
        Row(
            what="Loihi, static power of the cores, the same",
            unit="W",
            predicted=power("static"),
            measured=measured(181.6e-3),
            basis="power of Blouw et al. 2019 to power of Frady et al. 2020",
        ),
        Row(
            what="Loihi, time of a step, the same",
            unit="s",
            predicted=seconds.scaled(1 / steps),
            measured=measured(63.7e-6),
            basis="of a free run: what embedded code on 22 chips takes in a step was not published apart",
        ),
    )


def gestures() -> tuple[Row, ...]:
    """Gestures of an event camera on Loihi: four convolutions and a readout on 32 x 32 pixels."""
    shape, pre = (32, 32, 1), "events"
    layers, synapses = {}, []
    for number, (filters, stride) in enumerate(((16, 2), (32, 1), (64, 1), (11, 1)), start=1):
        connector, shape = convolution(shape, filters=filters, kernel=3, stride=stride)
        post = f"convolution {number}"
        layers[post] = shape[0] * shape[1] * shape[2]
        synapses.append((pre, post, connector))
        pre = post
    layers["gestures"] = 11
    synapses.append((pre, "gestures", every()))
    net = Structure(name="gestures", inputs={"events": 1024}, layers=layers, synapses=synapses)
    steps = 128
    counts = net.counted("loihi1", steps=steps, activity=RATE_CODE, input_activity=RATE_CODE)
    work = stated_work("loihi1", **{**counts, "steps": steps, "neurons": sum(layers.values())})
    return (
        Row(
            what="Loihi, time of a step, gestures of an event camera",
            unit="s",
            predicted=estimate_work(work, "loihi1").latency_second.scaled(1 / steps),
            measured=measured(10e-6, 30e-6),
            basis="nothing from this measurement",
        ),
    )


def olfaction() -> tuple[Row, ...]:
    """Odours on 72 cores of Loihi; 2 to 100 neurons a core, as columns of the published size have."""
    steps, cores = 200, 72
    neurons = Range(2 * cores, 100 * cores)
    work = stated_work(
        "loihi1",
        steps=steps,
        neurons=neurons,
        synaptic_operations=RATE_CODE * neurons.scaled(steps * 20),
        spikes=RATE_CODE * neurons.scaled(steps),
        messages=RATE_CODE * neurons.scaled(steps * 2),
        axons_out=RATE_CODE * neurons.scaled(steps * 2),
        cores=cores,
        busiest_share=1 / cores,  # columns are alike
        embedded=1,
    )
    cost = estimate_work(work, "loihi1", static="chips")
    return (
        Row(
            what="Loihi, time of a sniff, olfactory bulb on 72 cores",
            unit="s",
            predicted=cost.latency_second,
            measured=measured(2.75e-3),
        ),
        Row(
            what="Loihi, energy of a sniff, the same",
            unit="J",
            predicted=cost.energy_joule,
            measured=measured(0.43e-3),
            basis="static power of the whole chip",
        ),
        Row(
            what="Loihi, dynamic energy of a sniff, the same",
            unit="J",
            predicted=cost.energy_of("events", "embedded"),
            measured=measured(0.12e-3),
        ),
    )


def deep_belief_network() -> tuple[Row, ...]:
    """MNIST on SpiNNaker 1 by a network of 784-500-500-10 in 11 steps of 1 ms."""
    sizes, steps = (784, 500, 500, 10), 11
    synapses = sum(pre * post for pre, post in itertools.pairwise(sizes))
    work = stated_work(
        "spinnaker1",
        steps=steps,
        dt=1e-3,
        neurons=sum(sizes[1:]),
        synapses=synapses,
        synaptic_operations=RATE_CODE.scaled(synapses * steps),
        spikes=RATE_CODE.scaled(sum(sizes[1:]) * steps),
    )
    cost = estimate_work(work, "spinnaker1")
    return (
        Row(
            what="SpiNNaker 1, dynamic energy of an image, 784-500-500-10",
            unit="J",
            predicted=cost.dynamic_energy_joule,
            measured=measured(3.3e-3),
        ),
    )


def keyword_spotting_spinnaker2() -> tuple[Row, ...]:
    """Keyword spotting on an early SpiNNaker 2, estimated as spikes although it ran as dense products."""
    sizes = (390, 256, 256, 29)
    products = sum(pre * post for pre, post in itertools.pairwise(sizes))
    work = stated_work(
        "spinnaker2",
        steps=1,
        neurons=sum(sizes[1:]),
        synapses=products,
        synaptic_operations=RATE_CODE.scaled(products),
        spikes=RATE_CODE.scaled(sum(sizes[1:])),
    )
    cost = estimate_work(work, "spinnaker2")
    return (
        Row(
            what="SpiNNaker 2, dynamic energy of an inference, 390-256-256-29",
            unit="J",
            predicted=cost.dynamic_energy_joule,
            measured=measured(7.1e-6),
            basis="one step of spikes; it ran as dense products on accelerators of which no energy is published",
        ),
    )


def mobile_network() -> tuple[Row, ...]:
    """CIFAR-10 by a converted MobileNet on 7 Loihi, and the CPU and GPU beside it."""
    products, steps, cores, chips, seconds = 4 * 568e6 / 49, 400, 861, 7, 0.340
    neurons = Range(0.7 * cores * 1024, cores * 1024)
    work = stated_work(
        "loihi1",
        steps=steps,
        neurons=neurons,
        synaptic_operations={"convolution": RATE_CODE.scaled(products * steps)},
        spikes=RATE_CODE * neurons.scaled(steps / 2),
        messages=RATE_CODE * neurons.scaled(steps),
        axons_out=RATE_CODE * neurons.scaled(steps),
        cores=cores,
        chips=chips,
        busiest_share=Range(1 / cores, 5 / cores),
        messages_between_chips=0,
        embedded=1,
        period_second=seconds,
    )
    cost = estimate_work(work, "loihi1", static="cores")
    rows = [
        Row(
            what="Loihi, energy of an image, MobileNet for CIFAR-10 on 7 chips",
            unit="J",
            predicted=cost.real_time_energy_of("events", "embedded"),
            measured=measured(102e-3),
            basis="cores and embedded processors at the measured pace; products of 224 x 224 pixels x 4 / 49",
        ),
        Row(
            what="Loihi, latency of an image, the same",
            unit="s",
            predicted=cost.latency_second,
            measured=measured(seconds),
            basis="the busiest core does 1 to 5 times the mean",
        ),
    ]
    dense = Operations(multiply_accumulates=products, calls=1, layers=28)
    for device, what, joule, second in (("xeon", "CPU", 157e-3, 3e-3), ("quadro_k4000", "GPU", 1.035, 18e-3)):
        conventional = estimate_operations(dense, device)
        other = f"{device} in place of a {what} that is not named"
        rows += [
            Row(
                what=f"{what}, energy of an image, the same",
                unit="J",
                predicted=conventional.energy_joule,
                measured=measured(joule),
                basis=other,
            ),
            Row(
                what=f"{what}, latency of an image, the same",
                unit="s",
                predicted=conventional.latency_second,
                measured=measured(second),
                basis=other,
            ),
        ]
    return tuple(rows)


PARTS = (
    odin,
    truenorth_networks,
    relational_network,
    gestures,
    olfaction,
    deep_belief_network,
    keyword_spotting_spinnaker2,
    mobile_network,
)


def predict() -> tuple[Row, ...]:
    """Every network of this module."""
    return tuple(row for part in PARTS for row in part())


CASE = Case(
    name="further",
    title="Further networks",
    summary=(
        "Networks of which less was published: a count or a rate is missing, or the chip ran at another voltage or with other hardware."
        " They are estimated with the same coefficients and the same range of activity, and show the true error of such estimates."
    ),
    source=(
        "ODIN: Frenkel et al. 2019, IEEE TBioCAS 13(1). TrueNorth: Esser et al. 2016, PNAS 113(41), Table 3. Relational network: notebooks of"
        " Rao et al. 2022. Gestures: SANA-FE (Boyle et al. 2025), scripts and figures. Olfaction: Imam and Cleland 2020, Nat. Mach. Intell. 2. SpiNNaker 1: Stromatias et al. 2015, as tabulated by Renner"
        " et al. 2024. SpiNNaker 2: Yan et al. 2021. MobileNet: Rueckauer et al. 2021. All but the notebooks as quoted by secondary sources"
    ),
    unknown=(
        "Spike rates: 0.05 to 0.25 a neuron and step. Neurons of the olfactory bulb (2 to 100 a core, 20 synapses each), half of every"
        " TrueNorth crossbar connected, the products of MobileNet"
        " on 32 x 32 pixels (568 M x 4 / 49: the first layer without its stride, as the published number of cores implies)."
    ),
    predict=predict,
)
