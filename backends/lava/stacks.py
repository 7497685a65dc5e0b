"""Where operating system processes hang: each is asked by a signal to write its Python stack to a file."""

from __future__ import annotations

import linecache
import os
import re
import time
from collections.abc import Iterable
from typing import IO, Any

from neuromorph.backends.lava.actors import DUMP_SIGNAL

_PATIENCE_SECOND = 1.0
_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)')
_CHANNEL = "pypychannel.py"
_MACHINERY = (_CHANNEL, "threading.py", "contextlib.py")
_COMMAND_LOOP = "lava/magma/core/model/py/model.py"
_DEEPEST = 8


def hanging(actors: Iterable[Any], dumps: IO[bytes]) -> str:
    """The stacks of all ProcessModels that are not merely waiting for the next command; those that are busy come first."""
    busy: list[str] = []
    blocked: list[str] = []
    for actor in actors:
        if actor.is_service:
            continue
        dump = _dump_of(actor, dumps)
        if not dump:
            busy.append(f"{actor.title}: no answer (blocked outside Python)")
        elif _CHANNEL not in dump:
            busy.append(f"{actor.title}:\n{_frames(dump)}")
        elif " in select" not in dump:
            blocked.append(f"{actor.title} waits on a channel:\n{_frames(dump)}")
    return "\n".join(busy + blocked) or "(every ProcessModel waits for a command)"


def _dump_of(actor: Any, dumps: IO[bytes]) -> str:
    """What ``actor`` wrote when asked; the file is shared by all, which are asked one after the other."""
    if DUMP_SIGNAL is None or not actor.is_alive():
        return ""
    descriptor = dumps.fileno()
    before = length = os.fstat(descriptor).st_size
    os.kill(actor.pid, DUMP_SIGNAL)
    deadline = time.monotonic() + _PATIENCE_SECOND
    while time.monotonic() < deadline:
        time.sleep(0.02)
        size = os.fstat(descriptor).st_size
        if size == length and size > before:
            break
        length = size
    return os.pread(descriptor, length - before, before).decode(errors="replace")


def _frames(dump: str) -> str:
    """The frames of a dump from where the model was entered to the innermost, with their source lines."""
    lines: list[str] = []
    for frame in _FRAME.finditer(dump):
        file, line = frame["file"], int(frame["line"])
        if file.endswith(_COMMAND_LOOP):
            break
        if not file.endswith(_MACHINERY):
            source = linecache.getline(file, line).strip()
            lines.insert(0, f'  File "{file}", line {line}, in {frame["function"]}\n    {source}')
    return "\n".join(lines[-_DEEPEST:])
