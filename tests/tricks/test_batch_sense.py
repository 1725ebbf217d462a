"""minibatch_disc, minibatch_stddev and packing: what D is told of other samples."""

import pytest
import torch

from ablate.core.layers import Weights
from ablate.core.rng import Moment
from ablate.trick import Turn
from ablate.tricks.minibatch_disc import Closeness
from ablate.tricks.minibatch_stddev import MinibatchStddev, Spread
from tests.contract.laws import problems, trained
from tests.world import gan, play, settings

AT = Moment.of(torch.arange(2), torch.zeros(2, dtype=torch.int64), 1)


def closeness(x, k=2, kernels=3, dims=4):
    layer = Closeness("c", x.shape[2], kernels, dims)
    w = {"weight": torch.randn(k, kernels * dims, x.shape[2]), "bias": torch.randn(k, kernels)}
    return layer, Weights(c=w)


def test_closeness_is_the_paper_s_sum():
    x = torch.randn(2, 5, 6)
    layer, weights = closeness(x)
    y = layer(x, weights, AT)
    m = torch.einsum("kua,kta->kut", x, weights["c"]["weight"]).unflatten(2, (3, 4))
    for i in range(5):
        sums = sum((m[:, i] - m[:, j]).abs().sum(2).neg().exp() for j in range(5))
        torch.testing.assert_close(y[:, i], sums + weights["c"]["bias"])


def test_distances_between_reals_start_at_one_and_closeness_at_zero():
    g = gan({"minibatch_disc": settings("minibatch_disc")}, seeds=(0, 1))
    layer = next(leaf for leaf in g.D.leaves if isinstance(leaf, Closeness))
    weights, at = g.D.open(g.D.theta), g.feed.start.at("minibatch_disc")
    real = g.pixels(at.below("minibatch_disc", g.feed.n, 16))
    f = g.D(weights, real, at).features.flatten(2)
    d = layer.distance(f, weights[layer.name]["weight"])
    torch.testing.assert_close(d.sum((1, 2, 3)) / (16 * 15 * 100), torch.ones(2))
    torch.testing.assert_close(
        layer(f, weights, at).mean(1), torch.zeros(2, 100), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("name", ["minibatch_disc", "minibatch_stddev"])
def test_a_merged_pass_is_two_passes(name):
    g = gan({name: settings(name)})
    real, fake = torch.randn(1, 8, 1, 8, 8), torch.randn(1, 8, 1, 8, 8)
    w, at = g.D.open(g.D.theta), g.feed.start
    apart = torch.cat([g.D(w, x, at).value for x in (real, fake)], 1)
    merged = g.D(w, torch.cat((real, fake), 1), at.at("both")).value
    torch.testing.assert_close(merged, apart, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(g.D(w, real.flip(1)[:, :4], at).value, apart[:, :4])


def test_spread_is_the_mean_sd_of_a_group_and_nothing_for_equal_samples():
    layer = Spread("s", MinibatchStddev(**settings("minibatch_stddev", size=4)))
    x = torch.randn(2, 8, 3, 5, 5)
    y = layer(x, Weights(), AT)
    assert torch.equal(y[:, :, :3], x)
    for group in (slice(0, 4), slice(4, 8)):
        wanted = x[:, group].std(1, correction=0).flatten(1).mean(1)
        assert (y[:, group, 3] - wanted[:, None, None, None]).abs().max() < 1e-5
    flat = layer(x[:, :1].expand(-1, 8, -1, -1, -1), Weights(), AT)[:, :, 3]
    torch.testing.assert_close(flat, torch.full_like(flat, 1e-4))


def test_packs_are_neighbours_on_channels_and_only_the_first_layer_grows():
    g, base = gan({"packing": settings("packing", samples=4)}), gan({})
    x = torch.randn(1, 16, 1, 8, 8)
    packed = g.tricks.view(x, g.feed.start)
    assert torch.equal(packed, torch.stack([x[:, i::4, 0] for i in range(4)], 2))
    grown = [a.name for a, b in zip(g.D.leaves, base.D.leaves, strict=True) if a != b]
    assert grown == ["conv0"]
    g.feed.refill()
    step = g.differentiate(Turn("D"), g.draw(grad=False))
    assert step.real.logits.shape == step.fake.target.shape == (1, 4)


def test_batches_that_are_not_filled_are_refused():
    sizes = (
        {"packing": settings("packing", samples=3)},
        {
            "minibatch_stddev": settings("minibatch_stddev", size=8),
            "packing": settings("packing", samples=4),
        },
    )
    for tricks in sizes:
        assert "that divides" in problems(tricks, "dcgan")[0]


def test_packs_with_every_sense_of_the_batch_train():
    names = ("packing", "minibatch_stddev", "minibatch_disc", "spectral_norm", "dropout_d")
    for net in ("mlp", "dcgan"):
        assert trained({n: settings(n) for n in names}, net).D.theta.isfinite().all()


def test_the_resnet_reads_packs_in_both_branches():
    from functools import partial

    from ablate.models.resnet import resnet

    names = ("packing", "minibatch_stddev", "minibatch_disc", "group_norm", "dropout_d", "act_kind")
    tricks = {n: settings(n) for n in names}
    tricks["down_op"] = settings("down_op", kind="max")
    tricks["up_op"] = settings("up_op", kind="bilinear")
    g = gan(tricks, build=partial(resnet, width=4), shape=(3, 32, 32), batch=8)
    assert play(g, 2).D.theta.isfinite().all()
