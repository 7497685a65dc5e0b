"""All cases in the order of the page."""

from __future__ import annotations

from neuromorph.validation import (
    analog_mnist,
    further,
    keyword_spotting,
    mnist_convolution,
    nearest_neighbours,
    sequential_mnist,
    truenorth_rates,
)
from neuromorph.validation.case import Case

CASES: tuple[Case, ...] = (
    nearest_neighbours.CASE,
    keyword_spotting.CASE,
    sequential_mnist.CASE,
    truenorth_rates.CASE,
    mnist_convolution.CASE,
    analog_mnist.CASE,
    further.CASE,
)
