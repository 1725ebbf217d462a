import pytest
import torch

from ablate.trick import Turn
from tests.world import gan, play, settings


def g_step(**changes):
    g = gan({"feature_matching": settings("feature_matching", **changes)}, "mlp")
    g.feed.refill()
    return g.differentiate(Turn("G"), g.draw(grad=True))


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("mode", ["add", "replace"])
def test_it_is_the_distance_of_mean_features(norm, mode):
    step = g_step(norm=norm, mode=mode, strength=3.0)
    gap = step.real.features.mean(1) - step.fake.features.mean(1)
    assert gap.shape == (1, 24)
    torch.testing.assert_close(
        step.total - step.loss, 3 * gap.abs().pow(norm).sum(1), rtol=1e-3, atol=1e-6
    )
    assert (step.loss == 0) == (mode == "replace")


def test_in_place_of_the_loss_its_strength_only_scales_the_gradient():
    one, two = (g_step(mode="replace", strength=s).gradient for s in (1.0, 2.0))
    torch.testing.assert_close(two, 2 * one)


def test_nothing_is_learned_at_strength_zero_in_place_of_the_loss():
    g = gan({"feature_matching": settings("feature_matching", mode="replace", strength=0.0)})
    before = g.G.theta.clone()
    assert torch.equal(play(g, 2).G.theta, before)
