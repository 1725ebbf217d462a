import math

import pytest
import torch

from ablate.metrics.histogram import (
    entropy,
    histogram,
    histogram_estimate,
    modes_covered,
    reverse_kl,
)


def counts(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def test_counts():
    assert histogram(torch.tensor([2, 0, 2]), 4).tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (counts(5, 5, 5, 5), math.log(4)),
        (counts(20, 0, 0, 0), 0),
        (counts(1, 1, 0, 0), math.log(2)),
    ],
)
def test_entropy(given, expected):
    assert entropy(given).item() == pytest.approx(expected)


@pytest.mark.parametrize(("given", "expected"), [(counts(0, 1, 7), 2), (counts(1, 1, 1), 3)])
def test_modes(given, expected):
    assert modes_covered(given).item() == expected


@pytest.mark.parametrize(
    ("given", "reference", "expected"),
    [
        (counts(3, 1), counts(6, 2), 0),
        (counts(8, 0, 0, 0), counts(1, 1, 1, 1), math.log(4)),  # one mode of four
        (counts(1, 3), counts(1, 1), 0.25 * math.log(0.5) + 0.75 * math.log(1.5)),
        (counts(0, 4), counts(9.5, 0), math.log(20)),  # an unseen mode counts half a sample
    ],
)
def test_reverse_kl(given, reference, expected):
    assert reverse_kl(given, reference).item() == pytest.approx(expected)


@pytest.mark.parametrize("statistic", [entropy, modes_covered])
def test_the_spread_is_that_of_leaving_one_out(statistic):
    modes = torch.tensor([0, 0, 0, 1, 1, 3])
    gone = [
        statistic(histogram(torch.cat([modes[:i], modes[i + 1 :]]), 5)) for i in range(len(modes))
    ]
    honest = torch.stack(gone).std() * 5 / 6**0.5
    found = histogram_estimate(statistic, histogram(modes, 5))
    assert found.value == statistic(histogram(modes, 5))
    assert found.resample_sd.item() == pytest.approx(honest.item())
