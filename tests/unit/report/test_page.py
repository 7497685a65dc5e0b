"""The page is whole, self-contained, escaped and written at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromorph.recording import SpikeTrain
from neuromorph.report.findings import findings, headline
from neuromorph.report.page import page_html, write_page
from neuromorph.scorecard import Evidence, Row, Scorecard

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Outline(HTMLParser):
    """Elements, identifiers, references and text of a page; raises on elements that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[str] = []
        self.identifiers: list[str] = []
        self.references: list[str] = []
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and open it."""
        self.elements.append(tag)
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.identifiers.append(values["id"])
        self.references += [values[name] for name in ("href", "xlink:href", "src", "srcset", "data") if name in values]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text under its element."""
        if self.stack:
            self.texts.setdefault(self.stack[-1], []).append(data)


@pytest.fixture(scope="module")
def page_text(ordinary_scorecard: Scorecard) -> str:
    """The page of the ordinary scorecard, made once."""
    return page_html(ordinary_scorecard)


def outline(text: str) -> Outline:
    """The page, parsed."""
    parsed = Outline()
    parsed.feed(text)
    parsed.close()
    assert parsed.stack == []
    return parsed


def plain(value: Any) -> Any:
    """Data as it comes back from JSON."""
    return json.loads(json.dumps(value, default=lambda item: item.item()))


def test_page_has_every_figure_and_table(page_text: str) -> None:
    """Five figures of all learners, five of each spiking one, three of the other; five tables."""
    page = outline(page_text)
    assert page.elements.count("svg") == 5 + 5 + 5 + 3
    assert page.elements.count("figcaption") == 18 + 5
    assert page.elements.count("table") == 5
    assert [name for name in page.identifiers if name.startswith("figure-")] == [f"figure-{n}" for n in range(1, 19)]


def test_page_asks_for_nothing_outside_itself(page_text: str) -> None:
    """Every reference is to a place in the page or is data; other addresses are names of XML."""
    page = outline(page_text)
    assert page.references
    assert all(reference.startswith(("#", "data:")) for reference in page.references)
    assert not re.findall(r"url\((?!#)|@import", page_text)
    assert set(re.findall(r'(\S+?)="https?://', page_text)) <= {"xmlns", "xmlns:xlink"}
    assert "script" in page.elements
    assert page.elements.count("script") == 1


def test_identifiers_are_unique_and_references_lead_somewhere(page_text: str) -> None:
    """Clips, markers and glyphs of one figure are not taken for those of another."""
    page = outline(page_text)
    assert len(page.identifiers) == len(set(page.identifiers))
    targets = [reference[1:] for reference in page.references if reference.startswith("#")]
    assert set(targets + re.findall(r"url\(#([^)]+)\)", page_text)) <= set(page.identifiers)


def test_figures_take_the_colours_of_the_theme(page_text: str) -> None:
    """Ink is drawn with the page's own ink, and every property that a figure uses is defined."""
    used = set(re.findall(r"var\((--[\w-]+)\)", page_text))
    assert {"--ink", "--muted", "--series-1", "--series-2", "--series-3", "--right", "--wrong"} <= used
    assert used <= set(re.findall(r"(--[\w-]+):", page_text))


def test_page_embeds_the_scorecard_as_json(page_text: str, scorecard: Scorecard) -> None:
    """The block parses back to what ``--json`` prints."""
    block = re.search(r'<script type="application/json" id="scorecard">(.*?)</script>', page_text, re.DOTALL)
    assert block is not None
    assert json.loads(block.group(1)) == plain(scorecard.to_json())


def test_numbers_that_json_lacks_become_null(make_scorecard: Callable[..., Scorecard]) -> None:
    """A browser parses the block whatever is in it."""
    text = page_html(make_scorecard(evidence=(), seconds=float("inf")))
    block = re.search(r'id="scorecard">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    assert json.loads(block.group(1))["seconds"] is None


def test_hostile_names_are_text(
    make_evidence: Callable[..., Evidence], make_scorecard: Callable[..., Scorecard]
) -> None:
    """A name that is markup is shown as it is, wherever it appears."""
    name = "</script><script>alert(1)</script><img src=x onerror=\"alert('2')\">"
    rows = (
        Row(learner=name, backend=name, available=True, accuracy=0.5, energy_joule={name: (1e-6, 1e-5)}),
        Row(learner=name, backend="b", available=False, reason=name),
    )
    hostile = make_scorecard(
        task=name, rows=rows, evidence=(make_evidence(name),), encoding=name, versions={name: name},
        fingerprints={name: name},
    )  # fmt: skip
    text = page_html(hostile)
    page = outline(text)
    assert page.elements.count("script") == 1
    assert "img" not in page.elements
    assert "<script>alert" not in text
    assert any(name in part for part in page.texts["h1"])
    block = re.search(r'id="scorecard">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    assert json.loads(block.group(1))["task"] == name


@pytest.mark.parametrize("rows", [(), (Row(learner="a", backend="b", available=False, reason="gone"),)])
def test_page_of_nothing(make_scorecard: Callable[..., Scorecard], rows: tuple[Row, ...]) -> None:
    """No evidence and no figures: the page says so."""
    text = page_html(make_scorecard(rows=rows, evidence=(), seeds=(), versions={}, fingerprints={}, quick=True))
    page = outline(text)
    assert "svg" not in page.elements
    assert "No learner reached the test" in text
    assert "quick run" in text


def test_page_is_small_for_a_full_run(
    make_evidence: Callable[..., Evidence], make_scorecard: Callable[..., Scorecard]
) -> None:
    """A learner of 400 neurons on 28 x 28 pixels takes so little that four of them stay under 3 MB."""
    generator = np.random.default_rng(0)
    weights = {"weights_before": generator.random((400, 784)), "weights_after": generator.random((400, 784))}
    spikes = {"image": SpikeTrain.from_dense(generator.random((500, 784)) < 0.2)}
    evidence = make_evidence("large", neurons=400, image_shape=(28, 28), raster=spikes, **weights)
    assert len(page_html(make_scorecard(evidence=(evidence,))).encode()) < 800_000


def test_findings_come_from_the_numbers(scorecard: Scorecard) -> None:
    """Best first; agreement and divergence by backend; energy by chip; what was missing."""
    assert headline(scorecard).replace("\u00a0", " ") == (
        "On digits, the best held-out accuracies were 96.9 \u00b1 0.3 % by backprop, 91.7 \u00b1 1.0 % by reward-stdp "
        "and 88.4 \u00b1 1.0 % by pair-stdp."
    )
    assert [sentence.replace("\u00a0", " ") for sentence in findings(scorecard)] == [
        "On nengo, reward-stdp had the same spikes as on the reference backend; pair-stdp spiked differently, first "
        "at learning step 1284, excitatory neuron 17.",
        "One inference is estimated to take 120\u2013900 nJ on loihi1 (pair-stdp and reward-stdp) and "
        "140 nJ\u201312 mJ on cpu (pair-stdp, reward-stdp and backprop).",
        "lava was not available; the table says why and what to do.",
    ]


def test_findings_name_the_backend_where_accuracies_differ(make_scorecard: Callable[..., Scorecard]) -> None:
    """The best accuracy belongs to the backend it was reached on."""
    rows = (
        Row(learner="a", backend="reference", available=True, accuracy=0.8),
        Row(learner="a", backend="lava", available=True, accuracy=0.9, spikes_equal=True),
    )
    small = make_scorecard(rows=rows, evidence=())
    assert headline(small).replace("\u00a0", " ") == (
        "On digits, the best held-out accuracy was 90.0 % by a (on lava)."
    )
    assert findings(small) == (
        "All compared spikes on lava were those of the reference backend, in classifying and in learning (a).",
    )


def test_page_is_written_whole_or_not_at_all(
    make_scorecard: Callable[..., Scorecard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old page stays when writing fails, and no temporary file is left."""
    scorecard = make_scorecard(evidence=())
    target = write_page(scorecard, tmp_path / "pages" / "scorecard.html")
    first = target.read_bytes()
    assert first.decode("utf-8").startswith("<!doctype html>")

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_page(scorecard, target)
    assert target.read_bytes() == first
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_a_missing_library_is_named_with_its_remedy(module: str) -> None:
    """The tables work without it; the page says what to install."""
    script = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from neuromorph.report.tables import terminal_text\n"
        "from neuromorph.report.page import page_html\n"
        "from neuromorph.scorecard import Scorecard\n"
        "from neuromorph.errors import NeuromorphError\n"
        "card = Scorecard(task='t', rows=(), evidence=(), seeds=(), training_samples=0, test_samples=0, encoding='',\n"
        "                 versions={}, fingerprints={}, seconds=0.0, quick=True)\n"
        "terminal_text(card)\n"
        "try:\n    page_html(card)\nexcept NeuromorphError as error:\n    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "the page needs matplotlib and jinja2: pip install 'neuromorph[plot]'"


def test_importing_neuromorph_imports_no_plotting() -> None:
    """Only asking for a page does."""
    script = "import sys, neuromorph; print([m for m in ('matplotlib', 'jinja2', 'rich') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
