import math

import pytest

import neuromorph as nm
from neuromorph.errors import ChipError, InputError
from neuromorph.plasticity import parse
from neuromorph.rule_sheet import rule_sheet


def test_a_rule_with_numbers_of_the_chip_is_exact_everywhere() -> None:
    rule = nm.LearningRule(dw="x1*y0", x1=nm.Trace(10e-3), w_min=-255 / 128, w_max=255 / 128)
    sheet = rule_sheet(rule, chips=["loihi1"])
    assert {verdict.status for verdict in sheet.verdicts} <= {"exact", "rounded"}
    assert sheet.of("reference").status == "exact"
    assert str(sheet.of("reference")) == "exact"
    held = {row.quantity: row for row in sheet.roundings["loihi1"]}
    assert sheet.of("reference", "loihi1").relative_error == max(row.relative_error for row in held.values())


def test_rounded_says_by_how_much_and_holds_every_number() -> None:
    sheet = rule_sheet(nm.STDP(w_max=1.0), chips=["loihi1"])
    verdict = sheet.of("emulator", "loihi1")
    assert verdict.status == "rounded" and 0 < verdict.relative_error < 0.13
    assert str(verdict).startswith("rounded to within ")
    asked = [row.quantity for row in sheet.roundings["loihi1"]]
    assert [product.dependency for product in parse(sheet.held["loihi1"]["dw"]).products] == ["y0", "x0"]
    assert "2^" in sheet.held["loihi1"]["dw"]
    assert "dw: 0.01 * x1 * y0" in asked and "tau of x1" in asked and "w_max" in asked


def test_a_weight_without_a_bound_is_told_and_counts_as_no_error() -> None:
    sheet = rule_sheet(nm.STDP(), chips=["loihi1"])
    bounds = [row for row in sheet.roundings["loihi1"] if row.quantity == "w_max"]
    assert [math.isinf(row.asked) for row in bounds] == [True]
    assert sheet.of("reference", "loihi1").relative_error < 0.13


def test_refusals_carry_every_reason_without_the_place_that_is_asked_about() -> None:
    rule = nm.LearningRule(dw="pos(y1 - 0.5)*x0", y1=nm.Trace(0.0, source="v"))
    sheet = rule_sheet(rule, chips=["loihi1"])
    assert sheet.of("nengo").status == "exact"
    refused = sheet.of("lava")
    assert refused.status == "refused" and "membrane_traces" in str(refused) and "pre->post" not in str(refused)
    chip = sheet.of("reference", "loihi1")
    assert len(chip.reasons) == 2 and all("projection" not in reason for reason in chip.reasons)
    assert "y1 follows the membrane" in str(chip) and "has no pos()" in str(chip)


def test_chips_and_backends_may_be_chosen() -> None:
    sheet = rule_sheet(nm.STDP(), chips=[], backends=["reference"])
    assert [(verdict.backend, verdict.chip) for verdict in sheet.verdicts] == [("reference", "")]
    with pytest.raises(InputError, match="no backend 'abacus'"):
        rule_sheet(nm.STDP(), backends=["abacus"])
    with pytest.raises(ChipError):
        rule_sheet(nm.STDP(), chips=["abacus"])


def test_weights_begin_within_the_bounds() -> None:
    def weight(low: float, high: float) -> float:
        return rule_sheet(nm.STDP(w_min=low, w_max=high), chips=[], backends=["reference"]).weight

    assert weight(-math.inf, math.inf) == 0.5
    assert weight(-math.inf, 0.0) == -0.5
    assert weight(0.0, 0.25) == 0.125
    assert weight(2.0, math.inf) == 2.0


def test_a_sheet_is_plain_data() -> None:
    plain = rule_sheet(nm.STDP(), backends=["reference"]).to_json()
    assert plain["w_max"] is None and plain["traces"]["x1"]["tau"] == 20e-3
    assert plain["verdicts"][0]["says"] == "exact"
