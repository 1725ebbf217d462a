import torch

from ablate.trick import Turn
from tests.world import gan, play, settings


def lecam(**changes):
    return gan({"lecam": settings("lecam", **changes)}, "mlp")


def turn(g):
    """Return D's step of the coming round, nothing moved."""
    g.feed.refill()
    step = g.differentiate(Turn("D"), g.draw(grad=True))
    return step, torch.stack([step.real.logits.mean(1), step.fake.logits.mean(1)], 1).detach()


def test_the_averages_follow_the_mean_scores():
    g = lecam(decay=0.75)
    penalty = (turn(g)[0].total - turn(g)[0].loss).abs()
    _, first = turn(g)
    play(g, 1)
    torch.testing.assert_close(g.tricks.members["lecam"].anchors, first)
    _, second = turn(g)
    play(g, 1)
    torch.testing.assert_close(g.tricks.members["lecam"].anchors, 0.75 * first + 0.25 * second)
    assert penalty == 0  # no average yet


def test_the_penalty_is_the_distance_beyond_the_other_average():
    for form in ("relu", "square"):
        g = play(lecam(strength=2.0, form=form), 3)
        step, _ = turn(g)
        real, fake = g.tricks.members["lecam"].anchors[0]
        over = [step.real.logits - fake, real - step.fake.logits]
        over = [o.relu() for o in over] if form == "relu" else over
        want = 2 * sum(o.square().mean(1) for o in over)
        torch.testing.assert_close(step.total - step.loss, want, rtol=1e-3, atol=1e-6)


def test_before_the_start_there_is_neither_penalty_nor_memory():
    g = play(lecam(start_images=64.0), 3)  # 48 images
    step, scores = turn(g)
    assert torch.equal(step.total, step.loss)
    play(g, 1)
    torch.testing.assert_close(g.tricks.members["lecam"].anchors, scores)
    step, _ = turn(g)
    assert step.total > step.loss
