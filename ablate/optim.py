"""Optimisers whose every number is one per trial.

Each is torch.optim's update, written on a matrix theta [K, P]; at K = 1 in float32 Adam equals
torch.optim.Adam bit for bit. The numbers are float64 [K] buffers, so that bias corrections do not
lose digits, and memory is [K, P].

Legend: K trials, P parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ablate.models.layers import like

Number = float | Sequence[float] | Tensor  # one for all trials, or one each


class Optimizer(nn.Module):
    """Moves theta along a gradient. `lr` [K] is what schedules and two time-scales edit."""

    lr: Tensor
    v: Tensor  # [K, P], every kind keeps one
    memory: tuple[str, ...] = ()  # buffers that a gated move must leave alone

    def __init__(self, theta: Tensor, lr: Number) -> None:
        super().__init__()
        self.numbers(theta, lr=lr)

    def numbers(self, theta: Tensor, **values: Number) -> None:
        """Register numbers as float64 [K]."""
        for name, value in values.items():
            spread = torch.as_tensor(value, dtype=torch.float64, device=theta.device)
            self.register_buffer(name, spread.expand(len(theta)).clone())

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        raise NotImplementedError

    def move_where(self, gate: Tensor, theta: Tensor, gradient: Tensor) -> None:
        """Move only the trials where gate [K] is true; the others keep theta and memory."""
        state = [theta, *(getattr(self, name) for name in self.memory)]
        before = [s.clone() for s in state]
        self.move(theta, gradient)
        for now, old in zip(state, before, strict=True):
            now.copy_(torch.where(like(gate, now), now, old))


class Adam(Optimizer):
    """Kingma and Ba 2015, arXiv 1412.6980, algorithm 1, in the order of torch.optim.Adam."""

    beta1: Tensor
    beta2: Tensor
    eps: Tensor
    n: Tensor
    m: Tensor
    v: Tensor
    memory = ("n", "m", "v")

    def __init__(
        self,
        theta: Tensor,
        lr: Number = 2e-4,
        beta1: Number = 0.5,
        beta2: Number = 0.999,
        eps: Number = 1e-8,
    ) -> None:
        super().__init__(theta, lr)
        self.numbers(theta, beta1=beta1, beta2=beta2, eps=eps, n=0.0)
        self.register_buffer("m", torch.zeros_like(theta))
        self.register_buffer("v", torch.zeros_like(theta))

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        kind = theta.dtype
        self.n.add_(1)
        rest1, rest2 = 1 - self.beta1, 1 - self.beta2
        size = (self.lr / (1 - self.beta1**self.n)).to(kind)[:, None]
        scale = (1 - self.beta2**self.n).sqrt_().to(kind)[:, None]
        self.m.lerp_(gradient, rest1.to(kind)[:, None])
        self.v.mul_(self.beta2.to(kind)[:, None])
        # In place from here: temporaries of [K, P] cost a fifth of the step in a large stack.
        self.v.addcmul_(rest2.to(kind)[:, None] * gradient, gradient)
        root = self.v.sqrt().div_(scale).add_(self.eps.to(kind)[:, None])
        theta.sub_((self.m * size).div_(root))


class SGD(Optimizer):
    """Stochastic gradient descent with heavy-ball momentum, as torch.optim.SGD."""

    momentum: Tensor
    v: Tensor
    memory = ("v",)

    def __init__(self, theta: Tensor, lr: Number, momentum: Number = 0.0) -> None:
        super().__init__(theta, lr)
        self.numbers(theta, momentum=momentum)
        self.register_buffer("v", torch.zeros_like(theta))

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        self.v.mul_(self.momentum.to(theta.dtype)[:, None]).add_(gradient)
        theta.sub_(self.v * self.lr.to(theta.dtype)[:, None])


class RMSprop(Optimizer):
    """Tieleman and Hinton 2012, lecture 6.5, as torch.optim.RMSprop (no centring)."""

    alpha: Tensor
    eps: Tensor
    v: Tensor
    memory = ("v",)

    def __init__(
        self,
        theta: Tensor,
        lr: Number,
        alpha: Number = 0.99,
        eps: Number = 1e-8,
    ) -> None:
        super().__init__(theta, lr)
        self.numbers(theta, alpha=alpha, eps=eps)
        self.register_buffer("v", torch.zeros_like(theta))

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        kind = theta.dtype
        self.v.mul_(self.alpha.to(kind)[:, None])
        self.v.addcmul_((1 - self.alpha).to(kind)[:, None] * gradient, gradient)
        root = self.v.sqrt().add_(self.eps.to(kind)[:, None])
        theta.sub_((gradient * self.lr.to(kind)[:, None]).div_(root))
