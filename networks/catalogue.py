"""All experiments by name; each one's module is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType

from neuromorph.errors import InputError
from neuromorph.networks.experiment import Experiment

EXPERIMENTS: Mapping[str, str] = MappingProxyType(
    {  # name: module of neuromorph.networks, and the class in it
        "stdp-window": "stdp_window:STDPWindow",
        "triplet-frequency": "triplet_frequency:TripletFrequency",
        "oja-component": "oja_component:OjaComponent",
        "rate-ltp-ltd": "rate_ltp_ltd:RateLTPLTD",
        "bimodal-weights": "bimodal_weights:BimodalWeights",
        "latency": "latency:Latency",
        "inhibitory-balance": "inhibitory_balance:InhibitoryBalance",
        "homeostasis": "homeostasis:Homeostasis",
        "repeating-pattern": "repeating_pattern:RepeatingPattern",
        "distal-reward": "distal_reward:DistalReward",
        "conditioning": "conditioning:Conditioning",
        "fear": "fear:Fear",
        "rewarded-xor": "rewarded_xor:RewardedXOR",
        "cerebellar-timing": "cerebellar_timing:CerebellarTiming",
        "bandit": "bandit:Bandit",
        "grid-walk": "grid_walk:GridWalk",
        "rewiring": "rewired_classifier:RewiredClassifier",
        "consolidation": "consolidation:Consolidation",
        "glia": "glia:Glia",
        "one-shot-memory": "one_shot_memory:OneShotMemory",
    }
)


def experiment(name: str) -> type[Experiment]:
    """The class behind a name.

    Raises :class:`InputError` that gives the names near it.

    >>> experiment("stdp-window").__name__
    'STDPWindow'
    """
    if name not in EXPERIMENTS:
        near = get_close_matches(name, EXPERIMENTS, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(EXPERIMENTS)}"
        raise InputError(f"there is no experiment {name!r}; {hint}")
    module, _, kind = EXPERIMENTS[name].partition(":")
    loaded: type[Experiment] = getattr(import_module(f"neuromorph.networks.{module}"), kind)
    return loaded
