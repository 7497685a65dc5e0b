"""Figures: complete, small, valid SVG, and without complaint where there is little to draw."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from neuromorph.recording import SpikeTrain
from neuromorph.report import comparison_plots, learner_plots
from neuromorph.report.canvas import label
from neuromorph.report.figures import comparison_figures, learner_figures
from neuromorph.scorecard import Evidence, Row, Scorecard

SPIKING = ["raster", "membrane", "fields", "confusion", "weights"]


def keys(scorecard: Scorecard, evidence: Evidence) -> list[str]:
    """Names of the figures of a learner."""
    return [figure.key.rstrip("0123456789") for figure in learner_figures(scorecard, evidence, 1)]


def test_every_figure_is_drawn(scorecard: Scorecard) -> None:
    """All learners together, and each alone; a learner without spikes has no raster."""
    assert [figure.key for figure in comparison_figures(scorecard)] == [
        "curves",
        "pareto",
        "energy",
        "latency",
        "speed",
    ]
    assert keys(scorecard, scorecard.evidence[0]) == SPIKING
    assert keys(scorecard, scorecard.evidence[2]) == SPIKING[2:]


def test_figures_are_valid_and_say_what_they_show(scorecard: Scorecard) -> None:
    """Each parses as XML, has a caption and a description, and holds no metadata or comment."""
    for figure in (*comparison_figures(scorecard), *learner_figures(scorecard, scorecard.evidence[0], 1)):
        assert ElementTree.fromstring(figure.svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert figure.title.endswith(".")
        assert len(figure.caption) > 60
        assert len(figure.description) > 15
        assert b"<!--" not in figure.svg
        assert b"metadata" not in figure.svg


def test_same_scorecard_same_bytes_on_any_thread(scorecard: Scorecard) -> None:
    """Nothing global and nothing from chance goes into a figure."""
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(comparison_plots.energy_bars, [scorecard] * 8))
        rasters = list(pool.map(learner_plots.spike_raster, [scorecard.evidence[0]] * 8))
    assert len(set(drawn)) == 1
    assert len(set(rasters)) == 1


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"raster": {}}, ["raster"]),
        ({"raster": {"image": SpikeTrain.from_dense(np.zeros((0, 4)))}}, ["raster"]),
        ({"raster": {"image": SpikeTrain.from_dense(np.zeros((60, 4)))}}, []),
        ({"membrane": None}, ["membrane"]),
        ({"threshold": None, "membrane_ids": ()}, []),
        ({"threshold": np.ones((60, 2))}, []),
        ({"membrane": np.zeros((60, 2))}, []),
        ({"dt": 0.0}, []),
        ({"dt": 1.0}, []),
        ({"steps_per_sample": 0, "sample_labels": ()}, []),
        ({"confusion": np.zeros((10, 10), np.int64)}, ["confusion"]),
        ({"confusion": np.zeros((0, 0), np.int64)}, ["confusion"]),
        ({"confusion": np.eye(40, dtype=np.int64)}, []),
        ({"image_shape": (3, 3)}, ["fields"]),
        ({"image_shape": (2, 8)}, []),
        ({"image_shape": (16, 1)}, []),
        ({"weights_after": np.zeros((12, 16)), "weights_before": np.zeros((12, 16))}, []),
        ({"weights_after": np.zeros((0, 16)), "weights_before": np.zeros((0, 16))}, ["fields", "weights"]),
        ({"receptive_labels": np.array([], np.int64)}, []),
    ],
)
def test_odd_evidence_draws_what_there_is(
    make_evidence: Callable[..., Evidence],
    make_scorecard: Callable[..., Scorecard],
    changes: dict[str, Any],
    missing: list[str],
) -> None:
    """Absent or degenerate parts leave their figure out; the others stay."""
    evidence = make_evidence("odd", **changes)
    assert keys(make_scorecard(rows=(), evidence=(evidence,)), evidence) == [k for k in SPIKING if k not in missing]


@pytest.mark.parametrize("neurons", [1, 2, 37, 250])
def test_any_number_of_neurons(make_evidence: Callable[..., Evidence], scorecard: Scorecard, neurons: int) -> None:
    """One neuron, or more than are shown."""
    evidence = make_evidence("pair-stdp", neurons=neurons)
    assert keys(scorecard, evidence) == SPIKING
    fields = learner_figures(scorecard, evidence, 1)[2]
    assert {1: "one neuron", 250: "100 of 250 neurons"}.get(neurons, f"all {neurons} neurons") in fields.caption
    assert fields.svg.count(b"<image") == min(neurons, 100) + 1  # and the key of the shades


def test_many_spikes_stay_small(make_evidence: Callable[..., Evidence]) -> None:
    """A raster of 150,000 spikes becomes an image of bounded size."""
    dense = np.random.default_rng(0).random((1000, 784)) < 0.2
    raster = learner_plots.spike_raster(make_evidence("a", raster={"image": SpikeTrain.from_dense(dense)}))
    assert raster is not None
    assert b"<image" in raster
    assert len(raster) < 300_000


@pytest.mark.parametrize(
    "curve",
    [
        {"curve_samples": np.array([], np.int64), "curve_accuracy": np.array([])},
        {"curve_samples": np.array([0]), "curve_accuracy": np.array([0.1])},
        {"curve_samples": np.array([5]), "curve_accuracy": np.array([1.0])},
        {"curve_samples": np.array([1, 10**7]), "curve_accuracy": np.array([0.0, 1.0]), "curve_test_samples": 0},
    ],
)
def test_short_learning_curves(
    make_evidence: Callable[..., Evidence], make_scorecard: Callable[..., Scorecard], curve: dict[str, Any]
) -> None:
    """None, one point at zero, one point, many decades."""
    drawn = comparison_plots.learning_curves(make_scorecard(evidence=(make_evidence("a", **curve),)))
    assert (drawn is None) == (not curve["curve_samples"].size)


@pytest.mark.parametrize(
    ("energy", "is_drawn"),
    [({}, False), ({"c": (0.0, 0.0)}, True), ({"c": (0.0, 1e-6)}, True), ({"c": (1e-6, 1e-6)}, True),
     ({"c": (1e-12, 1e3)}, True)],
)  # fmt: skip
def test_energy_of_any_range(make_scorecard: Callable[..., Scorecard], energy: Any, is_drawn: bool) -> None:
    """No energy, zero, a range from zero, a point, many decades."""
    row = Row(learner="a", backend="b", available=True, energy_joule=energy)
    drawn = comparison_plots.energy_bars(make_scorecard(rows=(row,), evidence=()))
    assert (drawn is not None) == is_drawn


def test_names_are_drawn_literally() -> None:
    """No mathematics, no missing glyph, no line break, no excess of length."""
    assert label("$x$\n\u5b57") == r"\$x\$ ?"
    assert len(label("a" * 100)) == 28


def test_hostile_names_draw_without_warning(
    make_evidence: Callable[..., Evidence], make_scorecard: Callable[..., Scorecard]
) -> None:
    """Underscores, mathematics, other scripts: matplotlib would warn or fail on each."""
    for name in ("_hidden", "$\\frac{$", "\u5b66\u4e60", "<b>&amp;", ""):
        row = Row(learner=name, backend=name, available=True, energy_joule={name: (1e-6, 1e-5)}, seconds_per_sample=1.0)
        raster = {name: SpikeTrain.from_dense(np.eye(60, dtype=bool))}
        scorecard = make_scorecard(rows=(row,), evidence=(make_evidence(name, raster=raster),))
        assert len(comparison_figures(scorecard)) == 3
        assert keys(scorecard, scorecard.evidence[0]) == SPIKING
