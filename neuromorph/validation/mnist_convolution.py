"""A converted convolutional network for MNIST on 14 cores of Loihi 1 (Rueckauer et al. 2021)."""

from __future__ import annotations

from neuromorph.cost import Operations, Range
from neuromorph.costs import estimate_operations, estimate_work, stated_work
from neuromorph.validation.activity import RATE_CODE, Structure, convolution
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row, Target

LAYERS = ((16, 5, 2), (32, 3, 1), (64, 3, 2), (10, 4, 1))  # filters, kernel, stride
IMAGE = (28, 28, 1)
STEPS = 100  # of an image
CORES = 14
LATENCY = 6.65e-3  # s
INSIDE = Target(widest=5.0)


def structure() -> Structure:
    """Image 28 x 28, 16 filters of 5 x 5 in strides of 2, 32 of 3 x 3, 64 of 3 x 3 in strides of 2, 10 of 4 x 4.

    The image is a population: its neurons lie on cores and are driven by their biases.
    """
    layers, synapses, pre, shape = {"image": 784}, [], "image", IMAGE
    for number, (filters, kernel, stride) in enumerate(LAYERS, start=1):
        connector, shape = convolution(shape, filters=filters, kernel=kernel, stride=stride)
        post = f"convolution {number}"
        layers[post] = shape[0] * shape[1] * shape[2]
        synapses.append((pre, post, connector))
        pre = post
    return Structure(name="mnist convolution", inputs={}, layers=layers, synapses=synapses)


def compartments() -> Range:
    """Two of a neuron, as the soft reset needs; one or two of an input."""
    sizes = structure().layers
    own = sum(size for name, size in sizes.items() if name != "image")
    return Range(2 * own + sizes["image"], 2 * own + 2 * sizes["image"])


def predict() -> tuple[Row, ...]:
    """Loihi, and the two devices that the paper compares."""
    net = structure()
    counts = net.counted("loihi1", steps=STEPS, activity=RATE_CODE)
    counts["synaptic_operations"] = {"sparse": counts["synaptic_operations"]}  # as the published code asks for
    stated = {**counts, "steps": STEPS, "neurons": compartments(), "cores": CORES, "embedded": 1}
    paced = estimate_work(stated_work("loihi1", **stated, period_second=LATENCY), "loihi1", static="cores")
    free = estimate_work(stated_work("loihi1", **stated), "loihi1", static="cores")
    dense = Operations(multiply_accumulates=net.size, calls=1, layers=len(LAYERS))
    energy = paced.real_time_energy_joule
    assert energy is not None  # the work has a period
    rows = [
        Row(
            what="Loihi, energy of an image",
            unit="J",
            predicted=energy,
            measured=measured(0.66e-3),
            target=INSIDE,
            basis="cores, their static power and embedded processors, at the measured pace",
        ),
        Row(
            what="Loihi, of this the cores' dynamic energy",
            unit="J",
            predicted=paced.energy_of("events"),
            measured=measured(0.66e-3),
            target=INSIDE,
            basis="should the paper count nothing else",
        ),
        Row(
            what="Loihi, latency of an image",
            unit="s",
            predicted=free.latency_second,
            measured=measured(LATENCY),
            target=Target(factor=2.0),
            basis="nothing from this measurement",
        ),
    ]
    for device, what, joule, second in (("xeon", "CPU", 19e-3, 0.4e-3), ("quadro_k4000", "GPU", 111e-3, 2e-3)):
        cost = estimate_operations(dense, device)
        other = f"{device} in place of a {what} that is not named"
        rows += [
            Row(
                what=f"{what}, energy of an image",
                unit="J",
                predicted=cost.energy_joule,
                measured=measured(joule),
                basis=other,
            ),
            Row(
                what=f"{what}, latency of an image",
                unit="s",
                predicted=cost.latency_second,
                measured=measured(second),
                basis=other,
            ),
        ]
    return tuple(rows)


CASE = Case(
    name="mnist-convolution",
    title="V5. A converted convolutional network for MNIST on 14 cores of Loihi 1",
    summary=(
        "Four convolutions, rate-coded over 100 steps an image, classify MNIST on 14 cores; a CPU and a GPU run the same network"
        " without spikes. Synapses and placement are those of the network, its neurons are driven to a stated activity, and the"
        " devices of the keyword network stand in for the CPU and the GPU."
    ),
    source=(
        "Rueckauer et al. 2021, arXiv 2101.04261, as quoted by secondary sources; layers from the tutorial of the published module"
        " (Intel NRC ecosystem models, nxsdk_modules_ncl/dnn), which is taken for the network of the paper"
    ),
    unknown=(
        "Spike rates: 0.05 to 0.25 spikes a neuron and step, the range of every conversion on this page. Whether inputs are doubled"
        " like neurons, and whether the energy holds static power and x86 cores: taken that it does, both are shown."
    ),
    predict=predict,
)
