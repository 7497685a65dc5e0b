"""``neuromorph bench``: our backends and other tools on the same workloads, in steps a second.

A workload is drawn once from a seed (:mod:`neuromorph.bench.workloads`), each contender builds it in a process of its own
(:mod:`neuromorph.bench.worker`), and what they measured becomes rows (:mod:`neuromorph.bench.benchmark`).
"""
