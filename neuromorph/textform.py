"""Programs as text: TOML that people can read, tests can compare, and :func:`loads` reads back to the bit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from neuromorph.errors import FaultList, InputError
from neuromorph.program import FORMAT, Program, from_plain, to_plain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SYNAPSE_COLUMNS = ("post_index", "pre_index", "weight", "delay")
_FEWEST_SHARED = 32  # synapses; below, a table of weights beside the rows is harder to read than the rows


def dumps(program: Program) -> str:
    """The whole program as text; arrays of one repeated value are shortened, everything else is written out.

    Where many synapses share few weights, as in a convolution, the weights are written once, as ``kernel``, and every
    synapse gives the index of its weight there.

    >>> from neuromorph import LIF, Input, Network, Population, Projection, compile
    >>> net = Network(populations=[Input("in", 1), Population("out", 2, LIF())],
    ...               projections=[Projection("in", "out", [[0.5], [0.25]])])
    >>> text = dumps(compile(net))
    >>> loads(text).fingerprint == compile(net).fingerprint
    True
    """
    plain = to_plain(program, lambda array: array)
    lists = {name: plain.pop(name) for name in ("inputs", "populations", "projections", "modulators", "probes")}
    lines = [f"format = {json.dumps(FORMAT)}", f'fingerprint = "{program.fingerprint}"']
    lines += _table(plain)
    for name, items in lists.items():
        for item in items:
            lines += ["", f"[[{name}]]"]
            if name == "projections":
                lines += _projection(item)
            else:
                lines += _table(item)
    return "\n".join(lines) + "\n"


def loads(text: str) -> Program:
    """Read what :func:`dumps` wrote; raises :class:`InputError` where the text is not a whole program."""
    try:
        plain = tomllib.loads(text)
        if plain.pop("format", None) != FORMAT:
            raise InputError(f"the text does not begin with format = {FORMAT!r}: it is no program")
        fingerprint = plain.pop("fingerprint", None)
        for name in ("inputs", "populations", "projections", "modulators", "probes"):
            plain.setdefault(name, [])
        for projection in plain["projections"]:
            rows: Sequence[Sequence[float]] = projection.pop("synapses")
            if (kernel := projection.pop("kernel", None)) is not None:
                rows = [[post, pre, _weight(kernel, index), delay] for post, pre, index, delay in rows]
            columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
            projection |= dict(zip(_SYNAPSE_COLUMNS, columns, strict=True))
            projection["rule"] = _rule(projection.get("rule"))
        program = from_plain(plain, _restore)
    except InputError:
        raise
    except FaultList as error:
        raise InputError(f"the text is no sound program: {error}") from None
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"the text is no whole program: {error!r}") from None
    if fingerprint not in (None, program.fingerprint):
        raise InputError("the text was changed after it was written: delete its fingerprint line to accept the change")
    return program


def _weight(kernel: Sequence[float], index: Any) -> float:
    if not 0 <= index < len(kernel):
        raise InputError(f"a synapse has the weight {index} of a kernel of {len(kernel)} weights: count from 0")
    weight: float = kernel[index]
    return weight


def _rule(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {"dt": None, "traces": {}, "modulators": {}, **values}


def _restore(value: Any) -> Any:
    if isinstance(value, Mapping):
        return np.full(value["repeat"], value["value"])
    return value


def _projection(item: dict[str, Any]) -> Iterator[str]:
    columns = [item.pop(name).tolist() for name in _SYNAPSE_COLUMNS]
    rule = item.pop("rule")
    yield from _table(item)
    weights = [_value(weight) for weight in columns[2]]
    kernel = list(dict.fromkeys(weights))
    is_shared = _is_much_shorter(weights, kernel)
    if is_shared:
        yield f"kernel = [{', '.join(kernel)}]"
        index = {weight: str(place) for place, weight in enumerate(kernel)}
        weights = [index[weight] for weight in weights]
    yield f"synapses = [  # post, pre, {'index of the weight in kernel' if is_shared else 'weight'}, delay in steps"
    for post, pre, weight, delay in zip(columns[0], columns[1], weights, columns[3], strict=True):
        yield f"  [{post}, {pre}, {weight}, {delay}],"
    yield "]"
    if rule is not None:
        traces, modulators = rule.pop("traces"), rule.pop("modulators")
        yield "[projections.rule]"
        yield from _table(rule)
        for name, trace in traces.items():
            yield f"[projections.rule.traces.{name}]"
            yield from _table(trace)
        if modulators:
            yield "[projections.rule.modulators]"
            yield from _table(modulators)


def _is_much_shorter(weights: Sequence[str], kernel: Sequence[str]) -> bool:
    """Whether distinct weights and an index for each synapse take at most half of the room of all weights."""
    indexed = sum(map(len, kernel)) + len(weights) * len(str(len(kernel)))
    return len(weights) >= _FEWEST_SHARED and 2 * indexed <= sum(map(len, weights))


def _table(values: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in values.items() if value is not None]


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").isalnum() else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        same_sign = np.signbit(value) == np.signbit(value[:1])  # 0.0 and -0.0 are equal and not the same
        if value.size > 1 and np.all((value == value[0]) & same_sign):
            return f"{{ repeat = {value.size}, value = {_value(value[0].item())} }}"
        return "[" + ", ".join(_value(item) for item in value.tolist()) + "]"
    if isinstance(value, Mapping) and value:
        return "{ " + ", ".join(_table(value)) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
