"""The loop that everybody writes: pytorch/examples, dcgan/main.py, in two forms.

T is that loop as users write it: a DataLoader in the same process, five numbers read from the
device a step, torch.optim.Adam as it comes (one parameter after the other on a CPU, foreach on
CUDA). T' is T with resident data and no number read: what a careful user gets for nothing.

Networks, losses and optimisers are those of the core's baseline: no normalisation, torch's own
first values, Adam 2e-4 with beta1 0.5, cross-entropy on logits. D runs twice, one fake batch serves
both players, and G's turn takes D's weight gradients too. Two things are kinder than the original:
images lie in memory as tensors, and the last partial batch of an epoch is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.data import DataLoader, TensorDataset

BATCH, LATENT = 64, 100


class View(nn.Module):
    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.view(len(x), *self.shape)


def mlp(width: int):
    sizes = [width, width]
    g = [layer for i, o in pairwise([LATENT, *sizes]) for layer in (nn.Linear(i, o), nn.ReLU())]
    d = [layer for i, o in pairwise([2, *sizes]) for layer in (nn.Linear(i, o), nn.LeakyReLU(0.2))]
    return nn.Sequential(*g, nn.Linear(width, 2)), nn.Sequential(*d, nn.Linear(width, 1))


def dcgan(size: int, channels: int, width: int):
    stages = {8: 1, 28: 2, 32: 3, 64: 4}[size]
    base, widths = size // 2**stages, [width * 2**i for i in range(stages)]
    up = widths[::-1]
    g: list[nn.Module] = [View(LATENT, 1, 1), nn.ConvTranspose2d(LATENT, up[0], base), nn.ReLU()]
    for i, o in pairwise([*up, channels]):
        g += [nn.ConvTranspose2d(i, o, 4, 2, 1), nn.ReLU()]
    d: list[nn.Module] = []
    for i, o in pairwise([channels, *widths]):
        d += [nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)]
    d += [nn.Conv2d(widths[-1], 1, base), View(1)]
    return nn.Sequential(*g[:-1], nn.Tanh()), nn.Sequential(*d)


class Residual(nn.Module):
    def __init__(self, main: list[nn.Module], skip: list[nn.Module]) -> None:
        super().__init__()
        self.main, self.skip = nn.Sequential(*main), nn.Sequential(*skip)

    def forward(self, x):
        return self.main(x) + self.skip(x)


class SumPool(nn.Module):
    def forward(self, x):
        return x.sum((2, 3))


def resnet(g: int, d: int):
    """SNGAN's networks for 32 pixels, spectral normalisation in D alone."""
    sn = spectral_norm
    ups = [
        Residual(
            [nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(g, g, 3, 1, 1), nn.ReLU(),
             nn.Conv2d(g, g, 3, 1, 1)],
            [nn.Upsample(scale_factor=2), nn.Conv2d(g, g, 1)],
        )
        for _ in range(3)
    ]  # fmt: skip
    generator = [nn.Linear(LATENT, g * 16), View(g, 4, 4), *ups, nn.ReLU()]

    def block(down: bool) -> Residual:
        main = [nn.ReLU(), sn(nn.Conv2d(d, d, 3, 1, 1)), nn.ReLU(), sn(nn.Conv2d(d, d, 3, 1, 1))]
        if not down:
            return Residual(main, [])
        return Residual([*main, nn.AvgPool2d(2)], [sn(nn.Conv2d(d, d, 1)), nn.AvgPool2d(2)])

    first = Residual(
        [sn(nn.Conv2d(3, d, 3, 1, 1)), nn.ReLU(), sn(nn.Conv2d(d, d, 3, 1, 1)), nn.AvgPool2d(2)],
        [nn.AvgPool2d(2), sn(nn.Conv2d(3, d, 1))],
    )
    judge = [first, block(True), block(False), block(False), nn.ReLU(), SumPool()]
    return (
        nn.Sequential(*generator, nn.Conv2d(g, 3, 3, 1, 1), nn.Tanh()),
        nn.Sequential(*judge, sn(nn.Linear(d, 1))),
    )


def scaled(data: torch.Tensor) -> torch.Tensor:
    return data.float() / 127.5 - 1 if data.dim() == 4 else data.float()


def loaded(data: torch.Tensor, device) -> Iterator[torch.Tensor]:
    """Yield batches for ever from a DataLoader."""
    rows = TensorDataset(scaled(data))
    loader = DataLoader(rows, BATCH, shuffle=True, num_workers=0, drop_last=True)
    while True:
        for (real,) in loader:
            yield real.to(device)


def resident(data: torch.Tensor, device) -> Iterator[torch.Tensor]:
    """Yield batches for ever from a tensor on the device."""
    data = data.to(device)
    while True:
        order = torch.randperm(len(data), device=device)
        for first in range(0, len(data) - BATCH + 1, BATCH):
            yield scaled(data[order[first : first + BATCH]])


class Loop:
    """One trial of the textbook.

    Attributes:
        careful: T' instead of T.
        penalty: None, "r1" (gamma 1, as in gan_stability) or "gp" (WGAN-GP's, strength 10).
        d_turns: Turns of D for one of G.
        mixed: Autocast to bfloat16.
    """

    def __init__(self, players, data, device="cpu", careful=True, penalty=None, d_turns=1,
                 mixed=False):  # fmt: skip
        self.g, self.d = (player.to(device) for player in players)
        self.device, self.careful, self.penalty = device, careful, penalty
        self.d_turns, self.mixed, self.turns = d_turns, mixed, 0
        self.batches = (resident if careful else loaded)(data, device)
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.loss = nn.BCEWithLogitsLoss()

    def precision(self):
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.mixed)

    def see(self, x):
        with self.precision():
            return self.d(x).view(-1).float()

    def draw(self):
        with self.precision():
            return self.g(torch.randn(BATCH, LATENT, device=self.device)).float()

    def round(self) -> None:
        self.turns += 1
        losses, fake = self.turn_of_d(next(self.batches))
        if self.turns % self.d_turns == 0:
            losses.append(self.turn_of_g(fake))
        self.read(*losses)

    def read(self, *numbers) -> None:
        """Wait for numbers to print, as the original does five times a step."""
        if not self.careful:
            self.told = [number.mean().item() for number in numbers]

    def turn_of_d(self, real):
        self.d.zero_grad()
        label = torch.full((BATCH,), 1.0, device=self.device)
        shared = self.penalty == "r1"
        output = self.see(real.requires_grad_() if shared else real)
        err_real = self.loss(output, label)
        err_real.backward(retain_graph=shared)
        self.read(output)
        fake = self.draw()
        if self.penalty:
            self.gradient_penalty(real, output, fake.detach()).backward()
        label.fill_(0.0)
        output = self.see(fake.detach())
        err_fake = self.loss(output, label)
        err_fake.backward()
        self.read(output)
        err_d = err_real + err_fake
        self.opt_d.step()
        return [err_d], fake

    def turn_of_g(self, fake):
        self.g.zero_grad()
        output = self.see(fake)
        err_g = self.loss(output, torch.full((BATCH,), 1.0, device=self.device))
        err_g.backward()
        self.read(output)
        self.opt_g.step()
        return err_g

    def gradient_penalty(self, real, output, fake):
        x, score = real, output
        if self.penalty == "gp":
            e = torch.rand(BATCH, *(1 for _ in real.shape[1:]), device=self.device)
            x = (e * real + (1 - e) * fake).requires_grad_()
            score = self.see(x)
        (slope,) = torch.autograd.grad(score.sum(), x, create_graph=True)
        square = slope.flatten(1).square().sum(1)
        return square.mean() / 2 if self.penalty == "r1" else (
            10 * ((square + 1e-8).sqrt() - 1).square().mean()
        )  # fmt: skip
