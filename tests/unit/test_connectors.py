import math

import numpy as np
import pytest
import scipy.sparse

from neuromorph.connectors import (
    AllToAll,
    Connector,
    Dense,
    FixedProbability,
    Normal,
    OneToOne,
    Sparse,
    Uniform,
    as_connector,
)
from neuromorph.errors import DescriptionError


def drawn(connector: Connector, post: int, pre: int, seed: int = 0) -> tuple[list[int], list[int], list[float]]:
    synapses = connector.synapses(post, pre, np.random.default_rng(seed))
    return synapses.post.tolist(), synapses.pre.tolist(), synapses.weight.tolist()


@pytest.mark.parametrize(
    "connector",
    [AllToAll(Uniform(0, 1)), OneToOne(Normal(0, 1)), FixedProbability(0.3, Uniform(0, 1)), Dense(np.ones((6, 6)))],
)
def test_synapses_are_ordered_by_post_then_pre_each_once(connector: Connector) -> None:
    post, pre, weight = drawn(connector, 6, 6)
    pairs = list(zip(post, pre, strict=True))
    assert pairs == sorted(set(pairs)) and len(weight) == len(pairs)


def test_same_seed_same_synapses_and_another_seed_others() -> None:
    connector = FixedProbability(0.5, Uniform(0, 1))
    assert drawn(connector, 20, 30, seed=1) == drawn(connector, 20, 30, seed=1)
    assert drawn(connector, 20, 30, seed=1)[:2] != drawn(connector, 20, 30, seed=2)[:2]


def test_fixed_probability_keeps_its_share_of_synapses_for_every_neuron_alike() -> None:
    post, pre, _ = drawn(FixedProbability(0.3), 400, 500)
    expected, spread = 0.3, math.sqrt(0.3 * 0.7)
    assert abs(len(post) / 200_000 - expected) < 4 * spread / math.sqrt(200_000)
    for ends, size, others in ((post, 400, 500), (pre, 500, 400)):
        shares = np.bincount(ends, minlength=size) / others
        assert np.all(np.abs(shares - expected) < 6 * spread / math.sqrt(others))
        # independent synapses: degrees vary as binomials do
        assert 0.8 < shares.var() / (spread**2 / others) < 1.25


@pytest.mark.parametrize(("probability", "synapses"), [(0, 0), (0.0, 0), (1.0, 35), (1, 35)])
def test_probability_may_be_none_or_all(probability: float, synapses: int) -> None:
    assert len(drawn(FixedProbability(probability), 5, 7)[0]) == synapses


def test_self_connections_can_be_left_out() -> None:
    post, pre, _ = drawn(FixedProbability(1.0, allow_self=False), 5, 5)
    assert len(post) == 20 and all(i != j for i, j in zip(post, pre, strict=True))
    assert FixedProbability(1.0, allow_self=False).size_faults(5, 4)


def test_distributions_have_their_moments() -> None:
    uniform = np.array(drawn(AllToAll(Uniform(-1.0, 3.0)), 200, 200)[2])
    assert uniform.min() >= -1 and uniform.max() < 3 and abs(uniform.mean() - 1) < 0.03
    normal = np.array(drawn(AllToAll(Normal(2.0, 0.5)), 200, 200)[2])
    assert abs(normal.mean() - 2) < 0.015 and abs(normal.std() - 0.5) < 0.01


def test_one_to_one_is_the_diagonal_of_equal_populations() -> None:
    assert drawn(OneToOne(0.5), 3, 3) == ([0, 1, 2], [0, 1, 2], [0.5] * 3)
    assert OneToOne().size_faults(3, 4) == [
        "OneToOne needs populations of one size, got 4 presynaptic and 3 postsynaptic neurons"
    ]


def test_zero_weights_of_arrays_exist() -> None:
    assert drawn(as_connector([[0.0, 1.0]]), 1, 2) == ([0, 0], [0, 1], [0.0, 1.0])


def test_sparse_matrices_keep_their_stored_entries_in_order() -> None:
    matrix = scipy.sparse.csr_array((np.array([3.0, 0.0, 2.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), shape=(2, 3))
    assert drawn(as_connector(matrix), 2, 3) == ([0, 0, 1], [0, 2, 1], [0.0, 3.0, 2.0])
    assert drawn(as_connector(scipy.sparse.coo_array(matrix)), 2, 3) == ([0, 0, 1], [0, 2, 1], [0.0, 3.0, 2.0])
    assert drawn(as_connector(scipy.sparse.csc_matrix(matrix)), 2, 3)[0] == [0, 0, 1]


def test_empty_sparse_matrices_connect_nothing() -> None:
    assert drawn(as_connector(scipy.sparse.csr_array((3, 4))), 3, 4) == ([], [], [])


def test_weights_of_the_wrong_shape_are_refused_with_a_hint_where_they_are_transposed() -> None:
    assert Dense(np.ones((2, 3))).size_faults(2, 3) == []
    assert Dense(np.ones((2, 3))).size_faults(3, 2)[0].endswith("got (2, 3); transpose them")
    assert as_connector(scipy.sparse.csr_array((2, 3))).size_faults(3, 2)[0].endswith("; transpose them")
    assert Dense(np.ones((2, 3))).size_faults(4, 2)[0].endswith("got (2, 3)")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: as_connector(0.5), "for one value write AllToAll"),
        (lambda: as_connector("dense"), "Dense.weights must be an array"),
        (lambda: as_connector([[1.0, math.nan]]), r"must be finite, got .*nan.* at \[0, 1\]"),
        (lambda: as_connector([[1.0], [1.0, 2.0]]), "Dense.weights must be an array"),
        (lambda: AllToAll("strong"), "AllToAll.weight must be a finite number"),
        (lambda: AllToAll(math.inf), "AllToAll.weight must be a finite number"),
        (lambda: AllToAll(1.0, seed=-1), "AllToAll.seed must be None or a whole number"),
        (lambda: FixedProbability(1.5), r"probability must lie in 0..1, got 1.5"),
        (lambda: FixedProbability(math.nan), r"probability must lie in 0..1, got nan"),
        (lambda: Uniform(1.0, 0.0), "Uniform needs finite low <= high"),
        (lambda: Normal(0.0, -1.0), "Normal needs"),
        (lambda: Sparse([1.0], [5], [0, 1], (1, 3)), r"indices must lie in 0..2"),
        (lambda: Sparse([1.0, 1.0], [1, 1], [0, 2], (1, 3)), "stored twice"),
        (lambda: Sparse([1.0], [1], [0, 2], (1, 3)), "indptr must rise"),
        (lambda: Sparse([math.inf], [1], [0, 1], (1, 3)), "must be finite"),
        (lambda: Sparse([1.0], [1], [0, 1], (2, 3)), "indptr must have 3 entries"),
    ],
)
def test_wrong_weights_are_refused_by_name(make: object, says: str) -> None:
    with pytest.raises(DescriptionError, match=says):
        make()  # type: ignore[operator]


def test_arrays_are_copied_and_read_only() -> None:
    values = np.ones((2, 2))
    connector = Dense(values)
    values[:] = 7.0
    assert connector.weights.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    with pytest.raises(ValueError, match="read-only"):
        connector.weights[0, 0] = 2.0
