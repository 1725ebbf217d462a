"""Laws of the adversarial losses: equilibria, invariances, gradients in the target."""

import math

import pytest
import torch

from tests.tricks.stand import stand, trick

ANCHORED = ["loss_ns", "loss_minimax", "loss_lsgan", "loss_hinge", "loss_seed0"]
SHIFT_FREE = ["loss_wasserstein", "loss_rpgan", "loss_ragan"]
SOFT = ["loss_ns", "loss_minimax", "loss_lsgan", "loss_seed0"]
LN2 = math.log(2)
GRID = torch.linspace(-3, 3, 6001, dtype=torch.float64)


def logit(p):
    return math.log(p / (1 - p))


def loss(name, player, x, targets=(), **changes):
    """Return the loss [N] where every real and every fake has one score x of [N]."""
    x = torch.as_tensor(x, dtype=torch.float64).reshape(-1, 1)
    member = trick(name, **changes).double()
    return member.adversary(stand(player, x, x, *targets)).mean(1)


# D's score at the optimum where fakes are as reals, and both losses there.
EQUILIBRIA = [
    ("loss_ns", {}, (), 0, 2 * LN2, LN2),
    ("loss_minimax", {}, (), 0, 2 * LN2, -LN2),
    ("loss_ns", {}, (0.9, 0.0), logit(0.45), 1.3763, 0.7985),
    ("loss_ns", {}, (0.95, 0.15), logit(0.55), 1.3763, 0.5978),
    ("loss_ns", {}, (0.95, 0.05), 0, 2 * LN2, LN2),
    ("loss_lsgan", {}, (), 0.5, 0.25, 0.125),
    ("loss_lsgan", {"a": -1.0, "b": 1.0, "c": 0.0}, (), 0, 1, 0),
    ("loss_lsgan", {"score": "prob"}, (), 0, 0.25, 0.125),
    ("loss_hinge", {}, (), 0, 2, 0),
    ("loss_wasserstein", {}, (), 0, 0, 0),
    ("loss_rpgan", {}, (), 0, LN2, LN2),
    ("loss_ragan", {}, (), 0, LN2, LN2),
]


@pytest.mark.parametrize(("name", "changes", "targets", "score", "loss_d", "loss_g"), EQUILIBRIA)
def test_equilibrium(name, changes, targets, score, loss_d, loss_g):
    best = float(loss(name, "D", score, targets, **changes))
    assert best == pytest.approx(loss_d, abs=6e-5)
    assert float(loss(name, "G", score, **changes)) == pytest.approx(loss_g, abs=6e-5)
    assert best <= float(loss(name, "D", GRID, targets, **changes).min()) + 1e-12


@pytest.mark.parametrize("form", ["logistic", "hinge", "ls"])
@pytest.mark.parametrize("name", ["loss_rpgan", "loss_ragan"])
def test_relativistic_losses_are_equal_for_both_players_at_equilibrium(name, form):
    assert loss(name, "D", 0.3, form=form) == loss(name, "G", 0.3, form=form)


def shifted(name, player, shift):
    made = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(2, 64, generator=made, dtype=torch.float64) for _ in "rf")
    member = trick(name).double()
    loss, rest = (member.adversary(stand(player, real + c, fake + c)).mean(1) for c in (shift, 0.0))
    return loss - rest


@pytest.mark.parametrize("name", SHIFT_FREE)
def test_a_constant_on_top_of_d_changes_nothing_where_only_differences_count(name):
    assert shifted(name, "D", 0.7).abs().max() < 1e-12
    change = shifted(name, "G", 0.7)
    assert (change - change[0]).abs().max() < 1e-12  # Wasserstein's E f: the constant itself


@pytest.mark.parametrize("name", ANCHORED)
def test_a_constant_on_top_of_d_counts_where_scores_have_a_zero(name):
    assert "anchored" in trick(name).marks()
    assert shifted(name, "D", 0.7).abs().min() > 1e-3


def slopes(name, player, target):
    """Return the gradient by every score where every label is `target`."""
    scores = torch.linspace(-2, 2, 9, dtype=torch.float64)[None].requires_grad_()
    step = stand(player, scores, scores, target, target)
    (g,) = torch.autograd.grad(trick(name).double().adversary(step).sum(), scores)
    return g


@pytest.mark.parametrize("player", ["D", "G"])
@pytest.mark.parametrize("name", SOFT)
def test_the_gradient_is_affine_in_the_target(name, player):
    at0, at1 = (slopes(name, player, t) for t in (0.0, 1.0))
    for t in (0.3, 0.95, 1.2):
        torch.testing.assert_close(slopes(name, player, t), at0 + t * (at1 - at0))


def test_hinge_with_flipped_labels_swaps_its_terms():
    real, fake = torch.randn(1, 8), torch.randn(1, 8)
    hinge = trick("loss_hinge")
    flipped = hinge.adversary(stand("D", real, fake, 0.0, 1.0))
    assert torch.equal(flipped, hinge.adversary(stand("D", fake, real)))


@pytest.mark.parametrize("g", ["linear", "ns"])
@pytest.mark.parametrize("mse_on", ["prob", "logit"])
def test_the_corrected_sign_has_g_raise_d(g, mse_on):
    low, high = (loss("loss_seed0", "G", s, g=g, mse_on=mse_on) for s in (0.0, 1.0))
    assert high < low


def test_balance_weighs_the_real_term_alone():
    real, fake = torch.zeros(1, 4), torch.full((1, 4), -50.0)  # the fake term vanishes
    one, three = (
        trick("loss_seed0", balance=b).adversary(stand("D", real, fake)) for b in (1.0, 3.0)
    )
    torch.testing.assert_close(three, 3 * one)


def test_minimax_saturates_and_the_other_does_not():
    score = torch.full((1, 1), -12.0, requires_grad=True)
    g = {
        name: torch.autograd.grad(trick(name).adversary(stand("G", score, score)).sum(), score)[0]
        for name in ("loss_minimax", "loss_ns")
    }
    assert g["loss_minimax"].abs() < 1e-4
    assert g["loss_ns"].abs() > 0.99
