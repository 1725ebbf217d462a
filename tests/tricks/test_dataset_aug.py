"""Reals are flipped and shifted as asked; fakes are left alone."""

import torch

from ablate.config.catalog import trick_class
from ablate.core.rng import Moment
from tests.world import settings

X = torch.randn(2, 30, 1, 8, 8, generator=torch.Generator().manual_seed(0))
AT = Moment.of(torch.tensor([1, 2]), torch.tensor([5, 5]), 10)


def sides(**changes):
    return trick_class("dataset_aug")(**settings("dataset_aug", **changes)).sides(X, X, AT)


def test_fakes_are_left_alone():
    assert torch.equal(sides(flip=1.0, shift=2)[1], X)


def test_a_sure_flip_mirrors():
    assert torch.equal(sides(flip=1.0, shift=0)[0], X.flip(4))


def test_a_shift_is_a_crop_of_the_image_with_its_edges_repeated():
    padded = torch.nn.functional.pad(X.flatten(0, 1), (2, 2, 2, 2), mode="replicate")
    crops = torch.stack([padded[:, :, y : y + 8, x : x + 8] for y in range(5) for x in range(5)])
    same = (crops == sides(flip=0.0, shift=2)[0].flatten(0, 1)).flatten(2).all(2)
    assert same.any(0).all()
    assert same.any(1).sum() > 15  # of 25 places, over 60 images


def test_the_share_of_flips_is_the_trials_own():
    real = sides(flip=[0.0, 0.5], shift=0)[0]
    flipped = (real == X.flip(4)).flatten(2).all(2).sum(1)
    assert flipped[0] == 0
    assert 5 < flipped[1] < 25
