"""The laws of the self-test, held by a workload before its number counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ablate.core.step import Gan
from ablate.runner.selftest import Law, Stack, exact_laws
from benchmarks.workload import Workload


def gates(workload: Workload, device: str) -> list[Law]:
    """Return the laws of a workload's stack, in a form that is slow and sure."""
    exact = replace(workload, mixed=False)
    return exact_laws(builder(exact, device), builder(other_penalty(exact), device))


def builder(workload: Workload, device: str) -> Stack:
    def stack(seeds: Sequence[int]) -> Gan:
        return workload.stack(seeds, device)

    return stack


def other_penalty(workload: Workload) -> Workload:
    """Return the workload without its penalty, or with one where it has none."""
    return replace(workload, penalty=None if workload.penalty else "r1")
