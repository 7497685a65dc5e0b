"""``neuromorph estimate`` and ``neuromorph metrics``: a line a chip, the same in JSON, a page of its own."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph.cli import main
from neuromorph.named_programs import named_program, names


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    net = nm.Network(
        populations=[nm.Input("in", 30), nm.Population("out", 10, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0.1, 0.5), seed=1))],
    )
    path = tmp_path_factory.mktemp("program") / "small.npz"
    nm.compile(net).save(path)
    return str(path)


def test_one_line_a_chip_with_energy_latency_product_and_the_dominant_term(program: str) -> None:
    done = call("estimate", program, "--steps", "30", "--chips", "loihi1,loihi2,spinnaker2,cpu")
    assert done.exit_code == 0, done.output
    for part in ("loihi1", "loihi2", "spinnaker2", "cpu", "Energy x delay", "J s", "%", "NeuroBench", "effective ACs"):
        assert part in done.output, part
    assert "24 pJ" not in done.output  # coefficients are in the terms


def test_terms_are_printed_with_their_sources_when_asked_for(program: str) -> None:
    done = call("estimate", program, "--steps", "30", "--chips", "loihi1.davies2018", "--terms")
    assert done.exit_code == 0, done.output
    assert "24 pJ" in done.output and "Davies et al. 2018" in done.output and "published" in done.output
    assert "In no term:" in done.output


def test_json_has_a_row_a_chip_the_counts_and_neurobenchs_metrics(program: str) -> None:
    done = call("estimate", program, "--steps", "30", "--chips", "loihi1,cpu", "--json", "-")
    plain = json.loads(done.output)
    assert [row["chip"] for row in plain["rows"]] == ["loihi1", "cpu"]
    assert plain["rows"][0]["placed"] and not plain["rows"][1]["placed"]
    assert plain["counts"]["steps"] == plain["steps"] == plain["neurobench"]["steps"] == 30
    assert plain["neurobench"]["effective_acs"] == plain["counts"]["synaptic_events"] > 0
    bounds = json.loads(
        call("estimate", program, "--steps", "30", "--chips", "loihi1", "--no-place", "--json", "-").output
    )
    assert not bounds["rows"][0]["placed"]
    wide, narrow = bounds["rows"][0]["latency_second"], plain["rows"][0]["latency_second"]
    assert wide["low"] <= narrow["low"] and narrow["high"] <= wide["high"]


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]


def test_the_page_holds_figures_tables_and_data_and_asks_for_nothing(program: str, tmp_path: Path) -> None:
    done = call("estimate", program, "--steps", "30", "--chips", "loihi1,cpu", "--out", str(tmp_path / "made"))
    assert done.exit_code == 0, done.output
    text = (tmp_path / "made" / "estimate.html").read_text(encoding="utf-8")
    page = Elements()
    page.feed(text)
    assert page.found.count("svg") == 3  # totals, energy by term, latency by term
    assert page.found.count("table") == 1 + 2  # the chips, and the terms of each
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    data = json.loads(text.partition('id="estimate">')[2].partition("</script>")[0])
    assert [row["chip"] for row in data["rows"]] == ["loihi1", "cpu"]


def test_mistakes_are_told_before_anything_runs(program: str, tmp_path: Path) -> None:
    for arguments, complaint in (
        (("estimate", program, "--chips", "loihi1,loihi9"), "loihi9"),
        (("estimate", program, "--chips", ","), "at least one chip"),
        (("estimate", "stdp-windw"), "did you mean stdp-window"),
        (("estimate", "stdp-window", "--dt", "1e-3"), "leave out dt"),
        (("estimate", str(tmp_path / "none.npz")), "no such file"),
        (("metrics", "nothing-like-it"), "no experiment or learner"),
    ):
        done = call(*arguments)
        assert done.exit_code == 2, done.output
        assert complaint in done.output, done.output


DRAW_MUCH = ("oja-component", "repeating-pattern")  # spikes for minutes, before they open anything


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in DRAW_MUCH else [])
        for name in names()
        if not name.startswith("digits-")
    ],
)
def test_every_experiment_has_a_program_that_is_made_without_running_it(name: str) -> None:
    assert named_program(name).populations


def test_a_name_can_be_estimated_and_measured() -> None:
    done = call("estimate", "stdp-window", "--steps", "20", "--chips", "loihi1", "--json", "-")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["program_fingerprint"] == named_program("stdp-window").fingerprint
    digits = call("metrics", "digits-reward", "--steps", "5", "--samples", "2", "--json", "-")
    assert json.loads(digits.output)["samples"] == 2


def test_metrics_prints_what_json_says(program: str) -> None:
    shown = call("metrics", program, "--steps", "20", "--samples", "3")
    plain = json.loads(call("metrics", program, "--steps", "20", "--samples", "3", "--json", "-").output)
    assert shown.exit_code == 0, shown.output
    assert f"{plain['effective_acs']:,}" in shown.output and f"{plain['membrane_updates']:,}" in shown.output
    assert plain["dense_operations"] == 3 * 20 * 30 * 10
