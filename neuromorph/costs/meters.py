"""Meters of energy on this machine: RAPL of processors, NVML of graphics cards; none is an answer too."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

POWERCAP = Path("/sys/class/powercap")
NVML = "libnvidia-ml.so.1"
MICRO = 1e-6
MILLI = 1e-3

Device = Literal["cpu", "gpu"]


@dataclass(frozen=True)
class Zone:
    """A package of processors whose energy RAPL counts up to a largest number, and then from 0."""

    name: str
    counter: Path
    largest_microjoule: int

    def read(self) -> int:
        """Microjoules since some time."""
        return int(self.counter.read_text())


def rapl_zones(folder: Path = POWERCAP) -> tuple[tuple[Zone, ...], str]:
    """The packages that can be read, and otherwise the reason why there are none."""
    packages = sorted(path for path in folder.glob("intel-rapl:*") if path.name.count(":") == 1)
    if not packages:
        return (), f"this machine has no RAPL meter: there is no {folder}/intel-rapl:0 (virtual machines have none)"
    zones, refused = [], []
    for path in packages:
        counter = path / "energy_uj"
        try:
            largest = int((path / "max_energy_range_uj").read_text())
            zone = Zone((path / "name").read_text().strip(), counter, largest)
            zone.read()
        except PermissionError:
            refused.append(str(counter))
        except (OSError, ValueError):
            continue
        else:
            zones.append(zone)
    if refused:
        return (
            (),
            f"only root may read the RAPL meter: sudo chmod a+r {' '.join(refused)} lets others until the next start",
        )
    return tuple(zones), "" if zones else f"nothing in {folder} counts energy"


class EnergyMeter:
    """Energy and time of a block on this machine: ``joule`` afterwards, or None and the ``reason``.

    RAPL counts whole packages, so that whatever else runs on the machine is in the figure, and what the packages draw at
    rest too. ``device="gpu"`` takes the counter of the first card that NVML, a part of NVIDIA's driver, shows.

    >>> with EnergyMeter() as meter:
    ...     total = sum(range(1000))
    >>> (meter.joule is None) == bool(meter.reason), meter.second > 0
    (True, True)
    """

    def __init__(self, device: Device = "cpu", *, folder: Path = POWERCAP) -> None:
        self.device = device
        self.joule: float | None = None
        self.second = 0.0
        self.reason = ""
        self.source = ""
        self._folder = folder
        self._zones: tuple[Zone, ...] = ()
        self._card: _Card | None = None

    def __enter__(self) -> EnergyMeter:
        if self.device == "cpu":
            self._zones, self.reason = rapl_zones(self._folder)
            self.source = f"RAPL, {' + '.join(zone.name for zone in self._zones)}" if self._zones else ""
        else:
            self._card, self.reason = _first_card()
            self.source = "" if self._card is None else f"NVML, {self._card.name}"
        self._before = [zone.read() for zone in self._zones]
        self._card_before = 0.0 if self._card is None else self._card.joule()
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        self.second = time.perf_counter() - self._began
        if self._card is not None:
            self.joule = self._card.joule() - self._card_before
        elif self._zones:
            passed = zip(self._zones, self._before, strict=True)
            self.joule = MICRO * sum((zone.read() - before) % zone.largest_microjoule for zone, before in passed)


@dataclass(frozen=True)
class _Card:
    name: str
    library: ctypes.CDLL
    handle: ctypes.c_void_p

    def joule(self) -> float:
        """Since the driver was loaded."""
        total = ctypes.c_ulonglong()
        _nvml(self.library, "nvmlDeviceGetTotalEnergyConsumption", self.handle, ctypes.byref(total))
        return MILLI * total.value


def _nvml(library: ctypes.CDLL, function: str, *arguments: object) -> None:
    code = getattr(library, function)(*arguments)
    if code != 0:
        library.nvmlErrorString.restype = ctypes.c_char_p
        raise OSError(f"{function}: {library.nvmlErrorString(code).decode()}")


def _first_card() -> tuple[_Card | None, str]:
    """The first card of NVIDIA's management library, which comes with the driver."""
    try:
        library = ctypes.CDLL(NVML)
    except OSError:
        return None, f"this machine has no NVIDIA driver: there is no {NVML}"
    handle, name = ctypes.c_void_p(), ctypes.create_string_buffer(96)
    try:
        _nvml(library, "nvmlInit_v2")
        _nvml(library, "nvmlDeviceGetHandleByIndex_v2", 0, ctypes.byref(handle))
        _nvml(library, "nvmlDeviceGetName", handle, name, ctypes.c_uint(len(name)))
        card = _Card(name.value.decode(), library, handle)
        card.joule()
    except (OSError, AttributeError) as error:
        return None, f"NVML has no energy counter of a card here: {error}"
    return card, ""
