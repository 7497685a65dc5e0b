"""A start for the search: halves of halves of a graph, cut where its slowest mode of vibration changes sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuromorph.recording import FloatArray, IntArray

FEW = 96  # vertices: of so few all eigenvectors are found at once


def bisected(links: Any, sizes: IntArray, parts: int) -> IntArray:
    """The part, from 0, of every vertex of a symmetric sparse graph; all parts of about equal size.

    Recursive spectral bisection (Pothen, Simon and Liou 1990, SIAM J. Matrix Anal. Appl. 11(3)): vertices in order of
    the second eigenvector of the normalised graph, the first half of the size to the one side.

    >>> from scipy.sparse import csr_array
    >>> pairs = np.zeros((4, 4)); pairs[0, 2] = pairs[2, 0] = pairs[1, 3] = pairs[3, 1] = 1.0; pairs[0, 1] = pairs[1, 0] = 0.1
    >>> part = bisected(csr_array(pairs), np.ones(4, dtype=np.int64), 2)
    >>> bool(part[0] == part[2] != part[1] == part[3])
    True
    """
    found = np.zeros(sizes.size, dtype=np.int64)
    waiting = [(np.arange(sizes.size), 0, parts)]
    while waiting:
        vertices, first, count = waiting.pop()
        if count == 1 or vertices.size < 2:
            found[vertices] = first
            continue
        left = count // 2
        order = vertices[np.argsort(_second_mode(links[vertices][:, vertices]), kind="stable")]
        until = np.cumsum(sizes[order])
        half = int(np.searchsorted(until, until[-1] * left / count, side="right"))
        waiting += [(np.sort(order[:half]), first, left), (np.sort(order[half:]), first + left, count - left)]
    return found


def _second_mode(graph: Any) -> FloatArray:
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import ArpackError, eigsh

    degree = np.asarray(graph.sum(axis=1)).ravel()
    root = np.sqrt(np.where(degree > 0, degree, 1.0))
    scale = diags_array(1 / root)
    normal = (scale @ graph @ scale).tocsr()
    if root.size <= FEW:
        return np.asarray(np.linalg.eigh(normal.toarray())[1][:, -2] / root)
    start = np.random.default_rng(0).random(root.size)  # the same for everyone: the search has the seed
    try:
        values, vectors = eigsh(normal, k=2, which="LA", v0=start, tol=1e-4, maxiter=2000)
    except ArpackError:
        return np.arange(root.size, dtype=np.float64)
    return np.asarray(vectors[:, int(np.argmin(values))] / root)
