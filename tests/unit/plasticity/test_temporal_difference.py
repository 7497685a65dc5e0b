import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError, RuleError

CUE, REWARD, LENGTH = 3, 8, 12


def trial(critic: nm.TemporalDifference, cues: list[int], reward: float = 1.0) -> list[float]:
    """Dopamine in each step of a trial; each cue has a feature for every step that passed since it (a delay line)."""
    critic.reset()
    told = []
    for step in range(LENGTH):
        features = np.zeros(2 * LENGTH)
        for cue in cues:
            if step >= CUE:
                features[cue * LENGTH + step - CUE] = 1.0
        told.append(critic.update(reward if step == REWARD else 0.0, features))
    return told


def test_dopamine_moves_from_the_reward_to_its_cue_and_dips_at_omission() -> None:
    """Schultz, Dayan and Montague's three recordings."""
    critic = nm.TemporalDifference(features=2 * LENGTH, discount=1.0, learning_rate=0.3)
    before = trial(critic, [0])
    assert before[REWARD] == 1.0 and before[CUE] == 0.0
    for _ in range(300):
        trial(critic, [0])
    after, omitted = trial(critic, [0]), trial(critic, [0], reward=0.0)
    assert after[CUE] == pytest.approx(1.0, abs=1e-3) and after[REWARD] == pytest.approx(0.0, abs=1e-3)
    assert omitted[REWARD] == pytest.approx(-1.0, abs=1e-3)
    assert np.abs(np.delete(after, CUE)).max() < 1e-3


def test_a_cue_that_adds_no_prediction_is_blocked() -> None:
    blocked, control = (nm.TemporalDifference(features=2 * LENGTH, discount=1.0, learning_rate=0.1) for _ in range(2))
    for _ in range(300):
        trial(blocked, [0])
    for _ in range(100):
        trial(blocked, [0, 1])
        trial(control, [0, 1])
    assert abs(trial(blocked, [1])[CUE]) < 0.05 < 0.3 < trial(control, [1])[CUE]


def test_values_of_a_random_walk_are_the_chances_of_its_rewarded_end() -> None:
    """Sutton 1988: five states in a row, reward 1 at the right end; the values are 1/6 to 5/6."""
    rng = np.random.default_rng(0)
    critic = nm.TemporalDifference(features=5, discount=1.0, learning_rate=0.02, trace_decay=0.3)
    total = np.zeros(5)
    for episode in range(3000):
        critic.reset()
        place = 2
        critic.update(0.0, np.eye(5)[place])
        while 0 <= place < 5:
            place += rng.choice((-1, 1))
            critic.update(float(place == 5), np.eye(5)[place] if 0 <= place < 5 else np.zeros(5))
        total += critic.weights * (episode >= 2000)
    assert total / 1000 == pytest.approx(np.arange(1, 6) / 6, abs=0.05)


def test_what_is_wrong_is_named_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        nm.TemporalDifference(features=0, discount=-1, learning_rate="a", trace_decay=2)
    assert len(caught.value.faults) == 4
    critic = nm.TemporalDifference(features=2)
    with pytest.raises(InputError, match=r"features must be 2 finite numbers, got shape \(3,\)"):
        critic.value([1, 2, 3])
    with pytest.raises(InputError, match=r"reward must be a finite number, got 'sweet'"):
        critic.update("sweet", [0, 1])


def test_synapses_stop_learning_from_a_reward_that_the_critic_predicts() -> None:
    """The loop in which it is meant to run: a step of the network, an error of the critic, the next step."""
    net = nm.Network(
        populations=[nm.Input("pre", 1), nm.Input("force", 1), nm.Population("post", 1, nm.IF(v_threshold=10.0))],
        projections=[
            nm.Projection(
                "pre", "post", [[0.0]], plasticity=nm.RewardModulatedSTDP(modulator="dopamine", tau_e=5e-3), name="s"
            ),
            nm.Projection("force", "post", [[99.0]]),
        ],
        modulators=[nm.Modulator("dopamine")],
    )
    critic = nm.TemporalDifference(features=LENGTH, discount=1.0, learning_rate=0.3)
    changes = []
    with nm.open(net, dt=1e-3) as session:
        for _ in range(150):
            session.reset()
            critic.reset()
            before = session.read("s.weight")[0, 0]
            dopamine = 0.0
            for step in range(LENGTH):
                pre, force = [[step == REWARD - 3]], [[step == REWARD - 3]]  # the neuron spikes a step later
                session.run(1, inputs={"pre": pre, "force": force}, modulators={"dopamine": [dopamine]})
                features = np.eye(LENGTH)[step - CUE] if step >= CUE else np.zeros(LENGTH)
                dopamine = critic.update(float(step == REWARD), features)
            changes.append(session.read("s.weight")[0, 0] - before)
    assert changes[0] > 0.3
    assert abs(changes[-1]) < 0.02 * changes[0]
