from __future__ import annotations

import io

from rich.console import Console

from neuromorph.report.whole_table import WHOLE_WIDTH, whole_table
from neuromorph.scorecard import Row, Scorecard


def printed(*rows: Row) -> str:
    card = Scorecard(
        task="digits", rows=rows, evidence=(), seeds=(0,), training_samples=1, test_samples=1, encoding="", versions={},
        fingerprints={}, seconds=1.0, quick=True,
    )  # fmt: skip
    console = Console(width=WHOLE_WIDTH + 40, record=True, file=io.StringIO())
    console.print(whole_table(card))
    return console.export_text()


def test_every_row_is_one_line_with_its_ranges() -> None:
    full = Row(
        learner="STDP", backend="reference", available=True, accuracy=0.912, samples=1200, seconds_per_sample=1e-3,
        steps_per_second=2e4, synaptic_operations=3e4, energy_joule={"loihi1": (1e-6, 2e-6)},
        learning_energy_joule={"loihi1": (3e-6, 4e-6)}, latency_second={"loihi1": (1e-4, 2e-4)}, learning_memory_byte=512,
        spikes_equal=True,
    )  # fmt: skip
    text = printed(full)
    for part in ("91.2", "1,200", "1 ms", "20k", "30k", "1-2 µJ", "3-4 µJ", "100-200 µs", "512 B", "(the reference)"):
        assert part in text, part


def test_a_missing_backend_says_why_and_holds_no_figure() -> None:
    text = printed(Row(learner="STDP", backend="lava", available=False, reason="no module; Remedy: install it"))
    assert "lava is not available: no module; Remedy: install it" in text
    assert "%" in text


def test_markup_in_names_is_shown_as_it_is() -> None:
    assert "[red]STDP" in printed(Row(learner="[red]STDP", backend="a", available=True))
