"""A session whose simulator takes inputs as events."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, final

from neuromorph.advance import Advance
from neuromorph.recording import BoolArray, FloatArray, SpikeTrain
from neuromorph.session import Session


class EventSession(Session):
    """A session whose simulator takes inputs as events: it implements :meth:`_advance_events` instead of :meth:`_advance`."""

    takes_events: ClassVar[bool] = True

    @final
    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        events = {name: SpikeTrain.from_dense(rows) for name, rows in inputs.items()}
        return self._advance_events(steps, events, modulators, beat)

    @abstractmethod
    def _advance_events(
        self,
        steps: int,
        inputs: Mapping[str, SpikeTrain],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        """Run ``steps`` steps; call ``beat`` at least once a step."""
