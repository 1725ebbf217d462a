import pytest
import torch

from ablate.errors import UserError
from ablate.trick import Recipe, TrickSet
from tests.tricks.stand import moment, side, trick


def drawn(player, units=20_000, **changes):
    where, hard = side("fake", player, units)
    return hard, trick("smooth_g_target", **changes).target(hard, where, moment())


def test_g_alone_is_smoothed():
    hard, out = drawn("D")
    assert torch.equal(hard, out)
    _, out = drawn("G")
    assert abs(out.mean() - 0.95) < 5 * 0.5 / (12 * 20_000) ** 0.5


def test_a_flipped_target_is_the_other_class_unsmoothed():
    _, out = drawn("G", p=0.25)
    assert ((out == 0) | (out >= 0.7)).all()
    assert abs((out == 0).float().mean() - 0.25) < 0.02


def test_swapped_ends_are_refused():
    with pytest.raises(UserError, match="type a low"):
        type(trick("smooth_g_target")).stack([{"low": 1.0, "high": 0.5, "p": 0.0}])


@pytest.mark.parametrize("loss", ["loss_wasserstein", "loss_rpgan", "loss_ragan", "loss_hinge"])
def test_a_loss_without_targets_refuses_it(loss):
    members = TrickSet([trick("smooth_g_target"), trick(loss)])
    assert any(p.refuse and loss in p.sentence for p in members.problems(Recipe()))
