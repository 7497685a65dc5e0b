"""Operations of single layers are those that one counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.neurobench import SynapticOperations, layer_operations

MASKED = np.array([[1.0, 0.0, -2.0], [0.5, 0.0, 3.0]])  # nonzero in its columns: 2, 0, 2


def test_spikes_are_accumulates_of_the_nonzero_weights_that_read_them() -> None:
    found = layer_operations([[1, 1, 0], [0, 1, 0], [1, 0, 1]], MASKED)
    assert found == SynapticOperations(effective_acs=2 + 0 + 4, effective_macs=0, dense=3 * 2 * 3)


def test_signed_spikes_are_accumulates_and_graded_values_multiply_accumulates() -> None:
    assert layer_operations([[-1, 0, 1]], MASKED) == SynapticOperations(effective_acs=4, dense=6)
    assert layer_operations([[0.5, 0, 1]], MASKED) == SynapticOperations(effective_macs=4, dense=6)
    assert layer_operations([[2, 0, 0]], MASKED) == SynapticOperations(effective_macs=2, dense=6)


def test_one_graded_value_makes_its_whole_call_multiply_accumulates() -> None:
    rows = [[1, 0, 0], [0.5, 0, 0], [1, 0, 1]]
    assert layer_operations(rows, MASKED) == SynapticOperations(effective_acs=6, effective_macs=2, dense=18)
    assert layer_operations(rows, MASKED, batch=3) == SynapticOperations(effective_macs=8, dense=18)
    assert layer_operations(rows, MASKED, batch=2) == SynapticOperations(effective_acs=4, effective_macs=4, dense=18)


def test_operations_of_two_layers_add_up() -> None:
    one = layer_operations([[1, 0, 1]], MASKED)
    assert one + one == layer_operations([[1, 0, 1], [1, 0, 1]], MASKED)


def test_no_calls_are_no_operations() -> None:
    assert layer_operations(np.zeros((0, 3)), MASKED) == SynapticOperations()


@pytest.mark.parametrize(
    ("inputs", "weights", "batch"),
    [([1, 0, 1], MASKED, 1), ([[1, 0]], MASKED, 1), ([[1, 0, 1]], MASKED, 0), ([["a", "b", "c"]], MASKED, 1)],
)
def test_what_does_not_fit_is_refused(inputs: object, weights: np.ndarray, batch: int) -> None:
    with pytest.raises(InputError, match="layer_operations"):
        layer_operations(inputs, weights, batch=batch)  # type: ignore[arg-type]


def test_the_function_for_whole_programs_is_at_the_top() -> None:
    assert nm.metrics.__module__.startswith("neuromorph.neurobench")
