"""Gradient penalty on fake images."""

from collections.abc import Iterator

from torch import Tensor

from ablate.trick import (
    Others,
    Problem,
    Recipe,
    Round,
    Rules,
    Step,
    Strength,
    Trick,
    flag,
    integer,
    mark_every,
    number,
    slope,
)


class R2(Trick):
    """D's gradient is pulled to zero on fake images.

    gamma / 2 * E_fake |grad_x D(x~)|^2, the norm over all pixels of a sample; the fakes are
    constants, so the penalty is D's alone. With `every` k it is taken in every k-th of
    D's turns and weighted by k. The number of turns stays the same, so Adam needs none of the
    corrections that StyleGAN2 makes for its extra turns; a look ahead leaves a lazy penalty out.
    Codes differ by the factor 1/2: some write gamma E, which is twice this. R3GAN needs it beside
    r1, with the same gamma.

    Source: Mescheder et al. 2018, arXiv 1801.04406, equation 10; Huang et al. 2025 (R3GAN), arXiv
    2501.05441, section 2; `every`: Karras et al. 2019, arXiv 1912.04958, section 3.1.
    """

    group = "discriminator regularisers"
    rank = 5  # its turns are counted in the schedule that other tricks have made
    cost = "a double backward pass through D"
    neutral = {"gamma": 0.0}
    traits = frozenset({"gradient_penalty"})
    excludes = {
        "batch_coupled_d": "the gradient of one sample's score is not defined when D mixes samples "
        "(trick.r2.allow_batch_coupling=true allows it)"
    }

    gamma: Strength = number(0)
    every: int = integer(1, 1024)
    allow_batch_coupling: bool = flag()

    def refusals(self) -> Rules:
        """Exclude a D that mixes samples, unless that is allowed on purpose."""
        return {} if self.allow_batch_coupling else self.excludes

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt lazy penalties where they were seen to fail."""
        if self.every > 1 and (recipe.is_toy or recipe.data.startswith("stacked")):
            yield Problem(
                False,
                f"r2 with every={self.every} on {recipe.data}: R3GAN reports that lazy penalties "
                "fail there; type trick.r2.every=1.",
            )

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Mark every k-th turn of D that sees fake images."""
        return mark_every(rounds, self.name, self.every, "fake")

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; in D's turns that are due."""
        lazy = self.every > 1 and self.name not in step.turn.due
        if step.player == "G" or "fake" not in step.turn.sides or lazy:
            return None
        g = slope(step.fake.logits, step.images["fake"])
        return self.gamma * (self.every / 2) * g.square().sum(2).mean(1)
