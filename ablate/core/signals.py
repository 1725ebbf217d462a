"""What curves show: means since the point before, summed on the device.

Legend: K trials, S signals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

# Those of one turn are neighbours, whichever sides its loss asked for the scores of: fewer calls.
NAMES: tuple[str, ...] = (
    "score_real",
    "loss_d",
    "grad_norm_d",
    "score_fake",
    "loss_g",
    "grad_norm_g",
)


class Point(NamedTuple):
    """The signals at a point of a curve, still on the device, [K, S] each."""

    mean: Tensor
    last: Tensor
    turns: Tensor  # since the point before; where there was none, the others say nothing

    def read(self) -> list[dict[str, tuple[float, float]]]:
        """Return signal -> its mean and its last value, for every trial; waits for the device."""
        rows = zip(*(x.tolist() for x in self), strict=True)
        return [
            {name: (mean, last) for name, mean, last, n in zip(NAMES, *row, strict=True) if n}
            for row in rows
        ]


class Signals(nn.Module):
    """Sums of what every turn since the last point has shown, and the last of it.

    They are memory of the stack like any other: in its checkpoint, its captured rounds, its slots.
    """

    sums: Tensor
    last: Tensor
    turns: Tensor

    def __init__(self, k: int) -> None:
        super().__init__()
        numbers = torch.zeros(k, len(NAMES), dtype=torch.float64)
        self.register_buffer("sums", numbers)
        self.register_buffer("last", numbers.clone())
        self.register_buffer("turns", numbers.long())

    @torch.no_grad()
    def add(self, turns: Sequence[Mapping[str, Tensor]]) -> None:
        """Take in the turns of a round: signal -> its values [K], of each."""
        for shown in merged(turns):
            for first, end in runs(shown):
                values = torch.stack([shown[name] for name in NAMES[first:end]], 1)
                here = slice(first, end)
                self.sums[:, here].add_(values)
                self.last[:, here].copy_(values)
                self.turns[:, here].add_(1)

    @torch.no_grad()
    def point(self, slots: Sequence[int]) -> Point:
        """Return a point of the curve, and begin the next one for the trials in some slots."""
        point = Point(self.sums / self.turns, self.last.clone(), self.turns.clone())
        for sum_ in (self.sums, self.turns):
            if len(slots) == len(sum_):
                sum_.zero_()
            else:
                sum_[list(slots)] = 0
        return point

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take a checkpoint of before there were sums: the mean at its next point is not known."""
        if f"{prefix}sums" not in state:
            state |= {f"{prefix}{n}": b.clone() for n, b in self.named_buffers()}
            state[f"{prefix}sums"].fill_(float("nan"))
        super()._load_from_state_dict(state, prefix, *rest)


def merged(turns: Sequence[Mapping[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Return the signals of several turns in as few mappings as hold each name once."""
    found: list[dict[str, Tensor]] = []
    for shown in turns:
        if not found or found[-1].keys() & shown.keys():
            found.append({})
        found[-1].update(shown)
    return found


def runs(shown: Collection[str]) -> list[tuple[int, int]]:
    """Return the first place and the end of every run of neighbours in `NAMES`."""
    found: list[tuple[int, int]] = []
    last = -1  # place that was not shown
    for n, name in enumerate((*NAMES, "")):
        if name not in shown:
            if n > last + 1:
                found.append((last + 1, n))
            last = n
    return found
