"""Gradient penalty between real and fake."""

import torch
from torch import Tensor

from ablate.trick import Rules, Step, Strength, Trick, choice, flag, like, number, slope


class GpInterp(Trick):
    """D's gradient is pulled to a target norm, on lines between real and fake images.

    strength * E phi(|grad_x D(x')| - norm), x' = e x + (1 - e) x~, e ~ U(0, 1) a sample; phi(u) =
    u^2 (two-sided) or relu(u)^2 (one-sided). `norm` 1 is WGAN-GP, 0 is zero-centred (Thanh-Tung et
    al. 2019, arXiv 1902.03984); `place` puts x' on lines, on reals, or on fakes. The norm is over
    all pixels of a sample, not per pixel over channels as in a widespread tutorial's code, and 1e-8
    under the root keeps the second derivative finite where the gradient vanishes.

    Source: Gulrajani et al. 2017, arXiv 1704.00028, equation 3.
    """

    group = "discriminator regularisers"
    cost = "one more pass through D and its double backward"
    traits = frozenset({"gradient_penalty", "lipschitz"})
    excludes = {
        "batch_coupled_d": "the gradient of one sample's score is not defined when D mixes samples "
        "(trick.gp_interp.allow_batch_coupling=true allows it)"
    }

    strength: Strength = number(0)
    norm: Strength = number(0)
    sided: str = choice("two", "one")
    place: str = choice("interp", "real", "fake")
    allow_batch_coupling: bool = flag()

    def refusals(self) -> Rules:
        """Exclude a D that mixes samples, unless that is allowed on purpose."""
        return {} if self.allow_batch_coupling else self.excludes

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; D's turn only."""
        if step.player == "G":
            return None
        x = self.points(step).detach().requires_grad_()
        score = step.see(x, self.name).value.squeeze(2)
        excess = slope(score, x).square().sum(2).add(1e-8).sqrt() - like(self.norm, score)
        if self.sided == "one":
            excess = excess.relu()
        return self.strength * excess.square().mean(1)

    def points(self, step: Step) -> Tensor:
        """Return where the gradient is measured, [K, B, ...]."""
        real, fake = step.images["real"], step.images["fake"]
        if self.place != "interp":
            return step.images[self.place]
        e = step.at.uniform(self.name, real.shape[1])
        e = e.view(*e.shape, *(1 for _ in real.shape[2:]))
        return torch.lerp(fake, real, e)
