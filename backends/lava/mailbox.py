"""Memory that a run shares with its operating system processes: the step counter, and one letter at a time.

Lava's own ``Var.get`` sends an array element by element, two messages each; here the commands stay Lava's and the array
goes through this memory in one piece. It has no name, so nothing is left behind however the processes end.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from typing import Any

from neuromorph.errors import InputError

_COUNTER = struct.Struct("q")
_LENGTH = struct.Struct("q")
_LETTER = _COUNTER.size + _LENGTH.size


class Mailbox:
    """Shared by forking after it was made; sender and receiver take turns, which Lava's messages arrange."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._memory = mmap.mmap(-1, _LETTER + size)  # Pages are taken only when touched.

    @property
    def steps(self) -> int:
        """Steps begun, over all runs; written by the runtime service."""
        return int(_COUNTER.unpack_from(self._memory, 0)[0])

    @steps.setter
    def steps(self, steps: int) -> None:
        _COUNTER.pack_into(self._memory, 0, steps)

    def put(self, letter: Any) -> None:
        """Leave ``letter`` for the other side."""
        text = pickle.dumps(letter, protocol=pickle.HIGHEST_PROTOCOL)
        if len(text) > self.size:
            raise InputError(
                f"a value of {len(text)} bytes does not fit the mailbox of {self.size}; "
                "open the run with a larger mailbox_byte"
            )
        self._memory[_LETTER : _LETTER + len(text)] = text
        _LENGTH.pack_into(self._memory, _COUNTER.size, len(text))

    def take(self) -> Any:
        """The letter that the other side left."""
        length = int(_LENGTH.unpack_from(self._memory, _COUNTER.size)[0])
        return pickle.loads(self._memory[_LETTER : _LETTER + length])

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
