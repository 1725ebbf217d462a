"""Samples of a generator, the same latents in every arm and at every evaluation.

Legend: K trials, N samples, C H W image, P parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ablate.core.layers import Weights
from ablate.core.step import Gan

CHUNK = 512  # samples a pass
STATISTICS = 1024  # latents on which normalisation statistics are measured


@torch.no_grad()
def generate(gan: Gan, theta: Tensor, n: int) -> Tensor:
    """Return n samples of every trial's generator: uint8 [K, N, C, H, W], or points [K, N, 2].

    Args:
        gan: Gives the layers, the latent seam and the scaling.
        theta: Parameters [K, P] of the generators, raw or averaged.
        n: Samples a trial.
    """
    weights = measured(gan, theta)
    chunks = [chunk(gan, weights, f"chunk{first}") for first in range(0, n, CHUNK)]
    return gan.pixels.bytes(torch.cat(chunks, 1)[:, :n])


def measured(gan: Gan, theta: Tensor) -> Weights:
    """Return the generator's weights with normalisation statistics measured on fixed latents.

    Standing statistics (Brock et al. 2019, arXiv 1809.11096, appendix C.1): an average of
    parameters has no statistics of its own, and those of a training batch belong to other
    parameters.
    """
    weights = gan.G.open(theta)
    weights.recording = True
    chunk(gan, weights, "statistics", STATISTICS)
    weights.recording = False
    return weights


def chunk(gan: Gan, weights: Weights, occasion: str, n: int = CHUNK) -> Tensor:
    """Return n samples [K, n, ...] in G's range, before they become bytes."""
    at = gan.feed.start.at("evaluation", occasion)
    z = gan.tricks.latent(at.normal("latent", n, gan.recipe.latent_dim), at)
    with gan.precision():
        return gan.G(weights, z, at).value.to(z.dtype)
