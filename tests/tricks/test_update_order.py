"""Where the gradients are taken decides who agrees with whom after one round."""

import pytest
import torch

from tests.contract.laws import double, problems
from tests.world import gan, play, settings

__all__ = ["double"]


def after_one_round(order):
    return play(gan({"update_order": settings("update_order", order=order)}), 1)


@pytest.mark.usefixtures("double")
def test_one_round_of_every_order():
    d_first, g_first, both = map(after_one_round, ("d_first", "g_first", "simultaneous"))
    assert torch.equal(both.D.theta, d_first.D.theta)  # D at the start
    assert torch.equal(both.G.theta, g_first.G.theta)  # G against D at the start
    assert not torch.equal(both.G.theta, d_first.G.theta)
    assert not torch.equal(both.D.theta, g_first.D.theta)  # D sees the moved G


@pytest.mark.usefixtures("double")
def test_d_after_g_sees_the_generator_that_has_moved():
    g_first, moved = after_one_round("g_first"), gan({})
    moved.G.theta.copy_(g_first.G.theta)  # then D's first turn is on the moved generator's fakes
    assert torch.equal(play(moved, 1).D.theta, g_first.D.theta)


def test_uneven_turns_are_refused_only_when_simultaneous():
    uneven = {"n_critic": settings("n_critic")}
    for order, refused in (("simultaneous", True), ("g_first", False), ("d_first", False)):
        tricks = {**uneven, "update_order": settings("update_order", order=order)}
        assert bool(problems(tricks, "mlp")) == refused


def test_g_first_with_more_turns_of_d():
    tricks = {"n_critic": settings("n_critic", d_turns=3), "update_order": {"order": "g_first"}}
    rounds = gan(tricks).rounds
    assert ["".join(t.player for s in r for t in s) for r in rounds] == ["D", "D", "GD"]
