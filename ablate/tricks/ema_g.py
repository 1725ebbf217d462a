"""An average of the generator."""

import math

import torch
from torch import Tensor

from ablate.trick import Gan, Step, Strength, Trick, choice, number


class EmaG(Trick):
    """Samples come from an average of G's parameters over training, beside the raw ones.

    mean <- b mean + (1 - b) theta_G after every move of G, b = 0.5^(n / h) with a half-life of h
    images, where n is what has been drawn since G's last move: B, or 5 B with five turns of D. The
    half-life is at most `rampup` times the images so far (StyleGAN2-ADA), so that the average
    forgets the first, random generator. `mode=uniform` is the plain mean of all generators since
    `start_images`. Both generators are scored, and only sampling differs: training is the
    baseline's bit for bit.

    Source: Karras et al. 2017, arXiv 1710.10196, section 4; Yazici et al. 2019, arXiv 1806.04498.
    """

    group = "schedule and averaging"
    cost = "one copy of G"
    traits = frozenset({"average"})
    neutral = {"mode": "ema", "halflife_images": 0.0}

    mode: str = choice("ema", "uniform")
    halflife_images: Strength = number(0)
    rampup: Strength = number(0, off=math.inf)
    start_images: Strength = number(0)
    mean: Tensor
    moves: Tensor
    last: Tensor

    def build(self, gan: Gan) -> None:
        """Start from the first generator."""
        self.register_buffer("mean", gan.G.theta.clone())
        self.register_buffer("moves", torch.zeros_like(self.halflife_images))
        self.register_buffer("last", torch.full_like(gan.feed.clock, -1))

    def settle(self, step: Step) -> None:
        """Take the generator that has just moved into the average."""
        if step.player == "D":
            return
        batch, clock = step.gan.recipe.batch_size, step.at.clock
        seen = clock.to(self.mean.dtype) * batch
        started = seen >= self.start_images
        since = clock - self.last
        # Not copied from the clock, which moves on in this round: inductor (torch 2.13) may copy it
        # after it has moved.
        self.last.add_(since)
        self.moves.add_(started)
        if self.mode == "uniform":
            new = 1 / self.moves.clamp(min=1)
        else:
            half = torch.minimum(self.halflife_images, self.rampup * (seen + batch))
            # Half 0: 0.5^inf = 0, the average is the generator.
            new = 1 - 0.5 ** (since * batch / half)
        new = torch.where(started, new, torch.ones_like(new))
        self.mean.lerp_(step.gan.G.theta, new[:, None])

    def sampler(self, generators: dict[str, Tensor], gan: Gan) -> dict[str, Tensor]:
        """Add the average."""
        return {**generators, "ema": self.mean}
