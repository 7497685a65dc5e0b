from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from neuromorph.errors import InputError
from neuromorph.nir.graph import Node
from neuromorph.nir.linear_maps import linear_map, shape_out, window_map


def dense_convolution(
    x: np.ndarray, weight: np.ndarray, stride: tuple[int, ...], before: Any, after: Any, dilation: Any, groups: int
) -> np.ndarray:
    """The definition, one product at a time."""
    padded = np.pad(x, [(0, 0), *zip(before, after, strict=True)])
    kernel = weight.shape[2:]
    space = range(len(kernel))
    reach = [dilation[d] * (kernel[d] - 1) + 1 for d in space]
    sizes = [len(range(0, padded.shape[1 + d] - reach[d] + 1, stride[d])) for d in space]
    y = np.zeros((weight.shape[0], *sizes))
    for c, *place in np.ndindex(*y.shape):
        group = c // (weight.shape[0] // groups)
        for i, *tap in np.ndindex(*weight.shape[1:]):
            read = tuple(place[d] * stride[d] + tap[d] * dilation[d] for d in space)
            y[(c, *place)] += weight[(c, i, *tap)] * padded[(group * weight.shape[1] + i, *read)]
    return y


@pytest.mark.parametrize(
    ("shape", "weight_shape", "stride", "padding", "dilation", "groups"),
    [
        ((1, 7), (2, 1, 3), 1, 0, 1, 1),
        ((3, 9), (4, 3, 2), 2, 1, 3, 1),
        ((4, 8), (6, 2, 3), 1, 2, 1, 2),
        ((2, 5, 6), (3, 2, 2, 3), 1, 0, 1, 1),
        ((2, 5, 6), (3, 2, 3, 2), (2, 1), (0, 1), (1, 2), 1),  # a kernel that is not square
        ((4, 6, 5), (4, 1, 3, 3), (1, 2), 1, 1, 4),
        ((4, 6, 5), (2, 2, 2, 1), 1, (1, 0), 2, 2),
        ((1, 4, 4), (1, 1, 4, 4), 1, 0, 1, 1),
    ],
)
def test_a_convolution_is_the_sum_of_its_products(
    shape: Any, weight_shape: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    rng = np.random.default_rng(0)
    weight, x = rng.normal(size=weight_shape), rng.normal(size=shape)
    count = len(shape) - 1
    each = [np.broadcast_to(value, count).tolist() for value in (stride, padding, dilation)]
    wanted = dense_convolution(x, weight, tuple(each[0]), each[1], each[1], each[2], groups)
    matrix, out = window_map(weight, shape, stride=stride, padding=padding, dilation=dilation, groups=groups)
    assert out == wanted.shape
    np.testing.assert_allclose(matrix @ x.ravel(), wanted.ravel(), rtol=0, atol=1e-12)  # sums in another order


@pytest.mark.parametrize(("kernel", "dilation"), [((3, 3), (1, 1)), ((2, 5), (1, 1)), ((3, 2), (2, 3))])
def test_padding_same_keeps_the_size_with_the_odd_zero_at_the_end(kernel: Any, dilation: Any) -> None:
    rng = np.random.default_rng(1)
    weight, x = rng.normal(size=(2, 1, *kernel)), rng.normal(size=(1, 6, 7))
    total = [gap * (size - 1) for gap, size in zip(dilation, kernel, strict=True)]
    before = [zeros // 2 for zeros in total]
    after = [zeros - zeros // 2 for zeros in total]
    wanted = dense_convolution(x, weight, (1, 1), before, after, dilation, 1)
    for padding in ("same", b"same", np.array("same", dtype=object)):
        matrix, out = window_map(weight, x.shape, stride=1, padding=padding, dilation=dilation, groups=1)
        assert out == (2, 6, 7)
        np.testing.assert_allclose(matrix @ x.ravel(), wanted.ravel(), rtol=0, atol=1e-12)


def test_padding_valid_is_none() -> None:
    weight = np.arange(6.0).reshape(1, 1, 2, 3)
    first, _ = window_map(weight, (1, 4, 4), stride=1, padding="valid", dilation=1, groups=1)
    second, _ = window_map(weight, (1, 4, 4), stride=1, padding=0, dilation=1, groups=1)
    assert (first != second).nnz == 0


@pytest.mark.parametrize("kind", ["SumPool2d", "AvgPool2d"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 0)), (2, 1, 1)]
)
def test_pooling_sums_or_averages_each_channel(kind: str, kernel: Any, stride: Any, padding: Any) -> None:
    x = np.random.default_rng(2).normal(size=(3, 5, 6))
    node = Node(
        "pool",
        kind,
        {key: np.array(v) for key, v in (("kernel_size", kernel), ("stride", stride), ("padding", padding))},
    )
    matrix, constant, out = linear_map(node, x.shape)
    height, width = np.broadcast_to(kernel, 2)
    down, right = np.broadcast_to(stride, 2)
    top, left = np.broadcast_to(padding, 2)
    padded = np.pad(x, [(0, 0), (top, top), (left, left)])
    wanted = np.zeros(out)
    for c, i, j in itertools.product(*map(range, out)):
        window = padded[c, i * down : i * down + height, j * right : j * right + width]
        assert window.shape == (height, width)
        wanted[c, i, j] = window.sum() if kind == "SumPool2d" else window.mean()
    assert out == shape_out(node, x.shape)
    assert out[1:] == (
        len(range(0, padded.shape[1] - height + 1, down)),
        len(range(0, padded.shape[2] - width + 1, right)),
    )
    np.testing.assert_allclose((matrix @ x.ravel() + constant).reshape(out), wanted, rtol=0, atol=1e-12)


def test_a_linear_node_of_many_matrices_maps_each_row_by_its_own() -> None:
    rng = np.random.default_rng(3)
    weight, bias, x = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 2)), rng.normal(size=(3, 4))
    matrix, constant, out = linear_map(Node("fc", "Affine", {"weight": weight, "bias": bias}), (3, 4))
    assert out == (3, 2)
    np.testing.assert_allclose(
        (matrix @ x.ravel() + constant).reshape(out), np.einsum("boi,bi->bo", weight, x) + bias, rtol=0, atol=1e-12
    )


def test_the_bias_of_a_convolution_is_one_for_each_channel() -> None:
    values = {"weight": np.ones((2, 1, 2)), "bias": [0.5, -1.0], "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    _, constant, out = linear_map(Node("conv", "Conv1d", values), (1, 4))
    assert constant.reshape(out).tolist() == [[0.5] * 3, [-1.0] * 3]


@pytest.mark.parametrize(("first", "last", "out"), [(0, -1, (24,)), (1, -1, (2, 12)), (0, 1, (6, 4)), (-2, 2, (2, 12))])
def test_flatten_joins_its_dimensions(first: int, last: int, out: tuple[int, ...]) -> None:
    node = Node("flat", "Flatten", {"start_dim": np.array(first), "end_dim": np.array(last)})
    matrix, _, found = linear_map(node, (2, 3, 4))
    assert found == out
    assert (matrix @ np.arange(24.0)).tolist() == list(range(24))


@pytest.mark.parametrize(
    ("kind", "values", "shape", "said"),
    [
        ("Conv2d", {"stride": 0}, (1, 4, 4), "stride and dilation must be at least 1"),
        ("Conv2d", {"padding": "some"}, (1, 4, 4), "'same' or 'valid', got 'some'"),
        ("Conv2d", {"padding": "same", "stride": 2}, (1, 4, 4), "'same' needs stride 1"),
        ("Conv2d", {"padding": -1}, (1, 4, 4), "padding must be at least 0"),
        ("Conv2d", {"stride": (1, 2, 3)}, (1, 4, 4), "stride must be one whole number or 2"),
        ("Conv2d", {"stride": 1.5}, (1, 4, 4), "stride must be one whole number"),
        ("Conv2d", {}, (2, 4, 4), "reads 1 channels, got 2"),
        ("Conv2d", {}, (4, 4), "shape \\(channels, 2 dimensions of space\\)"),
        ("Conv2d", {}, (1, 1, 4), "does not fit into its input"),
        ("Conv2d", {"groups": 2}, (1, 4, 4), "in 2 groups reads 2 channels"),
        ("Conv2d", {"weight": np.ones((1, 1, 2))}, (1, 4, 4), "must have 4 dimensions"),
        ("Conv2d", {"weight": np.full((1, 1, 2, 2), np.inf)}, (1, 4, 4), "weight must be finite"),
        ("Conv2d", {"bias": np.ones(3)}, (1, 4, 4), "bias of shape \\(3,\\) does not fit"),
        ("Flatten", {"start_dim": 3, "end_dim": -1}, (1, 4, 4), "do not lie in its input"),
        ("AvgPool2d", {"kernel_size": 0, "stride": 1, "padding": 0}, (1, 4, 4), "at least 1"),
        ("SumPool2d", {"kernel_size": 2, "stride": 2, "padding": 0}, (16,), "\\(channels, height, width\\)"),
        ("Linear", {"weight": np.ones(3)}, (3,), "shape \\(..., out, in\\)"),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, values: dict[str, Any], shape: tuple[int, ...], said: str) -> None:
    plain = {"weight": np.ones((1, 1, 2, 2)), "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    with pytest.raises(InputError, match=said):
        linear_map(Node("node", kind, (plain if kind == "Conv2d" else {}) | values), shape)


def test_a_convolution_has_one_entry_for_each_product() -> None:
    matrix, out = window_map(np.ones((2, 3, 3, 3)), (3, 8, 8), stride=1, padding=0, dilation=1, groups=1)
    assert matrix.nnz == math.prod(out) * 27
