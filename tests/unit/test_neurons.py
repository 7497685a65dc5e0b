import dataclasses
import math

import numpy as np
import pytest

from neuromorph.errors import DescriptionError
from neuromorph.neurons import IF, LIF


def test_a_neuron_names_every_wrong_parameter_at_once() -> None:
    with pytest.raises(DescriptionError) as caught:
        LIF(tau_mem=-1.0, tau_syn=-1e-3, v_threshold=0.0, bias=math.inf, refractory=math.nan)
    assert [fault.partition(" ")[0] for fault in caught.value.faults] == [
        "LIF.tau_mem", "LIF.tau_syn", "LIF.v_threshold", "LIF.bias", "LIF.refractory",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["20 ms", None, True, [[1.0]], [], [1.0, "x"]])
def test_what_is_no_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(DescriptionError, match=r"LIF\.tau_mem must be"):
        LIF(tau_mem=value)  # type: ignore[arg-type]


def test_a_wrong_neuron_among_many_is_named_with_its_value() -> None:
    with pytest.raises(DescriptionError, match=r"LIF.v_threshold must be > 0, got -1.0 for neuron 1 and 1 more"):
        LIF(v_threshold=[1.0, -1.0, 0.0])


def test_limits_are_allowed() -> None:
    assert LIF(tau_mem=0).tau_mem == 0.0  # no memory
    neuron = LIF(tau_mem=math.inf, tau_syn=0, refractory=0, bias=-1)
    assert (neuron.tau_mem, neuron.tau_syn) == (math.inf, 0.0)
    assert IF().tau_mem == math.inf


def test_parameters_are_copied_and_read_only() -> None:
    values = np.array([1.0, 2.0])
    neuron = LIF(v_threshold=values)
    values[0] = 9.0
    assert isinstance(neuron.v_threshold, np.ndarray) and neuron.v_threshold.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        neuron.v_threshold[0] = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        neuron.bias = 1.0  # type: ignore[misc]


def test_parameters_must_fit_the_population() -> None:
    assert LIF(bias=[0.1, 0.2]).size_faults(2) == []
    assert LIF(bias=[0.1, 0.2]).size_faults(3) == ["LIF.bias has length 2 for 3 neurons: give one number, or 3"]
