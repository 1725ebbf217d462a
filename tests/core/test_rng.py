"""Draws are a pure function of seed, clock, occasion, owner and position."""

import hashlib
import math

import numpy as np
import pytest
import torch
from scipy import stats

from ablate.core.rng import GOLDEN, Moment, hash_bits, mix, name_key

MASK = 2**64 - 1
# Vigna's splitmix64 at seed 1234567, as https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
PUBLISHED = (
    6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431,
    16408922859458223821,
)  # fmt: skip


def finalised(h):
    """Return splitmix64's finaliser, in Python's own integers."""
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    h = (h ^ (h >> 27)) * 0x94D049BB133111EB & MASK
    return h ^ (h >> 31)


def signed(value):
    return value - 2**64 if value >= 2**63 else value


def moment(seed=0, clock=0, rounds=100, dtype=torch.float32):
    return Moment.of(torch.tensor(seed), torch.tensor(clock), rounds, dtype)


def test_the_finaliser_is_that_of_splitmix64():
    states = [1234567 + n * (GOLDEN & MASK) & MASK for n in range(1, 6)]
    assert tuple(map(finalised, states)) == PUBLISHED  # of this test itself
    found = mix(torch.tensor([signed(state) for state in states])).tolist()
    assert [value & MASK for value in found] == list(PUBLISHED)


def test_bits_are_what_is_written_down():
    """In Python's integers: key, name and position, each once."""
    seed, clock, path = 7, 41, ("D", "real", "flip")
    golden = GOLDEN & MASK
    key = finalised(finalised(seed + golden & MASK) ^ clock * golden & MASK)
    name = int.from_bytes(hashlib.sha256("/".join(path).encode()).digest()[:8], "big")
    expected = [finalised((key ^ name ^ place) * golden & MASK) for place in range(9)]
    found = moment(seed, clock).at("D", "real").bits("flip", 9)
    assert [value & MASK for value in found.tolist()] == expected


def test_uniforms_and_integers_are_cut_from_the_bits():
    at = moment(3, 5)
    bits = [value & MASK for value in at.bits("own", 4).tolist()]
    halves = [b >> 40 for b in bits] + [b >> 8 & 0xFFFFFF for b in bits]
    assert at.uniform("own", 7).tolist() == [half / 2**24 for half in halves[:7]]
    assert at.below("own", 10, 4).tolist() == [(b >> 32) * 10 >> 32 for b in bits]
    assert at.order("own", 4).tolist() == np.argsort([signed(b) for b in bits]).tolist()


def test_gaussians_are_box_and_mullers_of_the_bits():
    at = moment(3, 5, dtype=torch.float64)
    bits = [value & MASK for value in at.bits("own", 50).tolist()]
    radius = np.sqrt(-2 * np.log([((b >> 40) + 1) / 2**24 for b in bits]))
    angle = 2 * math.pi * np.array([(b >> 8 & 0xFFFFFF) / 2**24 for b in bits])
    expected = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    np.testing.assert_allclose(at.normal("own", 100), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (lambda at, n: at.uniform("own", n), stats.uniform()),
        (lambda at, n: at.normal("own", n), stats.norm()),
        (lambda at, n: (at.below("own", 1000, n) + 0.5) / 1000, stats.uniform()),
    ],
)
def test_a_hundred_thousand_draws_have_their_distribution(draw, law):
    found = draw(moment(11, 3, dtype=torch.float64), 100_000).numpy()
    assert stats.kstest(found, law.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 4 / math.sqrt(1e5)


def test_a_bernoulli_has_the_trials_own_probability():
    p = torch.tensor([0.0, 0.1, 0.5, 1.0])
    seeds, clocks = torch.arange(4), torch.zeros(4, dtype=torch.int64)
    found = Moment.of(seeds, clocks, 100).bernoulli("own", p, 40_000)
    assert found.shape == (4, 40_000) and found.dtype == torch.bool
    rates = found.double().mean(-1)
    assert rates[0] == 0 and rates[3] == 1
    assert (rates - p).abs().max() < 4 * 0.5 / math.sqrt(40_000)


def test_orders_are_permutations_and_none_is_preferred():
    seeds, clocks = torch.arange(6_000), torch.zeros(6_000, dtype=torch.int64)
    orders = Moment.of(seeds, clocks, 100).order("own", 3).tolist()
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > 1e-3


def test_whatever_differs_draws_something_else():
    draws = {
        tuple(at.bits(owner, 2).tolist())
        for seed in range(5)
        for clock in range(-1, 5)
        for at in (moment(seed, clock), moment(seed, clock).at("D"), moment(seed, clock).at("G"))
        for owner in ("a", "b")
    }
    assert len(draws) == 5 * 6 * 3 * 2


def test_a_trial_of_sixteen_draws_what_it_draws_alone():
    seeds, clocks = torch.arange(16), torch.full((16,), 9)
    together = Moment.of(seeds, clocks, 100)
    for draw in ("uniform", "normal", "order"):
        alone = getattr(moment(7, 9), draw)("own", 33)
        assert torch.equal(getattr(together, draw)("own", 33)[7], alone)


def test_a_longer_draw_of_bits_begins_as_a_shorter_one():
    key = torch.tensor([1, -5])
    assert torch.equal(hash_bits(key, name_key("a"), 99)[:, :7], hash_bits(key, name_key("a"), 7))


def test_progress_is_the_share_of_the_budget():
    at = Moment.of(torch.zeros(4, dtype=torch.int64), torch.tensor([-1, 0, 25, 200]), 100)
    assert at.progress.tolist() == [0, 0, 0.25, 1]
