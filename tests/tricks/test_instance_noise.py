"""The noise has the size that is asked for, and is gone when it should be."""

import pytest
import torch

from ablate.config.catalog import trick_class
from ablate.core.rng import Moment
from tests.world import settings

X = torch.ones(2, 4000, 3)


def noise(share, **changes):
    trick = trick_class("instance_noise")(**settings("instance_noise", **changes))
    clock = torch.full((2,), round(share * 1000))
    return trick.view(X, Moment.of(torch.tensor([1, 2]), clock, 1000)) - X


@pytest.mark.parametrize(
    ("decay", "fade", "share", "sigma"),
    [
        ("linear", 0.5, 0.0, 0.4),
        ("linear", 0.5, 0.25, 0.2),
        ("linear", 0.5, 0.5, 0.0),
        ("linear", 0.5, 0.9, 0.0),
        ("exponential", 0.5, 0.25, 0.04),
        ("exponential", 0.5, 0.5, 0.004),
        ("linear", None, 0.9, 0.4),
        ("exponential", None, 0.9, 0.4),
    ],
)
def test_sigma_follows_its_schedule(decay, fade, share, sigma):
    made = noise(share, decay=decay, fade=fade, sigma=0.4)
    assert made.std().item() == pytest.approx(sigma, rel=0.03)
