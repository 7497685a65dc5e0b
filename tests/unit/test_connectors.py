import math

import numpy as np
import pytest
import scipy.sparse

from neuromorph import random_connectivity
from neuromorph.connectors import (
    AllToAll,
    Connector,
    Dense,
    FixedInDegree,
    FixedOutDegree,
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
    [
        AllToAll(Uniform(0, 1)),
        OneToOne(Normal(0, 1)),
        FixedProbability(0.3, Uniform(0, 1)),
        FixedOutDegree(2, Uniform(0, 1)),
        FixedInDegree(5, Uniform(0, 1), allow_self=False),
        Dense(np.ones((6, 6))),
    ],
)
def test_synapses_are_ordered_by_post_then_pre_each_once(connector: Connector) -> None:
    post, pre, weight = drawn(connector, 6, 6)
    pairs = list(zip(post, pre, strict=True))
    assert pairs == sorted(set(pairs)) and len(weight) == len(pairs)


@pytest.mark.parametrize("connector", [FixedProbability(0.5, Uniform(0, 1)), FixedOutDegree(7, Uniform(0, 1))])
def test_same_seed_same_synapses_and_another_seed_others(connector: Connector) -> None:
    assert drawn(connector, 20, 30, seed=1) == drawn(connector, 20, 30, seed=1)
    assert drawn(connector, 20, 30, seed=1)[:2] != drawn(connector, 20, 30, seed=2)[:2]


@pytest.mark.parametrize("few_rows", [0, 4096])
def test_fixed_probability_keeps_its_share_of_synapses_for_every_neuron_alike(
    few_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random_connectivity, "FEW_ROWS", few_rows)
    monkeypatch.setattr(random_connectivity, "BATCH", 5000)
    post, pre, _ = drawn(FixedProbability(0.3), 400, 500)
    expected, spread = 0.3, math.sqrt(0.3 * 0.7)
    assert abs(len(post) / 200_000 - expected) < 4 * spread / math.sqrt(200_000)
    for ends, size, others in ((post, 400, 500), (pre, 500, 400)):
        shares = np.bincount(ends, minlength=size) / others
        assert np.all(np.abs(shares - expected) < 6 * spread / math.sqrt(others))
        # independent synapses: degrees vary as binomials do
        assert 0.8 < shares.var() / (spread**2 / others) < 1.25


@pytest.mark.parametrize("few_rows", [0, 4096])
@pytest.mark.parametrize(("probability", "synapses"), [(0, 0), (0.0, 0), (1e-18, 0), (1.0, 35), (1, 35)])
def test_probability_may_be_none_or_all(
    probability: float, synapses: int, few_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random_connectivity, "FEW_ROWS", few_rows)
    assert len(drawn(FixedProbability(probability), 5, 7)[0]) == synapses


@pytest.mark.parametrize("few_rows", [0, 4096])
def test_self_connections_can_be_left_out(few_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_connectivity, "FEW_ROWS", few_rows)
    post, pre, _ = drawn(FixedProbability(1.0, allow_self=False), 5, 5)
    assert len(post) == 20 and all(i != j for i, j in zip(post, pre, strict=True))
    assert FixedProbability(1.0, allow_self=False).size_faults(5, 4)


@pytest.mark.parametrize("allow_self", [True, False])
@pytest.mark.parametrize("degree", [0, 1, 3, 4, 5, 8, 9])
def test_every_neuron_has_its_degree(degree: int, allow_self: bool) -> None:
    for kind, end in ((FixedOutDegree, 1), (FixedInDegree, 0)):
        connector = kind(degree, Uniform(0, 1), allow_self=allow_self)
        if faults := connector.size_faults(9, 9):
            others = "other " if not allow_self else ""
            ends = "postsynaptic" if kind is FixedOutDegree else "presynaptic"
            assert degree == 9 and faults == [
                f"{kind.__name__}.degree must be at most 8, the number of {others}{ends} neurons, got 9"
            ]
            continue
        found = drawn(connector, 9, 9)
        assert np.bincount(found[end], minlength=9).tolist() == [degree] * 9
        assert len(set(zip(*found[:2], strict=True))) == 9 * degree
        assert allow_self or all(j != i for j, i in zip(*found[:2], strict=True))
    assert FixedOutDegree(3).size_faults(4, 9) == [] and FixedOutDegree(5).size_faults(4, 9)
    assert FixedInDegree(5).size_faults(4, 9) == [] and FixedInDegree(10).size_faults(4, 9)
    assert FixedInDegree(1, allow_self=False).size_faults(4, 9)


@pytest.mark.parametrize("allow_self", [True, False])
@pytest.mark.parametrize("degree", [2, 4])
def test_every_set_of_targets_is_equally_likely(degree: int, allow_self: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_connectivity, "BATCH", 60)
    rng, counts, draws = np.random.default_rng(0), dict[tuple[int, ...], int](), 4000
    for _ in range(draws):
        for row in random_connectivity.distinct_rows(2, degree, 6, rng, allow_self).reshape(2, degree)[:1].tolist():
            counts[tuple(row)] = counts.get(tuple(row), 0) + 1
    sets = math.comb(6 if allow_self else 5, degree)
    assert len(counts) == sets and all(row == tuple(sorted(set(row))) for row in counts)
    spread = math.sqrt(draws / sets * (1 - 1 / sets))
    assert max(abs(count - draws / sets) for count in counts.values()) < 4.5 * spread
    assert allow_self or all(0 not in row for row in counts)


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


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "lil", "dia"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, np.int64])
def test_every_form_of_sparse_matrix_is_the_same_connector(form: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    dense = np.where(
        rng.random((9, 7)) < 0.4, rng.integers(1, 100, (9, 7)) / (1 if dtype in (np.int8, np.int64) else 8), 0
    )
    matrix = scipy.sparse.csr_array(dense.astype(dtype)).asformat(form)
    post, pre = np.nonzero(dense)
    assert drawn(as_connector(matrix), 9, 7) == (post.tolist(), pre.tolist(), dense[post, pre].tolist())


def test_rows_of_a_sparse_matrix_may_be_in_any_order() -> None:
    matrix = scipy.sparse.csr_array(([1.0, 2.0, 3.0, 4.0], [2, 0, 1, 0], [0, 2, 4]), shape=(2, 3))
    assert drawn(as_connector(matrix), 2, 3) == ([0, 0, 1, 1], [0, 2, 0, 1], [2.0, 1.0, 4.0, 3.0])
    assert matrix.indices.tolist() == [2, 0, 1, 0]


def test_arrays_of_sparse_matrices_are_copied_where_somebody_can_write_to_them() -> None:
    data, indices, indptr = np.array([0.1, 0.2]), np.array([0, 1], dtype=np.int32), np.array([0, 1, 2])
    copied = Sparse(data, indices, indptr, (2, 2))
    matrix = scipy.sparse.csr_array((data.copy(), indices, indptr), shape=(2, 2))
    taken = as_connector(matrix)
    data[:] = indices[:] = indptr[:] = 0
    matrix.data[:] = 7.0
    for connector in (copied, taken):
        assert drawn(connector, 2, 2) == ([0, 1], [0, 1], [0.1, 0.2])
    for array in (data, indices):
        array.flags.writeable = False
    data = np.array([0.1, 0.2])
    data.flags.writeable = False
    assert Sparse(data, [0, 1], [0, 1, 2], (2, 2)).data is data


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
        (lambda: Sparse([1.0, 1.0, 1.0], [1, 0, 1], [0, 3], (1, 3)), "stored twice"),
        (lambda: FixedOutDegree(-1), "FixedOutDegree.degree must be a whole number >= 0, got -1"),
        (lambda: FixedInDegree(1.5), "FixedInDegree.degree must be a whole number >= 0, got 1.5"),
        (lambda: FixedInDegree(1, "strong", seed=-1), r"FixedInDegree.weight must .*\n.*FixedInDegree.seed must"),
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
