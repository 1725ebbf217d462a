"""What a look at the pixels says against them: such a set trains without a complaint."""

import torch
from torch import Tensor

from ablate.data.dataset import Dataset
from ablate.data.reading import Reading

DARK = 32  # of 255: 0/1 masks, classes as pixels, levels 0..16, intensities that were scaled twice
LOOK = 64  # images that are compared before all of them are


def doubts(dataset: Dataset) -> Reading:
    """Notes on images that are black, or all the same."""
    images = dataset.train.images
    if images.dtype != torch.uint8:
        return Reading()
    notes = []
    highest = int(images.max())
    if highest < DARK:
        notes.append(
            f"no pixel is brighter than {highest} of 255, so the images are black; save them with "
            f"values up to 255{f', x * {255 // highest}' if highest else ''}"
        )
    if _all_equal(images):
        notes.append(
            "all training images are the same; if they are transparent, say data.background=black"
        )
    return Reading(notes=tuple(notes))


def _all_equal(images: Tensor) -> bool:
    some = images[:: max(1, len(images) // LOOK)]
    if not bool((some == images[0]).all()):
        return False
    return all(bool((part == images[0]).all()) for part in images.split(1024))
