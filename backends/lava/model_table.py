"""Which ProcessModel implements which Process: two tables of Lava's own, and a run configuration that reads nothing else.

Left alone, Lava looks for ProcessModels by importing and executing again every Python file beside the module of a
Process, scripts and ``__main__.py`` included. A table makes the choice explicit, and compiling some fifty times faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuromorph.backends.lava import compat
from neuromorph.errors import SimulatorError

FLOAT_MODELS: Mapping[type, type] = {
    compat.LIF: compat.PyLifModelFloat,
    compat.LIFReset: compat.PyLifResetModelFloat,
    compat.LIFRefractory: compat.PyLifRefractoryModelFloat,
    compat.Dense: compat.PyDenseModelFloat,
    compat.Sparse: compat.PySparseModelFloat,
    compat.DelayDense: compat.PyDelayDenseModelFloat,
    compat.DelaySparse: compat.PyDelaySparseModelFloat,
    compat.LearningDense: compat.PyLearningDenseModelFloat,
    compat.SourceRingBuffer: compat.PySendModelFloat,
    compat.SinkRingBuffer: compat.PyReceiveModelFloat,
    compat.Monitor: compat.PyMonitorModel,
}
"""Stock Processes in floating point."""

FIXED_MODELS: Mapping[type, type] = {
    compat.LIF: compat.PyLifModelBitAcc,
    compat.LIFReset: compat.PyLifResetModelBitAcc,
    compat.Dense: compat.PyDenseModelBitAcc,
    compat.Sparse: compat.PySparseModelBitAcc,
    compat.DelayDense: compat.PyDelayDenseModelBitAcc,
    compat.DelaySparse: compat.PyDelaySparseModelBitAcc,
    compat.LearningDense: compat.PyLearningDenseModelBitApproximate,
    compat.SourceRingBuffer: compat.PySendModelFixed,
    compat.SinkRingBuffer: compat.PyReceiveModelFixed,
    compat.Monitor: compat.PyMonitorModel,
}
"""Stock Processes in Loihi's integers. Lava has no LIFRefractory there."""


class ByClass(dict[type, type]):
    """A table that answers for a Process as for its class, and never falls back on Lava's discovery.

    Lava asks ``process in table`` before it discovers; a plain dictionary keyed by class answers only afterwards.
    """

    def __contains__(self, process: object) -> bool:
        del process  # A Process without an entry must fail here, not start the discovery.
        return True

    def __getitem__(self, process: Any) -> type:
        process_class = process if isinstance(process, type) else type(process)
        try:
            return dict.__getitem__(self, process_class)
        except KeyError:
            known = ", ".join(sorted(known_class.__name__ for known_class in self))
            raise SimulatorError(
                f"no ProcessModel is given for Process class {process_class.__module__}.{process_class.__qualname__}; "
                f"add it to the table, which knows {known}"
            ) from None


def run_configuration(table: Mapping[type, type]) -> Any:
    """A Lava run configuration that takes each ProcessModel from ``table`` (Process class to ProcessModel class)."""
    for process_class, model_class in table.items():
        implemented = getattr(model_class, "implements_process", None)
        # A SubProcessModel or a Process's own model may serve subclasses; a model of another Process is a mistake.
        if implemented is None or not issubclass(process_class, implemented):
            raise SimulatorError(
                f"table entry {process_class.__name__}: {model_class.__name__} implements "
                f"{getattr(implemented, '__name__', 'no Process')}; decorate it with implements(proc=...)"
            )
    return compat.Loihi2SimCfg(exception_proc_model_map=ByClass(table))
