"""Rules in fixed point give the reference's weights, tags and traces to the bit, in every way that the kernel takes."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

from neuromorph.arithmetic import WEIGHT_RANGES, SignMode
from neuromorph.backends.emulator import EmulatorBackend
from neuromorph.backends.emulator import session as emulator_session
from neuromorph.backends.emulator.binding import level_names, library_path
from neuromorph.backends.emulator.network import LoadedNetwork
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.inputs import Input, Modulator
from neuromorph.parts import RuleProgram, TraceProgram
from neuromorph.plasticity.language import parse
from neuromorph.program import Program
from neuromorph.testing.integers import integer_neurons, integer_synapses

pytestmark = pytest.mark.skipif(library_path() is None, reason="the kernel was not compiled")

STDP = "2^-3 * x1 * y0 - 2^-3 * y1 * x0"
REWARDED = "2^-6 * t * r * u0"
# By name: the rule of the weight, and of the tag where there is one. Each is of a form that the kernel treats apart, or
# just beside one.
FORMS: dict[str, tuple[str, str | None]] = {
    "pair STDP": (STDP, None),
    "pair STDP, pre first": ("- 3 * 2^-4 * y1 * x0 + 2^-2 * x1 * y0", None),
    "pair STDP, large": ("2^1 * x1 * y0 - 2^0 * y1 * x0", None),
    "both up": ("2^-3 * x1 * y0 + 2^-4 * y1 * x0", None),
    "anti-Hebbian": ("- 2^-4 * x1 * y0 - 2^-3 * y1 * x0", None),
    "to both sides": ("2^-3 * (x1 - 4) * y0 + 2^-3 * (y1 - 4) * x0", None),
    "constants": ("2^-3 * x1 * y0 - 3 * 2^-2 * y0 + 2^-1 * x0 - 2^-3 * y1 * x0", None),
    "two traces on post": ("2^-3 * x1 * y0 + 2^-3 * x2 * y0 - 2^-3 * y1 * x0", None),
    "trace of its own on pre": ("2^-3 * x1 * y0 - 2^-6 * x2 * y1 * x0", None),
    "triplet": ("2^-7 * x1 * y2 * y0 - 2^-3 * y1 * x0", None),
    "products that pull apart": ("2^4 * x1 * y0 - 2^4 * x1 * y0 + 2^4 * y1 * x0 - 2^3 * y1 * x0", None),
    "third factor without tag": ("2^-6 * r * x1 * y0 - 2^-6 * r * y1 * x0", None),
    "weight decays": ("2^-3 * x1 * y0 - 2^-6 * w * u0", None),
    "soft bounds": ("2^-3 * x1 * y0 - 2^-6 * w * x1 * y0 - 2^-3 * y1 * x0", None),
    "rewarded": (REWARDED, STDP + " - 2^-7 * t * u0"),
    "rewarded, tags beyond a byte": (REWARDED, "2^1 * x1 * y0 - 2^1 * y1 * x0 - 2^-7 * t * u0"),
    "rewarded, large": ("2^-1 * t * r * u0", STDP + " - 2^-5 * t * u0"),
    "rewarded, tags that stay": (REWARDED, STDP),
    "rewarded, weights at spikes too": (REWARDED + " + " + STDP, STDP + " - 2^-7 * t * u0"),
    "rewarded, slow clocks": ("2^-5 * t * r * u1", STDP + " - 2^-4 * t * u2"),
    "rewarded, large tags, slow clocks": ("2^-7 * t * r * u1", "2^1 * x1 * y0 - 2^-3 * y1 * x0 - 2^-6 * t * u2"),
    "rewarded on post spikes": ("2^-6 * t * r * y0", STDP + " - 2^-6 * t * u0"),
    "rewarded, tags that decay by the trace": (REWARDED, STDP + " - 2^-6 * x1 * t * u0 + 2^-4 * (t + 3) * u1"),
    "tags that grow": (REWARDED, STDP + " + 2^-5 * t * u0"),
    "tags that saturate": (
        "2^-4 * t * y0 - 2^0 * u1",
        "2^3 * x1 * y0 - 2^3 * y1 * x0 + 2^-1 * t * u0 - 2^1 * sgn(t) * u0",
    ),
}
PLACES = [pytest.param(1.0, id="dense"), pytest.param(0.6, id="sparse")]


def program(
    form: str,
    *,
    share: float = 1.0,
    sizes: tuple[int, int] = (24, 150),
    mode: SignMode = "mixed",
    epoch: int = 1,
    impulse: float = 16.0,
    factors: int = 1,
    seed: int = 0,
) -> Program:
    """Synapses that learn from "in" onto "out", whose neurons spike when those of "drive" do and rarely else."""
    rng = np.random.default_rng(seed)
    pre, post = sizes
    dw, dt = FORMS[form]
    names = [name for name in ("x1", "x2", "y1", "y2") if name in dw + (dt or "")]
    rule = RuleProgram(
        name="r",
        dw=parse(dw),
        dt=None if dt is None else parse(dt),
        traces={
            name: TraceProgram(impulse=impulse, decay=math.exp(-1 / (20 if name[1] == "1" else 50))) for name in names
        },
        epoch=epoch,
        w_min=0.0,
        w_max=0.0,
        modulators={"reward": 1.0} if " r " in dw else {},
        third_factor_scale=16.0,
    )
    low, high = WEIGHT_RANGES[mode]
    learning = integer_synapses(
        "in", "out", rng.integers(low, high + 1, (post, pre)), name="p", exists=rng.random((post, pre)) < share,
        rule=rule, sign_mode=mode, exponent=-7,
    )  # fmt: skip
    drive = integer_synapses("drive", "out", 254 * np.eye(post, dtype=np.int64), exists=np.eye(post, dtype=np.bool_))
    return Program(
        name="learning",
        dt=1e-3,
        seed=0,
        inputs=[Input("in", pre), Input("drive", post)],
        populations=[integer_neurons("out", post, du=4095, dv=4096, threshold=128)],
        projections=[learning, drive],
        modulators=[Modulator("reward", factors)] if rule.modulators else [],
        arithmetic="fixed",
        chip="loihi1",
    )


def check(
    made: Program, steps: int, *, rates: tuple[float, float] = (0.03, 0.03), threads: int = 1, seed: int = 0
) -> None:
    """Weights, tags and traces after two pieces of random spikes, the first one with rewards, the second with few."""
    rng = np.random.default_rng(seed)
    sizes, widths = made.sizes, {modulator.name: modulator.size for modulator in made.modulators}
    inputs = {name: rng.random((steps, sizes[name])) < rate for name, rate in zip(("in", "drive"), rates, strict=True)}
    factors = {name: np.round(np.clip(rng.normal(size=(steps, width)) * 2, -7, 7), 1) for name, width in widths.items()}
    for values in factors.values():
        values[steps // 2 :] *= rng.random((steps - steps // 2, 1)) < 0.02
    read = ["p.weight", *(["p.tag"] if made.projection("p").rule.dt is not None else [])]  # type: ignore[union-attr]
    read += [f"p.{name}" for name in made.projection("p").rule.traces]  # type: ignore[union-attr]
    found = []
    for backend in (ReferenceBackend(), EmulatorBackend(threads=threads)):
        with backend.open(made) as session:
            seen = []
            for part in (slice(0, steps // 3), slice(steps // 3, steps)):
                count = part.stop - part.start
                fed: dict[str, Any] = {name: rows[part] for name, rows in inputs.items()}
                session.run(count, inputs=fed, modulators={name: rows[part] for name, rows in factors.items()})
                seen += [_plain(session.read(name)) for name in read]
            found.append(seen)
    for place, (reference, emulator) in enumerate(zip(*found, strict=True)):
        assert np.array_equal(reference, emulator), read[place % len(read)]
    assert not np.array_equal(found[0][0], found[0][len(read)])  # something was learned


def _plain(values: Any) -> np.ndarray:
    return np.asarray(values) if isinstance(values, np.ndarray) else np.asarray(values.data)


def _filled(values: Any, value: float) -> Any:
    filled = values.copy()
    (filled if isinstance(filled, np.ndarray) else filled.data)[...] = value
    return filled


@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, share: float) -> None:
    check(program(form, share=share), 240, threads=2)


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", ["pair STDP", "rewarded"])
def test_instruction_sets(form: str, share: float, level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if level >= len(level_names()):
        pytest.skip("the processor has fewer")
    monkeypatch.setattr(emulator_session, "LoadedNetwork", partial(LoadedNetwork, level=level))
    check(program(form, share=share), 200)


@pytest.mark.parametrize("mode", ["excitatory", "inhibitory"])
@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", ["pair STDP, large", "both up", "rewarded, large", "rewarded, weights at spikes too"])
def test_bounds_of_one_sign(form: str, share: float, mode: SignMode) -> None:
    check(program(form, share=share, mode=mode), 240)


@pytest.mark.parametrize("impulse", [1.5, 20.25, 127.0])
@pytest.mark.parametrize("form", ["pair STDP", "rewarded"])
def test_impulses(form: str, impulse: float) -> None:
    check(program(form, impulse=impulse), 240)


@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", ["pair STDP", "trace of its own on pre", "rewarded", "tags that saturate"])
def test_epochs_of_several_steps(form: str, share: float) -> None:
    check(program(form, share=share, epoch=3), 240, rates=(0.2, 0.1))


@pytest.mark.parametrize("form", ["third factor without tag", "rewarded"])
def test_a_third_factor_for_each_neuron(form: str) -> None:
    check(program(form, factors=150), 120)


@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", ["pair STDP", "both up", "to both sides", "rewarded", "rewarded, tags that stay"])
def test_rows_that_are_silent_for_longer_than_the_log(form: str, share: float) -> None:
    check(program(form, share=share), 1100, rates=(0.001, 0.03))


@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", ["rewarded, tags beyond a byte", "rewarded, large tags, slow clocks"])
def test_large_tags_move_where_small_ones_stay(form: str, share: float) -> None:
    for seed in range(3):
        check(program(form, share=share, sizes=(9, 8), impulse=64.0, seed=seed), 300, rates=(0.3, 0.05), seed=seed)


@pytest.mark.parametrize("share", PLACES)
@pytest.mark.parametrize("form", ["rewarded, tags that stay", "rewarded, slow clocks", "rewarded"])
def test_a_tag_below_what_the_accumulator_holds_moves_by_itself(form: str, share: float) -> None:
    made = program(form, share=share)
    found = []
    for backend in (ReferenceBackend(), EmulatorBackend(threads=1)):
        with backend.open(made) as session:
            session.write("p.tag", _filled(session.read("p.tag"), -257.0))
            fed = {"in": np.zeros((3, 24), dtype=np.bool_), "drive": np.eye(3, 150, dtype=np.bool_)}
            session.run(3, inputs=fed, modulators={"reward": np.ones((3, 1))})
            found.append((_plain(session.read("p.tag")), _plain(session.read("p.weight"))))
    assert np.any(found[0][0] > -257)
    for reference, emulator in zip(*found, strict=True):
        assert np.array_equal(reference, emulator)


@pytest.mark.parametrize("posts", [1, 2, 63, 64, 65, 700])
@pytest.mark.parametrize("form", ["pair STDP", "rewarded"])
def test_numbers_of_neurons(form: str, posts: int) -> None:
    for share in (1.0, 0.6):
        check(program(form, share=share, sizes=(12, posts)), 150, rates=(0.05, 0.1), threads=min(posts, 2))
