"""Programs by the names of this package's experiments and learners, before anything is learned."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from neuromorph.backend import Availability, Backend, Capabilities
from neuromorph.errors import InputError
from neuromorph.networks.catalogue import EXPERIMENTS, experiment
from neuromorph.networks.experiment import Rig
from neuromorph.program import Program
from neuromorph.source import load_program

LEARNER = "digits-"  # before the name of a learner of digits


def load_or_name(
    text: str,
    *,
    dt: float | None = None,
    integration: Any = None,
    unit: str | None = None,
    seed: int = 0,
    chip: str | None = None,
) -> Program:
    """The program of a file, as :func:`neuromorph.source.load_program` reads it, or of a name.

    Names are those of experiments (``neuromorph networks``) and, after ``digits-``, of the learners of
    ``neuromorph compare digits``. A file of that name comes first.
    """
    if Path(text.rpartition(":")[0] or text).is_file() or Path(text).suffix or Path(text).is_dir():
        return load_program(text, dt=dt, integration=integration, unit=unit, seed=seed, chip=chip)
    given = [name for name, value in (("dt", dt), ("integration", integration), ("unit", unit)) if value is not None]
    if given:
        raise InputError(
            f"{text!r} is a name, whose program has steps and units of its own: leave out {', '.join(given)}"
        )
    return named_program(text, seed=seed, chip=chip)


def names() -> tuple[str, ...]:
    """Everything that :func:`named_program` knows."""
    from neuromorph.digits_scorecard import LEARNERS

    return (*EXPERIMENTS, *(LEARNER + name for name in LEARNERS))


def named_program(name: str, *, seed: int = 0, chip: str | None = None) -> Program:
    """The program that an experiment opens first, or a learner of digits before its lesson.

    Raises :class:`InputError` that gives the names near it.

    >>> named_program("stdp-window").name
    'STDP window'
    """
    if name in EXPERIMENTS:
        return _of_experiment(name, seed, chip)
    known = names()
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"names: {', '.join(known)}"
        raise InputError(f"there is no file {name!r}, and no experiment or learner of that name; {hint}")
    from neuromorph.digits_scorecard import LEARNERS
    from neuromorph.tasks.dataset import digits

    return LEARNERS[name.removeprefix(LEARNER)].program(digits(seed=seed), seed=seed, chip=chip)


class _Opened(Exception):
    """What an experiment wanted to run."""

    def __init__(self, program: Program) -> None:
        super().__init__(program.name)
        self.program = program


class _Catcher(Backend):
    """Takes the first program that it is given, and runs nothing."""

    name: ClassVar[str] = "none"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def availability(self) -> Availability:
        """Always."""
        return Availability(available=True)

    def open(self, program: Program, *, seed: int = 0, stall_second: float = 60.0) -> NoReturn:
        """Stop the experiment here."""
        del seed, stall_second
        raise _Opened(program)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> NoReturn:
        self.open(program, seed=seed, stall_second=stall_second)


def _of_experiment(name: str, seed: int, chip: str | None) -> Program:
    rig = Rig(backend=_Catcher(), seed=seed, chip=chip, progress=None)  # type: ignore[arg-type]  # handed on to open()
    try:
        experiment(name)().conduct(rig)
    except _Opened as found:
        return found.program
    raise InputError(f"experiment {name!r} runs no program: give a file")
