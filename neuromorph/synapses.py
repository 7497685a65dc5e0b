"""The synapses of a program: read as plain arrays of one entry each, held in a few bytes each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import WEIGHT_RANGES, SignMode, weight_step
from neuromorph.compact import (
    Array,
    frozen,
    is_repeated,
    narrow_counts,
    narrow_numbers,
    pieces,
    repeated,
    stored_bytes,
    whole_numbers,
)
from neuromorph.connectivity import Connectivity, digest
from neuromorph.errors import CompileError, raise_faults
from neuromorph.recording import IntArray
from neuromorph.rule_program import RuleProgram

SYNAPSE_ARRAYS = ("post_index", "pre_index", "weight", "delay")
FEW_SYNAPSES = 1 << 24  # of so many, arrays that were read once are kept; of more they would fill the memory

Scalar = TypeVar("Scalar", np.int64, np.float64)


class SynapseColumn(Generic[Scalar]):
    """A field of :class:`ProjectionProgram`: given as an array, held in few bytes, read as an array of one type.

    Of :data:`FEW_SYNAPSES` the array that was read is kept; of more it is a new one each time.
    """

    def __init__(self, dtype: type[Scalar]) -> None:
        self.dtype: type[Scalar] = dtype

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: ProjectionProgram | None, owner: type | None = None) -> npt.NDArray[Scalar]:
        if instance is None:
            raise AttributeError(self.name)  # so that the dataclass sees no default
        values = vars(instance)
        if self.name in values:
            kept: npt.NDArray[Scalar] = values[self.name]
            return kept
        stored = instance.narrow(self.name)
        if stored.size > FEW_SYNAPSES:
            if is_repeated(stored):
                return repeated(stored[0], stored.size, self.dtype)
            return frozen(stored.astype(self.dtype, copy=False))
        values[self.name] = frozen(np.array(stored, dtype=self.dtype))
        return self.__get__(instance)

    def __set__(self, instance: ProjectionProgram, value: npt.ArrayLike | Connectivity) -> None:
        vars(instance)[self.name] = value


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionProgram:
    """Synapses ordered by postsynaptic and then presynaptic neuron; arrays of one entry for each that exists.

    What is read as int64 and float64 here is held in fewer bytes: for large networks see :attr:`connectivity`,
    :attr:`csr`, :meth:`csc`, :attr:`stored_weight` and :attr:`stored_delay`. A :class:`Connectivity` given for both
    indices is shared, not copied.
    """

    name: str
    pre: str
    post: str
    pre_size: int
    post_size: int
    post_index: SynapseColumn[np.int64] = SynapseColumn(np.int64)
    pre_index: SynapseColumn[np.int64] = SynapseColumn(np.int64)
    weight: SynapseColumn[np.float64] = SynapseColumn(np.float64)
    delay: SynapseColumn[np.int64] = SynapseColumn(np.int64)  # steps, >= 1: a spike sent at t acts at t + delay
    rule: RuleProgram | None = None
    # fixed point: weights are mantissas, and the sum of those that arrive together acts 2^(6 + weight_exponent) times
    weight_exponent: int = 0
    sign_mode: SignMode = "none"  # "none" in float; else it bounds the mantissas, learned ones too
    weight_bits: int = 8  # fixed point: static mantissas are multiples of weight_step(sign_mode, weight_bits)

    def __post_init__(self) -> None:
        values = vars(self)
        ends = values.pop("post_index"), values.pop("pre_index")
        values["_weight"] = narrow_numbers(values.pop("weight"))
        values["_delay"] = narrow_counts(values.pop("delay"))
        post, pre = (end if isinstance(end, Connectivity) else whole_numbers(end) for end in ends)
        sizes = self.post_size, self.pre_size
        if isinstance(post, Connectivity) and post is pre and (post.post_size, post.pre_size) == sizes:
            values["_connectivity"] = post
            return
        post = post.post_index() if isinstance(post, Connectivity) else post
        pre = pre.pre_index() if isinstance(pre, Connectivity) else pre
        fits = post.shape == pre.shape == (post.size,)
        values["_connectivity"] = Connectivity.of(post, pre, *sizes) if fits else None
        if values["_connectivity"] is None:  # as given, so that it can be looked at
            values["post_index"], values["pre_index"] = (frozen(np.array(end, dtype=np.int64)) for end in (post, pre))

    def __reduce__(self) -> tuple[Any, ...]:
        """Arrays of stride 0 do not pickle as such: it is built anew."""
        values: dict[str, Any] = {item.name: vars(self).get(item.name) for item in dataclasses.fields(self)}
        values |= {name: self.narrow(name) for name in SYNAPSE_ARRAYS}
        return partial(ProjectionProgram, **values), ()

    def with_changes(self, **changes: Any) -> ProjectionProgram:
        """Like :func:`dataclasses.replace`, and without writing out the arrays that stay."""
        kept: dict[str, Any] = {"weight": self.stored_weight, "delay": self.stored_delay}
        kept |= dict.fromkeys(("post_index", "pre_index"), self.connectivity)
        return dataclasses.replace(self, **(kept | changes))

    def faults(self) -> list[str]:
        """What is wrong with the synapses and the rule, as sentences; empty where all is well."""
        found = [] if self.rule is None else [f"rule {self.rule.name!r}: {fault}" for fault in self.rule.faults()]
        return [*found, *self._synapse_faults]

    def fixed_faults(self) -> list[str]:
        """What keeps weights and rule from being integers of a chip, as sentences."""
        found = [] if self.rule is None else [f"rule {self.rule.name!r}: {fault}" for fault in self.rule.fixed_faults()]
        if self.sign_mode not in WEIGHT_RANGES:
            return [*found, f"sign_mode must be {', '.join(WEIGHT_RANGES)} in fixed point, got {self.sign_mode!r}"]
        if not (-7 <= self.weight_exponent <= 7 and 1 <= self.weight_bits <= 8):
            found.append(
                f"weight_exponent must be -7..7 and weight_bits 1..8, got {self.weight_exponent} and {self.weight_bits}"
            )
            return found
        low, high = WEIGHT_RANGES[self.sign_mode]
        if self.rule is not None and (self.rule.w_min, self.rule.w_max) != (low, high):
            found.append(
                f"the rule's bounds must be those of the sign mode, {low}..{high}, got"
                f" {self.rule.w_min!r}..{self.rule.w_max!r}"
            )
        return [*found, *self._mantissa_faults]

    def weight_faults(self, weight: npt.NDArray[Any]) -> list[str]:
        """Why weight mantissas are none, as sentences. Learned ones may be odd in mixed sign mode, static ones not."""
        low, high = WEIGHT_RANGES[self.sign_mode]
        step = weight_step(self.sign_mode, self.weight_bits) if self.rule is None else 1
        first, count = 0.0, 0
        for part in pieces(weight.size):
            values = weight[part].astype(np.float64, copy=False)
            wrong = (values < low) | (values > high) | (values % step != 0)
            if found := int(np.count_nonzero(wrong)):
                first = first if count else float(values[wrong][0])
                count += found
        if not count:
            return []
        return [
            f"weights must be mantissas {low}..{high} in steps of {step} ({self.sign_mode}), got"
            f" {first!r} and {count - 1} more"
        ]

    @cached_property
    def _mantissa_faults(self) -> list[str]:
        return self.weight_faults(self.stored_weight)

    @cached_property
    def _synapse_faults(self) -> list[str]:
        structure: Connectivity | None = vars(self)["_connectivity"]
        arrays = [self.stored_weight, self.stored_delay]
        if any(array.ndim != 1 for array in arrays):
            return [f"its weights and delays must be lists, one entry a synapse, got {[a.shape for a in arrays]}"]
        lengths = {array.size for array in arrays}
        lengths |= {self.post_index.size, self.pre_index.size} if structure is None else {structure.synapses}
        if len(lengths) != 1:
            return [f"its synapse arrays differ in length: {sorted(lengths)}"]
        if self.synapses == 0:
            return []
        found = []
        if structure is None:
            found.append("synapses must lie inside and be ordered by post, then pre, each once")
        if _least_and_most(self.stored_delay)[0] < 1:
            found.append("delays must be at least one step")
        if self.rule is not None and self.rule.d_max is not None:
            longest = int(_least_and_most(self.stored_delay)[1])
            if longest > self.rule.d_max:
                found.append(f"delays must be at most d_max = {self.rule.d_max} steps of its rule, got {longest}")
        low, high = map(float, _least_and_most(self.stored_weight))
        if not (np.isfinite(low) and np.isfinite(high)):
            found.append("weights must be finite")
        elif self.rule is not None and not (self.rule.w_min <= low and high <= self.rule.w_max):
            bounds = f"{self.rule.w_min!r}..{self.rule.w_max!r}"
            found.append(
                f"weights {low!r}..{high!r} must lie in the rule's bounds {bounds}: clip them or widen the bounds"
            )
        return found

    @property
    def connectivity(self) -> Connectivity:
        """Which synapses exist; programs made from one another share it."""
        found: Connectivity | None = vars(self)["_connectivity"]
        if found is None:
            raise_faults(CompileError, [f"projection {self.name!r}: {fault}" for fault in self._synapse_faults])
        assert found is not None
        return found

    @property
    def stored_weight(self) -> Array:
        """The weights, shape (synapses,), in int8, uint8, int16, float32 or float64.

        Where all are equal its stride is 0: one value stands for all.
        """
        stored: Array = vars(self)["_weight"]
        return stored

    @property
    def stored_delay(self) -> Array:
        """The delays, shape (synapses,), in uint8, int32 or int64; of stride 0 where all are equal."""
        stored: Array = vars(self)["_delay"]
        return stored

    @property
    def csr(self) -> tuple[IntArray, Array]:
        """(pointer, pre): the synapses onto neuron j are at pointer[j]:pointer[j + 1]; int64, and int32 where it fits.

        Nothing is copied, but where every synapse exists ``pre`` is a new array.
        """
        return self.connectivity.pointer, self.connectivity.pre_index()

    def csc(self) -> tuple[IntArray, Array, Array]:
        """(pointer, post, order): the synapses of presynaptic neuron i are at pointer[i]:pointer[i + 1] of the others.

        ``post`` are their targets and ``order`` their numbers, as in ``stored_weight[order]``: int32 where it fits. New
        arrays, found by counting; nothing of them is kept.
        """
        return self.connectivity.columns()

    @property
    def by_pre(self) -> tuple[IntArray, Array]:
        """(pointer, order): synapses of presynaptic neuron i are ``order[pointer[i]:pointer[i + 1]]``; they are kept."""
        return self.connectivity.by_pre

    @property
    def by_post(self) -> IntArray:
        """Pointer: synapses onto postsynaptic neuron j are ``pointer[j]:pointer[j + 1]``."""
        return self.connectivity.pointer

    @property
    def fan_out(self) -> IntArray:
        """Synapses of every presynaptic neuron."""
        return self.connectivity.fan_out

    @property
    def synapses(self) -> int:
        """Synapses that exist."""
        return int(self.stored_weight.size)

    @property
    def is_full(self) -> bool:
        """Whether every possible synapse exists."""
        return self.synapses == self.pre_size * self.post_size

    @cached_property
    def max_delay(self) -> int:
        """Longest delay in steps that a synapse has, or may learn; 1 where there is no synapse."""
        if self.synapses == 0:
            return 1
        learned = 1 if self.rule is None or self.rule.d_max is None else self.rule.d_max
        return max(learned, int(_least_and_most(self.stored_delay)[1]))

    @property
    def has_one_delay(self) -> bool:
        """Whether all synapses share one delay, now and later."""
        return self.synapses == 0 or (is_repeated(self.stored_delay) and not self.learns_delays)

    @property
    def learns_delays(self) -> bool:
        """Whether its rule changes delays; then :attr:`delay` is what they begin with."""
        return self.rule is not None and self.rule.dd is not None

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the synapses take, without what was found from them on first use."""
        return self.connectivity.nbytes + stored_bytes(self.stored_weight) + stored_bytes(self.stored_delay)

    def matrix(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """``values`` of all synapses as a dense array (post, pre), zero where no synapse exists."""
        return self.connectivity.matrix(values)

    def narrow(self, column: str) -> Array:
        """``post_index``, ``pre_index``, ``weight`` or ``delay`` in few bytes an entry."""
        if column in ("weight", "delay"):
            stored: Array = vars(self)[f"_{column}"]
            return stored
        return self.connectivity.post_index() if column == "post_index" else self.connectivity.pre_index()

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of the four arrays in the types in which they are read, whatever they are held in."""
        found = dict(self.connectivity.digests)
        for name, stored, dtype in (
            ("weight", self.stored_weight, np.float64),
            ("delay", self.stored_delay, np.int64),
        ):
            found[name] = digest((stored[part] for part in pieces(stored.size)), stored.size, dtype)
        return found


def _least_and_most(values: Array) -> tuple[Any, Any]:
    """Of at least one value; not a number where one is none."""
    return (values[0], values[0]) if is_repeated(values) else (values.min(), values.max())
