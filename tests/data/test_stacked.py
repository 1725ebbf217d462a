"""Every channel of a stacked image is an image of the right split with the digit of the label."""

import numpy as np
import pytest
import torch
from PIL import Image

from ablate.data import Dataset, Split, load
from ablate.data.stacked import stack
from ablate.errors import UserError


@pytest.mark.parametrize("part", ["train", "held_out"])
def test_each_channel_shows_the_digit_that_the_label_says(part):
    grey, stacked = getattr(load("digits"), part), getattr(load("stacked", samples=2000), part)
    digit = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(grey.images, grey.labels, strict=True)
    }
    for image, label in zip(stacked.images, stacked.labels, strict=True):
        red, green, blue = (digit[channel.numpy().tobytes()] for channel in image)
        assert int(label) == 100 * red + 10 * green + blue


def test_all_modes_are_there():
    dataset = load("stacked")
    assert (dataset.name, dataset.shape, dataset.classes) == ("stacked_digits", (3, 8, 8), 1000)
    assert (len(dataset.train), len(dataset.held_out)) == (128_000, 26_000)
    assert dataset.train.labels is not None
    assert len(dataset.train.labels.unique()) == 1000


@pytest.mark.parametrize("of", ["ring8", "point"])
def test_a_toy_cannot_be_stacked(of):
    with pytest.raises(UserError, match=r"is a toy; write data\.of=digits"):
        load("stacked", of=of)


@pytest.mark.parametrize(
    ("channels", "labels", "classes", "found"),
    [
        (3, torch.arange(4), 4, "has 3 channels"),
        (1, None, 4, "has no labels"),
        (1, torch.arange(4), None, "has no labels"),
        (1, torch.arange(4), 11, "has 11 classes"),
    ],
)
def test_a_set_that_cannot_be_stacked_is_refused(channels, labels, classes, found):
    split = Split(torch.zeros(4, channels, 2, 2, dtype=torch.uint8), labels)
    with pytest.raises(UserError, match=rf"{found}; write data\.of=digits"):
        stack(Dataset("made", split, split, classes), 10, 10)


def test_options_of_the_grey_set_reach_it(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for shade in range(5):
            Image.fromarray(np.full((6, 6), shade, np.uint8)).save(
                tmp_path / label / f"{shade}.png"
            )
    made = {"of": "image_folder", "root": tmp_path, "channels": 1, "size": 4}
    assert load("stacked", samples=10, held_out_samples=5, **made).shape == (3, 4, 4)
    with pytest.raises(UserError, match=r"'image_folder' has no option data\.sizes"):
        load("stacked", **made, sizes=3)
