import numpy as np
import pytest

import neuromorph as nm
from neuromorph.backends.emulator import EmulatorBackend
from neuromorph.backends.emulator.learning import REORDER_SYNAPSES, RandomNumbers
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.errors import UnsupportedError
from neuromorph.fixed_plastic_state import _Draws
from neuromorph.network import Network

PRE, POST = 280, 260  # more synapses than REORDER_SYNAPSES


RULES = {
    "pair STDP": nm.STDP(A_plus=0.01, A_minus=0.0105, w_min=0.0, w_max=1.0),
    "anti-Hebbian": nm.STDP(A_plus=-0.01, A_minus=-0.004, tau_plus=12e-3, w_min=0.0, w_max=1.0),
    "without bounds": nm.STDP(A_plus=0.01, A_minus=0.0105),
    "triplet": nm.LearningRule(
        dw="0.004 * x1 * y2 * y0 + 0.003 * x1 * y0 - 0.006 * y1 * x0",
        x1=nm.Trace(17e-3), y1=nm.Trace(34e-3), y2=nm.Trace(114e-3), w_min=0.0, w_max=1.0,
    ),
    "with a constant": nm.LearningRule(
        dw="0.01 * x1 * y0 + 0.01 * (y1 - 0.3) * x0", x1=nm.Trace(20e-3), y1=nm.Trace(20e-3), w_min=0.0, w_max=1.0
    ),
    "rewarded": nm.RewardModulatedSTDP(
        modulator="reward", learning_rate=0.002, A_minus=1.05, tau_e=0.2, w_min=0.0, w_max=1.0
    ),
    "rewarded, bounds often met": nm.RewardModulatedSTDP(
        modulator="reward", learning_rate=0.05, A_minus=1.05, tau_e=0.05, w_min=0.2, w_max=0.8
    ),
    "nearest": nm.LearningRule(
        dw="0.01 * x1 * y0 - 0.0105 * y1 * x0",
        x1=nm.Trace(20e-3, 1.0, "nearest"), y1=nm.Trace(20e-3, 1.0, "nearest"), w_min=0.0, w_max=1.0,
    ),
    "nearest on one side": nm.LearningRule(
        dw="0.01 * x1 * y0 - 0.0105 * y1 * x0",
        x1=nm.Trace(20e-3), y1=nm.Trace(20e-3, 1.0, "nearest"), w_min=0.0, w_max=1.0,
    ),
    "rectified": nm.LearningRule(
        dw="0.01 * x1 * y0 - 0.02 * pos(y1 - 0.3) * x0", x1=nm.Trace(20e-3), y1=nm.Trace(20e-3), w_min=0.0, w_max=1.0
    ),
    "membrane": nm.LearningRule(
        dw="0.01 * x1 * pos(y1 - 2) * y0 - 0.0004 * pos(y2 - 1) * x0",
        x1=nm.Trace(20e-3), y1=nm.Trace(0.0, 9.0, source="v"), y2=nm.Trace(10e-3, 9.0, source="v"), w_min=0.0, w_max=1.0,
    ),
    "rewarded, nearest": nm.LearningRule(
        dw="0.002 * r * t * u0", dt="x1 * y0 - 1.05 * y1 * x0", tau_tag=0.2, modulators={"reward": 1.0},
        x1=nm.Trace(20e-3, 1.0, "nearest"), y1=nm.Trace(20e-3), w_min=0.0, w_max=1.0,
    ),
    "soft bounds": nm.LearningRule(
        dw="0.02 * x1 * y0 - 0.02 * x1 * w * y0 - 0.01 * y1 * w * x0",
        x1=nm.Trace(20e-3), y1=nm.Trace(20e-3), w_min=0.0, w_max=1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("share", [1.0, 0.93], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", RULES)
def test_large_float_projections_agree_to_rounding_and_exactly_where_asked(name: str, share: float) -> None:
    rng = np.random.default_rng(1)
    steps = 320  # longer than a window of slots
    inputs = {"in": rng.random((steps, PRE)) < 0.03}
    modulators = {"reward": rng.normal(size=steps) * (rng.random(steps) < 0.7)}
    weights = np.random.default_rng(3).uniform(0.25, 0.75, (POST, PRE))
    weights *= np.random.default_rng(4).random((POST, PRE)) < share
    network = Network(
        populations=[nm.Input("in", PRE), nm.Population("out", POST, nm.LIF(tau_syn=5e-3, v_threshold=12.0))],
        projections=[
            nm.Projection("in", "out", _sparse(weights), plasticity=RULES[name], name="p")
        ],
        modulators=[nm.Modulator("reward")],
        probes=[nm.Probe("out", "v"), nm.Probe("out", "spikes")],
    )  # fmt: skip
    program = nm.compile(network, dt=1e-3)
    assert program.projections[0].synapses >= REORDER_SYNAPSES
    runs = []
    for backend in (
        ReferenceBackend(),
        EmulatorBackend(threads=2),
        EmulatorBackend(threads=1),
        EmulatorBackend(exact=True),
    ):
        with backend.open(program) as session:
            first = session.run(
                130, inputs={"in": inputs["in"][:130]}, modulators={"reward": modulators["reward"][:130]}
            )
            middle = session.read("p.weight")
            second = session.run(
                190, inputs={"in": inputs["in"][130:]}, modulators={"reward": modulators["reward"][130:]}
            )
            runs.append((first, second, _values(middle), _values(session.read("p.weight"))))
    reference, two, one, exact = runs
    assert sum(len(part.spikes["out"]) for part in reference[:2]) > 1000
    for k in (2, 3):
        assert np.array_equal(exact[k], reference[k])
        assert np.array_equal(two[k], one[k])  # whatever the number of threads
        assert np.allclose(one[k], reference[k], rtol=1e-9, atol=1e-11)
    for k in (0, 1):
        assert one[k].spikes["out"].equals(reference[k].spikes["out"])
        assert np.allclose(one[k].states["out", "v"], reference[k].states["out", "v"], rtol=1e-9, atol=1e-10)
        assert np.array_equal(exact[k].states["out", "v"], reference[k].states["out", "v"])


def _sparse(weights: np.ndarray) -> object:
    from scipy.sparse import csr_array

    return weights if np.all(weights) else csr_array(weights)


def _values(weight: object) -> np.ndarray:
    return np.asarray(weight) if isinstance(weight, np.ndarray) else weight.data  # type: ignore[attr-defined]


@pytest.mark.parametrize("dw", [" + ".join(["0.1 * x1 * y0"] * 65), " * ".join(["0.1", *["x1"] * 13, "y0"])])
def test_a_rule_longer_than_the_kernel_holds_is_refused_before_anything_runs(dw: str) -> None:
    rule = nm.LearningRule(dw=dw, x1=nm.Trace(20e-3), w_min=0.0, w_max=1.0)
    network = Network(
        populations=[nm.Input("in", 2), nm.Population("out", 2, nm.LIF())],
        projections=[nm.Projection("in", "out", np.full((2, 2), 0.5), plasticity=rule, name="p")],
    )
    with pytest.raises(UnsupportedError, match=r"projection 'p': its rule has .* the kernel holds 64 of at most 12"):
        EmulatorBackend().open(nm.compile(network, dt=1e-3))


def test_random_numbers_of_many_steps_are_those_of_single_ones() -> None:
    epoch, seed = 3, 5
    numbers = RandomNumbers(seed, epoch)
    draws = [_Draws(seed + k, whole=k % 2 == 1) for k in range(4)]
    rounding = _Draws(2)
    expected: list[list[float]] = [[], [], [], [], []]
    for step in range(1, 41):
        for _ in range(2):
            for k, stream in enumerate(draws):
                stream.advance()
                expected[k].append(stream.value)
        if step % epoch == 0:
            rounding.advance()
            expected[4].append(rounding.value)
    for first, steps in ((0, 7), (7, 1), (8, 20), (28, 12), (5, 9)):  # the last one goes back
        found = numbers.after(first, steps)
        for k in range(4):
            assert found[k].tolist() == expected[k][2 * first : 2 * (first + steps)]
        assert found[4].tolist() == expected[4][first // epoch : (first + steps) // epoch]
