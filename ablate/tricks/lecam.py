"""LeCam regularisation."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import (
    Gan,
    Others,
    Problem,
    Recipe,
    Side,
    Step,
    Strength,
    Trick,
    choice,
    like,
    number,
)

SIDES = ("real", "fake")


class Lecam(Trick):
    """D's scores are held near the running mean score of the other side.

    strength * [E relu(r - a_F)^2 + E relu(a_R - f)^2], a_R and a_F exponential averages of the
    mean real and fake score. That is the authors' code; `form=square` is the paper, which has
    no relu. An average starts at the first score it sees and follows the scores without memory
    until `start_images`, from where the penalty acts. The authors start after 1000 moves; averages
    that have not settled pull both sides together like label smoothing.

    Source: Tseng et al. 2021, arXiv 2104.03310, section 3, and the authors' code.
    """

    group = "discriminator regularisers"
    neutral = {"strength": 0.0}

    strength: Strength = number(0)
    decay: Strength = number(0, 1)
    start_images: Strength = number(0)
    form: str = choice("relu", "square")
    anchors: Tensor
    moves: Tensor

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt scores without a zero level."""
        if "anchored" not in others.marks():
            yield Problem(
                False,
                "lecam with a loss that only sees differences of scores: both averages drift with "
                "them; add drift_penalty, or choose another loss.",
            )

    def build(self, gan: Gan) -> None:
        """Have seen nothing: [K, 2], real and fake."""
        self.register_buffer("anchors", torch.zeros_like(self.strength)[:, None].repeat(1, 2))
        self.register_buffer("moves", torch.zeros_like(self.anchors))

    def started(self, step: Step) -> Tensor:
        """Return bool [K], whether the averages have a memory and the penalty acts."""
        return step.at.clock * step.gan.recipe.batch_size >= self.start_images

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; D's turn only."""
        if step.player == "G":
            return None
        active = self.started(step)[:, None] & (self.moves.amin(1, keepdim=True) > 0)
        terms = [self.excess(step, side).square().mean(1) for side in step.turn.sides]
        total = torch.stack(terms, 1)
        return self.strength * torch.where(active, total, torch.zeros_like(total)).sum(1)

    def excess(self, step: Step, name: str) -> Tensor:
        """Return how far [K, U] the scores of a side are beyond the other side's average."""
        side: Side = getattr(step, name)
        over = side.logits - like(self.anchors[:, 1 - SIDES.index(name)], side.logits)
        over = over if name == "real" else -over
        return over.relu() if self.form == "relu" else over

    def settle(self, step: Step) -> None:
        """Take this turn's mean scores into the averages."""
        if step.player == "G":
            return
        for name in step.turn.sides:
            i = SIDES.index(name)
            remember = self.started(step) & (self.moves[:, i] > 0)
            new = torch.where(remember, 1 - self.decay, torch.ones_like(self.decay))
            self.anchors[:, i].lerp_(getattr(step, name).logits.detach().mean(1), new)
            self.moves[:, i].add_(1)
