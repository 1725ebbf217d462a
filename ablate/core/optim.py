"""Optimisers whose every number is one per trial.

Each is torch.optim's update, written on a matrix theta [K, P]; at K = 1 in float32 Adam equals
torch.optim.Adam bit for bit. The numbers are float64 [K] buffers, so that bias corrections do not
lose digits, and memory is [K, P].

Legend: K trials, P parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from ablate.core.layers import like


class Optimizer(nn.Module):
    """Moves theta along a gradient.

    Numbers are read as attributes, float64 [K], and changed through `edit` alone, because what a
    move needs of them is computed there once and not in every move.
    """

    lr: Tensor
    v: Tensor  # [K, P], which every kind keeps
    used: Tensor  # [K, ., 1] in theta's precision, what `prepare` returned
    memory: tuple[str, ...] = ()  # buffers that a gated move must leave alone

    def __init__(self, theta: Tensor, **numbers: float | Tensor) -> None:
        """Take one value for all trials, or [K], of every number."""
        super().__init__()
        self.numbers, self.kind = tuple(numbers), theta.dtype
        for name, value in numbers.items():
            spread = torch.as_tensor(value, dtype=torch.float64, device=theta.device)
            self.register_buffer(name, spread.expand(len(theta)).clone())
        self.register_buffer("used", self.cast())

    def edit(self, **numbers: float | Sequence[float] | Tensor) -> Self:
        """Change numbers, one value for all trials or K of them; return the optimiser."""
        for name, value in numbers.items():
            assert name in self.numbers, f"{type(self).__name__} has no number {name}"
            number = getattr(self, name)
            number.copy_(torch.as_tensor(value, dtype=torch.float64).expand_as(number))
        self.used.copy_(self.cast())
        return self

    def prepare(self) -> list[Tensor]:
        """Return the numbers [K] that a move multiplies with."""
        raise NotImplementedError

    def cast(self) -> Tensor:
        """Return what `prepare` gives as [K, ., 1] in theta's precision."""
        return torch.stack(self.prepare(), 1).to(self.kind).unsqueeze(2)

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
        lr: float | Tensor = 2e-4,
        beta1: float | Tensor = 0.5,
        beta2: float | Tensor = 0.999,
        eps: float | Tensor = 1e-8,
    ) -> None:
        super().__init__(theta, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
        self.register_buffer("n", torch.zeros_like(self.lr))
        self.register_buffer("m", torch.zeros_like(theta))
        self.register_buffer("v", torch.zeros_like(theta))

    def prepare(self) -> list[Tensor]:
        """Return 1 - beta1, beta2, 1 - beta2 and eps."""
        return [1 - self.beta1, self.beta2, 1 - self.beta2, self.eps]

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        rest1, keep2, rest2, eps = self.used.unbind(1)
        self.n.add_(1)
        size = (self.lr / (1 - self.beta1**self.n)).to(self.kind).unsqueeze(1)
        scale = (1 - self.beta2**self.n).sqrt_().to(self.kind).unsqueeze(1)
        self.m.lerp_(gradient, rest1)
        # In place from here: temporaries of [K, P] cost a fifth of the step in a large stack.
        self.v.mul_(keep2).addcmul_(rest2 * gradient, gradient)
        root = self.v.sqrt().div_(scale).add_(eps)
        theta.sub_((self.m * size).div_(root))


class SGD(Optimizer):
    """Stochastic gradient descent with heavy-ball momentum, as torch.optim.SGD."""

    momentum: Tensor
    v: Tensor
    memory = ("v",)

    def __init__(self, theta: Tensor, lr: float | Tensor, momentum: float | Tensor = 0.0) -> None:
        super().__init__(theta, lr=lr, momentum=momentum)
        self.register_buffer("v", torch.zeros_like(theta))

    def prepare(self) -> list[Tensor]:
        """Return lr and momentum."""
        return [self.lr, self.momentum]

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        lr, momentum = self.used.unbind(1)
        self.v.mul_(momentum).add_(gradient)
        theta.sub_(self.v * lr)


class RMSprop(Optimizer):
    """Tieleman and Hinton 2012, lecture 6.5, as torch.optim.RMSprop (no centring)."""

    alpha: Tensor
    eps: Tensor
    v: Tensor
    memory = ("v",)

    def __init__(
        self,
        theta: Tensor,
        lr: float | Tensor,
        alpha: float | Tensor = 0.99,
        eps: float | Tensor = 1e-8,
    ) -> None:
        super().__init__(theta, lr=lr, alpha=alpha, eps=eps)
        self.register_buffer("v", torch.zeros_like(theta))

    def prepare(self) -> list[Tensor]:
        """Return lr, alpha, 1 - alpha and eps."""
        return [self.lr, self.alpha, 1 - self.alpha, self.eps]

    def move(self, theta: Tensor, gradient: Tensor) -> None:
        """Change theta [K, P] in place."""
        lr, keep, rest, eps = self.used.unbind(1)
        self.v.mul_(keep).addcmul_(rest * gradient, gradient)
        theta.sub_((gradient * lr).div_(self.v.sqrt().add_(eps)))
