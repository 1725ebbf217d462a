from types import SimpleNamespace

import pytest
import torch

from tests.tricks.stand import moment, stand, trick

SCORES = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))


def weighed(epoch=0, player="G", **changes):
    step = stand(player, SCORES, SCORES)
    step.at = moment(5 * epoch, seeds=(0, 1))
    step.gan = SimpleNamespace(feed=SimpleNamespace(epoch_rounds=5))
    return trick("topk_g", **changes).weigh(-SCORES, step)


@pytest.mark.parametrize(("nu", "k"), [(0.75, 12), (0.5, 8), (0.0, 1)])
def test_the_loss_is_the_mean_over_the_best(nu, k):
    best = -SCORES.sort(1, descending=True).values[:, :k].mean(1)
    torch.testing.assert_close(weighed(gamma=0.0, nu=nu, epoch=1).mean(1), best)


@pytest.mark.parametrize(("epoch", "k"), [(0, 16), (1, 14), (2, 12), (9, 12)])
def test_fewer_every_epoch_down_to_a_share(epoch, k):
    assert ((weighed(epoch, gamma=0.9, nu=0.75) != 0).sum(1) == k).all()


def test_d_and_the_whole_batch_are_left_alone():
    assert torch.equal(weighed(3, player="D"), -SCORES)
    assert torch.equal(weighed(3, nu=1.0), -SCORES)
