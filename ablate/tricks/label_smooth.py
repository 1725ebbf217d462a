"""Label smoothing for D."""

from collections.abc import Iterator, Mapping
from typing import Any

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
    flag,
    like,
    number,
)


class LabelSmooth(Trick):
    """D's labels are drawn from a range instead of being 1 and 0.

    t_real ~ U[real_low, real_high], t_fake ~ U[fake_low, fake_high], one draw a sample, in D's
    turn. One-sided smoothing, which Salimans et al. argue for, is real 0.9 and fake 0. The soft
    labels of the GAN-hacks tutorial are [0.7, 1.2] and [0, 0.3]; a target above 1 leaves cross-
    entropy without a finite optimum for that sample, which in expectation equals the mean target;
    `clamp` cuts the draws to [0, 1]. A flip of the class (noisy_labels) comes first, so that a
    flipped label is smoothed as the class it was flipped to.

    Source: Szegedy et al. 2015, arXiv 1512.00567, section 7; Salimans et al. 2016, arXiv
    1606.03498, section 3.4; GAN hacks (Chintala et al. 2016), number 6.
    """

    group = "labels"
    rank = 1
    neutral = {"real_low": 1.0, "real_high": 1.0, "fake_low": 0.0, "fake_high": 0.0}
    cheap = True
    needs = {"soft_targets": "there is no target to smooth"}

    real_low: Strength = number(0, 2)
    real_high: Strength = number(0, 2)
    fake_low: Strength = number(-1, 1)
    fake_high: Strength = number(-1, 1)
    clamp: bool = flag()

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse a range whose ends are swapped."""
        for side in ("real", "fake"):
            low, high = settings[f"{side}_low"], settings[f"{side}_high"]
            if low > high:
                raise UserError(
                    f"trick.label_smooth.{side}_low={low} is above {side}_high={high}; "
                    f"type a {side}_low of at most {high}."
                )

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt targets that cross-entropy cannot reach."""
        above = max(self.values["real_high"] + self.values["fake_high"]) > 1
        if above and not self.clamp and "loss_lsgan" not in others:
            yield Problem(
                False,
                "label_smooth with targets above 1: cross-entropy has no finite optimum for them; "
                "in expectation they are the mean target; type trick.label_smooth.clamp=true to "
                "cut them at 1.",
            )

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Draw [K, U] between the ends that belong to the class."""
        if side.step.player == "G":
            return target
        low = like(self.fake_low, target) * (1 - target) + like(self.real_low, target) * target
        high = like(self.fake_high, target) * (1 - target) + like(self.real_high, target) * target
        drawn = low + (high - low) * at.uniform(self.name, target.shape[1])
        return drawn.clamp(0, 1) if self.clamp else drawn
