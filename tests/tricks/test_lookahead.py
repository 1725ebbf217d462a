"""Both players step back to the slow point, together."""

import torch

from tests.world import gan, play, settings


def test_alpha_zero_returns_both_players_to_the_start():
    tricks = {"lookahead": settings("lookahead", every=3, alpha=0.0)}
    start, between, back = (play(gan(tricks), n) for n in (0, 2, 3))
    for player in "GD":
        assert torch.equal(back.nets[player].theta, start.nets[player].theta)
        assert not torch.equal(between.nets[player].theta, start.nets[player].theta)


def test_halfway_is_halfway():
    tricks = {"lookahead": settings("lookahead", every=3, alpha=0.5)}
    start, ahead, back = (play(gan(t), n) for t, n in ((tricks, 0), ({}, 3), (tricks, 3)))
    middle = (start.G.theta + ahead.G.theta) / 2
    torch.testing.assert_close(back.G.theta, middle, rtol=1e-5, atol=1e-7)


def test_it_counts_turns_of_g():
    tricks = {"lookahead": settings("lookahead", every=2), "n_critic": settings("n_critic")}
    due = [t.due for r in gan(tricks).rounds for s in r for t in s if t.player == "G"]
    assert due == [frozenset(), {"lookahead"}]
