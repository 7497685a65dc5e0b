"""Plastic projections in the kernel's memory: rows of presynaptic neurons, their traces, and their random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.emulator.binding import address, done, kernel
from neuromorph.compact import index_type
from neuromorph.fixed_plastic_state import (
    ACCUMULATOR_BITS,
    FACTOR_BITS,
    FRACTION_BITS,
    MANTISSA_BITS,
    WEIGHT_ROUNDING_SEED,
    stream_seed,
)
from neuromorph.parts import TraceProgram, engine_parts
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.plasticity.language import Product
from neuromorph.plasticity.rule import TRACES
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray

# Float rules that separate into presynaptic and postsynaptic numbers are summed in another order from so many synapses
# on: several times faster, and equal to the reference to rounding instead of to the bit.
REORDER_SYNAPSES = 10_000
VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "t", "r", "d")  # as in csrc/plastic.h
TARGETS = ("weight", "tag", "delay")  # the same
ON_PRE, ON_POST = -1, -2
LARGEST_DRAW = 127
MOST_PRODUCTS, MOST_FACTORS = 64, 12  # of a rule, of a product: as in csrc/plastic.h


def rule_faults(program: Program) -> list[str]:
    """Rules that are longer than the kernel holds, as sentences."""
    found = []
    for projection in program.projections:
        if projection.rule is None:
            continue
        products = [product for target in projection.rule.targets.values() for product in target.products]
        count = sum(2 if program.arithmetic == "fixed" and "r" in _variables(p) else 1 for p in products)
        longest = max((len(product.factors) for product in products), default=0)
        if count > MOST_PRODUCTS or longest > MOST_FACTORS:
            found.append(
                f"projection {projection.name!r}: its rule has {count} products (in fixed point two for each with r) of at"
                f" most {longest} factors, and the kernel holds {MOST_PRODUCTS} of at most {MOST_FACTORS}: shorten the"
                " rule, or use backend 'reference'"
            )
    return found


def _variables(product: Product) -> set[str]:
    return {factor.variable for factor in product.factors}


def _kind(trace: TraceProgram) -> int:
    """As in csrc/plastic.h: what a spike does to a trace, or that it follows the membrane."""
    return 2 if trace.follows_membrane else int(trace.nearest)


@final
class RandomNumbers:
    """The streams that round traces, tags and weights of a projection in fixed point, drawn for many steps at once."""

    def __init__(self, first_seed: int, epoch: int) -> None:
        self._seed, self._epoch = first_seed, epoch
        self._next = -1  # the step after which the generators stand
        self._generators: list[np.random.Generator] = []

    def after(self, step: int, steps: int) -> list[FloatArray]:
        """For ``steps`` steps after ``step``: decay and impulse of x, of y, two a step; rounding, one an epoch."""
        if step != self._next:
            self._move_to(step)
        self._next = step + steps
        epochs = (step + steps) // self._epoch - step // self._epoch
        fractions = [self._generators[k].random(2 * steps) for k in (0, 2)]
        whole = [self._whole(self._generators[k], 2 * steps) for k in (1, 3)]
        return [fractions[0], whole[0], fractions[1], whole[1], self._generators[4].random(epochs)]

    def _move_to(self, step: int) -> None:
        """As after two numbers a step, one an epoch, and the one that each stream begins with."""
        self._generators = []
        for stream in range(4):
            bits = np.random.PCG64(self._seed + stream)
            generator = np.random.Generator(bits)
            if stream in (1, 3):  # a whole number takes half of 64 bits
                bits.advance(step)
                self._whole(generator, 1)
            else:
                bits.advance(2 * step + 1)
            self._generators.append(generator)
        bits = np.random.PCG64(WEIGHT_ROUNDING_SEED)
        bits.advance(step // self._epoch + 1)
        self._generators.append(np.random.Generator(bits))

    def _whole(self, generator: np.random.Generator, count: int) -> FloatArray:
        return generator.integers(0, LARGEST_DRAW + 1, size=count, dtype=int).astype(np.float64)


def _aligned_zeros(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros that begin where a cache line does: vectors that cross one are loaded and stored at half the speed."""
    size = count * np.dtype(dtype).itemsize
    room = np.zeros(size + 64, dtype=np.uint8)
    start = -address(room) % 64  # type: ignore[operator]
    return room[start : start + size].view(dtype)


@dataclass(eq=False)
class _Shard:
    """The synapses onto one thread's neurons, in rows of presynaptic neurons."""

    handle: int
    first: int
    last: int
    synapses: slice  # of the program
    order: npt.NDArray[Any] | None  # places of the shard's synapses among those; None: it is a full matrix
    weight: npt.NDArray[Any]
    tag: npt.NDArray[Any] | None
    delay: npt.NDArray[Any] | None  # where it learns
    traces: dict[str, FloatArray]  # of all presynaptic, or the shard's postsynaptic neurons
    kept: tuple[Any, ...]  # arrays that the kernel reads

    def held(self, variable: str) -> npt.NDArray[Any]:
        """Weights, tags or delays in the shard's order: the array itself."""
        values = {"weight": self.weight, "tag": self.tag, "delay": self.delay}[variable]
        assert values is not None
        return values

    def taken(self, values: npt.NDArray[Any], pres: int) -> npt.NDArray[Any]:
        """Values of the program's synapses in the shard's order."""
        own = values[self.synapses]
        return own.reshape(self.last - self.first, pres).T.ravel() if self.order is None else own[self.order]

    def given(self, values: npt.NDArray[Any], into: FloatArray, pres: int) -> None:
        """The inverse of :meth:`taken`."""
        if self.order is None:
            into[self.synapses] = values.reshape(pres, self.last - self.first).T.ravel()
        else:
            into[self.synapses][self.order] = values


@final
class LearningSynapses:
    """One plastic projection: a shard for each thread."""

    def __init__(
        self,
        program: Program,
        projection: ProjectionProgram,
        network: int,
        shares: Sequence[tuple[int, int]],
        *,
        seed: int,
        is_exact: bool,
    ) -> None:
        assert projection.rule is not None
        self.projection, self.rule = projection, projection.rule
        self.is_fixed = program.arithmetic == "fixed"
        self._network, self._kernel = network, kernel()
        self._reorders = not (is_exact or self.is_fixed) and projection.synapses >= REORDER_SYNAPSES
        sizes = {modulator.name: modulator.size for modulator in program.modulators}
        self.factor_width = max((sizes[name] for name in self.rule.modulators), default=0)
        delays = np.unique(projection.stored_delay[:1] if projection.has_one_delay else projection.stored_delay)
        delays = delays.astype(np.int64)
        self.delays: IntArray = delays if delays.size else np.ones(1, dtype=np.int64)
        if projection.learns_delays:  # any of them
            self.delays = np.arange(1, projection.max_delay + 1)
        self._numbers = RandomNumbers(stream_seed(program, projection.name, seed), self.rule.epoch)
        self._held: list[Any] = []  # random numbers and third factors of the present run
        self.shards: list[_Shard | None] = []
        for first, last in shares:
            self.shards.append(self._shard(first, last) if last > first else None)

    @property
    def handles(self) -> list[int | None]:
        """The kernel's shard of each thread; None for one without neurons."""
        return [None if shard is None else shard.handle for shard in self.shards]

    @property
    def _present(self) -> list[_Shard]:
        return [shard for shard in self.shards if shard is not None]

    def _shard(self, first: int, last: int) -> _Shard:
        projection, rule = self.projection, self.rule
        pointer, target, order, group = self._rows(first, last)
        synapses = slice(int(projection.by_post[first]), int(projection.by_post[last]))
        count = synapses.stop - synapses.start
        dtype: npt.DTypeLike = np.int16 if self.is_fixed else np.float64
        weight, tag = _aligned_zeros(count, dtype), None if rule.dt is None else _aligned_zeros(count, dtype)
        handle = self._kernel.nm_plastic_new(
            self.is_fixed, rule.epoch, projection.pre_size, first, last - first, address(pointer), address(target),
            address(group), address(weight), address(tag), rule.w_min, rule.w_max,
            self.factor_width if "r" in rule.variables else 0, rule.third_factor_scale,
        )  # fmt: skip
        if not handle:
            raise MemoryError(f"the emulator had not enough memory for {projection.name!r}")
        delay = _aligned_zeros(count, np.float64) if projection.learns_delays else None
        if delay is not None:
            self._kernel.nm_plastic_delays(handle, address(delay), float(projection.max_delay))
        traces = {}
        powers = []
        for name, trace in rule.traces.items():
            powers.append(trace.decay ** np.arange(rule.epoch + 1, dtype=np.float64))
            traces[name] = _aligned_zeros(projection.pre_size if name in PRE_TRACES else last - first, np.float64)
            number = TRACES.index(name)
            self._kernel.nm_plastic_trace(
                handle, number, _kind(trace), trace.impulse, trace.decay, address(powers[-1]), address(traces[name])
            )
        for target_name, total in rule.targets.items():
            for product in total.products:
                self._add_product(handle, product, TARGETS.index(target_name))
        self._kernel.nm_plastic_may_reorder(handle, self._reorders)
        kept = (pointer, target, group, powers)
        shard = _Shard(handle, first, last, synapses, order, weight, tag, delay, traces, kept)
        weight[:] = shard.taken(projection.weight, projection.pre_size)
        if delay is not None:
            delay[:] = shard.taken(projection.delay, projection.pre_size)
        done(self._kernel.nm_plastic_ready(handle), projection.name)
        return shard

    def _rows(self, first: int, last: int) -> tuple[npt.NDArray[Any] | None, ...]:
        """Pointer, targets, order and delay group of the synapses onto neurons first to last, by presynaptic neuron."""
        from scipy.sparse import csr_array

        projection = self.projection
        begin, end = int(projection.by_post[first]), int(projection.by_post[last])
        group = None
        if self.delays.size > 1 and not projection.learns_delays:
            group = np.searchsorted(self.delays, projection.stored_delay[begin:end]).astype(np.uint16)
        if projection.is_full:
            if group is not None:
                group = np.ascontiguousarray(group.reshape(last - first, projection.pre_size).T).ravel()
            return None, None, None, group
        places = np.arange(end - begin, dtype=index_type(end - begin))
        pre = projection.connectivity.pre_part(slice(begin, end))
        shape = (last - first, projection.pre_size)
        columns = csr_array(
            (places, pre, (projection.by_post[first : last + 1] - begin).astype(places.dtype)), shape=shape
        ).tocsc()
        order = columns.data
        pointer, target = columns.indptr.astype(np.int64), columns.indices.astype(np.int32)
        return pointer, target, order, None if group is None else group[order]

    def _add_product(self, handle: int, product: Product, on_tag: int) -> None:
        dependency = {"x0": ON_PRE, "y0": ON_POST}.get(product.dependency)
        if dependency is None:
            dependency = int(product.dependency[1:])
        factors = product.factors
        variables = np.array([VARIABLES.index(factor.variable) for factor in factors], dtype=np.int32)
        constants = np.array([factor.constant for factor in factors], dtype=np.float64)
        signs = np.array([2 if factor.positive else int(factor.sign) for factor in factors], dtype=np.int32)
        limits = np.array([2 ** FACTOR_BITS.get(factor.variable, 0) for factor in factors], dtype=np.int32)
        halves = (1, -1) if self.is_fixed and any(factor.variable == "r" for factor in factors) else (1,)
        for sign in halves:
            mantissa, exponent = (engine_parts(sign * product.coefficient) or (0, 0)) if self.is_fixed else (0, 0)
            bits = MANTISSA_BITS + sum(FACTOR_BITS.get(factor.variable, 0) for factor in factors)
            done(
                self._kernel.nm_plastic_product(
                    handle, on_tag, product.coefficient, dependency, sign, mantissa, max(0, bits - ACCUMULATOR_BITS),
                    exponent + FRACTION_BITS, len(factors), address(variables), address(constants), address(signs), address(limits),
                ),
                f"a rule ({self.rule.name!r})",
            )  # fmt: skip

    def feed(self, step: int, steps: int) -> None:
        """Random numbers for ``steps`` steps after ``step``."""
        if not self.is_fixed:
            return
        numbers = self._numbers.after(step, steps)
        for shard in self._present:
            self._kernel.nm_plastic_draws(shard.handle, step, step // self.rule.epoch, *map(address, numbers))
        self._held = numbers

    def third_factors(self, modulators: Mapping[str, FloatArray]) -> FloatArray | None:
        """r of every step, (steps, 1 or neurons); None where the rule has none."""
        if not self.rule.modulators:
            return None
        steps = next(iter(modulators.values())).shape[0]
        total: FloatArray = np.zeros((steps, 1))
        for name, weight in self.rule.modulators.items():
            total = total + weight * modulators[name]
        return np.ascontiguousarray(total)

    def settle(self) -> None:
        """Bring all rows up to date: arrays hold what they mean."""
        for shard in self._present:
            self._kernel.nm_plastic_settle(self._network, shard.handle)

    def read(self, variable: str) -> FloatArray:
        """Weights, tags or delays in the program's order, or a trace."""
        self.settle()
        if variable in TARGETS:
            values = np.zeros(self.projection.synapses)
            for shard in self._present:
                shard.given(shard.held(variable), values, self.projection.pre_size)
            return values
        if variable in PRE_TRACES:
            return self._present[0].traces[variable].copy() if self._present else np.zeros(self.projection.pre_size)
        return np.concatenate([shard.traces[variable] for shard in self._present])

    def write(self, variable: str, values: npt.NDArray[Any]) -> None:
        """Set weights, tags, delays or a trace."""
        self.settle()
        for shard in self._present:
            if variable in TARGETS:
                shard.held(variable)[:] = shard.taken(values, self.projection.pre_size)
            else:
                shard.traces[variable][:] = values if variable in PRE_TRACES else values[shard.first : shard.last]

    def spike_times(self) -> tuple[IntArray, IntArray]:
        """Steps of the running epoch in which pre- and postsynaptic neurons spiked last, 0 where they did not."""
        pre, post = (np.zeros(size, dtype=np.int64) for size in (self.projection.pre_size, self.projection.post_size))
        for shard in self._present:
            self._kernel.nm_plastic_read_times(shard.handle, address(pre), address(post))
        return pre, post

    def go_on(self, steps: int, pre_time: IntArray, post_time: IntArray) -> None:
        """As after ``steps`` steps, with these spikes in the running epoch; weights, tags and traces are written apart."""
        pre, post = (np.ascontiguousarray(times, dtype=np.int64) for times in (pre_time, post_time))
        for shard in self._present:
            self._kernel.nm_plastic_at(shard.handle, steps // self.rule.epoch)
            self._kernel.nm_plastic_times(shard.handle, address(pre), address(post))

    def reset(self, steps: int) -> None:
        """Forget traces, tags and the running epoch; weights and delays stay."""
        self.settle()
        for shard in self._present:
            for values in (shard.tag, *shard.traces.values()):
                if values is not None:
                    values[:] = 0
        self.go_on(steps, np.zeros(self.projection.pre_size, np.int64), np.zeros(self.projection.post_size, np.int64))

    def free(self) -> None:
        """Free the kernel's memory."""
        for shard in self._present:
            self._kernel.nm_plastic_free(shard.handle)
        self.shards = []
