"""Which rows of the data a round sees."""

import pytest
import torch

from ablate.core.feed import CHUNK, Feed
from ablate.core.rng import Moment
from ablate.errors import UserError

N, BATCH = 23, 4
EPOCH = N // BATCH


def rounds_of(feed, n):
    """Return what `n` rounds are given: moments' keys, z, rows."""
    found = []
    for _ in range(n):
        feed.refill()
        at, z, rows = feed.now()
        found.append((at.key.clone(), z.clone(), rows.clone()))
        feed.advance()
        feed.count()
    return found


def test_an_epoch_shows_every_row_at_most_once_and_leaves_the_last_batch_out():
    rows = torch.stack([rows for *_, rows in rounds_of(Feed([5, 6], N, BATCH, 2, 99), 3 * EPOCH)])
    epochs = rows.unflatten(0, (3, EPOCH)).transpose(1, 2).flatten(2)  # [epoch, trial, row]
    assert epochs.min() >= 0 and epochs.max() < N
    for epoch in epochs.flatten(0, 1).tolist():
        assert len(set(epoch)) == EPOCH * BATCH
    orders = {tuple(epoch) for epoch in epochs.flatten(0, 1).tolist()}
    assert len(orders) == 6  # no epoch, and no trial, repeats another's order


def test_the_order_is_a_function_of_the_seed_and_the_epochs_number():
    rows = torch.stack([rows[0] for *_, rows in rounds_of(Feed([5], N, BATCH, 2, 99), 2 * EPOCH)])
    for epoch, shown in enumerate(rows.flatten().split(EPOCH * BATCH)):
        at = Moment.of(torch.tensor(5), torch.tensor(epoch), 1)
        assert torch.equal(shown, at.at("data").order("order", N)[: EPOCH * BATCH])


def test_every_row_is_shown_as_often_as_any_other_in_the_long_run():
    epochs = 400
    rows = [rows for *_, rows in rounds_of(Feed([5], N, BATCH, 1, 99), epochs * EPOCH)]
    counts = torch.stack(rows).flatten().bincount(minlength=N).double()
    expected = epochs * EPOCH * BATCH / N
    assert ((counts - expected).abs() < 5 * expected**0.5).all()


def test_a_chunk_ahead_gives_what_one_round_at_a_time_gives():
    n = CHUNK + 3
    ahead = rounds_of(Feed([5, 6], 100 * BATCH, BATCH, 2, 99), n)
    for clock, (key, z, rows) in enumerate(ahead):
        at = Moment.of(torch.tensor([5, 6]), torch.full((2,), clock), 99)
        assert torch.equal(key, at.key)
        assert torch.equal(z, at.normal("latent", BATCH, 2))
        first = clock * BATCH
        order = Moment.of(torch.tensor([5, 6]), torch.zeros(2, dtype=torch.int64), 1)
        whole = order.at("data").order("order", 100 * BATCH)
        assert torch.equal(rows, whole[:, first : first + BATCH])


def test_a_split_below_a_batch_is_refused():
    with pytest.raises(UserError, match=r"train\.batch_size=3 "):
        Feed([0], 3, 4, 2, 10)
