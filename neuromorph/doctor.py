"""What this machine can run, and what to do about what it cannot."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from neuromorph import registry
from neuromorph.capabilities import Availability

PACKAGES = ("neuromorph", "numpy", "scipy", "scikit-learn", "nengo", "nengo-loihi", "lava-nc", "matplotlib")


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Python, packages and backends of this machine."""

    python: str
    platform: str
    packages: dict[str, str]  # name to version, or "not installed"
    backends: dict[str, Availability]
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


def installed_versions() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def diagnose() -> Diagnosis:
    """Look at everything; imports each simulator to see whether it starts."""
    backends = {name: registry.availability(name) for name in registry.backend_names()}
    advice = [f"{name}: {found.remedy}" for name, found in backends.items() if found.remedy]
    return Diagnosis(
        python=platform.python_version(),
        platform=platform.platform(),
        packages=installed_versions(),
        backends=backends,
        advice=tuple(advice),
    )
