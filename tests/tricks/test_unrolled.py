import torch

from ablate.core.step import Step
from ablate.trick import Turn
from tests.world import gan, play, settings


def unrolled(**changes):
    return gan({"unrolled": settings("unrolled", **changes)})


def test_a_step_of_no_length_is_no_step():
    one, base = play(unrolled(lr=0.0), 3), play(gan({}), 3)
    assert torch.equal(one.G.theta, base.G.theta)
    assert torch.equal(one.D.theta, base.D.theta)


def test_one_step_ahead_is_ds_own_gradient():
    g = unrolled(k=1, lr=0.1)
    g.feed.refill()
    batch = g.draw(grad=True)
    own, ahead = g.tricks.point(batch.leaf, g.D.theta, Step(g, Turn("G"), batch))
    gradient = g.differentiate(Turn("D"), batch).gradient
    torch.testing.assert_close(ahead, g.D.theta - 0.1 * gradient)
    assert own is batch.leaf


def test_d_moves_on_its_own_path_at_first():
    one, base = play(unrolled(), 1), play(gan({}), 1)
    assert torch.equal(one.D.theta, base.D.theta)
    assert not torch.equal(one.G.theta, base.G.theta)
