from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nir
import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError


def lif(*tau: float) -> Any:
    one = np.ones(len(tau))
    return nir.LIF(tau=np.array(tau), r=one, v_leak=0 * one, v_threshold=one)


def unit(graph: Any, dt: float) -> str:
    return str(nm.from_nir(graph, dt=dt).metadata["nir"]["unit"])


@pytest.mark.parametrize(
    ("tau", "dt", "wanted"),
    [
        ((2.5e-3,), 1e-4, "s"),
        ((1e-4, 0.02, 0.99), 1e-3, "s"),
        ((0.5,), 1e-4, "s"),
        ((20.0, 0.5), 1e-4, "ms"),  # half a step would be no time in steps
        ((20.0, 5.0), 1e-3, "ms"),  # a step lasts a millisecond
        ((20.0, 5.0), 1e-2, "steps"),  # 5 ms would be shorter than dt
    ],
)
def test_the_unit_is_inferred_and_said(chain: Callable[..., Any], tau: Any, dt: float, wanted: str) -> None:
    graph = chain(i=nir.Input(np.array([len(tau)])), lif=lif(*tau))
    network = nm.from_nir(graph, dt=dt)
    origin = network.metadata["nir"]
    assert origin["unit"] == wanted
    word = {"s": "seconds", "ms": "milliseconds", "steps": "time steps"}[wanted]
    assert any(sentence.startswith(f"Times are read in {word}: tau of 'lif'") for sentence in origin["assumptions"])
    seconds = np.array(tau) * {"s": 1.0, "ms": 1e-3, "steps": dt}[wanted]
    np.testing.assert_allclose(np.atleast_1d(network.populations[1].neuron.tau_mem), seconds, rtol=1e-15)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("tau", "dt", "fits"),
    [
        ((20.0,), 1e-4, "'ms' or 'steps'"),
        ((1.0,), 1e-4, "'s' or 'ms' or 'steps'"),
        ((2.0, 1e-4), 1e-3, "none of 's', 'ms' and 'steps' well"),
    ],
)
def test_a_unit_that_the_values_leave_open_is_asked_for(
    chain: Callable[..., Any], tau: Any, dt: float, fits: str
) -> None:
    graph = chain(i=nir.Input(np.array([len(tau)])), lif=lif(*tau))
    with pytest.raises(InputError, match=f"fit {fits}: tau of 'lif': .*Give unit='s', unit='ms' or unit='steps'"):
        nm.from_nir(graph, dt=dt)
    assert (
        nm.from_nir(graph, dt=dt, unit="s").metadata["nir"]["assumptions"][0] == "Times are read in seconds: as asked."
    )


def test_integrators_without_a_time_constant_are_in_seconds_only_where_r_is_one_over_dt(
    chain: Callable[..., Any],
) -> None:
    def graph(r: float) -> Any:
        return chain(i=nir.Input(np.array([1])), n=nir.IF(r=np.array([r]), v_threshold=np.ones(1)))

    assert unit(graph(1e4), 1e-4) == "s"
    with pytest.raises(
        InputError, match=r"0.0001 to v in a step with unit='s', 0.1 with unit='ms', 1 with unit='steps'"
    ):
        nm.from_nir(graph(1.0), dt=1e-4)
    for name, gain in (("s", 1e-4), ("ms", 0.1), ("steps", 1.0)):
        program = nm.compile(nm.from_nir(graph(1.0), dt=1e-4, unit=name), dt=1e-4)  # type: ignore[arg-type]
        assert program.projections[0].weight.item() == pytest.approx(gain, rel=1e-15)  # two divisions


def test_a_graph_without_times_needs_no_unit(chain: Callable[..., Any]) -> None:
    graph = chain(i=nir.Input(np.array([1])), n=nir.Threshold(np.ones(1)))
    assert "nothing in the graph has a time" in nm.from_nir(graph, dt=0.5).metadata["nir"]["assumptions"][0]


@pytest.mark.parametrize(("name", "seconds"), [("ms", 1e-3), ("steps", 2e-4)])
def test_the_same_neurons_in_another_unit_are_the_same(chain: Callable[..., Any], name: str, seconds: float) -> None:
    def graph(scale: float) -> Any:
        one = np.ones(1)
        return chain(
            i=nir.Input(np.array([1])),
            d=nir.Delay(np.array([4e-3 * scale])),
            c=nir.CubaLIF(
                tau_syn=5e-3 * scale * one, tau_mem=0.02 * scale * one, r=2 * one, v_leak=one, v_threshold=3 * one
            ),
            n=nir.IF(r=one * 300 / scale, v_threshold=one),
        )

    first = nm.compile(nm.from_nir(graph(1.0), dt=2e-4, unit="s"), dt=2e-4)
    second = nm.compile(nm.from_nir(graph(1 / seconds), dt=2e-4, unit=name), dt=2e-4)  # type: ignore[arg-type]
    for one, other in zip(first.populations, second.populations, strict=True):
        for key in ("decay_u", "decay_v", "threshold", "bias"):
            np.testing.assert_allclose(getattr(one, key), getattr(other, key), rtol=1e-12)  # times were divided twice
    for left, right in zip(first.projections, second.projections, strict=True):
        np.testing.assert_allclose(left.weight, right.weight, rtol=1e-12)
        assert left.delay.tolist() == right.delay.tolist()
    assert first.projections[0].delay.tolist() == [21]


def test_wrong_arguments_are_named_together(chain: Callable[..., Any]) -> None:
    graph = chain(i=nir.Input(np.array([1])), lif=lif(0.01))
    with pytest.raises(InputError) as caught:
        nm.from_nir(graph, dt=0.0, unit="hours", integration="exact")  # type: ignore[arg-type]
    assert [fault.split()[0] for fault in caught.value.faults] == ["dt", "unit", "integration"]


def test_a_delay_that_is_no_whole_number_of_steps_is_refused_by_name(chain: Callable[..., Any]) -> None:
    graph = chain(i=nir.Input(np.array([1])), wait=nir.Delay(np.array([1.5e-3])), lif=lif(0.01))
    with pytest.raises(InputError, match=r"Delay node 'wait': its delay must be a whole number of steps.*1.5 steps"):
        nm.from_nir(graph, dt=1e-3)
