"""A player that waits keeps its parameters and the memory of its optimiser."""

import torch

from tests.world import gan, play, settings


def test_who_waits_keeps_everything():
    trials = [
        {"loss_gate": settings("loss_gate", low_d=d, low_g=g)}
        for d, g in ((None, None), (9.0, None), (None, 9.0))
    ]
    free, start = play(gan(trials, seeds=(4, 4, 4)), 5), gan({}, seeds=(4,))
    for player, waits in (("D", 1), ("G", 2)):
        net, optimizer = free.nets[player], free.optimizers[player]
        assert torch.equal(net.theta[waits], start.nets[player].theta[0])
        assert optimizer.n[waits] == 0
        assert not optimizer.m[waits].any()
        assert not torch.equal(net.theta[0], net.theta[waits])
