"""Requirements on option fields: each function gives a list of one fault, or an empty one."""

from __future__ import annotations

from numbers import Integral, Real


def require_count(where: str, value: object, *, at_least: int, remedy: str) -> list[str]:
    """Require a whole number of ``at_least`` or more.

    >>> require_count("Trainer.epochs", 0, at_least=1, remedy="give the number of passes, such as 100")
    ['Trainer.epochs must be a whole number >= 1, got 0; give the number of passes, such as 100']
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if is_whole and int(value) >= at_least:  # type: ignore[call-overload]
        return []
    return [f"{where} must be a whole number >= {at_least}, got {value!r}; {remedy}"]


def require_between(
    where: str,
    value: object,
    low: float,
    high: float,
    *,
    low_allowed: bool,
    remedy: str,
) -> list[str]:
    """Require a real number in [low, high) or, without ``low_allowed``, in (low, high).

    >>> require_between("Adam.beta_1", 1.0, 0.0, 1.0, low_allowed=True, remedy="use 0.9")
    ['Adam.beta_1 must be in [0.0, 1.0), got 1.0; use 0.9']
    >>> require_between("SGD.learning_rate", 0.0, 0.0, float("inf"), low_allowed=False, remedy="use 0.01")
    ['SGD.learning_rate must be in (0.0, inf), got 0.0; use 0.01']
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if low < number < high or (low_allowed and number == low):
            return []
    bracket = "[" if low_allowed else "("
    return [f"{where} must be in {bracket}{low}, {high}), got {value!r}; {remedy}"]


def require_instance(where: str, value: object, kind: type, known: str) -> list[str]:
    """Require an object of ``kind``; ``known`` lists the ones there are."""
    if isinstance(value, kind):
        return []
    return [f"{where} must be of type {kind.__name__}, got {value!r}; known: {known}"]


def require_choice(where: str, value: object, known: tuple[str, ...]) -> list[str]:
    """Require one of the ``known`` names.

    >>> require_choice("Trainer.precision", "float16", ("float32", "float64"))
    ["Trainer.precision must be one of 'float32', 'float64', got 'float16'"]
    """
    if value in known:
        return []
    return [f"{where} must be one of {', '.join(map(repr, known))}, got {value!r}"]
