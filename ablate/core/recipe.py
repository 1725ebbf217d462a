"""The plain choices of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Player = str  # "G" or "D"


@dataclass(frozen=True)
class Recipe:
    """The plain choices of a run that tricks may change before anything is built.

    Attributes:
        batch_size: Real images in D's batch.
        latent_dim: Z.
        image_range: "tanh" [-1, 1], "sigmoid" [0, 1] or "linear" (standardised, no last function).
        width: Factor on the channels of each player.
        depth: Layers added to each player, may be negative.
        shape: Of one sample, (C, H, W) or (2,) for toys.
        classes: Number of classes, None where the data has no labels.
        data: Name of the data set.
    """

    batch_size: int = 64
    latent_dim: int = 100
    image_range: str = "tanh"
    width: Mapping[Player, float] = field(default_factory=lambda: {"G": 1.0, "D": 1.0})
    depth: Mapping[Player, int] = field(default_factory=lambda: {"G": 0, "D": 0})
    shape: tuple[int, ...] = (1, 8, 8)
    classes: int | None = None
    data: str = "digits"

    @property
    def is_toy(self) -> bool:
        """Points rather than images."""
        return len(self.shape) == 1


PRECISIONS = ("float32", "bfloat16")
