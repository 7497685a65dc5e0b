"""A meter gives joules, or no joules and the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuromorph.costs import EnergyMeter, meters


def package(folder: Path, number: int, microjoule: int, largest: int = 1000) -> Path:
    zone = folder / f"intel-rapl:{number}"
    zone.mkdir(parents=True)
    (zone / "name").write_text(f"package-{number}\n")
    (zone / "max_energy_range_uj").write_text(f"{largest}\n")
    (zone / "energy_uj").write_text(f"{microjoule}\n")
    return zone / "energy_uj"


def test_the_counters_of_all_packages_are_summed_and_pass_their_largest_number(tmp_path: Path) -> None:
    first, second = package(tmp_path, 0, 100), package(tmp_path, 1, 900)
    package(tmp_path / "intel-rapl:0", 0, 5)  # a part of a package, counted there already
    with EnergyMeter(folder=tmp_path) as meter:
        first.write_text("350")
        second.write_text("50")  # passed 1000 and began anew
    assert meter.joule == pytest.approx((250 + 150) * 1e-6)
    assert meter.source == "RAPL, package-0 + package-1" and meter.reason == "" and meter.second > 0


def test_a_machine_without_a_meter_says_so(tmp_path: Path) -> None:
    with EnergyMeter(folder=tmp_path) as meter:
        pass
    assert meter.joule is None and "has no RAPL meter" in meter.reason and meter.second >= 0


def test_a_meter_that_only_root_may_read_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, 0, 100)

    def refuse(zone: meters.Zone) -> int:
        raise PermissionError

    monkeypatch.setattr(meters.Zone, "read", refuse)
    with EnergyMeter(folder=tmp_path) as meter:
        pass
    assert meter.joule is None and "sudo chmod a+r" in meter.reason and "energy_uj" in meter.reason


def test_a_counter_that_is_no_number_is_no_meter(tmp_path: Path) -> None:
    package(tmp_path, 0, 100).write_text("much")
    with EnergyMeter(folder=tmp_path) as meter:
        pass
    assert meter.joule is None and "counts energy" in meter.reason


def test_a_graphics_card_has_a_meter_or_a_reason() -> None:
    with EnergyMeter("gpu") as meter:
        pass
    assert (meter.joule is None) == bool(meter.reason)


def test_a_machine_without_a_graphics_card_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "NVML", "libnot-there.so.1")
    with EnergyMeter("gpu") as meter:
        pass
    assert meter.joule is None and meter.reason == "this machine has no NVIDIA driver: there is no libnot-there.so.1"


class Library:
    """NVML as far as it is used: a card whose counter gains 2 J from reading to reading."""

    def __init__(self, fails_at: str = "") -> None:
        self.readings, self.fails_at = 0, fails_at

    def __getattr__(self, function: str) -> Callable[..., object]:
        def call(*arguments: Any) -> object:
            if function == "nvmlErrorString":
                return b"Not Supported"
            if function == "nvmlDeviceGetName":
                arguments[1].value = b"a card"
            if function == "nvmlDeviceGetTotalEnergyConsumption":
                self.readings += 1
                arguments[1]._obj.value = 2000 * self.readings  # mJ
            return 3 if function == self.fails_at else 0

        return call


def test_the_counter_of_a_graphics_card_is_read_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters.ctypes, "CDLL", lambda name: Library())
    with EnergyMeter("gpu") as meter:
        pass
    assert meter.joule == pytest.approx(2.0) and meter.source == "NVML, a card" and meter.reason == ""


@pytest.mark.parametrize("function", ["nvmlInit_v2", "nvmlDeviceGetTotalEnergyConsumption"])
def test_a_graphics_card_that_counts_no_energy_says_why(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters.ctypes, "CDLL", lambda name: Library(function))
    with EnergyMeter("gpu") as meter:
        pass
    assert meter.joule is None and meter.reason.endswith(f"{function}: Not Supported")
