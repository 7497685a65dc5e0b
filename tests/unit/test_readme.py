"""The README's examples run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from neuromorph import registry
from neuromorph.backends.reference import ReferenceBackend

README = Path(__file__).resolve().parents[2] / "README.md"


def models() -> dict[str, object]:
    """What the examples take as given: a user's own models and backend."""
    import nengo

    from neuromorph.backends.lava import compat

    neurons = {"gain": np.ones(2), "bias": np.zeros(2)}
    with nengo.Network(add_to_container=False) as network:
        one, other = (nengo.Ensemble(2, 1, **neurons) for _ in range(2))
        nengo.Connection(one.neurons, other.neurons, transform=np.ones((2, 2)), synapse=0.005)
    source, dense = compat.LIF(shape=(2,), du=0.1, dv=0.1, vth=1.0), compat.Dense(weights=np.ones((2, 2)))
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(compat.LIF(shape=(2,), du=0.1, dv=0.1, vth=1.0).a_in)
    return {"nengo_network": network, "lava_process": source, "MyBackend": ReferenceBackend}


def test_the_python_blocks_run_in_order(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = [name for name in ("nengo", "nengo-loihi", "lava") if not registry.availability(name).available]
    if missing:
        pytest.skip(f"the example runs on backends that are not installed: {', '.join(missing)}")
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    monkeypatch.chdir(tmp_path)  # one writes a file
    names = models()
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.count("same spikes") == 6
    assert "exact" in printed and "assumptions" in printed
    cost = names["cost"]
    assert 0 < cost.energy_joule.low < cost.energy_joule.high  # type: ignore[attr-defined]
