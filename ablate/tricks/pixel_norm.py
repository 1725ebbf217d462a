"""Pixelwise normalisation."""

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


class PixelNorm(Trick):
    """G's features are scaled to a root mean square of one over channels, at every pixel.

    a / sqrt(mean_c a^2 + eps), without parameters, behind every activation of G, as in the authors'
    code (their text says behind every convolution). It keeps the magnitudes of the two players from
    escalating. The latent itself is left alone.

    Source: Karras et al. 2017, arXiv 1710.10196, section 4.2.
    """

    group = "normalisation"
    rank = -1  # finds activations before other tricks replace them
    cost = "small"
    doubts = {"batch_norm_g": "pixel norm behind a layer that is normalised is redundant"}

    eps: Strength = number(0)

    def network(self, layers: Network, player: Player) -> Network:
        """Put a norm behind every activation of G."""
        if player == "D":
            return layers

        def edit(layer: Layer) -> list[Layer]:
            norm = PixelScale(f"{layer.name}/{self.name}", self)
            return [layer, norm] if isinstance(layer, Leaky) else [layer]

        return rewrite(layers, edit)


@dataclass(frozen=True)
class PixelScale(Layer):
    """x / sqrt(mean of x^2 over channels + eps)."""

    trick: PixelNorm

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return x [K, B, C, ...] scaled."""
        power = x.square().mean(2, keepdim=True)
        return x * (power + like(self.trick.eps, power)).rsqrt()
