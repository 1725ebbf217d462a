"""Clipping of D's weights."""

import math
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ablate.trick import Others, Problem, Recipe, Step, Strength, Trick, number


class WeightClip(Trick):
    """Every parameter of D is cut to [-c, c] after each of D's moves.

    A bound on the weights bounds D's slope, which makes the Wasserstein loss a distance up to a
    factor. It acts on all parameters, biases and norms included, as stored: before spectral norm or
    an equalised rate. The paper reports that momentum hurts and uses RMSprop; infinite c (null) is
    off.

    Source: Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1.
    """

    group = "discriminator regularisers"
    neutral = {"c": None}
    cheap = True
    traits = frozenset({"lipschitz"})
    doubts = {
        "gradient_penalty": "both bound D's slope; compare them one at a time",
        "spectral_norm": "both bound D's slope, and the clip acts on unscaled weights",
        "equalized_lr": "the clip acts on unscaled weights",
    }

    c: Strength = number(0, off=math.inf)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt momentum."""
        adam: Any = others.members["adam"] if "adam" in others else None
        momentum = adam is None or bool((adam.beta1 > 0).any())
        if momentum and not {"rmsprop", "sgd_d"} & others.marks().keys():
            yield Problem(
                False,
                "weight_clip with Adam's momentum: the paper reports that momentum hurts under "
                "clipping; add rmsprop, or adam with beta1 0.",
            )

    def settle(self, step: Step) -> None:
        """Cut D's parameters."""
        if step.player == "D":
            c: Tensor = self.c[:, None]
            step.gan.D.theta.clamp_(-c, c)
