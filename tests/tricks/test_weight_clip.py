import pytest
import torch

from ablate.trick import Recipe, TrickSet
from tests.tricks.stand import trick
from tests.world import gan, play, settings


def test_d_stays_in_the_box_and_g_does_not():
    g = play(gan({"weight_clip": settings("weight_clip", c=0.02)}), 2)
    assert g.D.theta.abs().max() <= 0.02
    assert g.G.theta.abs().max() > 0.02


def test_a_box_of_a_trial_is_its_own():
    trials = [{"weight_clip": settings("weight_clip", c=c)} for c in (0.01, 0.05)]
    g = play(gan(trials, seeds=(0, 0)), 2)
    torch.testing.assert_close(g.D.theta.abs().amax(1), torch.tensor([0.01, 0.05]))


@pytest.mark.parametrize(
    ("partner", "doubted"),
    [
        ([], True),
        ([trick("adam")], True),
        ([trick("adam", beta1=0.0)], False),
        ([trick("rmsprop")], False),
    ],
)
def test_momentum_is_doubted(partner, doubted):
    found = TrickSet([trick("weight_clip"), *partner]).problems(Recipe())
    assert any("momentum" in p.sentence for p in found) == doubted
