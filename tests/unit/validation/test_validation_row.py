"""A figure beside its measurement: factors, ranges and verdicts."""

import pytest

from neuromorph.cost import Range
from neuromorph.errors import InputError
from neuromorph.validation import Row, Target
from neuromorph.validation.case import measured


def row(low: float, high: float, *, was: Range, target: Target | None = None) -> Row:
    return Row(what="energy", unit="J", predicted=Range(low, high), measured=was, target=target)


@pytest.mark.parametrize(("was", "factor"), [(2.0, 1.0), (1.0, 2.0), (5.0, 2.5), (8.0, 4.0)])
def test_the_factor_is_that_of_the_geometric_mean_either_way(was: float, factor: float) -> None:
    assert row(1.0, 4.0, was=measured(was)).factor == pytest.approx(factor)


def test_of_several_measured_figures_the_nearest_counts() -> None:
    assert row(1.0, 4.0, was=measured(1.5, 3.0)).factor == pytest.approx(1.0)
    assert row(1.0, 4.0, was=measured(3.0, 9.0)).factor == pytest.approx(1.5)
    assert row(1.0, 4.0, was=measured(3.9, 9.0)).is_inside and not row(1.0, 4.0, was=measured(4.1, 9.0)).is_inside


def test_a_range_that_is_too_wide_holds_nothing() -> None:
    inside = Target(widest=5.0)
    assert row(1.0, 5.0, was=measured(4.9), target=inside).verdict == "PASS"
    assert row(1.0, 5.1, was=measured(4.9), target=inside).verdict == "MISS"
    assert row(1.0, 5.0, was=measured(5.1), target=inside).verdict == "MISS"


def test_a_factor_is_reached_up_to_its_end() -> None:
    for was, verdict in ((2.99, "PASS"), (3.01, "MISS")):
        assert row(1.0, 4.0, was=measured(was), target=Target(factor=1.5)).verdict == verdict


def test_without_a_target_nothing_is_judged() -> None:
    shown = row(1.0, 4.0, was=measured(100.0))
    assert shown.verdict == "" and shown.is_reached is None and shown.to_json()["verdict"] is None


def test_figures_without_a_factor_are_refused_with_all_faults() -> None:
    with pytest.raises(InputError) as error:
        Row(what="energy", unit="mJ", predicted=Range(0.0, 1.0), measured=measured(0.0))
    assert str(error.value).count("there is no factor of nothing") == 2 and "Row.unit must be one of J, s, W" in str(
        error.value
    )
    for wrong in ({}, {"factor": 2.0, "widest": 2.0}, {"factor": 1.0}):
        with pytest.raises(InputError):
            Target(**wrong)
