"""Each policy is the authors' transform, and gradients pass."""

import pytest
import torch

from ablate.config.catalog import trick_class
from ablate.core.rng import Moment
from tests.world import gan, settings

X = torch.rand(2, 50, 3, 8, 8, generator=torch.Generator().manual_seed(0)) + 1  # nowhere 0
AT = Moment.of(torch.tensor([1, 2]), torch.tensor([5, 5]), 10)


def view(*policies, strength=1.0):
    on = {key: key in policies for key in ("color", "translation", "cutout")}
    g = gan({"diffaug": settings("diffaug", **on, strength=strength)})
    return g.tricks.view(X, AT)


def test_translation_is_a_crop_of_the_image_with_zeros_around_it():
    padded = torch.nn.functional.pad(X, (1, 1, 1, 1))  # an eighth of 8 pixels
    crops = torch.stack([padded[..., y : y + 8, x : x + 8] for y in range(3) for x in range(3)])
    same = (crops == view("translation")).flatten(3).all(3)
    assert same.any(0).all()
    assert same.flatten(1).any(1).all()  # all nine places occur


def test_cutout_is_a_square_of_at_most_half_the_side():
    gone = view("cutout") == 0
    assert torch.equal(gone.any(2), gone.all(2))
    assert (gone.any(2).any(2).sum(2) <= 4).all()
    assert gone[:, :, 0].sum((2, 3)).max() == 16
    assert torch.equal(view("cutout")[~gone], X[~gone])


def test_color_is_one_affine_map_an_image_and_keeps_its_range_of_brightness():
    made = view("color")
    shift = (made - X).mean((2, 3, 4))  # saturation and contrast keep the mean
    assert shift.abs().max() < 0.5 + 1e-5
    assert shift.abs().max() > 0.4


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_strength_scales_every_range(share):
    made = view("color", strength=share)
    assert (made - X).mean((2, 3, 4)).abs().max() <= 0.5 * share + 1e-5
    hole = (view("cutout", strength=share) == 0)[:, :, 0].sum((2, 3)).max()
    assert hole == (8 * share / 2) ** 2


def test_gradients_pass():
    trick = trick_class("diffaug")(**settings("diffaug"))
    trick.build(gan({}))
    x = X.clone().requires_grad_()
    trick.view(x, AT).square().sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad != 0).any()
