"""What a learning rule does to a projection's synapses in a Loihi-class chip's integers.

This follows Lava 0.10's fixed-point LearningDense step by step, the rounding noise included: its random numbers are one
number for all neurons or synapses at a time, from generators of known seeds, so that equal seeds give equal weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import LARGEST_TRACE, WEIGHT_RANGES
from neuromorph.errors import InputError
from neuromorph.parts import engine_parts
from neuromorph.plastic_state import PRE_TRACES, PlasticState, PlasticSynapses
from neuromorph.plasticity.language import Factor, Product
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray

FACTOR_BITS = {"x1": 7, "x2": 7, "y1": 7, "y2": 7, "y3": 7, "r": 7, "w": 9, "t": 9}
MANTISSA_BITS, ACCUMULATOR_BITS, FRACTION_BITS = 4, 15, 7
WEIGHT_ROUNDING_SEED = 2  # Lava rounds the weights of every connection with one generator of this seed
LARGEST_TAG, SMALLEST_TAG = 255, -257

Products = npt.NDArray[np.int32]


def plastic_synapses(
    program: Program, projection: ProjectionProgram, seed: int, *, rounding_seed: int = WEIGHT_ROUNDING_SEED
) -> PlasticSynapses:
    """The synapses of a plastic projection at the start of a session with this seed.

    ``rounding_seed``, of the stream that rounds weights and tags, is another one only where distributions are looked at.
    """
    sees = program.coincidence == "seen"
    if program.arithmetic == "float":
        return PlasticState(projection, sees_coincidence=sees)
    stream = stream_seed(program, projection.name, seed)
    return FixedPlasticState(projection, stream, sees_coincidence=sees, rounding_seed=rounding_seed)


def stream_seed(program: Program, projection: str, seed: int) -> int:
    """First of the four seeds of a projection's trace rounding; they differ between projections and between sessions.

    ``1 + 4 i + 4 n seed`` for the i-th of n projections.
    """
    names = [item.name for item in program.projections]
    return 1 + 4 * names.index(projection) + 4 * len(names) * seed


class _Draws:
    """A generator that holds the number it drew last, as Lava's do."""

    def __init__(self, seed: int, *, whole: bool = False) -> None:
        self._seed, self._whole = seed, whole
        self.move_to(0)

    def move_to(self, draws: int) -> None:
        """As after ``draws`` times :meth:`advance` since the start, in a time that hardly depends on how many."""
        bits = np.random.PCG64(self._seed)
        self._generator = np.random.Generator(bits)  # numpy.random.default_rng(seed)
        # Of the 64 bits that are drawn a fraction takes all. A whole number takes half, as its 128 values divide 2^32.
        bits.advance(draws // 2 if self._whole else draws)
        if self._whole and draws % 2:
            self.advance()
        self.advance()

    def advance(self) -> None:
        if self._whole:
            self.value = float(self._generator.integers(0, LARGEST_TRACE + 1, size=1, dtype=int)[0])
        else:
            self.value = float(self._generator.random(1)[0])


@final
class FixedPlasticState(PlasticSynapses):
    """Synapses that learn in integers: 7-bit traces, 9-bit tags, mantissas of weights; all arrays hold whole numbers.

    A trace decays to ``floor(z) + (random < frac(z))``, ``z = decay trace``. A product is, in 32 bits, dependency times
    factors (each held to its bits) times mantissa, ``>> max(0, bits - 11)`` for factors of so many bits, ``<< exponent
    + 7``; it adds to the variable ``<< 7`` and saturates at 16 bits; the sum is rounded at random to whole units. r is
    rounded to ``r third_factor_scale`` and held to 7 bits and a sign.
    """

    def __init__(
        self,
        projection: ProjectionProgram,
        stream: int,
        *,
        sees_coincidence: bool = True,
        rounding_seed: int = WEIGHT_ROUNDING_SEED,
    ) -> None:
        super().__init__(projection, sees_coincidence=sees_coincidence)
        self._decay_draw = {"x": _Draws(stream), "y": _Draws(stream + 2)}
        self._impulse_draw = {"x": _Draws(stream + 1, whole=True), "y": _Draws(stream + 3, whole=True)}
        self._rounding_draw = _Draws(rounding_seed)
        self._impulses: dict[str, tuple[float, float]] = {}  # whole part, and fraction in units of 1/256
        for name, trace in self.rule.traces.items():
            whole = float(np.floor(trace.impulse))
            self._impulses[name] = whole, float(np.round((trace.impulse - whole) * 256))

    def learn(
        self,
        step: int,
        pre: IntArray,
        post: IntArray,
        reward: FloatArray | None,
        membrane: FloatArray | None = None,
    ) -> None:
        """Take in the spikes of a step, and learn if it ends an epoch."""
        del membrane  # a chip's traces see spikes only
        offset = step % self.rule.epoch or self.rule.epoch
        self._take(pre, self._pre_time, offset, "x", 0.0)
        self._advance()
        self._take(post, self._post_time, offset, "y", self._impulse_draw["y"].value)
        self._advance()
        if offset == self.rule.epoch:
            self._rounding_draw.advance()
            self._end_epoch(step // self.rule.epoch, self._third_factor(reward))

    def go_on(self, state: Mapping[str, npt.NDArray[Any]], steps: int) -> None:
        """Take over a state, with the random numbers that follow after ``steps`` steps."""
        super().go_on(state, steps)
        for draws in (*self._decay_draw.values(), *self._impulse_draw.values()):
            draws.move_to(2 * steps)
        self._rounding_draw.move_to(steps // self.rule.epoch)

    def _take(self, neurons: IntArray, time: IntArray, offset: int, side: str, draw: float) -> None:
        """Note the times of spikes; of a neuron that spiked before in this epoch, the earlier spike acts at its start."""
        again = neurons[time[neurons] > 0]
        for name in self.rule.traces:
            if name[0] == side:
                self.traces[name][again] = self._with_impulse(name, self.traces[name][again], draw)
        time[neurons] = offset

    def _advance(self) -> None:
        for draws in (*self._decay_draw.values(), *self._impulse_draw.values()):
            draws.advance()

    def _with_impulse(self, name: str, values: FloatArray, draw: float) -> FloatArray:
        whole, fraction = self._impulses[name]
        return np.minimum(np.maximum(values + whole + (draw < fraction), 0.0), float(LARGEST_TRACE))

    def _third_factor(self, reward: FloatArray | None) -> FloatArray | None:
        if reward is None:
            return None
        held: FloatArray = np.rint(reward * self.rule.third_factor_scale)
        return np.minimum(np.maximum(held, -float(LARGEST_TRACE)), float(LARGEST_TRACE))

    def _end_epoch(self, number: int, reward: FloatArray | None) -> None:
        pre, post = np.flatnonzero(self._pre_time), np.flatnonzero(self._post_time)
        histories = {name: self._history(name) for name in self.rule.traces}
        for name, (after, _) in histories.items():
            self.traces[name][:] = after[-1]
        changed = {}
        for target, total in self.rule.targets.items():
            values = self.weight if target == "weight" else self.tag
            changed[target] = self._changed(target, values, total.products, number, pre, post, histories, reward)
        for target, (touched, values) in changed.items():
            (self.weight if target == "weight" else self.tag)[touched] = values
        self._pre_time[:] = 0
        self._post_time[:] = 0

    def _history(self, name: str) -> tuple[FloatArray, FloatArray]:
        """A trace after each step of the epoch, shape (epoch + 1, neurons), and the same before that step's impulse."""
        time = self._pre_time if name in PRE_TRACES else self._post_time
        decay, draw = self.rule.traces[name].decay, self._decay_draw[name[0]].value
        after = np.zeros((self.rule.epoch + 1, time.size))
        after[0] = self.traces[name]
        before = after.copy()
        for step in range(1, self.rule.epoch + 1):
            exact = decay * after[step - 1]
            whole = np.floor(exact)
            before[step] = whole + (draw < exact - whole)
            spiked = time == step
            after[step] = before[step]
            after[step, spiked] = self._with_impulse(name, before[step, spiked], self._impulse_draw[name[0]].value)
        return after, before

    def _changed(
        self,
        target: str,
        values: FloatArray,
        products: tuple[Product, ...],
        number: int,
        pre: IntArray,
        post: IntArray,
        histories: dict[str, tuple[FloatArray, FloatArray]],
        reward: FloatArray | None,
    ) -> tuple[IntArray, FloatArray]:
        """The synapses that any product reaches, and their new values."""
        reached = [self._touched(product.dependency, number, pre, post) for product in products]
        marks = np.zeros(values.size, dtype=np.bool_)
        for one in reached:
            marks[one] = True
        if target == "tag":
            marks |= values < -256  # the accumulator cannot hold it: Lava moves it, spike or not
        touched = np.flatnonzero(marks)
        place = np.zeros(values.size, dtype=np.int64)
        place[touched] = np.arange(touched.size)
        total = values[touched].astype(np.int32) << FRACTION_BITS
        for product, synapses in zip(products, reached, strict=True):
            where = np.arange(values.size)[synapses] if isinstance(synapses, slice) else synapses
            for sign in (1, -1) if any(factor.variable == "r" for factor in product.factors) else (1,):
                total[place[where]] += self._product(product, where, sign, histories, reward)
                total = _accumulated(total)  # of all: a tag of -257 is held after the first product, reached or not
        return touched, self._rounded(target, total)

    def _product(
        self,
        product: Product,
        synapses: IntArray,
        sign: int,
        histories: dict[str, tuple[FloatArray, FloatArray]],
        reward: FloatArray | None,
    ) -> Products:
        """A product in units of 2^-7; ``sign`` -1 is the half of it for negative r, which is a product of its own."""
        parts = engine_parts(sign * product.coefficient)
        if parts is None:
            raise InputError(f"rule {self.rule.name!r}: coefficient {product.coefficient!r} is not m 2^e")
        value: Products = np.ones(synapses.size, dtype=np.int32)
        bits = MANTISSA_BITS
        for factor in product.factors:
            limit = 2 ** FACTOR_BITS[factor.variable]
            found = self._factor(factor, product.dependency, synapses, sign, histories, reward)
            value *= np.minimum(np.maximum(found, -limit), limit - 1).astype(np.int32)
            bits += FACTOR_BITS[factor.variable]
        value *= np.int32(parts[0])
        value >>= np.int32(max(0, bits - ACCUMULATOR_BITS))
        value <<= np.int32(parts[1] + FRACTION_BITS)
        return _accumulated(value)

    def _factor(
        self,
        factor: Factor,
        dependency: str,
        synapses: IntArray,
        sign: int,
        histories: dict[str, tuple[FloatArray, FloatArray]],
        reward: FloatArray | None,
    ) -> FloatArray:
        pre, post = self.projection.pre_index[synapses], self.projection.post_index[synapses]
        if factor.variable == "w":
            value = self.weight[synapses]
        elif factor.variable == "t":
            value = self.tag[synapses]
        elif factor.variable == "r":
            if reward is None:
                raise InputError(f"rule {self.rule.name!r} of {self.projection.name!r} needs a third factor")
            r = sign * (np.broadcast_to(reward, post.shape) if reward.size == 1 else reward[post])
            return np.maximum(r, 0.0)
        else:
            after, before = histories[factor.variable]
            neuron = pre if factor.variable in PRE_TRACES else post
            if dependency[0] == "u":
                value = after[-1][neuron]
            else:
                when = self._pre_time[pre] if dependency == "x0" else self._post_time[post]
                value = (after if self.sees_coincidence else before)[when, neuron]
        value = value + factor.constant
        return np.sign(value) if factor.sign else value

    def _rounded(self, target: str, total: Products) -> FloatArray:
        """From units of 2^-7 to whole ones, rounded with one random number for all, and held within the bounds."""
        if target == "weight" and self.projection.sign_mode == "excitatory":
            total = np.maximum(total, 0)
        elif target == "weight" and self.projection.sign_mode == "inhibitory":
            total = np.minimum(total, 0)
        exact = total / 2.0**FRACTION_BITS
        whole = np.floor(exact)
        rounded: FloatArray = whole + (self._rounding_draw.value < exact - whole)
        low, high = WEIGHT_RANGES[self.projection.sign_mode] if target == "weight" else (SMALLEST_TAG, LARGEST_TAG)
        return np.minimum(np.maximum(rounded, float(low)), float(high))


def _accumulated(values: Products) -> Products:
    """Held to the accumulator, -2^15 - 1 to 2^15 - 1 as Lava has it."""
    limit = 2**ACCUMULATOR_BITS
    return np.minimum(np.maximum(values, np.int32(-limit - 1)), np.int32(limit - 1))
