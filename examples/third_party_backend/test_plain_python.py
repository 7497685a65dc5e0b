"""The stranger's whole test suite: the conformance kit, and that neuromorph finds the backend by its name."""

from plain_python import PlainPythonBackend

import neuromorph as nm
from neuromorph.testing import BackendConformance


class TestPlainPython(BackendConformance):
    """Every case that the backend does not declare as a gap."""

    backend = PlainPythonBackend()


def test_neuromorph_finds_it_by_name() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 1, nm.LIF(v_threshold=0.45))],
        projections=[nm.Projection("in", "out", [[0.5, 0.5]])],
        probes=[nm.Probe("out")],
    )
    recording = nm.run(net, 3, backend="plain-python", inputs={"in": [[True, False], [False, False], [False, False]]})
    assert recording.spikes["out"].steps.tolist() == [1]
