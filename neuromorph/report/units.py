"""Numbers as a reader wants them: SI prefixes, ranges, percentages, durations."""

from __future__ import annotations

import math

from neuromorph.scorecard import Range

MICRO = "\u00b5"
PLUS_MINUS = "\u00b1"
EN_DASH = "\u2013"
ABSENT = "-"  # a figure that does not exist

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: MICRO, -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_SAME_PREFIX_DECADES = 3.0  # a range wider than this gives both its ends a prefix


def si(value: float, unit: str = "", *, digits: int = 3) -> str:
    """A number with an SI prefix, to so many significant digits; trailing zeros are dropped.

    Bytes and numbers without a unit take no prefix below one.

    >>> si(1.234e-3, "s"), si(0.25e-6, "J", digits=2), si(12_345), si(2048, "B")
    ('1.23 ms', '250 nJ', '12.3k', '2.05 kB')
    """
    exponent = _prefix_exponent(value, unit, digits)
    return _join(_significant(value / 10.0**exponent, digits), _PREFIXES[exponent], unit)


def si_range(ends: Range, unit: str = "", *, digits: int = 2, dash: str = "-") -> str:
    """Low to high under one prefix, or under two where they lie more than three decades apart.

    >>> si_range((1.2e-7, 9e-7), "J"), si_range((2e-9, 5e-3), "J"), si_range((3.0, 3.0), "s")
    ('120-900 nJ', '2 nJ-5 mJ', '3 s')
    """
    low, high = ends
    if si(low, unit, digits=digits) == si(high, unit, digits=digits):
        return si(high, unit, digits=digits)
    if low > 0 and math.log10(high / low) > _SAME_PREFIX_DECADES:
        return f"{si(low, unit, digits=digits)}{dash}{si(high, unit, digits=digits)}"
    exponent = _prefix_exponent(high, unit, digits)
    ends_text = (_significant(end / 10.0**exponent, digits) for end in (low, high))
    return _join(dash.join(ends_text), _PREFIXES[exponent], unit)


def percent(fraction: float, *, decimals: int = 1) -> str:
    """A fraction in percent, without the sign.

    >>> percent(0.9134)
    '91.3'
    """
    return f"{100.0 * fraction:.{decimals}f}"


def duration(seconds: float) -> str:
    """A wall time as a person says it.

    >>> duration(0.0123), duration(75), duration(3725)
    ('12.3 ms', '1 min 15 s', '1 h 2 min')
    """
    if not 60 <= seconds < math.inf:
        return si(seconds, "s")
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def listing(names: list[str] | tuple[str, ...]) -> str:
    """Names as an English list.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def printable(text: str) -> str:
    """Text on one line, without control characters: names come from users and go to terminals."""
    return "".join(character if character.isprintable() else " " for character in text)


def _prefix_exponent(value: float, unit: str, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    rounded = abs(float(f"{value:.{digits - 1}e}"))  # 999.9 becomes 1 k
    exponent = 3 * math.floor(math.floor(math.log10(rounded) + 1e-12) / 3)
    lowest = 0 if unit in ("", "B") else min(_PREFIXES)
    return max(lowest, min(exponent, max(_PREFIXES)))


def _significant(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))) + 1e-12))
    text = f"{value:.{min(decimals, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _join(number: str, prefix: str, unit: str) -> str:
    return f"{number} {prefix}{unit}" if unit else f"{number}{prefix}"
