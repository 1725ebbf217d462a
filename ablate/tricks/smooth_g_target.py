"""Label smoothing for G."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ablate.trick import (
    Moment,
    Others,
    Problem,
    Recipe,
    Side,
    Strength,
    Trick,
    UserError,
    like,
    number,
)


class SmoothGTarget(Trick):
    """The label that G wants for its fakes is drawn from a range instead of being 1.

    t ~ U[low, high] for every fake in G's turn, and 0 with probability p: the class is flipped
    first, and a flipped label is not smoothed. A target above 1 leaves cross-entropy without a
    finite optimum for that sample, which in expectation equals the mean target. Two readers of the
    GAN-hacks tutorial smooth in the turn of inverted labels too; one reports a mild effect.

    Source: GAN hacks (Chintala et al. 2016), numbers 2 and 6, read together.
    """

    group = "labels"
    rank = 1
    neutral = {"low": 1.0, "high": 1.0, "p": 0.0}
    cheap = True
    needs = {"soft_targets": "there is no target to smooth"}

    low: Strength = number(0, 2)
    high: Strength = number(0, 2)
    p: Strength = number(0, 1)

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse a range whose ends are swapped."""
        low, high = settings["low"], settings["high"]
        if low > high:
            raise UserError(
                f"trick.smooth_g_target.low={low} is above high={high}; type a low of at most "
                f"{high}."
            )

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Note targets outside cross-entropy's domain."""
        if bool((self.high > 1).any()) and "loss_lsgan" not in others:
            yield Problem(
                False,
                "smooth_g_target with high above 1: cross-entropy has no finite optimum for a "
                "target above 1; in expectation it is the mean target.",
            )

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Draw [K, U] in G's turn."""
        if side.step.player == "D" or side.name == "real":
            return target
        n = target.shape[1]
        low, high = like(self.low, target), like(self.high, target)
        drawn = low + (high - low) * at.uniform(self.name, n)
        return torch.where(at.bernoulli(f"{self.name}/flip", self.p, n), 1 - target, target * drawn)
