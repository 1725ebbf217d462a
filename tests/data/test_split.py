"""Subsets are nested, the held-out split never moves."""

from itertools import pairwise

import pytest
import torch

from ablate.data import Split, load
from ablate.data.split import hold_out, subset
from ablate.errors import UserError

FRACTIONS = (0.1, 0.2, 1 / 3, 0.5, 0.999, 1.0)


def numbered(count: int) -> Split:
    """Points that carry their own number."""
    numbers = torch.arange(count)
    return Split(torch.stack([numbers, numbers], 1).float(), numbers)


def numbers(split: Split) -> set[int]:
    assert split.labels is not None
    assert split.images[:, 0].tolist() == split.labels.tolist()
    return set(split.labels.tolist())


@pytest.mark.parametrize("count", [20, 1437, 1438])
def test_a_smaller_fraction_lies_in_a_larger_one(count):
    subsets = [numbers(subset(numbered(count), fraction)) for fraction in FRACTIONS]
    assert all(small <= large for small, large in pairwise(subsets))
    assert [len(each) for each in subsets] == [round(share * count) for share in FRACTIONS]


def test_a_subset_is_no_prefix():
    assert numbers(subset(numbered(1000), 0.1)) != set(range(100))


@pytest.mark.parametrize("count", [3, 10, 1797])
def test_the_held_out_split_is_the_rest(count):
    train, held_out = hold_out(numbered(count), "made")
    assert not numbers(train) & numbers(held_out)
    assert numbers(train) | numbers(held_out) == set(range(count))
    assert len(held_out) == max(1, round(0.2 * count))


def test_a_fraction_leaves_the_held_out_split_alone():
    whole, small = load("digits"), load("digits", fraction=0.1)
    assert torch.equal(whole.held_out.images, small.held_out.images)
    assert len(small.train) == 144
    assert small.fingerprint != whole.fingerprint


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, float("nan"), "0.1", True, None])
def test_fractions_outside_the_unit_interval_are_refused(fraction):
    with pytest.raises(UserError, match=r"write for example data\.fraction=0\.1"):
        load("digits", fraction=fraction)


@pytest.mark.parametrize("count", [2, 3, 7, 1438, 60_000])
def test_the_fraction_that_the_refusal_names_is_enough(count):
    split = numbered(count)
    with pytest.raises(UserError, match=r"leaves [01] of") as refusal:
        subset(split, 1e-9)
    named = float(str(refusal.value).split("data.fraction=")[2].split()[0])
    assert len(subset(split, named)) == 2


def test_too_few_samples_are_refused():
    with pytest.raises(UserError, match="add images"):
        hold_out(numbered(2), "made")
    with pytest.raises(UserError, match="add training images"):
        subset(numbered(1), 1.0)
