"""The README's examples run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neuromorph import registry

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_python_blocks_run_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [name for name in ("nengo", "nengo-loihi", "lava") if not registry.availability(name).available]
    if missing:
        pytest.skip(f"the example runs on backends that are not installed: {', '.join(missing)}")
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.count("same spikes") == 3
    cost = names["cost"]
    assert 0 < cost.energy_joule.low < cost.energy_joule.high  # type: ignore[attr-defined]
