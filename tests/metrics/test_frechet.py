import numpy as np
import pytest
import scipy.linalg
import torch

from ablate.metrics.frechet import (
    frechet_distance,
    frechet_estimate,
    frechet_of_moments,
    merge,
    moments,
    total_variance,
)
from tests.metrics.world import normal


def textbook(mu1, sigma1, mu2, sigma2):
    """The formula as it is usually computed, by a matrix square root on the host."""
    root = scipy.linalg.sqrtm((sigma1 @ sigma2).numpy())
    trace = np.trace(sigma1.numpy() + sigma2.numpy() - 2 * root.real)
    return float((mu1 - mu2).square().sum() + trace)


def gaussian(features, rank, seed):
    a = normal(features, rank, seed=seed)
    return normal(features, seed=seed + 1), a @ a.mT / rank


@pytest.mark.parametrize("features", [2, 8, 64])
def test_equals_the_matrix_square_root(features):
    one, two = gaussian(features, features + 3, 1), gaussian(features, features + 3, 11)
    found = frechet_distance(*one, *two).item()
    assert found == pytest.approx(textbook(*one, *two), rel=1e-6)


@pytest.mark.parametrize("rank", [1, 5, 20])
def test_equals_the_formula_inside_the_subspace_of_rank_deficient_gaussians(rank):
    basis = torch.linalg.qr(normal(48, rank, seed=3)).Q
    (m1, s1), (m2, s2) = gaussian(rank, rank + 2, 5), gaussian(rank, rank + 2, 15)
    lifted = [(basis @ m, basis @ s @ basis.mT) for m, s in ((m1, s1), (m2, s2))]
    found = frechet_distance(*lifted[0], *lifted[1]).item()
    assert found == pytest.approx(textbook(m1, s1, m2, s2), rel=1e-9)


@pytest.mark.parametrize("ranks", [(10, 30), (30, 10), (10, 10)])
def test_rounding_in_the_null_space_of_a_covariance_does_not_count(ranks):
    """Its square root would be 1e-8; with known roots the true value has no such error."""
    roots = [normal(32, rank, seed=rank + seed) for seed, rank in enumerate(ranks)]
    sigmas = [root @ root.mT for root in roots]
    overlap = torch.linalg.svdvals(roots[0].mT @ roots[1]).sum()
    expected = torch.trace(sigmas[0]) + torch.trace(sigmas[1]) - 2 * overlap
    zero = torch.zeros(32)
    found = frechet_distance(zero, sigmas[0], zero, sigmas[1]).item()
    assert found == pytest.approx(expected.item(), rel=1e-11)


def test_features_and_moments_agree():
    a, b = normal(300, 12, seed=1), 0.5 * normal(200, 12, seed=2) + 1
    by_covariance = frechet_distance(a.mean(0), a.T.cov(), b.mean(0), b.T.cov())
    assert frechet_of_moments(moments(a), moments(b)).item() == pytest.approx(by_covariance.item())
    assert frechet_estimate(moments(a), b).value.item() == pytest.approx(by_covariance.item())


@pytest.mark.parametrize("samples", [20, 500])
def test_a_set_is_at_no_distance_from_itself(samples):
    a = 100 + normal(20, samples, 64)
    b = moments(a.flip(1))  # the same sets in another order
    distance = frechet_of_moments(moments(a), b)
    assert distance.min() >= 0
    assert distance.max() < 1e-9


def test_a_shift_costs_its_squared_length():
    a, shift = normal(100, 6), normal(6, seed=9)
    moved = frechet_of_moments(moments(a), moments(a + shift)).item()
    assert moved == pytest.approx(shift.square().sum().item())


def test_a_scale_costs_the_squared_difference_of_deviations():
    a = normal(100, 6)
    scaled = moments(a - a.mean(0)), moments(3 * (a - a.mean(0)))
    expected = 4 * total_variance(scaled[0]).item()
    assert frechet_of_moments(*scaled).item() == pytest.approx(expected)


def test_many_at_once_equal_one_by_one():
    real, fakes = moments(normal(90, 5)), 1 + 0.3 * normal(4, 40, 5, seed=2)
    batch = frechet_estimate(real, fakes)
    alone = [frechet_estimate(real, fake) for fake in fakes]
    assert torch.allclose(batch.value, torch.stack([e.value for e in alone]), rtol=1e-12)
    assert torch.allclose(batch.resample_sd, torch.stack([e.resample_sd for e in alone]))
    covariances = torch.stack([fake.T.cov() for fake in fakes])
    mu, sigma = torch.zeros(5), torch.eye(5)
    together = frechet_distance(mu, sigma, fakes.mean(1), covariances)
    single = [frechet_distance(mu, sigma, f.mean(0), f.T.cov()) for f in fakes]
    assert torch.allclose(together, torch.stack(single), rtol=1e-12)


@pytest.mark.parametrize("cut", [2, 7, 50])
def test_moments_can_be_merged(cut):
    a = 3 + normal(60, 9)
    whole, parts = moments(a), merge(moments(a[:cut]), moments(a[cut:]))
    assert parts.count == whole.count
    assert torch.allclose(parts.mean, whole.mean)
    assert torch.allclose(parts.root.mT @ parts.root, whole.root.mT @ whole.root)


def test_the_influence_is_the_derivative():
    """Leaving one sample out for real changes the distance by what the jackknife assumes."""
    real, fake = moments(normal(500, 3)), 1 + 0.5 * normal(400, 3, seed=4)
    gone = [
        frechet_of_moments(real, moments(torch.cat([fake[:i], fake[i + 1 :]]))) for i in range(400)
    ]
    honest = torch.stack(gone).std() * 399 / 400**0.5
    assert frechet_estimate(real, fake).resample_sd.item() == pytest.approx(honest.item(), rel=0.02)


def test_identical_fakes_are_measured_too():
    estimate = frechet_estimate(moments(normal(50, 4)), torch.ones(20, 4))
    assert estimate.value.isfinite()
    assert estimate.resample_sd.item() == 0
