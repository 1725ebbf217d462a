"""Top-k training of G."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import Others, Problem, Recipe, Step, Strength, Trick, like, number


class TopkG(Trick):
    """G learns from the fakes that D scores highest, fewer of them every epoch.

    k = max(gamma^epoch B, nu B) rounded down; the loss is the mean over the k fakes with the
    highest scores. It is written with ranks: the others have weight 0 and these B / k, so that k
    is a number per trial.

    Source: Sinha et al. 2020, arXiv 2002.06224, section 3.
    """

    group = "generator regularisers"
    doubts = {
        loss: "a pair is ranked by its fake alone, not by the difference that the loss sees"
        for loss in ("loss_rpgan", "loss_ragan")
    }
    neutral = {"nu": 1.0}
    cheap = True

    gamma: Strength = number(0, 1)
    nu: Strength = number(0, 1)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt small batches."""
        if recipe.batch_size < 16:
            yield Problem(
                False,
                f"topk_g with batches of {recipe.batch_size}: few fakes are left under 16 samples.",
            )

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Return [K, U], in G's turn with weights of mean 1."""
        if step.player == "D":
            return loss
        units = loss.shape[1]
        scores = step.fake.logits.detach()
        # A permutation sorted is its inverse: the rank of every score, the highest is 0.
        rank = scores.argsort(dim=1, descending=True, stable=True).argsort(1)
        k = self.count(step, units)
        kept = torch.where(rank < k[:, None], loss, torch.zeros_like(loss))
        return kept * like(units / k, kept)

    def count(self, step: Step, units: int) -> Tensor:
        """Return k [K], a whole number from 1 to `units`."""
        epoch = step.at.clock // step.gan.feed.epoch_rounds
        share = torch.maximum(self.gamma**epoch, self.nu)
        return (share * units + 1e-3).floor().clamp(min=1)  # 0.75 * 16 is 12 in any precision
