"""The weights of one projection as host rules see them: in the description's units, however the program holds them."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, WEIGHT_RANGES, weight_step
from neuromorph.connectivity import Connectivity
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray
from neuromorph.session import Session
from neuromorph.session_variables import as_matrix


@final
class Weights:
    """Reads and writes the weights of a projection, one entry for each synapse, and remembers things about synapses.

    A fixed-point weight is ``mantissa 2^(6 + exponent) / scale``. What rounding takes away is kept here and counts at the
    next reading. All that is remembered follows its synapse when the session is rewired.
    """

    def __init__(self, program: Program, name: str) -> None:
        self.name = name
        self._connectivity: Connectivity = program.projection(name).connectivity
        self._memory: dict[str, FloatArray] = {}
        self._new: dict[str, float] = {}
        self._post = _post(program.projection(name))
        if program.arithmetic == "fixed":
            self.remember("remainder", np.zeros(self._connectivity.synapses), new=0.0)

    @property
    def post(self) -> IntArray:
        """Postsynaptic neuron of every synapse."""
        return self._post

    @property
    def neurons(self) -> int:
        """Postsynaptic neurons."""
        return self._connectivity.post_size

    def __getitem__(self, name: str) -> FloatArray:
        return self._memory[name]

    def remember(self, name: str, values: FloatArray, *, new: float) -> None:
        """Keep one value for each synapse; a synapse that grows later has ``new``."""
        self._memory[name], self._new[name] = values, new

    def sums(self, values: FloatArray) -> FloatArray:
        """Sums over the synapses onto each postsynaptic neuron, shape (post,)."""
        found: FloatArray = np.bincount(self._post, weights=values, minlength=self.neurons).astype(np.float64)
        return found

    def read(self, session: Session) -> FloatArray:
        """The weights, in the description's units."""
        projection = session.program.projection(self.name)
        self._follow(projection)
        held = _vector(session.read(f"{self.name}.weight"))
        if session.program.arithmetic == "float":
            return held
        return held * unit(session.program, projection) + self._memory["remainder"]

    def write(self, session: Session, values: FloatArray) -> None:
        """Set the weights, held within the bounds of the learning rule or the chip."""
        projection = session.program.projection(self.name)
        held, remainder = rounded(session.program, projection, values)
        if "remainder" in self._memory:
            self._memory["remainder"] = remainder
        session.write(f"{self.name}.weight", as_matrix(held, projection))

    def keys(self) -> IntArray:
        """``post * pre_size + pre`` of every synapse, rising."""
        return _keys(self._connectivity)

    def rewire(self, session: Session, keys: IntArray, values: FloatArray) -> None:
        """Give the projection the synapses of these rising keys, with these weights."""
        from scipy.sparse import csr_array

        projection = session.program.projection(self.name)
        held, remainder = rounded(session.program, projection, values)
        shape = projection.post_size, projection.pre_size
        post, pre = np.divmod(keys, projection.pre_size)
        pointer = np.concatenate([[0], np.cumsum(np.bincount(post, minlength=shape[0]))])
        session.rewire(self.name, csr_array((held, pre, pointer), shape=shape))
        self._follow(session.program.projection(self.name))
        if "remainder" in self._memory:
            self._memory["remainder"] = remainder

    def _follow(self, projection: ProjectionProgram) -> None:
        """Take what is remembered along to the synapses that there are now."""
        now, before = projection.connectivity, self._connectivity
        if now is before:
            return
        keys, found = _keys(before), _keys(now)
        place = np.minimum(np.searchsorted(keys, found), max(keys.size - 1, 0))
        stays = keys[place] == found if keys.size else np.zeros(found.size, dtype=np.bool_)
        for name, values in self._memory.items():
            carried = np.full(found.size, self._new[name])
            carried[stays] = values[place[stays]]
            self._memory[name] = carried
        self._connectivity, self._post = now, _post(projection)


def rounded(program: Program, projection: ProjectionProgram, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights in the program's units, within their bounds, and what rounding took away in the description's."""
    one = unit(program, projection)
    low, high = bounds(program, projection)
    held = np.clip(values, low * one, high * one)
    if program.arithmetic == "float":
        return held, np.zeros(held.size)
    step = 1 if projection.rule is not None else weight_step(projection.sign_mode, projection.weight_bits)
    mantissas = np.clip(np.rint(held / (one * step)), np.ceil(low / step), np.floor(high / step)) * step
    return mantissas, held - mantissas * one


def unit(program: Program, projection: ProjectionProgram) -> float:
    """The description's weight of one unit of the program: 1 in float."""
    if program.arithmetic == "float":
        return 1.0
    return float(2.0 ** (ALIGNMENT + projection.weight_exponent)) / program.population(projection.post).scale


def bounds(program: Program, projection: ProjectionProgram) -> tuple[float, float]:
    """What the program's weights must lie within, in its own units."""
    if projection.rule is not None:
        return projection.rule.w_min, projection.rule.w_max
    if program.arithmetic == "fixed":
        low, high = WEIGHT_RANGES[projection.sign_mode]
        return float(low), float(high)
    return -np.inf, np.inf


def _vector(value: Any) -> FloatArray:
    """What a session reads of a synapse variable, one entry for each synapse."""
    found: FloatArray = value.reshape(-1) if isinstance(value, np.ndarray) else value.data
    return found


def _keys(connectivity: Connectivity) -> IntArray:
    return connectivity.post_index().astype(np.int64) * connectivity.pre_size + connectivity.pre_index()


def _post(projection: ProjectionProgram) -> IntArray:
    return projection.connectivity.post_index().astype(np.int64)
