from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuromorph.networks.experiment import Result
from neuromorph.networks.one_shot_memory import OneShotMemory

Conduct = Callable[..., Result]


def test_what_was_seen_once_is_completed_from_half(conduct: Conduct) -> None:
    result = conduct("one-shot-memory")
    assert result.is_inside, result.to_json()


def test_a_cue_of_two_neurons_recalls_nothing() -> None:
    trial = OneShotMemory(patterns=10, cue=2 / 12)
    result = trial.run("emulator")
    assert result.value("share of the missing half that is recalled") < 0.1


def test_without_inhibition_everyone_spikes() -> None:
    result = OneShotMemory(inhibition=1e-12).run("emulator")
    assert result.value("share of other neurons that spike") > 0.1


def test_a_cue_is_part_of_its_pattern(conduct: Conduct) -> None:
    arrays, trial = conduct("one-shot-memory").arrays, OneShotMemory()
    assert np.all(arrays["cues"] <= arrays["patterns"])
    assert np.all(arrays["patterns"].sum(axis=1) == trial.active)
    assert np.all(arrays["cues"].sum(axis=1) == trial.cue * trial.active)


def test_figure_shows_patterns(conduct: Conduct) -> None:
    assert OneShotMemory().figure([conduct("one-shot-memory")]).axes[0].get_xlabel() == "pattern"
