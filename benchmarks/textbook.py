"""The loop that everybody writes (pytorch/examples, dcgan/main.py), on data that is resident.

It has what the core's baseline has: no normalisation, torch's own first values, Adam 2e-4 with
beta1 0.5, cross-entropy on logits. Like the original it runs D twice, keeps the graph of one fake
batch for both players, and takes D's weight gradients in G's turn too. It reads no number from the
device, which the original does five times a round: the core is held against the faster of the two.
"""

from __future__ import annotations

import torch
from torch import nn


class View(nn.Module):
    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.view(len(x), *self.shape)


def mlp(width: int, latent: int = 100):
    g = nn.Sequential(
        nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)
    )
    d = nn.Sequential(
        nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, 1),
    )  # fmt: skip
    return g, d


def dcgan(size: int, channels: int, width: int, latent: int = 100):
    stages = {8: 1, 28: 2, 32: 3, 64: 4}[size]
    base, widths = size // 2**stages, [width * 2**i for i in range(stages)]
    up = widths[::-1]
    g: list[nn.Module] = [View(latent, 1, 1), nn.ConvTranspose2d(latent, up[0], base), nn.ReLU()]
    for i, o in zip(up, [*up[1:], channels], strict=True):
        g += [nn.ConvTranspose2d(i, o, 4, 2, 1), nn.ReLU()]
    d: list[nn.Module] = []
    for i, o in zip([channels, *widths], widths, strict=False):
        d += [nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)]
    d += [nn.Conv2d(widths[-1], 1, base), View(1)]
    return nn.Sequential(*g[:-1], nn.Tanh()), nn.Sequential(*d)


class Loop:
    """One trial of the textbook."""

    def __init__(self, players, data: torch.Tensor, batch: int = 64, latent: int = 100) -> None:
        self.g, self.d = players
        self.data, self.batch, self.latent = data, batch, latent
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.loss, self.order, self.at = nn.BCEWithLogitsLoss(), torch.randperm(len(data)), 0

    def round(self) -> None:
        if self.at + self.batch > len(self.data):
            self.order, self.at = torch.randperm(len(self.data)), 0
        rows = self.order[self.at : self.at + self.batch]
        self.at += self.batch
        real = self.data[rows].float()
        if real.dim() == 4:
            real = real / 127.5 - 1
        self.d.zero_grad()
        label = torch.full((self.batch,), 1.0)
        self.loss(self.d(real).view(-1), label).backward()
        fake = self.g(torch.randn(self.batch, self.latent))
        label.fill_(0.0)
        self.loss(self.d(fake.detach()).view(-1), label).backward()
        self.opt_d.step()
        self.g.zero_grad()
        label.fill_(1.0)
        self.loss(self.d(fake).view(-1), label).backward()
        self.opt_g.step()
