import pytest
import torch

from ablate.errors import UserError
from ablate.trick import Recipe, TrickSet
from tests.tricks.stand import moment, side, trick

BATCHES = [16, 32, 64]


def flips(name, units, clock=0, **changes):
    """Return bool [units], the labels of one side that were flipped."""
    where, hard = side(name, units=units)
    out = trick("noisy_labels", **changes).target(hard, where, moment(clock).at("D", name))
    return (out != hard)[0]


@pytest.mark.parametrize("units", BATCHES)
def test_the_realised_rate_is_binomial(units):
    rounds, p = 200, 0.05
    rate = torch.stack([flips("real", units, c) for c in range(rounds)]).float().mean()
    assert abs(rate - p) < 4 * (p * (1 - p) / (rounds * units)) ** 0.5


@pytest.mark.parametrize(("units", "count"), [(16, 1), (32, 2), (64, 3)])
def test_a_fixed_count_is_exact_and_moves(units, count):
    drawn = torch.stack([flips("fake", units, c, draw="fixed") for c in range(50)])
    assert (drawn.sum(1) == count).all()
    assert drawn.any(0).sum() > units / 2


def test_noise_on_one_side_leaves_the_other():
    assert flips("real", 64, p=1.0, side="real").all()
    assert not flips("fake", 64, p=1.0, side="real").any()


def test_flipping_is_smoothing_in_expectation():
    n, p = 40_000, 0.05
    for name, mean in (("real", 1 - p), ("fake", p)):
        where, hard = side(name, units=n)
        out = trick("noisy_labels").target(hard, where, moment().at("D", name))
        assert abs(out.mean() - mean) < 5 * (p * (1 - p) / n) ** 0.5


def test_a_flipped_label_is_smoothed_as_its_new_class():
    both = TrickSet([trick("label_smooth"), trick("noisy_labels", p=0.5)])
    where, hard = side("real", units=4000)
    out = both.target(hard, where, moment())
    real, fake = (out >= 0.7) & (out < 1.2), (out >= 0) & (out < 0.3)
    assert (real | fake).all()
    assert real.any()
    assert fake.any()


@pytest.mark.parametrize("draw", ["bernoulli", "fixed"])
def test_swapping_exchanges_samples(draw):
    real, fake = torch.arange(64.0).view(1, 64, 1), torch.arange(64.0, 128.0).view(1, 64, 1)
    r, f = trick("noisy_labels", p=0.3, mode="swap", draw=draw).sides(real, fake, moment())
    assert torch.equal(torch.cat([r, f], 1).sort(1).values, torch.cat([real, fake], 1))
    assert torch.equal(r >= 64, f < 64)
    assert 8 < (r >= 64).sum() < 32


def test_only_flipping_needs_a_class():
    with_w = {m: TrickSet([trick("noisy_labels", mode=m), trick("loss_wasserstein")])
              for m in ("flip", "swap")}  # fmt: skip
    refused = {m: [p for p in s.problems(Recipe()) if p.refuse] for m, s in with_w.items()}
    assert "mode=swap" in refused["flip"][0].sentence
    assert not refused["swap"]


def test_a_mode_that_does_not_exist_is_told():
    with pytest.raises(UserError, match="flip, swap"):
        trick("noisy_labels", mode="flop")
