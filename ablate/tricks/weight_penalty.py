"""L1 and L2 penalties on weights."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import Gan, Others, Problem, Recipe, Step, Strength, Trick, choice, number

SLOPES = ("slope", "alpha")  # learned slopes of activations are no weights


class WeightPenalty(Trick):
    """Large weights cost: an L1 and an L2 term is added to the loss of one player or both.

    l1 * sum |w| + l2 * sum w^2 (`reduction=sum`), or, as compare_gan has it, the mean over layers
    of l1 * sum |w| + l2 / 2 * sum w^2 (`reduction=mean`). A widespread tutorial penalises every
    parameter of D, biases and norms included (`parts=all`), though it speaks of weights in both
    players: `parts=kernels` and `nets=both` are what it says. Under Adam this is no weight decay,
    as the gradient 2 l2 w is divided by its own history; torch's `weight_decay=wd` is l2 = wd / 2.
    It acts on parameters as stored. Where a norm makes the scale of weights meaningless it only
    changes the effective learning rate.

    Source: Krogh and Hertz 1991, "A simple weight decay can improve generalization", NIPS 4;
    reduction by the mean: Kurach et al. 2018, arXiv 1807.04720, section 2.2.
    """

    group = "discriminator regularisers"
    neutral = {"l1": 0.0, "l2": 0.0}

    l1: Strength = number(0)
    l2: Strength = number(0)
    nets: str = choice("D", "G", "both")
    parts: str = choice("kernels", "all")
    reduction: str = choice("sum", "mean")

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt weights whose scale does not matter."""
        marks = others.marks()
        for player, trait in (("D", "scale_invariant_d"), ("G", "batch_norm_g")):
            if self.nets in (player, "both") and trait in marks:
                yield Problem(
                    False,
                    f"weight_penalty with {marks[trait][0]}: the scale of {player}'s weights has "
                    "no effect there, so the penalty only changes the effective learning rate.",
                )

    def build(self, gan: Gan) -> None:
        """Write down what every parameter costs, [P] a player."""
        for player in ("G", "D"):
            if self.nets in (player, "both"):
                net = gan.G if player == "G" else gan.D
                costs = [float(self.counts(part)) for _, part, _ in net.cuts] + [0.0]  # padding
                share = 1 / sum(costs) if self.reduction == "mean" else 1.0
                sizes = zip(costs, net.sizes, strict=True)
                pieces = [net.theta.new_full((size,), share * cost) for cost, size in sizes]
                self.register_buffer(f"cost_{player}", torch.cat(pieces))

    def counts(self, part: str) -> bool:
        """Return whether a part of a layer is penalised."""
        return part == "weight" if self.parts == "kernels" else part not in SLOPES

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; in the turns of the players that it is about."""
        if self.nets not in (step.player, "both"):
            return None
        cost: Tensor = getattr(self, f"cost_{step.player}")
        half = 0.5 if self.reduction == "mean" else 1.0
        l1, l2 = (cost * step.own.abs()).sum(1), (cost * step.own.square()).sum(1)
        return self.l1 * l1 + self.l2 * half * l2
