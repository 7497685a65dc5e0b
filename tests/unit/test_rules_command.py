import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuromorph.cli import main
from neuromorph.plasticity import NAMED_RULES

NAMES = [function.__name__ for function in NAMED_RULES]


def called(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["rules", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_rules_are_listed_with_what_they_do_and_their_equation() -> None:
    printed = called()
    assert all(name in printed for name in NAMES)
    assert "dw = learning_rate * r * x1" in printed
    rows = json.loads(called("--json", "-"))["rows"]
    assert [row["rule"] for row in rows] == NAMES
    assert all(row["summary"] and row["papers"] for row in rows)


def test_show_prints_equation_variables_and_a_verdict_of_every_target() -> None:
    printed = called("show", "STDP", "--set", "A_plus=0.25", "--set", "w_max=1", "--chip", "loihi1")
    for said in (
        "dw = A_plus * (w_max - w)^mu_plus",
        "A_plus = 0.25",
        "0.25 * x1 * y0 - 0.012 * y1 * x0",
        "Bi and Poo",
        "1 when the presynaptic neuron spikes",
        "exact",
        "integers of loihi1",
        "rounded to within",
        "Numbers on loihi1",
        "dw: 0.25 * x1 * y0",
    ):
        assert said in printed, said
    assert "loihi2" not in printed


def test_show_gives_the_same_as_json() -> None:
    plain = json.loads(called("show", "STDP", "--dt", "5e-4", "--backend", "reference", "--json", "-"))
    assert plain["dt"] == 5e-4
    assert plain["dw"] == "0.01 * x1 * y0 - 0.012 * y1 * x0"
    assert [(row["backend"], row["chip"]) for row in plain["verdicts"]] == [
        ("reference", ""), ("reference", "loihi1"), ("reference", "loihi2")
    ]  # fmt: skip


def test_a_rule_that_a_chip_refuses_is_shown_with_the_reason() -> None:
    printed = called("show", "RewardModulatedSTDP", "--chip", "loihi1", "--backend", "reference,emulator")
    assert "refused because tau_tag" in printed and "reference, emulator" in printed


def test_a_rule_of_ones_own_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from neuromorph.plasticity import LearningRule, Trace\n"
        "from neuromorph.plasticity.variables import x1, y0, w\n"
        "soft = LearningRule(dw=0.5 * x1 * y0 * (1 - w), x1=Trace(1e-2), w_max=1.0)\n",
        encoding="utf-8",
    )
    assert "-0.5 * x1 * (w - 1.0) * y0" in called("show", f"{path}:soft", "--backend", "reference")


def test_what_is_wrong_is_one_sentence_and_exit_code_2() -> None:
    assert "there is no rule 'nothing'" in called("show", "nothing", code=2)
    assert "STDP.tau_plus must be > 0 s" in called("show", "STDP", "--set", "tau_plus=-1", code=2)
    assert "abacus" in called("show", "STDP", "--chip", "abacus", code=2)


def test_the_page_has_every_rule_and_is_in_the_documentation(tmp_path: Path) -> None:
    path = tmp_path / "rules.md"
    called("--page", str(path))
    text = path.read_text(encoding="utf-8")
    assert all(f"## {name}" in text and f"[{name}](#{name.lower()})" in text for name in NAMES)
    if "cannot run here" in text:
        pytest.skip("the page is of all backends")
    kept = Path(__file__).parents[2] / "docs" / "rules.md"
    assert kept.read_text(encoding="utf-8") == text, "make it anew: neuromorph rules --page docs/rules.md"
