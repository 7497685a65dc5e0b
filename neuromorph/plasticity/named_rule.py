"""What named rules have in common: parameters that are checked together, and terms that vanish with their traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neuromorph.errors import RuleError, is_number, raise_faults
from neuromorph.plasticity.language import parse
from neuromorph.plasticity.rule import LearningRule, Trace

Term = tuple[float, str]  # coefficient, and what it multiplies


def require(
    rule: str,
    *,
    numbers: Mapping[str, object] | None = None,
    positive: Mapping[str, object] | None = None,
    times: Mapping[str, object] | None = None,
    faults: Sequence[str] = (),
) -> None:
    """Raise one :class:`RuleError` naming every parameter that is no finite number, not above 0, or no time above 0 s.

    ``faults`` are those that the rule found itself.

    >>> require("STDP", numbers={"A_plus": "big"}, times={"tau_plus": 0.0})
    Traceback (most recent call last):
        ...
    neuromorph.errors.RuleError: 2 faults:
      1. STDP.A_plus must be a finite number, got 'big'
      2. STDP.tau_plus must be > 0 s, got 0.0
    """
    found = [f"{rule}.{k} must be a finite number, got {v!r}" for k, v in (numbers or {}).items() if not is_number(v)]
    for name, value in (positive or {}).items():
        if not (is_number(value) and value > 0):  # type: ignore[operator]
            found.append(f"{rule}.{name} must be a finite number > 0, got {value!r}")
    for name, value in (times or {}).items():
        if not (is_number(value, finite=False) and value > 0):  # type: ignore[operator]
            found.append(f"{rule}.{name} must be > 0 s, got {value!r}")
    raise_faults(RuleError, [*found, *faults])


def text_of(terms: Sequence[Term]) -> str:
    """A target as text; terms of coefficient 0 are left out, but for the first where nothing else is left.

    >>> text_of([(0.5, "x1 * y0"), (0.0, "x0"), (-2, "y1 * x0")])
    '0.5 * x1 * y0 - 2.0 * y1 * x0'
    """
    present = [(float(coefficient), term) for coefficient, term in terms if coefficient] or [(0.0, terms[0][1])]
    text = " ".join(f"{'-' if coefficient < 0 else '+'} {abs(coefficient)!r} * {term}" for coefficient, term in present)
    return text.removeprefix("+ ")


def plus(variable: str, constant: float) -> str:
    """A factor: a variable and a constant in brackets.

    >>> plus("w", -1.0), plus("y1", 0.5)
    ('(w - 1.0)', '(y1 + 0.5)')
    """
    return f"({variable} {'-' if constant < 0 else '+'} {abs(float(constant))!r})"


def rule_of(
    name: str,
    dw: Sequence[Term],
    dt: Sequence[Term] | None = None,
    *,
    traces: Mapping[str, Trace],
    **fields: Any,
) -> LearningRule:
    """The rule of these terms, with the traces that are left in them; ``fields`` are those of :class:`LearningRule`."""
    targets = {"dw": text_of(dw)} if dt is None else {"dw": text_of(dw), "dt": text_of(dt)}
    read = frozenset().union(*(parse(text).variables for text in targets.values()))
    given: dict[str, Any] = {**targets, **{trace: traces[trace] for trace in traces if trace in read}, **fields}
    return LearningRule(name=name, **given)


def soft_bounds(rule: str, w_min: float, w_max: float, mu_plus: int, mu_minus: int) -> tuple[str, str, list[str]]:
    """Factors ``(w_max - w)^mu_plus`` and ``(w - w_min)^mu_minus`` as text, and what is wrong with them.

    >>> soft_bounds("STDP", 0.0, 2.0, 1, 2)
    (' * (2.0 - w)', ' * (w + 0.0) * (w + 0.0)', [])
    """
    faults = []
    for power_name, power, bound_name, bound in (
        ("mu_plus", mu_plus, "w_max", w_max),
        ("mu_minus", mu_minus, "w_min", w_min),
    ):
        if not (is_number(power) and power >= 0 and power % 1 == 0):
            faults.append(
                f"{rule}.{power_name} must be a whole number >= 0, got {power!r}: rules are sums of products, which"
                " hold whole powers of w only; 0 is additive, 1 multiplicative"
            )
        elif power and not is_number(bound):
            faults.append(f"{rule}.{bound_name} must be finite where {power_name} is not 0, got {bound!r}")
    if faults:
        return "", "", faults
    upper = f" * ({float(w_max)!r} - w)" * int(mu_plus)
    lower = f" * {plus('w', -w_min)}" * int(mu_minus) if mu_minus else ""
    return upper, lower, []
