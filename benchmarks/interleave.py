"""Arms timed in turns: A B A B ..., so that a slow spell of the machine hits all of them.

A ratio is taken block by block. An arm that stands in a run twice shows what the machine alone does
to a ratio. Blocks end when the device has done its work.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch

Block = Callable[[float], float]  # seconds to play for -> trial-steps/s
Rates = dict[str, list[float]]  # arm -> its trial-steps/s, one a block


def now() -> float:
    """Return seconds: the processor's where one thread works, so that other programs take none."""
    if torch.get_num_threads() == 1 and not torch.cuda.is_initialized():
        return time.process_time()
    return time.perf_counter()


def wait(device: str) -> None:
    """Return when the device has done all that it was told."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def paced(play: Callable[[], None], steps: float = 1, device: str = "cpu") -> Block:
    """Return a block of as many calls as fit, each of so many trial-steps.

    The number of calls is fixed before a block, by the fastest one so far: a clock that is looked
    at between calls would make the host wait for the device.
    """
    pace = 0.0

    def block(seconds: float) -> float:
        nonlocal pace
        calls = max(1, round(pace * seconds))
        wait(device)
        start = now()
        for _ in range(calls):
            play()
        wait(device)
        rate = calls / (now() - start)
        pace = max(pace, rate)
        return rate * steps

    return block


def interleave(arms: Mapping[str, Block], blocks: int, seconds: float) -> Rates:
    """Return the rates; what is compiled at the first call, or finds its pace, is not in them."""
    for warm in (0, 0, seconds):
        for block in arms.values():
            block(warm)
    rates: Rates = {name: [] for name in arms}
    for _ in range(blocks):
        for name, block in arms.items():
            rates[name].append(block(seconds))
    return rates


def ratios(rates: Sequence[float], base: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, lowest and highest ratio of two arms, block by block."""
    found = [r / b for r, b in zip(rates, base, strict=True)]
    return statistics.median(found), min(found), max(found)


def line(name: str, rates: Rates, bases: Sequence[str]) -> str:
    """Return an arm's rate and its ratio to every base."""
    told = f"  {name:<22} {statistics.median(rates[name]):9.0f} steps/s"
    for base in bases:
        middle, low, high = ratios(rates[name], rates[base])
        told += f"   ratio to {base} {middle:6.2f}  [{low:.2f}, {high:.2f}]"
    return told
