import math

import pytest
import torch

from ablate.metrics.mixture import mixture_estimates, nearest_centre
from tests.metrics.world import around, ring

CENTRES = ring(8).truth.centres


def values(points):
    found = mixture_estimates(points, CENTRES, 0.01)
    return {name: estimate.value.item() for name, estimate in found.items()}


def test_perfect_samples():
    found = values(around(CENTRES, 0.01, 20_000, seed=5))
    assert found["modes"] == 8
    assert found["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.003)  # 98.9 %
    assert found["reverse_kl"] < 0.001


def test_one_mode_of_eight():
    found = values(around(CENTRES[:1], 0.01, 500, seed=5))
    assert found["modes"] == 1
    assert found["reverse_kl"] == pytest.approx(math.log(8))


def test_only_samples_of_high_quality_cover_a_mode():
    found = values(torch.cat([CENTRES[:2], CENTRES[2:4] + 0.031]))
    assert found["modes"] == 2
    assert found["high_quality"] == 0.5
    assert found["reverse_kl"] == pytest.approx(math.log(2))  # all four count here


def test_three_sigma_is_the_radius():
    inside, outside = torch.tensor([[1.0299, 0.0]]), torch.tensor([[1.0301, 0.0]])
    assert values(inside.repeat(2, 1))["high_quality"] == 1
    assert values(outside.repeat(2, 1))["high_quality"] == 0


def test_nearest_centre():
    distance, centre = nearest_centre(CENTRES[3:4] * 2, CENTRES)
    assert (distance.item(), centre.item()) == (pytest.approx(1), 3)
