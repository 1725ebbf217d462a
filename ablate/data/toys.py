"""`ring8`, `grid25`, `point`: samples in the plane whose density is known.

The ring and the grid are those of VEEGAN (Srivastava 2017, arXiv 1705.07761) as PacGAN writes
them down (Lin 2018, arXiv 1712.04086; github.com/fjxmlzn/PacGAN,
synthetic_data_experiments/2DRing_GAN&PacGAN/config.py and 2DGrid_GAN&PacGAN/config.py): equal
priors, 100,000 samples for each split.

Legend: N samples, M modes.
"""

import math

import numpy as np
import torch

from ablate.data.dataset import Dataset, Mixture, Split
from ablate.data.option import MOST_SAMPLES, whole_number

TRAIN_SEED, HELD_OUT_SEED = 1, 2


def ring8(samples: int = 100_000) -> Dataset:
    """8 Gaussians of standard deviation 0.01 on the unit circle."""
    angles = [2 * math.pi * mode / 8 for mode in range(8)]
    centres = [[math.cos(angle), math.sin(angle)] for angle in angles]
    return _draw("ring8", centres, sigma=0.01, samples=samples)


def grid25(samples: int = 100_000) -> Dataset:
    """25 Gaussians of standard deviation 0.05 at {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}."""
    centres = [[float(x), float(y)] for x in range(-4, 5, 2) for y in range(-4, 5, 2)]
    return _draw("grid25", centres, sigma=0.05, samples=samples)


def point(samples: int = 100_000) -> Dataset:
    """One Dirac point, on which many losses circle for ever (Mescheder 2018, arXiv 1801.04406).

    It lies at (1, 0): networks start near 0, and at the origin there would be nothing to learn.
    """
    return _draw("point", [[1.0, 0.0]], sigma=0.0, samples=samples)


def _draw(name: str, centres: list[list[float]], sigma: float, samples: int) -> Dataset:
    truth = Mixture(torch.tensor(centres), sigma)  # [M, 2]
    count = whole_number("samples", samples, least=2, most=MOST_SAMPLES)
    return Dataset(
        name,
        train=_split(truth, count, TRAIN_SEED),
        held_out=_split(truth, count, HELD_OUT_SEED),
        classes=len(centres),
        truth=truth,
    )


def _split(truth: Mixture, count: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    modes = torch.from_numpy(rng.integers(len(truth.centres), size=count))  # [N]
    noise = torch.from_numpy(rng.standard_normal((count, 2), np.float32))  # [N, 2]
    return Split(truth.centres[modes] + truth.sigma * noise, modes)
