"""Fixed point on nengo-loihi: its own integers and update, and an error where it would wrap what a program does not."""

import numpy as np
import pytest

pytest.importorskip("nengo_loihi")

from nengo_loihi.builder.discretize import overflow_signed
from nengo_loihi.builder.validate import validate_model
from nengo_loihi.emulator.interface import CompartmentState, EmulatorInterface

from neuromorph import registry
from neuromorph.backends.nengo_loihi import NengoLoihiBackend
from neuromorph.backends.nengo_loihi.emulator import Emulator
from neuromorph.backends.nengo_loihi.fixed_compartments import FixedCompartments
from neuromorph.backends.nengo_loihi.lowering import Lowering
from neuromorph.errors import InputError, NumericalLimit, UnsupportedError
from neuromorph.inputs import Input
from neuromorph.parts import ProbeProgram
from neuromorph.program import Program
from neuromorph.testing import integer_neurons, integer_synapses

TOP = 2**23
STEPS = 300


def synapses(pre, post, mantissas, **options):
    """Synapses where a mantissa is not 0."""
    return integer_synapses(pre, post, mantissas, exists=np.asarray(mantissas) != 0, **options)


def program(populations, projections, inputs):
    return Program(
        name="fixed",
        dt=1e-3,
        seed=0,
        inputs=[Input("in", inputs)],
        populations=populations,
        projections=projections,
        probes=[
            ProbeProgram(target=population.name, variable=variable, every=1)
            for population in populations
            for variable in ("spikes", "u", "v")
        ],
        arithmetic="fixed",
        chip="loihi1",
    )


def network():
    """What stock nengo-loihi can run: no learning, delays of one step, no negative exponents."""
    rng = np.random.default_rng(0)
    per_neuron = {
        "du": rng.integers(0, 4096, 8),
        "dv": rng.integers(0, 4097, 8),
        "threshold": rng.integers(200, 2000, 8),
        "bias": rng.integers(-100, 1000, 8),
        "refractory": rng.integers(0, 4, 8),
    }
    return program(
        [integer_neurons("a", 8, **per_neuron), integer_neurons("b", 4)],
        [
            synapses("in", "a", rng.integers(0, 256, (8, 6)), exponent=2, sign_mode="excitatory"),
            synapses("a", "b", rng.integers(0, 2, (4, 8)) * rng.integers(0, 32, (4, 8)) * 8, bits=6),
            synapses("a", "a", rng.integers(-255, 1, (8, 8)), sign_mode="inhibitory"),
        ],
        6,
    )


def spikes_in(size, steps=STEPS, rate=0.3):
    return np.random.default_rng(7).random((steps, size)) < rate


def test_stock_emulator_runs_the_model_and_gives_the_same_integers():
    described, fed = network(), spikes_in(6)
    with registry.get("reference").open(described) as session:
        expected = session.run(STEPS, inputs={"in": fed})
    keys = [(name, variable) for name in ("a", "b") for variable in ("u", "v")]
    lowering = Lowering(described, keys)
    validate_model(lowering.model)
    for row in range(STEPS):
        lowering.inputs["in"].add_spikes(row + 1, np.flatnonzero(fed[row]))
    with np.errstate(invalid="ignore"):  # nengo-loihi fills integer arrays with NaN first
        stock = EmulatorInterface(lowering.model, seed=0)
    stock.run_steps(STEPS)
    for key in keys:
        np.testing.assert_array_equal(stock.collect_probe_output(lowering.probes[key]), expected.states[key])
    for name in ("a", "b"):
        found = stock.collect_probe_output(lowering.probes[name, "spikes"])
        np.testing.assert_array_equal(found > 0, np.asarray(expected.spikes[name]))
        assert len(expected.spikes[name]) > 50
    stock.close()


def test_model_holds_the_registers_of_the_program():
    described = network()
    lowering = Lowering(described, [])
    compartment = lowering.blocks["a"][0][1].compartment
    a = described.population("a")
    np.testing.assert_array_equal(4095 - compartment.decay_u, a.decay_u * 4096)
    np.testing.assert_array_equal(4096 - compartment.decay_v, a.decay_v * 4096)
    for name in ("decay_u", "decay_v", "vth", "bias"):
        assert getattr(compartment, name).dtype == np.int32
    kinds = {}
    for synapse in lowering.synapses:
        config, projection = synapse.synapse_cfg, synapse.projection
        kinds[projection.name] = (config.fanout_type, config.real_weight_bits, config.weight_exp)
        stored = np.concatenate([weights[0] for weights in synapse.weights])
        assert stored.dtype == np.int32
        assert synapse.size() == projection.synapses  # a method that its build for the chip calls
        np.testing.assert_array_equal(stored // config.scale, projection.weight[synapse.entries])
    assert kinds == {"in->a": (2, 8, 2), "a->b": (1, 6, 0), "a->a": (3, 8, 0)}


def test_state_is_the_stock_emulator_s_integers_and_its_update():
    emulator = Emulator(Lowering(network(), []))
    assert isinstance(emulator.compartment, FixedCompartments)
    assert FixedCompartments.update is CompartmentState.update
    for name in ("input", "current", "voltage", "decay_u", "decay_v", "vth", "bias"):
        assert getattr(emulator.compartment, name).dtype == np.int32
    before = emulator.rng.get_state()[2]
    emulator.step()
    assert emulator.rng.get_state()[2] == before  # no noise is drawn
    emulator.close()


def driven(weight, exponent, *, du=0, bias=0, inputs=8):
    """The second neuron of the second population receives all inputs."""
    weights = np.zeros((3, inputs), dtype=int)
    weights[1] = weight
    return program(
        [integer_neurons("first", 2), integer_neurons("second", 3, du=du, bias=[0, bias, 0], threshold=131071)],
        [synapses("in", "second", weights, exponent=exponent)],
        inputs,
    )


@pytest.mark.parametrize("weight", [-256, 254])
def test_synaptic_input_beyond_21_bits_is_an_error_that_names_the_neuron(weight):
    described = driven(weight, 7)
    total = 2 * weight << 13
    with NengoLoihiBackend().open(described) as session:
        one = np.zeros((5, 8))
        one[:, 0] = 1
        session.run(5, inputs={"in": one})
        two = np.zeros((3, 8))
        two[1, :2] = 1
        with pytest.raises(NumericalLimit) as caught:
            session.run(3, inputs={"in": two})
    message = str(caught.value)
    assert message.startswith(
        f"step 8, population 'second', neuron 1: the sum of weights that arrive, shifted left by 6 is {total},"
    )
    assert "-2097152..2097151 (21 bits and a sign)" in message
    assert "neuromorph check" in message


def test_synaptic_input_at_the_ends_of_21_bits_runs():
    """-2^21 is held, 2^21 - 64 too, and 2^21 is not."""
    fed = {"in": np.ones((2, 8))}
    for weight, held in ((-32, True), (-34, False), (30, True), (32, False)):
        described = driven(weight, 7, du=4095)
        with NengoLoihiBackend().open(described) as mine, registry.get("reference").open(described) as theirs:
            expected = theirs.run(2, inputs=fed).states["second", "u"]
            assert expected[1, 1] == 8 * weight << 13
            if held:
                np.testing.assert_array_equal(mine.run(2, inputs=fed).states["second", "u"], expected)
            else:
                with pytest.raises(NumericalLimit, match="21 bits"):
                    mine.run(2, inputs=fed)


def test_synaptic_input_beyond_32_bits_is_an_error_too():
    """In 32 bits it would be 0, which fits."""
    described = driven(-256, 7, inputs=2048)
    with NengoLoihiBackend().open(described) as session, pytest.raises(NumericalLimit, match=f"is {-(2**32)},"):
        session.run(2, inputs={"in": np.ones((2, 2048))})


@pytest.mark.parametrize("sign", [1, -1])
def test_current_and_bias_beyond_23_bits_are_an_error_that_names_the_neuron(sign):
    described = driven(100, 0, bias=sign * (4095 << 7))
    with NengoLoihiBackend().open(described) as mine, registry.get("reference").open(described) as theirs:
        for session in (mine, theirs):
            session.write("second.u", [0, sign * (TOP - 600_000), 0])
        np.testing.assert_array_equal(mine.run(1).states["second", "v"], theirs.run(1).states["second", "v"])
        mine.write("second.u", [0, sign * (TOP - 500_000), 0])
        with pytest.raises(NumericalLimit) as caught:
            mine.run(4)
    u = (TOP - 500_000) * 4095 // 4096
    message = str(caught.value)
    assert message.startswith(f"step 2, population 'second', neuron 1: u + bias is {sign * (u + (4095 << 7))},")
    assert "-8388608..8388607 (23 bits and a sign)" in message


def test_current_at_2_to_the_23_is_where_a_program_has_it_and_not_where_stock_code_puts_it():
    values = np.array([TOP - 1, TOP, TOP + 1, -TOP, -TOP - 1, 1 - TOP, 0], dtype=np.int32)
    emulator = Emulator(Lowering(network(), []))
    ours, stock = values.copy(), values.copy()
    emulator.compartment._overflow(ours, bits=23, name="current")
    assert ours.tolist() == [TOP - 1, TOP, 1 - TOP, TOP, TOP - 1, 1 - TOP, 0]
    overflow_signed(stock, bits=23, out=stock)
    assert np.flatnonzero(stock != ours).tolist() == [1, 3]
    emulator.close()


def test_a_bias_that_nengo_loihi_has_no_register_for_is_refused():
    lowest = -4096 << 7
    described = driven(100, 0, bias=lowest)
    with pytest.raises(UnsupportedError, match=f"population 'second': .* not {lowest}"):
        NengoLoihiBackend().open(described)
    with NengoLoihiBackend().open(driven(100, 0, bias=-4095 << 7)) as session:
        with pytest.raises(InputError, match=f"population 'second': .* not {lowest}"):
            session.write("second.bias", [0, lowest, 0])
        assert session.read("second.bias").tolist() == [0, -4095 << 7, 0]


def test_population_larger_than_a_core_is_split_and_its_error_counts_across():
    size = 1500
    weights = np.zeros((size, 4), dtype=int)
    weights[:, 0] = np.arange(size) % 100
    weights[1400, 1:] = 254
    described = program(
        [integer_neurons("a", size, threshold=20)],
        [synapses("in", "a", weights // 2 * 2, exponent=7)],
        4,
    )
    fed = np.zeros((30, 4))
    fed[::3, 0] = 1
    with NengoLoihiBackend().open(described) as mine, registry.get("reference").open(described) as theirs:
        recording, expected = (session.run(30, inputs={"in": fed}) for session in (mine, theirs))
        for key, values in expected.states.items():
            np.testing.assert_array_equal(recording.states[key], values)
        assert recording.spikes["a"].equals(expected.spikes["a"])
        assert expected.spikes["a"].ids.max() > 1024
        with pytest.raises(NumericalLimit, match="step 32, population 'a', neuron 1400:"):
            mine.run(2, inputs={"in": np.ones((2, 4))})


def test_the_gap_is_declared():
    assert "input accumulator of 21 bits" in NengoLoihiBackend.capabilities.note
