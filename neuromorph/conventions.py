"""What a program may say of its conventions: one value is the suite's own, the others name what another tool did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Integration = Literal["exponential", "euler"]

# What each field of a program that states a convention may say. The first value is the suite's own: every backend is
# held to it. The others are there to name what another tool did; only the reference runs them.
CONVENTIONS: Mapping[str, tuple[str, ...]] = {
    "integration": get_args(Integration),
    "arithmetic": ("float", "fixed"),
    "delay_convention": ("arrival", "one step later", "one step sooner"),
    "threshold_comparison": (">", ">="),
    "reset": ("zero", "subtract", "none"),
    "plasticity_timing": ("sent", "arrived"),
    "coincidence": ("seen", "unseen"),
    "weight_timing": ("before learning", "after learning"),
}
# The same where the arithmetic decides which value is the suite's own.
ARITHMETIC_CONVENTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "float": {
        "rounding": ("none", "single"),
        "u_overflow": ("none",),
        "v_overflow": ("none",),
        "summation": ("first to last", "last to first"),
    },
    "fixed": {
        "rounding": ("toward zero", "down", "nearest"),
        "u_overflow": ("wrap", "saturate", "none"),
        "v_overflow": ("saturate", "wrap", "none"),
        "summation": ("first to last",),
    },
}
