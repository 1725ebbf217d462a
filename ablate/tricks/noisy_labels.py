"""Noisy labels for D."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import Moment, Others, Problem, Recipe, Side, Strength, Trick, choice, number


class NoisyLabels(Trick):
    """A share p of D's samples is told to be of the other class.

    `draw=bernoulli` lets every sample err by itself with probability p; `draw=fixed` picks exactly
    round(p B) samples of a batch, without replacement. The tutorial's code picks with replacement
    and cuts p B to a whole number: 4.6 % instead of 5 % at 64 samples, none at all under 20.
    `mode=flip` changes the label, and comes before any smoothing, so that a flipped label is
    smoothed as the class it was flipped to (1 - y of a smoothed label would leave its range).
    `mode=swap` shows the sample in the other batch instead: real and fake change places, or, with
    noise on one `side`, that batch alone takes samples of the other. The two differ where D mixes
    the samples of a batch, and swapping needs no labels, so that it goes with every loss. In
    expectation flipping is label smoothing with targets 1 - p and p.

    Source: GAN hacks (Chintala et al. 2016), number 6; Xie et al. 2016, arXiv 1605.00055
    (DisturbLabel), for wrong labels as a regulariser.
    """

    group = "labels"
    rank = 0
    neutral = {"p": 0.0}
    cheap = True

    p: Strength = number(0, 1)
    draw: str = choice("bernoulli", "fixed")
    mode: str = choice("flip", "swap")
    side: str = choice("both", "real", "fake")

    def marks(self) -> frozenset[str]:
        """Return whether a batch holds images that are not what its rows say."""
        return frozenset({"swapped_samples"} if self.mode == "swap" else ())

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse to flip what has no label; note that smoothing is nearly the same trick."""
        marks = others.marks()
        if self.mode == "flip" and "hard_targets" not in marks:
            yield Problem(
                True,
                f"Trick noisy_labels with mode=flip needs a loss with a class for every sample and "
                f"{marks['adversary_loss'][0]} has none; type trick.noisy_labels.mode=swap.",
            )
        if "label_smooth" in others:
            yield Problem(
                False,
                "noisy_labels with label_smooth: flipping is, in expectation, smoothing with "
                "targets 1 - p and p; read their effects together.",
            )

    def chosen(self, at: Moment, n: int) -> Tensor:
        """Return bool [K, n], the samples that err."""
        if self.draw == "bernoulli":
            return at.bernoulli(self.name, self.p, n)
        return at.order(self.name, n) < (self.p * n).round()[:, None]

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Return the labels [K, U] with some flipped; D's turn only."""
        elsewhere = self.mode == "swap" or self.side not in (side.name, "both")
        if side.step.player == "G" or elsewhere:
            return target
        return torch.where(self.chosen(at, target.shape[1]), 1 - target, target)

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Return both batches [K, B, ...] with some samples exchanged."""
        if self.mode == "flip":
            return real, fake
        chosen = self.chosen(at, real.shape[1])
        chosen = chosen.view(*chosen.shape, *(1 for _ in real.shape[2:]))
        mixed = torch.where(chosen, fake, real), torch.where(chosen, real, fake)
        return (
            real if self.side == "fake" else mixed[0],
            fake if self.side == "real" else mixed[1],
        )
