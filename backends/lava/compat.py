"""The one door to Lava: imports it on Python 3.10 to 3.13 and re-exports what this backend uses.

Importing Lava 0.10.0 plainly has side effects that this module prevents: it fails on Python 3.11 and later (a dataclass
with an unhashable default), it sets the process-wide start method of ``multiprocessing`` (and fails when one is set
already), and it lets import-time warnings of its dependencies through. Every Process it constructs stays in two global
registries for ever and adds a handler to the root logger; :func:`forget` takes both back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import logging
import multiprocessing
import platform
import sys
import warnings
from collections.abc import Collection, Iterator
from typing import Any

_UNHASHABLE_DEFAULTS = "lava.magma.compiler.var_model"


@contextlib.contextmanager
def _importable_lava() -> Iterator[None]:
    """Make Lava importable here, and give back everything that was changed for it."""
    dataclass = dataclasses.dataclass
    set_start_method = multiprocessing.set_start_method

    def hashable_dataclass(cls: Any = None, /, **options: Any) -> Any:
        def decorate(decorated: Any) -> Any:
            # Python 3.11 refuses unhashable defaults; these are instances of eq-dataclasses that nobody mutates.
            if decorated.__module__ == _UNHASHABLE_DEFAULTS:
                options.setdefault("unsafe_hash", True)
            return dataclass(decorated, **options)

        return decorate if cls is None else decorate(cls)

    def keep_start_method(method: str | None, force: bool = False) -> None:
        # Lava wants fork for the whole interpreter; the multi-process run asks for it only while it starts.
        del method, force

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if sys.version_info >= (3, 11):
            dataclasses.dataclass = hashable_dataclass
        multiprocessing.set_start_method = keep_start_method
        try:
            yield
        finally:
            dataclasses.dataclass = dataclass
            multiprocessing.set_start_method = set_start_method


with _importable_lava():
    import lava.magma.compiler.var_model  # noqa: F401  first, while the dataclass default is mended
    from lava.magma.compiler.builders.channel_builder import ChannelBuilderMp
    from lava.magma.compiler.builders.py_builder import PyProcessBuilder
    from lava.magma.compiler.channels.pypychannel import CspRecvPort, CspSendPort
    from lava.magma.compiler.compiler import Compiler
    from lava.magma.compiler.executable import Executable
    from lava.magma.core.decorator import implements, requires, tag
    from lava.magma.core.learning.constants import GradedSpikeCfg
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
    from lava.magma.core.learning.random import TraceRandom
    from lava.magma.core.model.model import AbstractProcessModel
    from lava.magma.core.model.py.model import PyLoihiProcessModel
    from lava.magma.core.model.py.ports import (
        IdentityTransformer,
        PyInPort,
        PyInPortVectorDense,
        PyOutPort,
        PyRefPort,
        PyVarPort,
    )
    from lava.magma.core.model.py.type import LavaPyType
    from lava.magma.core.process.message_interface_enum import ActorType
    from lava.magma.core.process.ports.ports import ImplicitVarPort, InPort, OutPort, RefPort, VarPort, create_port_id
    from lava.magma.core.process.process import AbstractProcess, LogConfig, ProcessServer
    from lava.magma.core.process.variable import Var, VarServer
    from lava.magma.core.resources import CPU
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
    from lava.magma.runtime.message_infrastructure.multiprocessing import MultiProcessing
    from lava.magma.runtime.message_infrastructure.shared_memory_manager import SharedMemoryManager
    from lava.magma.runtime.mgmt_token_enums import MGMT_COMMAND, MGMT_RESPONSE, enum_equal, enum_to_np
    from lava.magma.runtime.runtime import Runtime
    from lava.magma.runtime.runtime_services.runtime_service import LoihiPyRuntimeService
    from lava.proc.dense.models import (
        PyDelayDenseModelBitAcc,
        PyDelayDenseModelFloat,
        PyDenseModelBitAcc,
        PyDenseModelFloat,
        PyLearningDenseModelBitApproximate,
        PyLearningDenseModelFloat,
    )
    from lava.proc.dense.process import DelayDense, Dense, LearningDense
    from lava.proc.io.sink import PyReceiveModelFixed, PyReceiveModelFloat
    from lava.proc.io.sink import RingBuffer as SinkRingBuffer
    from lava.proc.io.source import PySendModelFixed, PySendModelFloat
    from lava.proc.io.source import RingBuffer as SourceRingBuffer
    from lava.proc.learning_rules.stdp_learning_rule import STDPLoihi
    from lava.proc.lif.models import (
        PyLifModelBitAcc,
        PyLifModelFloat,
        PyLifRefractoryModelFloat,
        PyLifResetModelBitAcc,
        PyLifResetModelFloat,
    )
    from lava.proc.lif.process import LIF, LIFRefractory, LIFReset
    from lava.proc.monitor.models import PyMonitorModel
    from lava.proc.monitor.process import Monitor
    from lava.proc.sparse.models import (
        PyDelaySparseModelBitAcc,
        PyDelaySparseModelFloat,
        PySparseModelBitAcc,
        PySparseModelFloat,
    )
    from lava.proc.sparse.process import DelaySparse, Sparse
    from lava.utils.sparse import find as sparse_entries
    from lava.utils.weightutils import SignMode

__all__ = [
    "CPU",
    "LIF",
    "MGMT_COMMAND",
    "MGMT_RESPONSE",
    "AbstractProcess",
    "AbstractProcessModel",
    "ActorType",
    "ChannelBuilderMp",
    "Compiler",
    "CspRecvPort",
    "CspSendPort",
    "DelayDense",
    "DelaySparse",
    "Dense",
    "Executable",
    "GradedSpikeCfg",
    "IdentityTransformer",
    "ImplicitVarPort",
    "InPort",
    "LIFRefractory",
    "LIFReset",
    "LavaPyType",
    "LearningDense",
    "Loihi2FLearningRule",
    "Loihi2SimCfg",
    "Loihi3FLearningRule",
    "LoihiProtocol",
    "LoihiPyRuntimeService",
    "Monitor",
    "MultiProcessing",
    "OutPort",
    "PyDelayDenseModelBitAcc",
    "PyDelayDenseModelFloat",
    "PyDelaySparseModelBitAcc",
    "PyDelaySparseModelFloat",
    "PyDenseModelBitAcc",
    "PyDenseModelFloat",
    "PyInPort",
    "PyInPortVectorDense",
    "PyLearningDenseModelBitApproximate",
    "PyLearningDenseModelFloat",
    "PyLifModelBitAcc",
    "PyLifModelFloat",
    "PyLifRefractoryModelFloat",
    "PyLifResetModelBitAcc",
    "PyLifResetModelFloat",
    "PyLoihiProcessModel",
    "PyMonitorModel",
    "PyOutPort",
    "PyProcessBuilder",
    "PyReceiveModelFixed",
    "PyReceiveModelFloat",
    "PyRefPort",
    "PySendModelFixed",
    "PySendModelFloat",
    "PySparseModelBitAcc",
    "PySparseModelFloat",
    "PyVarPort",
    "RefPort",
    "RunSteps",
    "Runtime",
    "STDPLoihi",
    "SharedMemoryManager",
    "SignMode",
    "SinkRingBuffer",
    "SourceRingBuffer",
    "Sparse",
    "TraceRandom",
    "Var",
    "VarPort",
    "create_port_id",
    "enum_equal",
    "enum_to_np",
    "forget",
    "implements",
    "requires",
    "sparse_entries",
    "strip_log_handlers",
    "tag",
    "version_report",
]


def strip_log_handlers() -> None:
    """Remove the handlers that every Process and every compilation adds; those of the caller stay.

    They are known by the class and by the very format that Lava gives them.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        formatter = handler.formatter
        by_lava = (
            type(handler) is logging.StreamHandler
            and formatter is not None
            and formatter._fmt == LogConfig.format
            and formatter.datefmt == LogConfig.date_format
        )
        if by_lava:
            root.removeHandler(handler)
    compiler_log = logging.getLogger("lava.magma.compiler.compiler")
    for handler in compiler_log.handlers[:]:
        if type(handler) is logging.StreamHandler:
            compiler_log.removeHandler(handler)


def forget(processes: Collection[Any]) -> None:
    """Take ``processes`` and their Vars out of Lava's global registries, so that they can be freed.

    The registries' counters go on: resetting them, as Lava's own ``reset_server`` does, would hand out the same ids
    twice while another graph is being built.
    """
    forgotten = {id(process) for process in processes}
    processes_server, variable_server = ProcessServer(), VarServer()
    processes_server.processes = [one for one in processes_server.processes if id(one) not in forgotten]
    variable_server.vars = [one for one in variable_server.vars if id(one.process) not in forgotten]
    for model_class in {process.model_class for process in processes} - {None}:
        for name, value in list(vars(model_class).items()):
            # The compiler leaves the ports of Monitors on the classes of the models that they watch.
            if isinstance(value, ImplicitVarPort) and id(value.process) in forgotten:
                setattr(model_class, name, None)
    strip_log_handlers()


def version_report() -> dict[str, str]:
    """Versions of everything that decides what a run gives."""
    packages = ("lava-nc", "greenlet", "numpy", "scipy", "networkx", "asteval")
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}
