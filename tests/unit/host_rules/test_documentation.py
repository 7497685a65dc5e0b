"""The page about host rules runs as it is written and names every rule."""

import re
from pathlib import Path

import neuromorph as nm
from neuromorph import host_rules

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "host_rules.md").read_text(encoding="utf-8")


def test_the_example_runs_as_it_is_written() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/host_rules.md", "exec"), {})


def test_every_rule_is_in_the_table_and_in_the_top_package_and_cites_its_source() -> None:
    rules = [
        value
        for value in map(vars(host_rules).get, host_rules.__all__)
        if isinstance(value, type) and issubclass(value, nm.HostRule) and value is not nm.HostRule
    ]
    assert len(rules) == 12
    for rule in rules:
        assert f"| `{rule.__name__}` |" in PAGE
        assert getattr(nm, rule.__name__) is rule
        assert re.search(r"(19|20)\d\d[.,]", rule.__doc__ or ""), rule
