import pytest
import torch

from tests.tricks.stand import stand, trick

STEP = stand("D", torch.zeros(1, 1), torch.zeros(1, 1))


def test_the_norm_is_every_trials_own():
    g = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    out = trick("grad_clip", limit=[1.0, 1.0]).gradient(g, STEP)
    torch.testing.assert_close(out, torch.tensor([[0.6, 0.8], [0.3, 0.4]]))
    assert torch.equal(out[1], g[1])


def test_values_are_cut_one_by_one():
    out = trick("grad_clip", kind="value", limit=1.0).gradient(torch.tensor([[3.0, -0.2]]), STEP)
    assert torch.equal(out, torch.tensor([[1.0, -0.2]]))


@pytest.mark.parametrize("kind", ["norm", "value"])
def test_infinity_and_the_other_player_are_let_through(kind):
    g = torch.tensor([[3.0, 0.0]])
    assert torch.equal(trick("grad_clip", kind=kind, limit=None).gradient(g, STEP), g)
    assert torch.equal(trick("grad_clip", kind=kind, nets="G").gradient(g, STEP), g)
    zero = torch.zeros(1, 2)
    assert torch.equal(trick("grad_clip", kind=kind).gradient(zero, STEP), zero)
