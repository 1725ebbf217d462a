"""What must hold before a number counts: speed is not bought with another experiment.

A gate measures how far two things that must be equal are apart, or how far two that must differ
are. Laws that are exact are measured in float64; forms of play are measured as they are timed.

Legend: K trials.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from ablate.train.step import Gan
from ablate.trick import Turn
from benchmarks.workload import Workload, played

SEEDS = (5, 6, 7)
PERIODS = 2  # of the schedule: the second sees what the first has written
EXACT = 1e-9  # relative, in float64
# Of the way that parameters have moved. Adam turns the rounding of a gradient near zero into a
# whole step, so that forms of one arithmetic part by this much within a few rounds.
NEAR = {False: 0.01, True: 0.1}  # float32, bfloat16


class Gate(NamedTuple):
    """One measurement.

    Attributes:
        name: What must hold.
        value: What was measured.
        passed: Whether it does.
    """

    name: str
    value: float
    passed: bool

    def __str__(self) -> str:
        return f"{self.name} {self.value:.1e}" + ("" if self.passed else " FAILED")


@contextmanager
def double() -> Iterator[None]:
    """Build and play inside in float64."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def gates(workload: Workload, device: str) -> list[Gate]:
    """Return the laws of a workload's stack, in a form that is slow and sure."""
    exact = replace(workload, mixed=False)
    with double():
        stack = moved(exact.stack(SEEDS, device))
        alone = torch.cat([moved(exact.stack([seed], device)) for seed in SEEDS])
        order = [2, 0, 1]
        permuted = moved(exact.stack([SEEDS[i] for i in order], device))
        bite = apart(d_gradient(exact, device), d_gradient(other_penalty(exact), device))
    return [
        below("stack = its trials alone", apart(stack, alone)),
        below("slots permuted = results permuted", apart(permuted, stack[order])),
        Gate("the penalty turns D's gradient", bite, bite > 1e-6),
    ]


def form_gate(name: str, found: torch.Tensor, plain: Gan) -> Gate:
    """Return whether a form of play has moved the trials as eager does.

    Args:
        name: Of the form.
        found: What `moved` gave with it, in the precision and layout that are timed.
        plain: The same trials, not yet played.
    """
    start, end = thetas(plain), moved(plain)
    value = float((found - end).abs().mean() / (end - start).abs().mean())
    return Gate(f"{name} = eager", value, value < NEAR[plain.mixed])


def below(name: str, value: float) -> Gate:
    return Gate(name, value, value < EXACT)


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the largest difference, relative to the largest number; infinite where one is NaN."""
    value = float((a - b).abs().max() / b.abs().max())
    return value if operator.eq(value, value) else float("inf")


def thetas(gan: Gan) -> torch.Tensor:
    """Return both players' parameters [K, ...]."""
    return torch.cat([gan.G.theta, gan.D.theta], 1).clone()


def moved(gan: Gan, play: Callable[..., Any] | None = None) -> torch.Tensor:
    """Return both players' parameters after PERIODS."""
    period = played(gan, play)
    for _ in range(PERIODS):
        period()
    return thetas(gan)


def other_penalty(workload: Workload) -> Workload:
    """Return the workload without its penalty, or with one where it has none."""
    return replace(workload, penalty=None if workload.penalty else "r1")


def d_gradient(workload: Workload, device: str) -> torch.Tensor:
    """Return D's gradient in its first turn."""
    gan = workload.stack(SEEDS[:2], device)
    gan.feed.refill()
    return gan.differentiate(Turn("D"), gan.draw(True)).gradient
