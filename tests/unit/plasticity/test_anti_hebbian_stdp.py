import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


@pytest.mark.parametrize("lag", [-30, -2, 0, 2, 30])
def test_the_window_is_turned_round_beside_a_recovery_with_every_presynaptic_spike(learn, lag: int) -> None:
    steps = np.arange(120)[:, np.newaxis]
    rule = nm.AntiHebbianSTDP(A_plus=0.1, A_minus=0.04, recovery=0.003, tau_plus=15 * MS, tau_minus=25 * MS)
    expected = 0.003
    if lag >= 0:
        expected -= 0.1 * np.exp(-lag / 15)
    if lag <= 0:
        expected += 0.04 * np.exp(lag / 25)
    assert learn(rule, steps == 50, steps == 50 + lag)[-1, 0, 0] == pytest.approx(expected, rel=1e-10)


def test_a_predictable_response_is_cancelled() -> None:
    """A volley sweeps over the inputs after each command; at one time of it the cell is excited, until it no longer is."""
    steps, period, inputs = 40_000, 100, 40
    phase = np.arange(steps) % period
    pre = phase[:, np.newaxis] == np.arange(inputs)  # input i spikes i ms after the command
    drive = (phase >= 20) & (phase < 30)
    net = nm.Network(
        populations=[
            nm.Input("copy", inputs),
            nm.Input("sense", 1),
            nm.Population("cell", 1, nm.LIF(tau_mem=5 * MS, tau_syn=0.0)),
        ],
        projections=[
            nm.Projection(
                "copy",
                "cell",
                np.zeros((1, inputs)),
                plasticity=nm.AntiHebbianSTDP(A_plus=0.01, recovery=0.001, tau_plus=5 * MS, w_max=0.0),
                name="s",
            ),
            nm.Projection("sense", "cell", [[0.5]]),
        ],
        probes=[nm.Probe("cell")],
    )
    recording = nm.run(net, steps, inputs={"copy": pre, "sense": drive[:, np.newaxis]}, backend="emulator")
    spikes = np.asarray(recording.spikes["cell"])[:, 0]
    assert spikes[:1000].sum() >= 20
    assert spikes[-10_000:].sum() < 0.1 * 10 * spikes[:1000].sum()


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"AntiHebbianSTDP\.recovery must be a finite number, got inf"):
        nm.AntiHebbianSTDP(recovery=float("inf"))
