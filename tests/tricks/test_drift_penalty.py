import torch

from ablate.trick import Recipe, TrickSet, Turn
from tests.tricks.stand import trick
from tests.world import gan, settings


def test_it_is_the_mean_square_of_real_scores():
    g = gan({"drift_penalty": settings("drift_penalty", strength=0.5)})
    g.feed.refill()
    step = g.differentiate(Turn("D"), g.draw(grad=True))
    want = 0.5 * step.real.logits.square().mean(1)
    torch.testing.assert_close(step.total - step.loss, want, rtol=1e-3, atol=1e-6)


def test_it_anchors_a_loss_that_has_no_zero():
    loose = [trick("lecam"), trick("loss_rpgan")]
    doubts = [p.sentence for p in TrickSet(loose).problems(Recipe())]
    assert any("drift_penalty" in s for s in doubts)
    assert not TrickSet([*loose, trick("drift_penalty")]).problems(Recipe())
