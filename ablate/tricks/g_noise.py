"""Noise inside the generator."""

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


class GNoise(Trick):
    """G drops features or adds Gaussian noise to them, in training and in sampling.

    Behind every activation of G: x <- x m / (1 - p) with m ~ Bernoulli(1 - p) a feature, then
    x <- x + sd e with e ~ N(0, 1). Unlike ordinary dropout it stays on when samples are drawn, so
    that it is a second source of variety beside the latent: G of a fixed latent is no longer one
    image.

    Source: GAN hacks (Chintala et al. 2016), numbers 13 and 17; Isola et al. 2016, arXiv
    1611.07004, section 3.1 (dropout at test time).
    """

    group = "generator regularisers"
    rank = -2  # finds activations before other tricks replace them
    neutral = {"dropout": 0.0, "sd": 0.0}
    doubts = {
        "zcr": "two passes of a noisy G differ even where their latents agree",
        "latent_trunc": "truncation acts on one of two sources of variety",
    }

    dropout: Strength = number(0, 0.95)
    sd: Strength = number(0)

    def network(self, layers: Network, player: Player) -> Network:
        """Put noise behind every activation of G."""
        if player == "D":
            return layers

        def edit(layer: Layer) -> list[Layer]:
            noise = Noise(f"{layer.name}/{self.name}", self)
            return [layer, noise] if isinstance(layer, Leaky) else [layer]

        return rewrite(layers, edit)


@dataclass(frozen=True)
class Noise(Layer):
    """Dropout, then additive noise."""

    trick: GNoise

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return x [K, B, ...] with noise, in the precision of x."""
        p, sd = like(self.trick.dropout, x), like(self.trick.sd, x)
        kept = at.uniform(f"{self.name}/dropout", *x.shape[1:]) >= p
        x = x * (kept / (1 - p)).to(x.dtype)
        return x + (at.normal(f"{self.name}/gauss", *x.shape[1:]) * sd).to(x.dtype)
