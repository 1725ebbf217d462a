"""init_gauss, init_variance, init_orthogonal, and that surgery moves no first value of others."""

import pytest
import torch

from ablate.models.dcgan import dcgan
from tests.contract.laws import ALL, homes
from tests.world import gan, settings


def wide(player, recipe):
    return dcgan(player, recipe, width=32)


def kernels(g, player):
    net = g.nets[player]
    named = [(leaf, f"{leaf.name}.weight") for leaf in net.leaves if "weight" in leaf.shapes()]
    return [(leaf, net.part(name)) for leaf, name in named]


def test_gauss_has_its_sd_norms_are_centred_on_one_and_biases_are_zero():
    tricks = [{"init_gauss": settings("init_gauss", sd=s), "batch_norm": settings("batch_norm")}
              for s in (0.02, 0.1)]  # fmt: skip
    g = gan(tricks, build=wide, shape=(1, 32, 32), seeds=(0, 0), latent=100)
    sd = torch.tensor([0.02, 0.1])
    for player in ("G", "D"):
        for _, w in kernels(g, player):
            if w[0].numel() > 5000:
                torch.testing.assert_close(w.flatten(1).std(1), sd, rtol=0.05, atol=0)
    gamma = g.G.part("stem/batch_norm.gamma")
    torch.testing.assert_close(gamma.mean(1), torch.ones(2), rtol=0, atol=0.05)
    torch.testing.assert_close(gamma.std(1), sd, rtol=0.3, atol=0)
    assert not g.G.part("stem/batch_norm.beta").any()
    assert not g.D.part("conv0.bias").any()


@pytest.mark.parametrize(("kind", "extra", "slopes"), [
    ("xavier", {}, {"G": 0.0, "D": 0.2}),
    ("he", {}, {"G": 0.0, "D": 0.2}),
    ("he", {"leaky_slope": settings("leaky_slope", slope_d=0.4, slope_g=1.0)}, {"G": 1, "D": 0.4}),
    ("he", {"act_kind": settings("act_kind")}, {"G": 0.25, "D": 0.25}),
])  # fmt: skip
def test_variance_is_the_formula_and_he_knows_the_slope(kind, extra, slopes):
    tricks = {"init_variance": settings("init_variance", kind=kind, gain=0.5), **extra}
    g = gan(tricks, build=wide, shape=(1, 32, 32), latent=100)
    for player in ("G", "D"):
        for _, w in kernels(g, player):
            if w.numel() <= 5000:
                continue
            std = {"xavier": torch.nn.init.xavier_normal_, "he": torch.nn.init.kaiming_normal_}
            options = {"gain": 0.5} if kind == "xavier" else {"a": slopes[player]}
            wanted = std[kind](torch.empty_like(w[0]), **options).std()
            wanted = wanted if kind == "xavier" else wanted * 0.5
            torch.testing.assert_close(w[0].std(), wanted, rtol=0.06, atol=0)


def test_orthogonal_kernels_are_orthogonal_times_the_gain():
    tricks = [{"init_orthogonal": settings("init_orthogonal", gain=s)} for s in (1.0, 0.3)]
    g = gan(tricks, seeds=(1, 2))
    for player in ("G", "D"):
        for _, w in kernels(g, player):
            m = w.flatten(2)
            gram = m @ m.mT if m.shape[1] < m.shape[2] else m.mT @ m
            square = torch.tensor([1.0, 0.09])[:, None, None]
            torch.testing.assert_close(gram, torch.eye(gram.shape[1]) * square, atol=1e-5, rtol=0)


REWRITES = {"init_gauss", "init_variance", "init_orthogonal", "equalized_lr", "residual"}


@pytest.mark.parametrize("name", [n for n in ALL if n not in REWRITES])
def test_a_trick_moves_no_first_value_of_a_layer_that_it_leaves(name):
    """Where it changes a layer's fan, parts of the same shape are the same draws, rescaled."""
    net = homes(name)[-1]
    with_it, base = gan({name: settings(name)}, net), gan({}, net)
    same = 0
    for player in ("G", "D"):
        new = {f"{leaf.name}.{part}": (leaf, shape) for leaf, part, shape in
               with_it.nets[player].cuts}  # fmt: skip
        for old, part, shape in base.nets[player].cuts:
            key = f"{old.name}.{part}"
            leaf, now = new.get(key, (None, None))
            if now != shape:
                continue
            same += 1
            a, b = (g.nets[player].part(key) for g in (with_it, base))
            if leaf.fan_in() == old.fan_in():
                assert torch.equal(a, b), key
            else:
                torch.testing.assert_close(a * leaf.fan_in() ** 0.5, b * old.fan_in() ** 0.5)
    assert same
