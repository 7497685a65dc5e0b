"""Messages that users meet, kept as files. NEUROMORPH_UPDATE_GOLDEN=1 writes them anew; read the difference."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import registry
from neuromorph.backend import Availability, Backend, Capabilities, Gap, Session
from neuromorph.errors import NeuromorphError
from neuromorph.testing import feature_cases

FOLDER = Path(__file__).parent


REWARDED = nm.RewardModulatedSTDP(modulator="reward")


def network(**changes: object) -> nm.Network:
    parts: dict[str, object] = {
        "populations": [nm.Input("image", 3), nm.Population("hidden", 2, nm.LIF())],
        "projections": [
            nm.Projection("image", "hidden", np.full((2, 3), 0.5), plasticity=nm.STDP(w_min=0.0, w_max=1.0))
        ],
        "modulators": [nm.Modulator("reward")],
        "probes": [nm.Probe("hidden")],
    }
    return nm.Network(**{**parts, **changes})  # type: ignore[arg-type]


class Lacking(Backend):
    """A backend with gaps that never change."""

    name = "wire"
    capabilities = Capabilities(
        gaps={
            "delay": Gap("a wire has no length", "never"),
            "tag": Gap("it has one variable in a synapse", "theirs"),
            "third_factor": Gap("not written yet", "ours"),
        }
    )

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: nm.Program, *, seed: int, stall_second: float) -> Session:
        raise NotImplementedError


def faulty_network() -> None:
    network(
        populations=[
            nm.Input("image", 3),
            nm.Population("hidden", 2, nm.LIF()),
            nm.Population("hidden", 2, nm.LIF()),
        ],
        projections=[
            nm.Projection("picture", "hidden", nm.AllToAll(0.5)),
            nm.Projection("image", "hidden", np.ones((3, 2))),
            nm.Projection("hidden", "image", nm.AllToAll(1.0)),
            nm.Projection("image", "hidden", nm.OneToOne(), name="relay", delay=np.full((3, 2), 1e-3)),
            nm.Projection("image", "hidden", nm.AllToAll(1.0), name="taught",
                          plasticity=nm.RewardModulatedSTDP(modulator="dopamine")),
        ],
        probes=[nm.Probe("output"), nm.Probe("image", "v"), nm.Probe("relay", "spikes"), nm.Probe("relay", "tag")],
    )  # fmt: skip


def beyond_the_chip() -> None:
    cell = nm.LIF(refractory=63e-3, tau_mem=30.0, threshold_increment=0.1)
    net = nm.Network(
        populations=[nm.Input("image", 4097), nm.Population("hidden", 2, cell), nm.Population("out", 1, nm.LIF())],
        projections=[
            nm.Projection("image", "hidden", nm.AllToAll(0.5), delay=64e-3),
            nm.Projection("hidden", "out", nm.AllToAll(0.5), plasticity=nm.STDP(w_min=-0.3, w_max=1.0), name="learned"),
            nm.Projection("hidden", "hidden", nm.AllToAll(0.5), plasticity=nm.LearningRule(dw="0.5*x0", epoch=64e-3)),
        ],
    )
    nm.check(net, "loihi1").raise_faults()


def wrong_steps() -> None:
    rule = nm.LearningRule(dw="0.1*x0", epoch=2.5e-3, w_max=0.4)
    net = network(
        populations=[nm.Input("image", 3), nm.Population("hidden", 2, nm.LIF(refractory=0.25e-3))],
        projections=[
            nm.Projection("image", "hidden", nm.AllToAll(0.5), delay=1.5e-3, plasticity=rule),
            nm.Projection("hidden", "hidden", nm.AllToAll(0.1), delay=0.1e-3),
        ],
    )
    nm.compile(net, dt=1e-3)


def faulty_rule() -> None:
    nm.LearningRule(
        name="mine",
        dw="x1*y0 - w*x0 + r*u0",
        dt="x0",
        y2=nm.Trace(20e-3),
        tau_tag=-1.0,
        epoch=-1.0,
        w_min=1.0,
        w_max=0.0,
    )


def session() -> Session:
    return nm.open(network())


def closed() -> None:
    opened = session()
    opened.close()
    opened.run(10)


MISTAKES: dict[str, Callable[[], object]] = {
    "network_all_faults_at_once": faulty_network,
    "neuron_all_faults_at_once": lambda: nm.LIF(tau_mem=-0.01, tau_syn="5 ms", v_threshold=[1.0, 0.0], refractory=-1.0),  # type: ignore[arg-type]
    "neuron_parameters_do_not_fit": lambda: nm.Population("hidden", 3, nm.LIF(tau_mem=[0.01, 0.02], bias=[0.1])),
    "weights_transposed": lambda: network(projections=[nm.Projection("image", "hidden", np.ones((3, 2)))]),
    "weights_one_number": lambda: nm.Projection("image", "hidden", 0.5),
    "steps_not_whole": wrong_steps,
    "rule_unknown_variable": lambda: nm.LearningRule(name="mine", dw="0.1 * x1 * y0 * ca"),
    "rule_without_dependency": lambda: nm.LearningRule(name="mine", dw="0.1 * x1 * y1"),
    "rule_all_faults_at_once": faulty_rule,
    "modulator_not_given": lambda: network(
        modulators=[],
        projections=[
            nm.Projection("image", "hidden", nm.AllToAll(0.5), plasticity=nm.RewardModulatedSTDP(modulator="reward"))
        ],
    ),
    "backend_unknown": lambda: nm.run(network(), 10, backend="spinnaker"),
    "backend_option_unknown": lambda: nm.run(network(), 10, speed="fast"),
    "backend_lacks_a_feature": lambda: Lacking().open(feature_cases()["delay"].program),
    "backend_lacks_several_features": lambda: Lacking().open(
        nm.compile(
            network(
                name="lesson",
                projections=[
                    nm.Projection("image", "hidden", nm.AllToAll(0.5), delay=3e-3),
                    nm.Projection("hidden", "hidden", nm.AllToAll(0.5), delay=2e-3, plasticity=REWARDED),
                ],
            )
        )
    ),
    "run_wrong_inputs": lambda: session().run(
        10,
        inputs={"image": np.zeros((3, 10)), "sound": np.zeros((10, 1))},
        modulators={"reward": [1.0, 2.0], "pain": 1},
    ),
    "run_inputs_not_named": lambda: session().run(10, inputs=np.zeros((10, 3))),  # type: ignore[arg-type]
    "chip_all_faults_at_once": beyond_the_chip,
    "run_negative_steps": lambda: session().run(-10),
    "write_outside_bounds": lambda: session().write("image->hidden.weight", np.linspace(-0.5, 1.5, 6).reshape(2, 3)),
    "write_wrong_shape": lambda: session().write("hidden.bias", [0.1, 0.2, 0.3]),
    "read_unknown_variable": lambda: session().read("hidden.calcium"),
    "session_closed": closed,
    "program_file_missing": lambda: nm.Program.load("nowhere/network.nm.npz"),
}


@pytest.fixture(autouse=True)
def the_same_backends_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    found = registry._entries()
    ours = {name: found[name] for name in ("reference", "nengo", "nengo-loihi", "lava", "backprop") if name in found}
    monkeypatch.setattr(registry, "_entries", lambda: ours)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_message_is_the_one_we_agreed_on(name: str) -> None:
    with pytest.raises(NeuromorphError) as caught:
        MISTAKES[name]()
    message = f"{type(caught.value).__name__}: {caught.value}\n"
    file = FOLDER / f"{name}.txt"
    if os.environ.get("NEUROMORPH_UPDATE_GOLDEN") == "1":
        file.write_text(message, encoding="utf-8")
    assert file.exists(), f"{file.name} is missing: run with NEUROMORPH_UPDATE_GOLDEN=1 and read what it says"
    assert message == file.read_text(encoding="utf-8")


def test_no_message_is_kept_that_nobody_checks() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(MISTAKES)


@pytest.mark.parametrize("name", MISTAKES)
def test_messages_have_no_traces_of_the_machine(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"0x[0-9a-f]{6}|/(home|root|tmp|usr)/|np\.float64|np\.int64|Traceback", text)
