"""The spread that one set of samples claims, against truly drawing again from one generator."""

import pytest
import torch

from ablate.metrics.class_score import class_score
from ablate.metrics.frechet import frechet_estimate, moments
from ablate.metrics.histogram import entropy, histogram, histogram_estimate, modes_covered
from ablate.metrics.kernel import kernel_distance
from ablate.metrics.neighbours import neighbour_estimates
from tests.metrics.world import normal

DRAWS, SAMPLES, FEATURES = 100, 200, 6
REAL = normal(SAMPLES, FEATURES, seed=100)
HEAD = normal(FEATURES, 10, seed=101)


def classes(fake):
    return histogram((fake @ HEAD).argmax(1), 10)


METRICS = {
    "fd": lambda fake: frechet_estimate(moments(REAL), fake),
    "kid": lambda fake: kernel_distance(REAL, fake),
    "precision": lambda fake: neighbour_estimates(REAL, fake, 5).precision,
    "recall": lambda fake: neighbour_estimates(REAL, fake, 5).recall,
    "density": lambda fake: neighbour_estimates(REAL, fake, 5).density,
    "coverage": lambda fake: neighbour_estimates(REAL, fake, 5).coverage,
    "class_score": lambda fake: class_score((fake @ HEAD).softmax(1)),
    "class_entropy": lambda fake: histogram_estimate(entropy, classes(fake)),
    "modes": lambda fake: histogram_estimate(
        modes_covered, histogram((100 * fake[:, 0].abs()).long().clamp(max=299), 300)
    ),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("generator", ["perfect", "off"])
def test_claimed_spread_is_near_the_true_one(metric, generator):
    """Within a factor of two, and rather too wide than too narrow."""
    fakes = normal(DRAWS, SAMPLES, FEATURES)
    fakes = fakes if generator == "perfect" else 0.6 * fakes + 0.3
    drawn = [METRICS[metric](fake) for fake in fakes]
    true = torch.stack([e.value for e in drawn]).std()
    claimed = torch.stack([e.resample_sd for e in drawn]).square().mean().sqrt()
    assert 0.75 < claimed / true < 2.1
