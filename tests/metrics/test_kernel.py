import pytest
import torch

from ablate.metrics.kernel import cubic_kernel, kernel_distance, real_similarity
from tests.metrics.world import normal


def naive(real, fake):
    def kernel(x, y):
        return (float(x @ y) / len(x) + 1) ** 3

    n, m = len(fake), len(real)
    ff = sum(kernel(fake[i], fake[j]) for i in range(n) for j in range(n) if i != j)
    rr = sum(kernel(real[i], real[j]) for i in range(m) for j in range(m) if i != j)
    rf = sum(kernel(x, y) for x in real for y in fake)
    return ff / (n * (n - 1)) + rr / (m * (m - 1)) - 2 * rf / (n * m)


def test_equals_the_double_sum():
    real, fake = normal(12, 3), 1 + normal(9, 3, seed=1)
    assert kernel_distance(real, fake).value.item() == pytest.approx(naive(real, fake))
    known = kernel_distance(real, fake, real_similarity(real))
    assert known.value.item() == pytest.approx(naive(real, fake))


def test_is_unbiased():
    """Its mean over draws from one distribution is zero, and single values fall on both sides."""
    values = kernel_distance(normal(200, 40, 4), normal(200, 40, 4, seed=1)).value
    assert abs(values.mean()) < 3 * values.std() / 200**0.5
    assert values.min() < 0 < values.max()


def test_grows_with_the_shift():
    real, fake = normal(100, 4), normal(100, 4, seed=1)
    distances = [kernel_distance(real, fake + shift).value.item() for shift in (0, 0.5, 1, 2)]
    assert distances == sorted(distances)


def test_the_spread_is_that_of_leaving_one_out():
    real, fake = normal(20, 3), normal(15, 3, seed=1)
    gone = [naive(real, torch.cat([fake[:i], fake[i + 1 :]])) for i in range(15)]
    honest = torch.tensor(gone).std() * 14 / 15**0.5
    assert kernel_distance(real, fake).resample_sd.item() == pytest.approx(honest.item())


def test_many_at_once_equal_one_by_one():
    real, fakes = normal(30, 3), normal(4, 20, 3, seed=1)
    alone = torch.stack([kernel_distance(real, fake).value for fake in fakes])
    assert torch.allclose(kernel_distance(real, fakes).value, alone)


def test_the_kernel_is_one_at_the_origin():
    assert cubic_kernel(torch.zeros(1, 5), normal(2, 5).float()).tolist() == [[1, 1]]
