from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuromorph.networks.experiment import Result
from neuromorph.networks.grid_walk import GridWalk

Conduct = Callable[..., Result]


def test_steps_fall_to_near_the_shortest_way(conduct: Conduct) -> None:
    result = conduct("grid-walk")
    assert result.is_inside, result.to_json()


def test_without_learning_walks_stay_long() -> None:
    result = GridWalk(walks=30, control_walks=1, learning_rate=1e-12).run("emulator")
    assert result.value("steps more than the shortest way, last 30 walks") > 8.0


def test_the_critic_expects_more_near_the_goal(conduct: Conduct) -> None:
    """The goal is in the last row: expectation grows towards it in its own column."""
    values = conduct("grid-walk").arrays["values"]
    column = values[:-1, values.shape[1] // 2]
    assert np.argmax(column) == len(column) - 1
    assert column[-1] > 0.7 > column[0]


def test_no_walk_is_shorter_than_the_shortest_way(conduct: Conduct) -> None:
    arrays = conduct("grid-walk").arrays
    assert np.all(arrays["steps"] >= np.minimum(arrays["shortest"], GridWalk().longest))


def test_figure_shows_steps_and_values(conduct: Conduct) -> None:
    assert len(GridWalk().figure([conduct("grid-walk")]).axes) == 2
