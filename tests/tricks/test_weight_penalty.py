import pytest
import torch

from ablate.trick import Turn
from tests.world import gan, settings


def step_of(player="D", **changes):
    tricks = {"weight_penalty": settings("weight_penalty", **changes)} if changes else {}
    g = gan(tricks, "mlp")
    g.feed.refill()
    return g, g.differentiate(Turn(player), g.draw(grad=True))


def parts(g, player="D", kernels=True):
    net = g.nets[player]
    names = [f"{leaf.name}.{part}" for leaf, part, _ in net.cuts if part == "weight" or not kernels]
    return [net.part(name) for name in names]


@pytest.mark.parametrize("kernels", [True, False])
def test_the_sum_over_what_is_named(kernels):
    chosen = "kernels" if kernels else "all"
    g, step = step_of(l1=0.1, l2=0.2, parts=chosen)
    want = sum(0.1 * w.abs().sum() + 0.2 * w.square().sum() for w in parts(g, kernels=kernels))
    torch.testing.assert_close((step.total - step.loss)[0], want, rtol=1e-5, atol=1e-5)


def test_the_mean_over_layers_has_half_the_square():
    g, step = step_of(l2=3.0, reduction="mean")
    kernels = parts(g)
    want = 3.0 * sum(w.square().sum() / 2 for w in kernels) / len(kernels)
    torch.testing.assert_close((step.total - step.loss)[0], want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("player", ["D", "G"])
def test_the_gradient_is_that_of_the_stored_weights(player):
    g, step = step_of(player, l2=0.5, nets=player, parts="all")
    _, plain = step_of(player)
    torch.testing.assert_close(
        step.gradient, plain.gradient + g.nets[player].theta, rtol=1e-5, atol=1e-6
    )


def test_the_other_player_pays_nothing():
    _, step = step_of("G", l2=1.0)
    assert torch.equal(step.total, step.loss)
