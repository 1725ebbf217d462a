"""The buffer holds past fakes, and D's share of them is the trial's own."""

import torch

from ablate.core.rng import Moment
from tests.world import gan, play, settings


def replay(share, size=24):
    return [{"replay": settings("replay", share=s, size=size)} for s in share]


def test_the_share_is_a_share_of_the_batch_and_comes_from_the_buffer():
    g = play(gan(replay([0.0, 0.25, 1.0]), seeds=(1, 2, 3)), 5)
    pool = g.tricks.members["replay"].pool
    fake = torch.full((3, 16, 1, 8, 8), 7.0)
    at = Moment.of(g.feed.seed, g.feed.clock, 40)
    real, mixed = g.tricks.sides(fake + 1, fake, at)
    old = (mixed != 7).flatten(2).any(2)
    assert old.sum(1).tolist() == [0, 4, 16]
    assert torch.equal(real, fake + 1)
    for k in range(3):
        for image in mixed[k][old[k]]:
            assert (pool[k] == image).flatten(1).all(1).any()


def test_the_buffer_fills_with_halves_of_batches_and_then_stays_full():
    g = gan(replay([0.5]))
    filled = [play(g, 1).tricks.members["replay"].filled.item() for _ in range(5)]
    assert filled == [8, 16, 24, 24, 24]
    assert (g.tricks.members["replay"].pool[0].flatten(1).abs().sum(1) > 0).all()


def test_two_moves_of_d_fill_the_buffer_once():
    g = play(gan({**replay([0.5])[0], "batch_split": settings("batch_split")}), 1)
    assert g.tricks.members["replay"].filled.item() == 8


def test_nothing_is_replayed_before_there_is_a_past():
    one, none = (play(gan(replay([s])), 1) for s in (1.0, 0.0))
    assert torch.equal(one.D.theta, none.D.theta)
