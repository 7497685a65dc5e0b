"""SI prefixes, ranges, durations and names."""

from __future__ import annotations

import pytest

from neuromorph.report.units import MICRO, duration, listing, percent, printable, si, si_range


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0, "J", "0 J"),
        (1.0, "s", "1 s"),
        (999.6e-6, "s", "1 ms"),
        (0.0123, "s", "12.3 ms"),
        (1.5e-6, "J", f"1.5 {MICRO}J"),
        (2.5e-21, "J", "0.0025 aJ"),
        (5200.0, "", "5.2k"),
        (0.5, "", "0.5"),
        (14_080, "B", "14.1 kB"),
        (3e15, "B", "3000 TB"),
        (-2e-3, "s", "-2 ms"),
        (1e-6, "s", f"1 {MICRO}s"),
        (1e-9, "J", "1 nJ"),
    ],
)
def test_a_number_takes_the_prefix_that_keeps_it_short(value: float, unit: str, expected: str) -> None:
    """One to three digits before the point wherever there is a prefix for it."""
    assert si(value, unit) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.2e-7, 9e-7, "120-900 nJ"),
        (1.2e-7, 1.9e-6, f"0.12-1.9 {MICRO}J"),
        (0.0, 2e-6, f"0-2 {MICRO}J"),
        (0.0, 0.0, "0 J"),
        (1e-9, 1e-3, "1 nJ-1 mJ"),
        (1.0e-6, 1.001e-6, f"1 {MICRO}J"),
        (9.7e-7, 9.99e-7, f"0.97-1 {MICRO}J"),
    ],
)
def test_a_range_says_its_unit_once(low: float, high: float, expected: str) -> None:
    """Unless its ends lie too far apart to share a prefix."""
    assert si_range((low, high), "J") == expected


def test_durations_are_read_aloud() -> None:
    """Minutes from a minute on, hours from an hour on, never sixty seconds."""
    assert duration(59.0) == "59 s"
    assert duration(119.6) == "2 min 0 s"
    assert duration(3599.7) == "1 h 0 min"


def test_percent_and_lists() -> None:
    """One decimal; commas, then and."""
    assert percent(1.0) == "100.0"
    assert [listing([]), listing(["a"]), listing(["a", "b"])] == ["", "a", "a and b"]


def test_control_characters_never_reach_a_terminal() -> None:
    """An escape sequence in a name becomes blanks."""
    assert printable("a\x1b[31m\nb") == "a [31m b"
