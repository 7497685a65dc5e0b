"""What arrives at a node, as sparse matrices over the spikes of the populations that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from neuromorph.nir.linear_maps import Matrix
from neuromorph.recording import FloatArray, IntArray

Source = tuple[str, int]  # the node that sends, and the steps of the Delay nodes on the way


@dataclass(frozen=True, eq=False)
class Signal:
    """``sum over sources of matrix . spikes[t - delay] + constant``, flat."""

    terms: Mapping[Source, Matrix]
    constant: FloatArray
    graded: frozenset[str] = field(default_factory=frozenset)  # nodes without spikes whose state flows in

    @classmethod
    def of_spikes(cls, name: str, size: int) -> Signal:
        """The spikes of one population."""
        return cls({(name, 0): scipy.sparse.identity(size, format="csr")}, np.zeros(size))

    @classmethod
    def of_state(cls, name: str, size: int) -> Signal:
        """The state of a population that does not spike: nothing that can be computed with, but known by name."""
        return cls({}, np.zeros(size), frozenset([name]))

    @classmethod
    def sum(cls, signals: list[Signal], size: int) -> Signal:
        """All of them together."""
        terms: dict[Source, Matrix] = {}
        for signal in signals:
            for source, matrix in signal.terms.items():
                terms[source] = terms[source] + matrix if source in terms else matrix
        constant = np.zeros(size)
        for signal in signals:
            constant = constant + signal.constant
        return cls(terms, constant, frozenset().union(*(signal.graded for signal in signals)))

    def mapped(self, matrix: Matrix, constant: FloatArray) -> Signal:
        """After a linear node."""
        terms = {source: matrix @ term for source, term in self.terms.items()}
        return Signal(terms, matrix @ self.constant + constant, self.graded)

    def delayed(self, steps: IntArray) -> Signal:
        """After a Delay node of so many steps for each element; a constant stays what it is."""
        terms: dict[Source, Matrix] = {}
        for (name, before), term in self.terms.items():
            for step in np.unique(steps):
                chosen = scipy.sparse.diags((steps == step).astype(np.float64), format="csr") @ term
                if chosen.nnz or np.all(steps == step):
                    source = (name, before + int(step))
                    terms[source] = terms[source] + chosen if source in terms else chosen
        return Signal(terms, self.constant, self.graded)

    def by_sender(self) -> dict[str, list[tuple[int, Matrix]]]:
        """By node that sends, the steps of delay and the matrices."""
        found: dict[str, list[tuple[int, Matrix]]] = {}
        for (name, steps), matrix in sorted(self.terms.items(), key=lambda item: item[0][1]):
            found.setdefault(name, []).append((steps, matrix))
        return found
