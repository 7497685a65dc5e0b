"""The variables of rules as Python objects, to write targets as expressions.

>>> from neuromorph.plasticity import LearningRule, Trace
>>> from neuromorph.plasticity.variables import w, x0, x1, y0, y1
>>> rule = LearningRule(dw=0.1 * x1 * y0 - 0.2 * y1 * x0 * (w - 1), x1=Trace(20e-3), y1=Trace(20e-3))
>>> print(rule.dw_sum)
0.1 * x1 * y0 - 0.2 * y1 * (w - 1.0) * x0
"""

from neuromorph.plasticity.expression import pos, sgn, variable

x0, y0 = variable("x0"), variable("y0")  # the presynaptic, the postsynaptic neuron spiked
u0, u1, u2, u3, u4 = (variable(f"u{k}") for k in range(5))  # every epoch, every 2nd, 4th, 8th, 16th
u5, u6, u7, u8, u9 = (variable(f"u{k}") for k in range(5, 10))
x1, x2 = variable("x1"), variable("x2")  # presynaptic traces
y1, y2, y3 = variable("y1"), variable("y2"), variable("y3")  # postsynaptic traces
w, t, r = variable("w"), variable("t"), variable("r")  # weight, eligibility tag, third factor
d = variable("d")  # delay in time steps, of rules with a dd

__all__ = [
    "d",
    "pos",
    "r",
    "sgn",
    "t",
    "u0",
    "u1",
    "u2",
    "u3",
    "u4",
    "u5",
    "u6",
    "u7",
    "u8",
    "u9",
    "w",
    "x0",
    "x1",
    "x2",
    "y0",
    "y1",
    "y2",
    "y3",
]
