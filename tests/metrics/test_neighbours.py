import numpy as np
import pytest
import torch

from ablate.metrics.neighbours import nearest, neighbour_estimates
from tests.metrics.world import normal


def naive(real, fake, k):
    """The definitions, written with loops over numpy distances."""
    real, fake = real.numpy(), fake.numpy()

    def radius(points):
        apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
        return np.sort(apart, axis=1)[:, k]  # column 0 is the point itself

    apart = np.linalg.norm(real[:, None] - fake[None], axis=-1)
    r, f = radius(real), radius(fake)
    return {
        "precision": np.mean([(apart[:, j] <= r).any() for j in range(len(fake))]),
        "recall": np.mean([(apart[i] <= f).any() for i in range(len(real))]),
        "density": np.mean([(apart[:, j] <= r).sum() / k for j in range(len(fake))]),
        "coverage": np.mean([apart[i].min() <= r[i] for i in range(len(real))]),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (1, 0.3), (0.5, 2)])
def test_equal_the_definitions(k, shift, scale):
    real, fake = normal(60, 3), shift + scale * normal(45, 3, seed=1)
    found = {
        name: e.value.item() for name, e in neighbour_estimates(real, fake, k)._asdict().items()
    }
    assert found == pytest.approx(naive(real, fake, k))


def test_the_reals_themselves_are_precise_and_cover_all():
    real = normal(80, 4)
    found = neighbour_estimates(real, real.clone(), 5)
    assert [e.value.item() for e in (found.precision, found.recall, found.coverage)] == [1, 1, 1]
    assert found.density.value >= 1


def test_far_away_nothing_is_left():
    found = neighbour_estimates(normal(50, 3), 100 + normal(40, 3, seed=1), 3)
    assert [e.value.item() for e in found] == [0, 0, 0, 0]


def test_half_the_reals_missing_costs_recall_and_not_precision():
    real = torch.cat([normal(100, 3), 50 + normal(100, 3, seed=1)])
    found = neighbour_estimates(real, normal(200, 3, seed=2), 5)
    assert found.precision.value > 0.9
    assert found.recall.value < 0.55
    assert found.coverage.value < 0.55


@pytest.mark.parametrize("name", ["precision", "density", "coverage", "recall"])
def test_the_spread_is_that_of_leaving_one_out(name):
    real, fake = normal(50, 3), 0.7 * normal(40, 3, seed=1)
    gone = [naive(real, torch.cat([fake[:i], fake[i + 1 :]]), 3)[name] for i in range(40)]
    honest = np.std(gone, ddof=1) * 39 / 40**0.5
    found = getattr(neighbour_estimates(real, fake, 3), name).resample_sd.item()
    assert found == pytest.approx(honest, rel=0.1 if name == "recall" else 1e-9)


def test_a_known_radius_changes_nothing():
    real, fake = normal(40, 3), normal(30, 3, seed=1)
    radius = nearest(real, 3).radius
    assert neighbour_estimates(real, fake, 3, radius) == neighbour_estimates(real, fake, 3)


def test_many_at_once_equal_one_by_one():
    real, fakes = normal(40, 3), normal(3, 30, 3, seed=1)
    together = neighbour_estimates(real, fakes, 3)
    for slot, fake in enumerate(fakes):
        for many, one in zip(together, neighbour_estimates(real, fake, 3), strict=True):
            assert many.value[slot].item() == pytest.approx(one.value.item())
            assert many.resample_sd[slot].item() == pytest.approx(one.resample_sd.item())
