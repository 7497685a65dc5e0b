from pathlib import Path

import pytest

from neuromorph.errors import InputError, RuleError
from neuromorph.plasticity import NAMED_RULES, STDP
from neuromorph.rule_source import find_rule, named_rules

FILE = """
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.plasticity.variables import x1, y0

mine = LearningRule(dw=0.5 * x1 * y0, x1=Trace(10e-3))


def made(*, rate=0.25):
    \"\"\"Learn a little.

    ``dw = rate * x1 * y0``, as in a note. Nobody, Journal of Nothing 1, 2001; Somebody, J. Noth. 2(3), 2002.
    \"\"\"
    return LearningRule(dw=rate * x1 * y0, x1=Trace(10e-3))


nothing = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_rules.py"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_every_named_rule_says_what_it_does_and_where_it_is_from() -> None:
    found = named_rules()
    assert [item.name for item in found] == [function.__name__ for function in NAMED_RULES]
    for item in found:
        assert item.summary.endswith(".") and "\n" not in item.summary, item.name
        assert item.source.endswith("."), item.name
        assert item.rule.name == item.name


def test_papers_are_the_last_sentences_and_no_others() -> None:
    found = {item.name: item for item in named_rules()}
    assert found["Oja"].source == "Oja, Journal of Mathematical Biology 15, 1982."
    assert found["STDP"].source.startswith("Gerstner et al., Nature 383, 1996; Bi and Poo, J. Neurosci. 18(24), 1998;")
    assert found["STDP"].source.endswith("Guetig et al., J. Neurosci. 23(9), 2003.")
    assert found["RewardModulatedSTDP"].equation.startswith("dt = A_plus * x1 * y0 - A_minus * y1 * x0; dw = ")


def test_settings_reach_the_function_as_numbers_mappings_and_text() -> None:
    found = find_rule("stdp", ["A_plus=5e-1", "w_max=inf", "w_min=-1", "pairing=nearest"])
    assert found.rule == STDP(A_plus=0.5, w_min=-1.0, pairing="nearest")
    assert found.parameters["A_plus"] == 0.5 and found.parameters["tau_plus"] == 20e-3
    gated = find_rule("GatedSTDP", ['modulators={"noradrenaline": 0.5}'])
    assert dict(gated.rule.modulators) == {"noradrenaline": 0.5}


@pytest.mark.parametrize(
    ("text", "settings", "says"),
    [
        ("stp", [], "there is no rule 'stp'; known: Hebbian"),
        ("stp", [], "did you mean 'STDP'?"),
        ("STDP", ["A=1"], "got 'A=1'; known: A_plus, A_minus"),
        ("STDP", ["A_plus"], "set a parameter as NAME=VALUE, got 'A_plus'"),
        ("nowhere.py:mine", [], "there is no such file"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_there_is(text: str, settings: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        find_rule(text, settings)
    assert says in str(caught.value)


def test_a_rule_refuses_a_value_in_its_own_words() -> None:
    with pytest.raises(RuleError, match=r"STDP\.tau_plus must be > 0 s"):
        find_rule("STDP", ["tau_plus=0"])


def test_rules_of_a_file_are_found(file: Path) -> None:
    assert str(find_rule(f"{file}:mine").rule.dw_sum) == "0.5 * x1 * y0"
    made = find_rule(f"{file}:made", ["rate=2"])
    assert str(made.rule.dw_sum) == "2.0 * x1 * y0"
    assert (made.summary, made.equation) == ("Learn a little.", "dw = rate * x1 * y0")
    assert made.source == "Nobody, Journal of Nothing 1, 2001; Somebody, J. Noth. 2(3), 2002."


def test_papers_do_not_reach_into_the_paragraph_before(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(
        "from neuromorph.plasticity import LearningRule\n\n\n"
        "def grows():\n"
        '    """It grows.\n\n    ``dw = x0``\n\n    Nobody, Journal of Nothing 1, 2001.\n    """\n'
        '    return LearningRule(dw="x0")\n'
    )
    assert find_rule(f"{tmp_path / 'rules.py'}:grows").source == "Nobody, Journal of Nothing 1, 2001."


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("other", [], "holds no rule called 'other'; the rules in it: mine"),
        ("nothing", [], "holds no rule called 'nothing'"),
        ("mine", ["rate=1"], "is a rule already"),
        ("Trace", ["tau=1"], "makes no LearningRule but Trace("),
    ],
)
def test_what_a_file_does_not_hold_is_refused(file: Path, name: str, settings: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        find_rule(f"{file}:{name}", settings)
    assert says in str(caught.value)


def test_a_file_that_breaks_is_refused_with_its_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("1 / 0", encoding="utf-8")
    with pytest.raises(InputError, match="could not be run: ZeroDivisionError"):
        find_rule(f"{path}:mine")
