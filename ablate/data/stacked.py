"""`stacked`: three grey images as one colour image, which makes 10 classes into 1000 modes.

Source: Metz 2017 (arXiv 1611.02163); the sample counts are PacGAN's (Lin 2018, arXiv 1712.04086;
github.com/fjxmlzn/PacGAN, stacked_MNIST_experiments/VEEGAN_experiment/config.py).

Legend: N samples, H W image.
"""

import math

import numpy as np
import torch

from ablate.data.dataset import Dataset, Split
from ablate.data.fits import check_fits
from ablate.data.option import MOST_SAMPLES, whole_number
from ablate.errors import UserError

TRAIN_SEED, HELD_OUT_SEED = 1, 2


def stack(grey: Dataset, samples: int, held_out_samples: int) -> Dataset:
    """Stack images of `grey`, drawn evenly; its two splits are never mixed.

    Args:
        grey: A labelled set of 10 classes with one channel.
        samples: Training images to make.
        held_out_samples: Held-out images to make.

    Returns:
        uint8 [N, 3, H, W] with label 100 a + 10 b + c for red a, green b, blue c.

    Raises:
        UserError: `grey` is a toy, in colour, unlabelled, or has more than 10 classes.
    """
    _check(grey)
    given = {"samples": samples, "held_out_samples": held_out_samples}
    for option, count in given.items():
        whole_number(option, count, least=2, most=MOST_SAMPLES)
        check_fits(f"data.{option}={count}", 3 * count * math.prod(grey.shape))
    return Dataset(
        f"stacked_{grey.name}",
        train=_stack_split(grey.train, samples, TRAIN_SEED),
        held_out=_stack_split(grey.held_out, held_out_samples, HELD_OUT_SEED),
        classes=1000,
    )


def _check(grey: Dataset) -> None:
    labelled = grey.train.labels is not None and grey.held_out.labels is not None
    if grey.shape[0] != 1:  # a toy has 2
        found = "is a toy" if grey.is_toy else f"has {grey.shape[0]} channels"
    elif not labelled or grey.classes is None:
        found = "has no labels"
    elif grey.classes > 10:
        found = f"has {grey.classes} classes"
    else:
        return
    raise UserError(
        "Data set 'stacked' needs labelled grey images of at most 10 classes but "
        f"{grey.name!r} {found}; write data.of=digits or data.of=mnist."
    )


def _stack_split(grey: Split, count: int, seed: int) -> Split:
    assert grey.labels is not None
    rng = np.random.default_rng(seed)
    picks = torch.from_numpy(rng.integers(len(grey), size=(count, 3)))  # [N, 3]
    images = torch.stack([grey.images[picks[:, colour], 0] for colour in range(3)], dim=1)
    labels = grey.labels[picks] @ torch.tensor([100, 10, 1])
    return Split(images, labels)
