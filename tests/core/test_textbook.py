"""The empty set of tricks is the loop that everybody writes, bit for bit."""

from functools import partial

import pytest
import torch
from torch import nn

from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from tests.world import gan, play

B, Z, ROUNDS = 16, 10, 40


class Flat(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(len(x), *self.shape)


def textbook_mlp(pixels, shape):
    g = nn.Sequential(
        nn.Linear(Z, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, pixels),
        Flat(*shape), *([nn.Tanh()] if len(shape) == 3 else []),
    )  # fmt: skip
    d = nn.Sequential(
        Flat(pixels), nn.Linear(pixels, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32),
        nn.LeakyReLU(0.2), nn.Linear(32, 1),
    )  # fmt: skip
    return g, d


def textbook_dcgan(channels, size):
    stages = {8: 1, 28: 2}[size]
    base, widths = size // 2**stages, [4 * 2**i for i in range(stages)]
    up = widths[::-1]
    g = [Flat(Z, 1, 1), nn.ConvTranspose2d(Z, up[0], base), nn.ReLU()]
    for i, o in zip(up, [*up[1:], channels], strict=True):
        g += [nn.ConvTranspose2d(i, o, 4, 2, 1), nn.ReLU()]
    d = []
    for i, o in zip([channels, *widths], widths, strict=False):
        d += [nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)]
    d += [nn.Conv2d(widths[-1], 1, base), Flat(1)]
    return nn.Sequential(*g[:-1], nn.Tanh()), nn.Sequential(*d)


def load(module, theta):  # theta ends in padding
    """Copy a row of theta into a torch module, parameters in their order of definition."""
    parameters = list(module.parameters())
    sizes = [p.numel() for p in parameters]
    flats = theta[: sum(sizes)].split(sizes)
    with torch.no_grad():
        for p, flat in zip(parameters, flats, strict=True):
            p.copy_(flat.view_as(p))


def flat(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def textbook_round(g, d, opt_g, opt_d, real, z):
    """pytorch/examples dcgan/main.py: D on real, D on detached fake, then G."""
    loss, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(B), torch.zeros(B)
    d.zero_grad()
    loss(d(real).view(-1), ones).backward()
    fake = g(z)
    loss(d(fake.detach()).view(-1), zeros).backward()
    opt_d.step()
    g.zero_grad()
    loss(d(fake).view(-1), ones).backward()
    opt_g.step()


CASES = {
    "mlp-points": (partial(mlp, width=32), (2,), lambda: textbook_mlp(2, (2,))),
    "mlp-images": (partial(mlp, width=32), (1, 8, 8), lambda: textbook_mlp(64, (1, 8, 8))),
    "dcgan-8": (partial(dcgan, width=4), (1, 8, 8), lambda: textbook_dcgan(1, 8)),
    "dcgan-28": (partial(dcgan, width=4), (3, 28, 28), lambda: textbook_dcgan(3, 28)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_empty_set_is_the_textbook_loop_bit_for_bit(case):
    build, shape, modules = CASES[case]
    ours = gan({}, build=build, shape=shape, seeds=[3], batch=B, latent=Z)
    g, d = modules()
    load(g, ours.G.theta[0])
    load(d, ours.D.theta[0])
    opt_g = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    for _ in range(ROUNDS):
        ours.feed.refill()
        _, z, rows = ours.feed.now()
        textbook_round(g, d, opt_g, opt_d, ours.pixels(rows)[0], z[0])
        play(ours, 1)
    assert torch.equal(ours.G.theta[0, : flat(g).numel()], flat(g))
    assert torch.equal(ours.D.theta[0, : flat(d).numel()], flat(d))
