"""M7: one pass or two is the same where D does not mix samples; two moves are two halves."""

import pytest
import torch

from tests.contract.laws import double, problems
from tests.world import gan, play, settings

__all__ = ["double"]
MERGED = {"batch_split": settings("batch_split", merged=True, step="sum")}
TWO = {"batch_split": settings("batch_split", merged=False, step="two")}


def distance(tricks, others, net="dcgan"):
    a, b = (play(gan({**others, **t}, net), 10).D.theta for t in (tricks, {}))
    return (a - b).abs().max()


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("net", ["mlp", "dcgan"])
def test_merged_equals_separate_without_layers_that_mix_the_batch(net):
    assert distance(MERGED, {}, net) < 1e-10
    assert distance(MERGED, {"label_smooth": settings("label_smooth")}, net) < 1e-10


@pytest.mark.usefixtures("double")
def test_merged_differs_under_batch_norm():
    assert distance(MERGED, {"batch_norm": settings("batch_norm", skip_first_d=False)}) > 1e-4


@pytest.mark.usefixtures("double")
def test_two_small_steps_of_gradient_descent_are_one():
    descent = {"sgd_d": settings("sgd_d", lr=1e-6)}
    start, one, two = (
        play(gan({**descent, **t}), n).D.theta for t, n in (({}, 0), ({}, 1), (TWO, 1))
    )
    torch.testing.assert_close(two - start, one - start, rtol=1e-4, atol=1e-12)
    assert not torch.equal(one, two)


def test_two_steps_are_two_steps_of_adam():
    assert play(gan(TWO), 3).optimizers["D"].n.item() == 6


def test_two_moves_need_a_loss_that_is_a_sum():
    both = {**TWO, "update_order": settings("update_order")}
    assert any("simultaneous" in s for s in problems(both, "dcgan"))
