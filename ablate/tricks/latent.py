"""The distribution of latents."""

import math
from dataclasses import replace

from torch import Tensor

from ablate.trick import Moment, Recipe, Strength, Trick, choice, integer, like, number


class Latent(Trick):
    """Latents follow another distribution than the standard normal one, or have another dimension.

    All are exact transformations of the same normal draw z, so that arms stay paired: uniform on
    [-1, 1] is 2 Phi(z) - 1 = erf(z / sqrt 2); sphere is sqrt(d) z / |z|, on which a Gaussian lies
    only approximately, against what a widespread tutorial says; truncated is the inverse CDF of a
    normal cut off at +-tau, sqrt 2 erfinv(erf(z / sqrt 2) erf(tau / sqrt 2)). `dim` null keeps the
    run's own.

    Source: Radford et al. 2015, arXiv 1511.06434, section 4 (uniform); GAN hacks (Chintala et al.
    2016), number 3 (sphere); Brock et al. 2019, arXiv 1809.11096, section 3.1 (truncated).
    """

    group = "latent, data and augmentation"
    neutral = {"dist": "gauss", "dim": None}

    dist: str = choice("gauss", "uniform", "sphere", "truncated")
    dim: int = integer(1, off=0)
    tau: Strength = number(0.01, 5)

    def marks(self) -> frozenset[str]:
        """Return whether latents are no longer normal."""
        return frozenset() if self.dist == "gauss" else frozenset({"shaped_latent"})

    def recipe(self, recipe: Recipe) -> Recipe:
        """Set the dimension."""
        return replace(recipe, latent_dim=self.dim) if self.dim else recipe

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Return [K, B, Z]."""
        if self.dist == "uniform":
            return (z * math.sqrt(0.5)).erf()
        if self.dist == "sphere":
            return z / z.square().mean(2, keepdim=True).sqrt()
        if self.dist == "truncated":
            inside = (like(self.tau, z) * math.sqrt(0.5)).erf()
            return ((z * math.sqrt(0.5)).erf() * inside).erfinv() * math.sqrt(2)
        return z
