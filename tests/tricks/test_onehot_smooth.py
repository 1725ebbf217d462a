import math

import pytest
import torch

from ablate.trick import Recipe, TrickSet, Turn
from tests.tricks.stand import trick
from tests.world import BUILDS, CLASSES, gan, play, settings

NAME = "onehot_smooth"


@pytest.mark.parametrize("net", BUILDS)
def test_at_strength_zero_everything_but_the_head_is_the_baseline(net):
    one, base = play(gan({NAME: settings(NAME, strength=0.0)}, net), 5), play(gan({}, net), 5)
    assert torch.equal(one.G.theta, base.G.theta)
    for leaf, part, _ in base.D.cuts:
        assert torch.equal(one.D.part(f"{leaf.name}.{part}"), base.D.part(f"{leaf.name}.{part}"))


def penalty(epsilon, head):
    """Return the penalty where the head's scores are its biases."""
    g = gan({NAME: settings(NAME, epsilon=epsilon)})
    g.D.part(f"{NAME}.weight").zero_()
    g.D.part(f"{NAME}.bias").copy_(head)
    g.feed.refill()
    step = g.differentiate(Turn("D"), g.draw(grad=True))
    return float((step.total - step.loss).detach()), g.pixels.labels[step.rows]


def test_targets_sum_to_one():
    for epsilon in (0.0, 0.1, 1.0):
        assert penalty(epsilon, torch.zeros(CLASSES))[0] == pytest.approx(math.log(CLASSES), 1e-4)


def test_it_is_torchs_smoothed_cross_entropy():
    head = torch.tensor([1.0, -0.5, 0.2, 0.0])
    value, labels = penalty(0.3, head)
    scores = head.expand(labels.numel(), CLASSES)
    want = torch.nn.functional.cross_entropy(scores, labels[0], label_smoothing=0.3)
    assert value == pytest.approx(float(want), rel=1e-4)


def test_the_head_learns_the_classes():
    g = gan({NAME: settings(NAME)}, "mlp")
    before = g.D.part(f"{NAME}.weight").clone()
    assert not torch.equal(play(g, 1).D.part(f"{NAME}.weight"), before)


def test_data_without_labels_is_refused():
    found = TrickSet([trick(NAME)]).problems(Recipe(classes=None, data="photos"))
    assert any(p.refuse and "photos has none" in p.sentence for p in found)
