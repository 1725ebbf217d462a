"""Every optimiser is torch's, with the numbers of its trial, and rates follow what edits them."""

import pytest
import torch

from tests.contract.laws import double, problems
from tests.world import gan, play, settings

__all__ = ["double"]
RULES = {
    "adam": (dict(lr=1e-3, beta1=0.0, beta2=0.9, eps=1e-6), lambda p: torch.optim.Adam(
        p, lr=1e-3, betas=(0.0, 0.9), eps=1e-6)),
    "sgd_d": (dict(lr=1e-2, momentum=0.3), lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.3)),
    "rmsprop": (dict(lr=5e-5, alpha=0.9), lambda p: torch.optim.RMSprop(p, lr=5e-5, alpha=0.9)),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
@pytest.mark.usefixtures("double")
def test_it_is_torchs(name):
    numbers, torchs = RULES[name]
    g = gan({name: settings(name, **numbers)})
    theta = torch.nn.Parameter(g.D.theta.clone())
    other = torchs([theta])
    for i in range(5):
        theta.grad = torch.sin(torch.arange(theta.numel()) * (i + 1.0)).view_as(theta)
        other.step()
        g.optimizers["D"].move(g.D.theta, theta.grad)
    torch.testing.assert_close(g.D.theta, theta.data, rtol=1e-12, atol=1e-14)


def test_numbers_keep_their_digits():
    g = gan([{"adam": settings("adam", lr=lr)} for lr in (1e-4, 3e-4)], seeds=(0, 1))
    assert g.optimizers["G"].lr.tolist() == [1e-4, 3e-4]


def test_sgd_is_for_d_alone_and_rmsprop_for_whom_it_names():
    kinds = lambda t: [type(gan(t).optimizers[p]).__name__ for p in "GD"]  # noqa: E731
    assert kinds({"sgd_d": settings("sgd_d")}) == ["Adam", "SGD"]
    assert kinds({"rmsprop": settings("rmsprop", nets="G")}) == ["RMSprop", "Adam"]


def test_two_rules_for_one_player_are_refused():
    rms = {"rmsprop": settings("rmsprop")}
    assert problems({**rms, "sgd_d": settings("sgd_d")}, "mlp")
    assert problems({**rms, "adam": settings("adam")}, "mlp")
    assert not problems({"rmsprop": settings("rmsprop", nets="G"), "adam": settings("adam")}, "mlp")


def test_ttur_multiplies_the_rate_of_d_that_adam_sets():
    g = gan({"ttur": settings("ttur", ratio=3.0), "adam": settings("adam", lr=1e-3)})
    rates = [g.optimizers[p].lr.item() for p in "GD"]
    assert rates == [1e-3, pytest.approx(3e-3, rel=1e-15)]


@pytest.mark.parametrize(
    ("kind", "start", "end", "rounds", "factor"),
    [
        ("linear", 0.0, 0.0, 10, 0.75),
        ("linear", 0.5, 0.2, 20, 1.0),
        ("linear", 0.5, 0.2, 30, 0.6),
        ("linear", 0.5, 0.2, 40, 0.2),
        ("cosine", 0.0, 0.0, 20, 0.5),
        ("cosine", 0.0, 0.1, 40, 0.1),
        ("exponential", 0.0, 0.25, 20, 0.5),
    ],
)
def test_rates_decay_to_their_end(kind, start, end, rounds, factor):
    g = play(gan({"lr_decay": dict(kind=kind, start=start, end=end)}, "mlp"), rounds)
    for player in "GD":
        assert g.optimizers[player].lr.item() == pytest.approx(2e-4 * factor, rel=1e-6)
