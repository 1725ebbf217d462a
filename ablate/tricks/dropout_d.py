"""Dropout in the discriminator."""

from dataclasses import dataclass

from torch import Tensor

from ablate.trick import (
    Layer,
    Leaky,
    Moment,
    Network,
    Player,
    Strength,
    Trick,
    Weights,
    like,
    number,
    rewrite,
)


class DropoutD(Trick):
    """D drops hidden features at random, in both turns.

    x <- x m / (1 - p) with m ~ Bernoulli(1 - p) a feature, behind every activation of D. A mask
    belongs to one look at D: a gradient penalty differentiates the score through the mask that made
    it, to second order, and two looks (real, fake, interpolates) have masks of their own.

    Source: Srivastava et al. 2014, JMLR 15; Salimans et al. 2016, arXiv 1606.03498, section 6.2 (in
    its code for CIFAR-10, p = 0.5).
    """

    group = "discriminator regularisers"
    rank = -2  # finds activations before other tricks replace them
    neutral = {"p": 0.0}

    p: Strength = number(0, 0.95)

    def network(self, layers: Network, player: Player) -> Network:
        """Put a mask behind every activation of D."""
        if player == "G":
            return layers

        def edit(layer: Layer) -> list[Layer]:
            mask = Mask(f"{layer.name}/{self.name}", self)
            return [layer, mask] if isinstance(layer, Leaky) else [layer]

        return rewrite(layers, edit)


@dataclass(frozen=True)
class Mask(Layer):
    """x m / (1 - p), m ~ Bernoulli(1 - p)."""

    trick: DropoutD

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return x [K, U, ...] masked, in the precision of x."""
        p = like(self.trick.p, x)
        kept = at.uniform(self.name, *x.shape[1:]) >= p
        return x * (kept / (1 - p)).to(x.dtype)
