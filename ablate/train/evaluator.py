"""What the loop asks of whoever scores samples."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor


class Score(Protocol):
    """One metric of one generator."""

    metric: str
    value: float
    resample_sd: float | None
    protocol: str


class Judge(Protocol):
    """Scores the samples of K generators, uint8 [K, N, C, H, W] or points [K, N, 2]."""

    def score(self, images: Tensor) -> list[list[Any]]:
        """Return every metric of every generator."""

    def collapsed(self, images: Tensor) -> list[str | None]:
        """Return why the samples of a generator count as collapsed, or None, for each."""
