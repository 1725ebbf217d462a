"""Noise on what D sees."""

import math

from torch import Tensor

from ablate.trick import Moment, Strength, Trick, choice, like, number


class InstanceNoise(Trick):
    """Everything D is shown carries Gaussian noise that fades out in the course of training.

    x + sigma_t e, x~ + sigma_t e', in D's and in G's turn, never at evaluation. linear: sigma_t =
    sigma max(0, 1 - t / fade) at the share t of the budget; exponential: sigma 0.01^(t / fade), a
    hundredth at `fade`. `fade` null keeps sigma constant, as the code of Salimans et al. 2016 does
    (0.2 on CIFAR-10). sigma is in units of the pixel range that D sees.

    Source: Sonderby et al. 2016, arXiv 1610.04490, section 3; Arjovsky and Bottou 2017, arXiv
    1701.04862, section 3; GAN hacks (Chintala et al. 2016), number 13.
    """

    group = "latent, data and augmentation"
    rank = 1
    neutral = {"sigma": 0.0}
    cheap = True

    sigma: Strength = number(0)
    fade: Strength = number(0.001, off=math.inf)
    decay: str = choice("linear", "exponential")

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Return [K, B, ...]."""
        t = at.progress / self.fade
        left = (1 - t).clamp(min=0) if self.decay == "linear" else 0.01**t
        return x + like(self.sigma * left, x) * at.normal(self.name, *x.shape[1:])
