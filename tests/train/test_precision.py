"""Options of speed change digits, not the experiment."""

import pytest
import torch

from tests.world import gan, play, settings

TRICKS = {name: settings(name) for name in ("batch_norm", "label_smooth")}


def trained(channels_last=False, mixed=False, seeds=(0, 1)):
    g = gan(TRICKS, seeds=seeds)
    g.mixed = mixed
    for net in (g.G, g.D):
        net.channels_last = channels_last
    return play(g, 5)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_channels_last_is_the_same_up_to_rounding(seeds):
    plain, other = trained(seeds=seeds), trained(channels_last=True, seeds=seeds)
    torch.testing.assert_close(other.G.theta, plain.G.theta, rtol=1e-3, atol=1e-4)


def test_bfloat16_keeps_master_weights_and_stays_near():
    plain, other = trained(), trained(mixed=True)
    assert other.G.theta.dtype == other.optimizers["G"].v.dtype == torch.float32
    assert not torch.equal(other.G.theta, plain.G.theta)
    torch.testing.assert_close(other.G.theta, plain.G.theta, rtol=0.1, atol=5e-3)
