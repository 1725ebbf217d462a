import torch

from tests.tricks.stand import moment, side, trick


def test_random_smoothing_has_the_mean_target_in_expectation():
    n = 40_000
    for name, low, high in (("real", 0.7, 1.2), ("fake", 0.0, 0.3)):
        where, hard = side(name, units=n)
        out = trick("label_smooth").target(hard, where, moment().at("D", name))
        assert abs(out.mean() - (low + high) / 2) < 5 * (high - low) / (12 * n) ** 0.5
        assert out.min() >= low
        assert out.max() < high + 1e-6


def test_g_keeps_its_target():
    where, hard = side("fake", player="G", units=8)
    assert torch.equal(trick("label_smooth").target(hard, where, moment()), hard)
