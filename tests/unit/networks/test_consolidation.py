from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuromorph.networks.consolidation import HELD, PLAIN, Consolidation
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


def test_task_a_is_kept_while_b_is_learned(conduct: Conduct) -> None:
    result = conduct("consolidation")
    assert result.is_inside, result.to_json()


def test_before_the_first_task_ends_nothing_is_held(conduct: Conduct) -> None:
    arrays = conduct("consolidation").arrays
    assert np.array_equal(arrays[PLAIN][:10], arrays[HELD][:10])


def test_without_strength_nothing_is_held() -> None:
    result = Consolidation(pairs=1, samples=300, tests=60, strength=1e-300).run("emulator")
    assert np.array_equal(result.arrays[PLAIN], result.arrays[HELD])


def test_figure_has_a_panel_for_each_case(conduct: Conduct) -> None:
    assert len(Consolidation().figure([conduct("consolidation")]).axes) == 2
