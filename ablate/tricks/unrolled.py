"""Unrolled GAN."""

import torch
from torch import Tensor

from ablate.trick import Step, Strength, Trick, integer, number


class Unrolled(Trick):
    """G's gradient is taken at D as it will be after k more steps on this batch.

    theta_D moves k times by -lr times its own gradient, plain descent with neither momentum nor
    Adam's scaling, G moves against the result, and D stays where it was. First order: G's gradient
    does not pass through D's steps, while the paper's does. Every step ahead sees the same images,
    draws its own noise, and leaves lazy penalties out.

    Source: Metz et al. 2016, arXiv 1611.02163, section 2.3, without the gradient through
    the steps.
    """

    group = "update rule"
    cost = "k more gradients of D in G's turn"
    neutral = {"k": 0}

    k: int = integer(0, 100)
    lr: Strength = number(0)

    def point(self, own: Tensor, rival: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Return G's theta and D's theta [K, P] after k steps; G's turn only."""
        if step.player == "D":
            return own, rival
        for i in range(self.k):
            ahead, d = step.again("D", f"{self.name}{i}"), rival.detach().requires_grad_()
            with step.gan.precision():
                loss = step.gan.objective(ahead, d)
            (gradient,) = torch.autograd.grad(loss.sum(), d)
            ahead.forget()
            rival = (rival - self.lr[:, None] * gradient).detach()
        return own, rival
