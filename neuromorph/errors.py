"""Every error that neuromorph raises on purpose.

A message names what is wrong, where, what was given, what is allowed and how to mend it. Faults of one object are
collected and raised together, so that a user mends a description once.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from numbers import Integral, Real


class NeuromorphError(Exception):
    """Base of every error raised on purpose."""


class LimitFault(str):
    """A sentence that knows which design rule of a chip it breaks (:mod:`neuromorph.design_rules`).

    >>> LimitFault("refractory must be at most 62 steps, got 63", rule="neuron.refractory").rule
    'neuron.refractory'
    """

    rule: str

    def __new__(cls, sentence: str, *, rule: str = "") -> LimitFault:
        """A sentence as any other, and the name of a rule."""
        made = super().__new__(cls, sentence)
        made.rule = rule
        return made


class FaultList(NeuromorphError, ValueError):
    """An error that carries the whole list of what is wrong.

    >>> str(DescriptionError(["LIF.tau_mem must be >= 0 s, got -0.01"]))
    'LIF.tau_mem must be >= 0 s, got -0.01'
    >>> print(DescriptionError(["a is wrong", "b is wrong"]))
    2 faults:
      1. a is wrong
      2. b is wrong
    """

    def __init__(self, faults: Sequence[str] | str) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return self.faults[0]
        lines = [f"  {number}. {fault}" for number, fault in enumerate(self.faults, start=1)]
        return "\n".join([f"{len(self.faults)} faults:", *lines])


class DescriptionError(FaultList):
    """A network, neuron, projection or probe is described wrongly."""


class RuleError(FaultList):
    """A learning rule cannot be parsed or means nothing."""


class CompileError(FaultList):
    """A description is sound but cannot be turned into a program as asked (dt, delays, chip)."""


class UnsupportedError(FaultList):
    """A backend cannot run this program; each fault names the feature, where it is used, and the reason."""


class InputError(FaultList):
    """What was handed to a session or pass at run time has the wrong shape, type, name or value."""


class ChipError(FaultList):
    """A hardware file is missing, malformed or lacks a number that was asked for."""


class BackendUnavailable(NeuromorphError):
    """A backend is unknown or its simulator is not installed; the message says why and what to do."""


class SimulatorError(NeuromorphError):
    """A simulator raised or died while building, running or stopping; the message holds its traceback."""


class NumericalLimit(SimulatorError):
    """A simulator came to a number that it would hold otherwise than the program says, and stopped instead.

    The message names step, place, value and limit.
    """


class SimulatorStalled(SimulatorError):
    """A simulator completed no step within its deadline; the message says where it was."""


def is_number(value: object, *, finite: bool = True) -> bool:
    """Whether a field holds one real number, NumPy's included and truth values not; NaN never is one.

    >>> is_number(1), is_number(True), is_number("1"), is_number(float("inf")), is_number(float("inf"), finite=False)
    (True, False, False, False, True)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return math.isfinite(value) if finite else not math.isnan(value)


def is_count(value: object, least: int = 0) -> bool:
    """Whether a field holds a whole number, NumPy's included, of at least ``least``.

    >>> is_count(3), is_count(3.0), is_count(-1), is_count(True)
    (True, False, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


class _InOurWords:
    """A block whose errors become ours; a class, because one is entered in every run and generators are slow to enter."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        del kind, trace
        if isinstance(error, Exception) and not isinstance(error, NeuromorphError):
            raise SimulatorError(f"{self._what}:\n{''.join(traceback.format_exception(error))}") from error


def simulator_errors(what: str) -> AbstractContextManager[None]:
    """Turn any error that is not ours into a :class:`SimulatorError` that says what failed, with the traceback."""
    return _InOurWords(what)


def raise_faults(error: type[FaultList], faults: Iterable[str]) -> None:
    """Raise ``error`` with all ``faults`` if there are any."""
    found = tuple(faults)
    if found:
        raise error(found)
