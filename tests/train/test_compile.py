"""The compiled step is the step."""

from functools import partial

import pytest
import torch

from ablate.models.mlp import mlp
from ablate.operators import set_forms
from ablate.train.compile import compiled
from tests.world import gan, play, settings

SETS = {
    "empty": [],
    "second-gradients": ["gp_interp", "label_smooth", "ema_g"],
    "masks": ["dropout_d", "noisy_labels", "instance_noise", "n_critic"],
}


def test_a_process_compiles_more_networks_than_dynamo_likes():
    torch._dynamo.reset()
    for width in range(8, 20):
        one = gan({}, build=partial(mlp, width=width), shape=(2,))
        one.feed.refill()
        compiled(one, backend="eager")(one.rounds[0])


def test_a_compiled_round_convolves_in_groups(tmp_path):
    one = gan({}, seeds=(1, 2))
    set_forms(one, "matmul", tmp_path)
    compiled(one, backend="eager")
    assert not one.G.open(one.G.theta).forms
    assert not one.D.open(one.D.theta).forms


@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_dynamo_traces_a_round_whole_and_changes_no_bit(names):
    tricks = {name: settings(name) for name in names}
    plain, traced = (gan(tricks, seeds=(1, 2)) for _ in range(2))
    traced_play = compiled(traced, backend="eager")
    for _ in range(len(plain.rounds) + 1):
        traced.feed.refill()
        traced_play(traced.rounds[traced.feed.played % len(traced.rounds)], True)
        traced.feed.count()
    play(plain, len(plain.rounds) + 1)
    assert torch.equal(plain.G.theta, traced.G.theta)
    assert torch.equal(plain.D.theta, traced.D.theta)
