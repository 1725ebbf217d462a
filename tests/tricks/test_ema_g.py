"""M9: after a half-life of images a generator weighs one half."""

import pytest
import torch

from tests.contract.laws import double
from tests.world import gan, play, settings

__all__ = ["double"]
STILL = {"adam": settings("adam", lr=0.0)}  # a generator that does not move


def average(n, others=(), **changes):
    g = gan({"ema_g": settings("ema_g", **changes), **STILL, **dict(others)})
    g.tricks.members["ema_g"].mean.zero_()
    return play(g, n).tricks.members["ema_g"].mean / g.G.theta


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("d_turns", [1, 2, 4])
def test_half_life_is_in_images_whatever_the_turns_of_d(d_turns):
    others = {"n_critic": settings("n_critic", d_turns=d_turns)}
    share = average(4, others.items(), halflife_images=4.0 * 16, rampup=None)
    torch.testing.assert_close(share[:, :9], torch.full((1, 9), 0.5))


@pytest.mark.usefixtures("double")
def test_ramp_up_shortens_the_half_life_to_a_share_of_what_was_seen():
    share = average(1, halflife_images=1e9, rampup=0.5)
    torch.testing.assert_close(share[:, :9], torch.full((1, 9), 0.75))  # two half-lives a batch


@pytest.mark.usefixtures("double")
def test_uniform_is_the_mean_of_all_generators_since_the_start():
    g, thetas = gan({"ema_g": settings("ema_g", mode="uniform", start_images=32.0)}), []
    for _ in range(6):
        thetas.append(play(g, 1).G.theta.clone())
    mean = torch.stack(thetas[2:]).mean(0)
    torch.testing.assert_close(g.tricks.members["ema_g"].mean, mean, rtol=1e-12, atol=1e-14)
