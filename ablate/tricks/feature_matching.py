"""Feature matching."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import Others, Problem, Recipe, Step, Strength, Trick, choice, integer, number


class FeatureMatching(Trick):
    """G matches the batch mean of D's features on real images, beside or instead of its loss.

    strength * |E phi(x) - E phi(x~)|^2 in G's turn, phi what D's last layer is given; `norm` 1 is
    the sum of absolute differences, as some libraries have it. `mode=replace` makes it G's only
    loss, as in the paper. Real features are constants to G and cost one more pass through D.

    Source: Salimans et al. 2016, arXiv 1606.03498, section 3.1.
    """

    group = "generator regularisers"
    traits = frozenset({"reads_features"})
    rank = 9  # a loss that is replaced is replaced after every weight
    cost = "one more pass through D in G's turn"
    neutral = {"strength": 0.0, "mode": "add"}

    strength: Strength = number(0)
    norm: int = integer(1, 2)
    mode: str = choice("add", "replace")

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt means over few samples."""
        if recipe.batch_size < 32:
            yield Problem(
                False,
                f"feature_matching with batches of {recipe.batch_size}: the means are noisy under "
                "32 samples.",
            )

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Return [K, U]: the loss, or zeros in its place."""
        replaced = self.mode == "replace" and step.player == "G"
        return torch.zeros_like(loss) if replaced else loss

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; G's turn only."""
        if step.player == "D":
            return None
        real, fake = step.real.features.detach(), step.fake.features
        gap = (real.mean(1) - fake.mean(1)).to(step.own.dtype)
        return self.strength * (gap.square() if self.norm == 2 else gap.abs()).sum(1)
