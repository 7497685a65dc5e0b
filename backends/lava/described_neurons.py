"""The neurons of Lava Processes as populations: real parameters, or Loihi's integers as real numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.graph import label
from neuromorph.discretise import time_constants
from neuromorph.errors import InputError
from neuromorph.network import Population
from neuromorph.neurons import LIF, Parameter
from neuromorph.recording import FloatArray

Arithmetic = Literal["infer", "float", "fixed"]

ALIGNMENT = 6  # thresholds and weights enter shifted left by so many bits in fixed point


def is_fixed(neurons: Sequence[Any], arithmetic: Arithmetic, assumptions: list[str]) -> bool:
    """Whether the parameters of a graph are Loihi's integers; how it was decided is added to ``assumptions``."""
    if arithmetic not in get_args(Arithmetic):
        raise InputError(f"arithmetic must be {', '.join(map(repr, get_args(Arithmetic)))}, got {arithmetic!r}")
    large = [p for p in neurons if np.any(np.asarray(p.du.init) > 1) or np.any(np.asarray(p.dv.init) > 1)]
    fixed = arithmetic == "fixed" or (arithmetic == "infer" and bool(large))
    if arithmetic == "infer":
        why = f"{label(large[0])} has a decay above 1" if large else "no decay is above 1"
        assumptions.append(f"read in {'fixed' if fixed else 'floating'} point: {why} (arithmetic=...)")
    if fixed:
        assumptions += [
            "Loihi's integers as real numbers: u keeps (4095 - du) / 4096 of itself and v (4096 - dv) / 4096; threshold"
            " vth * 2^6, weights, cut to their bits, * 2^(6 + weight_exp), bias bias_mant * 2^bias_exp",
            "Loihi rounds u and v toward zero in every step, wraps u at 24 bits and holds v within them; here they are real"
            " numbers without bounds",
        ]
    return fixed


def population(process: Any, name: str, *, dt: float, fixed: bool) -> tuple[Population | None, list[str], list[str]]:
    """A LIF or LIFRefractory Process; with what is wrong, and what was assumed, as sentences."""
    where = label(process)
    size = math.prod(process.s_out.shape)
    du, dv, vth, mantissa, exponent = (
        np.broadcast_to(np.ravel(np.asarray(variable.init, dtype=np.float64)), (size,))
        for variable in (process.du, process.dv, process.vth, process.bias_mant, process.bias_exp)
    )
    faults = [
        f"{where}: {variable.name} starts at {float(np.ravel(variable.init)[np.ravel(variable.init) != 0][0]):g}, and a"
        f" network starts at 0: leave it out, and write {name}.{variable.name} in the session"
        for variable in (process.u, process.v)
        if np.any(np.asarray(variable.init) != 0)
    ]
    assumptions = []
    values = {"du": du, "dv": dv, "vth": vth, "bias_mant": mantissa, "bias_exp": exponent}
    if fixed:
        faults += [
            f"{where}: {key} must be whole in fixed point, got {float(each[each % 1 != 0][0])!r};"
            " arithmetic='float' reads it as a real number"
            for key, each in values.items()
            if np.any(each % 1 != 0)
        ]
        if type(process) is compat.LIFRefractory:
            faults.append(f"{where}: Lava has no LIFRefractory in fixed point: use arithmetic='float' or LIF")
        largest = 4095, 4096
        keep_u, keep_v = (4095.0 - du) / 4096.0, (4096.0 - dv) / 4096.0
        vth, bias = vth * 2.0**ALIGNMENT, np.floor(mantissa * 2.0**exponent)
    else:
        largest = 1, 1
        keep_u, keep_v, bias = 1.0 - du, 1.0 - dv, mantissa
        if np.any(exponent != 0):
            assumptions.append(f"{where}: bias_exp is ignored, as it is by Lava in floating point")
    for key, each, most in (("du", du, largest[0]), ("dv", dv, largest[1])):
        if np.any((each < 0) | (each > most)):
            other = "" if fixed else "; arithmetic='fixed' reads Loihi's integers"
            wrong = float(each[(each < 0) | (each > most)][0])
            faults.append(f"{where}: {key} must lie in 0..{most} in {_point(fixed)} point, got {wrong:g}{other}")
    given = values["vth"]  # without the shift that fixed point adds
    if np.any(given <= 0):
        faults.append(f"{where}: vth must be > 0, got {float(given[given <= 0][0]):g}: raise it, and the bias with it")
    if faults:
        return None, faults, []
    rest = process.proc_params["refractory_period"] if type(process) is compat.LIFRefractory else 0
    neuron = LIF(
        tau_syn=_one(time_constants(keep_u, dt)),
        tau_mem=_one(time_constants(keep_v, dt)),
        v_threshold=_one(vth),
        bias=_one(bias),
        refractory=_one(np.broadcast_to(np.asarray(rest, dtype=np.float64), (size,)) * dt),
    )
    return Population(name, size, neuron), [], assumptions


def _point(fixed: bool) -> str:
    return "fixed" if fixed else "floating"


def _one(values: FloatArray) -> Parameter:
    """One number where all neurons share it."""
    return float(values.flat[0]) if np.all(values == values.flat[0]) else values
