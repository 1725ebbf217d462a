import torch

from tests.world import gan, play, settings


def test_d_stays_in_the_box_and_g_does_not():
    g = play(gan({"weight_clip": settings("weight_clip", c=0.02)}), 2)
    assert g.D.theta.abs().max() <= 0.02
    assert g.G.theta.abs().max() > 0.02


def test_a_box_of_a_trial_is_its_own():
    trials = [{"weight_clip": settings("weight_clip", c=c)} for c in (0.01, 0.05)]
    g = play(gan(trials, seeds=(0, 0)), 2)
    torch.testing.assert_close(g.D.theta.abs().amax(1), torch.tensor([0.01, 0.05]))
