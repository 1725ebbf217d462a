"""How metrics may spread over training seeds: noise models for simulated studies.

A model turns standard normals into values over the true geometric mean of their arm, so that 1 is
the truth of every comparison. Arm 0 is the reference.

Legend: S studies, A arms, N seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from ablate.analysis.metric import Values

Noise = Callable[[np.random.Generator, Values], Values]

LEVELS = (1.0, 0.8, 0.6)  # of the first arms where noise is added; the others are at 1
SIGMA = 0.15  # SD of logs where arms differ in it
POINTS = 100_000


def normals(
    rng: np.random.Generator, studies: int, arms: int, seeds: int, rho: float = 0.3
) -> Values:
    """Return `[S, A, N]` standard normals, correlation rho between the arms of one seed."""
    common = rng.normal(size=(studies, 1, seeds))
    return np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.normal(size=(studies, arms, seeds))


def normal(sd: float) -> Noise:
    """Add noise of SD `sd` to arms at `LEVELS`, kept above 0: an arm at 0.6 is the noisiest."""

    def added(z: Values, level: Values) -> Values:
        below = ndtr(-level / sd)
        return level + sd * ndtri(below + (1 - below) * ndtr(z))

    def values(rng: np.random.Generator, z: Values) -> Values:
        level = np.ones((z.shape[1], 1))
        level[: len(LEVELS), 0] = LEVELS[: len(level)]
        middles = ndtri((np.arange(POINTS) + 0.5) / POINTS)
        return added(z, level) / np.exp(np.log(added(middles, level)).mean(1, keepdims=True))

    return values


def lognormal(sd: float) -> Noise:
    """Multiply: SD over mean is `sd`."""
    return lambda rng, z: np.exp(np.sqrt(np.log1p(sd**2)) * z)


def heavy(scale: float) -> Noise:
    """Student's t of 3 degrees of freedom in logs, times `scale`."""
    return lambda rng, z: np.exp(scale * stdtrit(3, ndtr(z)))


def mix(sd: float, share: float = 0.1, factor: float = 5.0) -> Noise:
    """Lognormal, and a share of collapses left in as if they were results."""
    usual = lognormal(sd)
    return lambda rng, z: usual(rng, z) * np.where(rng.random(z.shape) < share, factor, 1.0)


def hetero(spread: float, sd: float = SIGMA) -> Noise:
    """Arms of different SD: its log has SD `spread`."""
    return lambda rng, z: np.exp(sd * np.exp(spread * rng.normal(size=(*z.shape[:2], 1))) * z)


def noisier(arm: int, factor: float, sd: float = SIGMA) -> Noise:
    """One arm is `factor` times as noisy as the others."""
    return lambda rng, z: np.exp(
        sd * np.where(np.arange(z.shape[1]) == arm, factor, 1.0)[:, None] * z
    )


NOISE: dict[str, Noise] = {
    **{f"normal {sd}": normal(sd) for sd in (0.1, 0.3, 0.6)},
    **{f"lognormal {sd}": lognormal(sd) for sd in (0.1, 0.3, 0.6)},
    "t3": heavy(0.1),
    "mix": mix(0.1),
}
UNEQUAL: dict[str, Noise] = {
    "hetero 0.5": hetero(0.5),
    "hetero 0.8": hetero(0.8),
    "one arm x2": noisier(1, 2),
    "one arm x4": noisier(1, 4),
    "reference x2": noisier(0, 2),
    "reference x4": noisier(0, 4),
}
