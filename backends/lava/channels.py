"""In-process channels: Lava's send and receive ports over a queue, which switch greenlets where Lava's would block.

A message is cast and copied on sending exactly as into Lava's shared memory (a sender may reuse its buffer), so the
receiver owns what it gets and needs no second copy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from neuromorph.backends.lava import compat


class Scheduler(Protocol):
    """What a channel needs of whoever runs the ProcessModels."""

    ready: deque[Any]  # Tasks whose reason to wait has gone.
    requests: list[QueueChannel]  # Channels into VarPorts that something was sent to.

    def wait(self, channel: QueueChannel, *, sending: bool) -> None:
        """Suspend the running task until the other end of ``channel`` was used."""

    def give_way(self) -> None:
        """Let every other task run as far as it can."""


class QueueChannel:
    """A bounded queue between two ports, and who waits at either end."""

    __slots__ = ("dtype", "queue", "reader", "scheduler", "served_by", "service", "shape", "size", "text", "writer")

    def __init__(self, builder: Any, scheduler: Scheduler, text: str) -> None:
        source = builder.src_port_initializer
        self.queue: deque[Any] = deque()
        self.dtype = np.dtype(source.d_type)
        self.shape: tuple[int, ...] = source.shape
        self.size: int = source.size
        self.text = text
        self.scheduler = scheduler
        self.reader: Any = None  # The task that waits for a message.
        self.writer: Any = None  # The task that waits for room.
        self.served_by: Any = None  # The task that owns the VarPort at the end of this channel, if it ends at one,
        self.service: Callable[[], None] | None = None  # and how it answers.


class _QueuePort:
    """What both ends share: Lava asks ports for their name, type, shape and size, and starts and joins them."""

    def __init__(self, name: str, channel: QueueChannel) -> None:
        self._name = name
        self._channel = channel
        self._queue = channel.queue
        self._shape = channel.shape
        self._dtype = channel.dtype
        self._size = channel.size
        self.observer = None

    def start(self) -> None:
        """Nothing to start: no thread listens."""

    def join(self) -> None:
        """Nothing to join."""


class QueueSendPort(_QueuePort, compat.CspSendPort):  # type: ignore[misc]
    """The sending end of a queue."""

    def send(self, data: Any) -> None:
        """Copy ``data`` into the channel; waits while it is full."""
        if data.shape != self._shape:
            raise AssertionError(f"{self._channel.text}: sent shape {data.shape}, the channel has {self._shape}")
        channel = self._channel
        if isinstance(data, np.ndarray) or not sparse.issparse(data):
            message = np.array(data, self._dtype, order="C")
        else:
            message = np.empty(self._shape, self._dtype)
            message[:] = compat.sparse_entries(data, explicit_zeros=True)[2]
        queue = self._queue
        while len(queue) >= self._size:
            channel.scheduler.wait(channel, sending=True)
        queue.append(message)
        if channel.reader is not None:
            channel.scheduler.ready.append(channel.reader)
            channel.reader = None
        if channel.served_by is not None:
            channel.scheduler.requests.append(channel)

    def probe(self) -> bool:
        """Whether there is room; a sender that polls lets the others run meanwhile."""
        if len(self._queue) < self._size:
            return True
        self._channel.scheduler.give_way()
        return len(self._queue) < self._size


class QueueReceivePort(_QueuePort, compat.CspRecvPort):  # type: ignore[misc]
    """The receiving end of a queue."""

    def recv(self) -> Any:
        """Take the oldest message; waits for one."""
        queue = self._queue
        channel = self._channel
        while not queue:
            channel.scheduler.wait(channel, sending=False)
        message = queue.popleft()
        if channel.writer is not None:
            channel.scheduler.ready.append(channel.writer)
            channel.writer = None
        return message

    def peek(self) -> Any:
        """A copy of the oldest message, which stays; waits for one."""
        while not self._queue:
            self._channel.scheduler.wait(self._channel, sending=False)
        return self._queue[0].copy()

    def probe(self) -> bool:
        """Whether there is a message; a receiver that polls lets the others run meanwhile."""
        if self._queue:
            return True
        self._channel.scheduler.give_way()
        return bool(self._queue)


def connect(builder: Any, executable: Any, scheduler: Scheduler, text: str) -> tuple[QueueChannel, QueueReceivePort]:
    """Build the channel that ``builder`` describes and hand its ends to the builders of the two ProcessModels."""
    channel = QueueChannel(builder, scheduler, text)
    sender = QueueSendPort(builder.src_port_initializer.name, channel)
    receiver = QueueReceivePort(builder.dst_port_initializer.name, channel)
    executable.proc_builders[builder.src_process].set_csp_ports([sender])
    target = executable.proc_builders[builder.dst_process]
    target.set_csp_ports([receiver])
    source_port = compat.create_port_id(builder.src_process.id, builder.src_port_initializer.name)
    target.add_csp_port_mapping(source_port, receiver)
    return channel, receiver
