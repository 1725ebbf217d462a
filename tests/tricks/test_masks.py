"""g_noise and dropout_d."""

import torch

from ablate.core.rng import Moment
from ablate.train.sample import generate
from ablate.tricks.dropout_d import DropoutD, Mask
from ablate.tricks.g_noise import GNoise, Noise
from tests.world import gan, settings

CLOCK = torch.zeros(2, dtype=torch.int64)
AT = Moment.of(torch.arange(2), CLOCK, 1)


def test_dropout_keeps_the_mean_and_drops_a_share_of_p():
    rates = torch.tensor([0.2, 0.5])
    for layer in (
        Noise("n", GNoise.stack([settings("g_noise", dropout=p) for p in (0.2, 0.5)])),
        Mask("n", DropoutD.stack([settings("dropout_d", p=p) for p in (0.2, 0.5)])),
    ):
        y = layer(torch.ones(2, 100, 200), None, AT).flatten(1)
        torch.testing.assert_close((y == 0).float().mean(1), rates, atol=0.02, rtol=0)
        torch.testing.assert_close(y.mean(1), torch.ones(2), atol=0.03, rtol=0)


def test_additive_noise_has_its_standard_deviation():
    trick = GNoise.stack([settings("g_noise", dropout=0.0, sd=s) for s in (0.1, 0.4)])
    y = Noise("n", trick)(torch.zeros(2, 100, 200), None, AT)
    torch.testing.assert_close(y.flatten(1).std(1), torch.tensor([0.1, 0.4]), rtol=0.03, atol=0)


def test_value_and_gradient_see_one_mask():
    x = torch.randn(2, 10, 20, requires_grad=True)
    y = Mask("m", DropoutD.stack([settings("dropout_d", p=p) for p in (0.2, 0.5)]))(x, None, AT)
    (g,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(g * x, y)


def test_a_generator_is_noisy_when_sampled_and_two_evaluations_agree():
    g = gan({"g_noise": settings("g_noise")})
    z, w = torch.zeros(1, 8, 6), g.G.open(g.G.theta)
    images = g.G(w, z, g.feed.start).value[0]
    assert not torch.equal(images[0], images[1])
    assert torch.equal(generate(g, g.G.theta, 16), generate(g, g.G.theta, 16))
