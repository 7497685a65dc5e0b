"""The Processes of a program in Loihi's integers: what :mod:`neuromorph.backends.lava.lowering` connects there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, DECAY_UNITY, LARGEST_TRACE, bias_parts
from neuromorph.backends.lava import compat, fixed_models, rules
from neuromorph.parts import PopulationProgram, ProjectionProgram, RuleProgram
from neuromorph.recording import FloatArray

LONGEST_EXTRA_DELAY = 63  # steps after the connection's own; Lava's fixed-point DelayDense has 6 bits for it


def faults(projection: ProjectionProgram) -> list[str]:
    """Why Lava cannot hold a projection in fixed point; empty where it can."""
    where = f"projection {projection.name!r}"
    own = 1 if projection.rule is None else 2  # steps that pass without extra delay: a plastic one needs a relay
    longest = LONGEST_EXTRA_DELAY + own
    if projection.max_delay > longest:
        kind = "static" if projection.rule is None else "plastic"
        return [
            f"{where}: in fixed point Lava delays a {kind} projection by at most {longest} steps,"
            f" and this one has {projection.max_delay}"
        ]
    return []


def neurons(population: PopulationProgram) -> Any:
    """LIF or LIFRefractory with Loihi's integers."""
    mantissa, exponent = bias_parts(population.bias)
    parameters = {
        "shape": (population.size,),
        "du": _shared(DECAY_UNITY - 1 - np.rint(population.decay_u * DECAY_UNITY)),
        "dv": _shared(DECAY_UNITY - np.rint(population.decay_v * DECAY_UNITY)),
        "vth": population.threshold.astype(np.int64) >> ALIGNMENT,
        "bias_mant": mantissa,
        "bias_exp": exponent,
    }
    if not np.any(population.refractory > 0):
        return compat.LIF(**parameters)
    process = compat.LIFRefractory(**parameters)
    process.proc_params.overwrite("refractory_period", population.refractory.copy())
    return process


def static(projection: ProjectionProgram) -> Any:
    """A connection whose weights do not change by themselves."""
    weights = projection.matrix(projection.weight.astype(np.int32))
    if projection.max_delay > 1:
        return compat.DelayDense(
            weights=weights,
            delays=np.maximum(projection.matrix(projection.delay) - 1, 0),
            max_delay=projection.max_delay - 1,
            **_scaling(projection),
        )
    if projection.is_full:
        return compat.Dense(weights=weights, **_scaling(projection))
    return compat.Sparse(weights=sparse_weights(projection, projection.weight), **_scaling(projection))


def sparse_weights(projection: ProjectionProgram, values: FloatArray) -> Any:
    """``values`` of all synapses as a sparse matrix of weights. Lava drops the zeros among them in its first step."""
    from scipy.sparse import csr_matrix

    shape = (projection.post_size, projection.pre_size)
    return csr_matrix((values.astype(np.int32), projection.pre_index, projection.by_post), shape=shape)


def plastic(projection: ProjectionProgram, rule: RuleProgram, stream: int) -> Any:
    """A LearningDense with the program's rule; ``stream`` is the first of its seeds."""
    has_third_factor = bool(rule.modulators)
    options: dict[str, Any] = {
        "dw": rules.fixed_string(rule.dw),
        "dt": None if rule.dt is None else rules.fixed_string(rule.dt),
        "t_epoch": rule.epoch,
        "rng_seed": stream,
    }
    for name, trace in rule.traces.items():
        if not has_third_factor or name[0] == "x":
            options |= {f"{name}_impulse": trace.impulse, f"{name}_tau": rules.exact_tau(trace.decay)}
    kind = compat.Loihi3FLearningRule if has_third_factor else compat.Loihi2FLearningRule
    learning_rule = kind(**options)
    weights = projection.matrix(projection.weight.astype(np.int32))
    described = {"weights": weights, "learning_rule": learning_rule, **_scaling(projection)}
    if projection.is_full:
        process = compat.LearningDense(**described)
    else:
        exists = projection.matrix(np.ones(projection.synapses, dtype=np.bool_))
        process = fixed_models.PartialLearningDense(exists=exists, **described)
    if has_third_factor:
        # Held as received: exp(-1 / 65535), Lava's stand-in for "no decay", would lose a unit now and then. It is set
        # after the Process has made Vars of the time constants, which are integers and know no infinity.
        for name in ("y1", "y2", "y3"):
            setattr(learning_rule, f"_{name}_tau", math.inf)
    return process


def relay(projection: ProjectionProgram) -> Any:
    """Carries currents on, one step and ``delay - 2`` more after the connection's own step."""
    size, extra = projection.post_size, projection.max_delay - 2
    return compat.DelayDense(
        weights=np.eye(size, dtype=np.int32),
        delays=np.full((size, size), extra),
        max_delay=max(extra, 1),
        num_message_bits=8,
        sign_mode=compat.SignMode.EXCITATORY,  # mixed weights of 8 bits are even, and these are 1
    )


def third_factor_rows(rule: RuleProgram, values: FloatArray) -> dict[str, FloatArray]:
    """r of each step and neuron as what the ports receive: its positive part, and the size of its negative part.

    Lava clips a negative trace to 0 where a neuron has just spiked, so that one port cannot carry both.
    """
    held = np.clip(np.rint(values * rule.third_factor_scale), -float(LARGEST_TRACE), float(LARGEST_TRACE))
    return {rules.POSITIVE_PORT: np.maximum(held, 0.0), rules.NEGATIVE_PORT: np.maximum(-held, 0.0)}


def _scaling(projection: ProjectionProgram) -> dict[str, Any]:
    return {
        "weight_exp": projection.weight_exponent,
        "num_weight_bits": projection.weight_bits,
        "sign_mode": compat.SignMode[projection.sign_mode.upper()],
    }


def _shared(values: FloatArray) -> Any:
    """One integer where all neurons share it, as on a chip, else an array."""
    whole = values.astype(np.int64)
    return int(whole[0]) if np.all(whole == whole[0]) else whole
