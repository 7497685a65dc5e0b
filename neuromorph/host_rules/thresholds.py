"""The thresholds of one population as host rules see them: in the description's units."""

from __future__ import annotations

from typing import final

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, STATE_LIMIT
from neuromorph.program import Program
from neuromorph.recording import FloatArray
from neuromorph.session import Session


@final
class Thresholds:
    """Reads and writes thresholds; a fixed-point one is ``mantissa 2^6 / scale``.

    What rounding takes away is kept here and counts at the next reading.
    """

    def __init__(self, program: Program, name: str) -> None:
        self.name = name
        self._remainder = np.zeros(program.population(name).size)

    def read(self, session: Session) -> FloatArray:
        """Shape (neurons,)."""
        held: FloatArray = session.read(f"{self.name}.v_threshold")
        return held / session.program.population(self.name).scale + self._remainder

    def write(self, session: Session, values: FloatArray) -> None:
        """Set the thresholds, which must be > 0, held within what a chip has."""
        if session.program.arithmetic == "float":
            session.write(f"{self.name}.v_threshold", values)
            return
        scale, grain = session.program.population(self.name).scale, 2.0**ALIGNMENT
        held = np.clip(values * scale, grain, STATE_LIMIT - grain)
        mantissas = np.rint(held / grain) * grain
        self._remainder = (held - mantissas) / scale
        session.write(f"{self.name}.v_threshold", mantissas)
