"""Every distribution is an exact transformation of the same normal draw."""

import pytest
import torch

from ablate.config.catalog import trick_class
from tests.world import gan, play, settings

Z = torch.randn(3, 500, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
PHI = torch.distributions.Normal(0.0, 1.0).cdf
TAU = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)


def made(name, **changes):
    return trick_class(name)(**settings(name, **changes)).double()


def test_uniform_is_the_normal_cdf():
    torch.testing.assert_close(made("latent", dist="uniform").latent(Z, None), 2 * PHI(Z) - 1)


def test_sphere_has_the_norm_of_a_gaussian_and_its_direction():
    z = made("latent", dist="sphere").latent(Z, None)
    torch.testing.assert_close(z.norm(dim=2), torch.full((3, 500), 8.0**0.5, dtype=Z.dtype))
    torch.testing.assert_close(torch.cosine_similarity(z, Z, 2), torch.ones(3, 500).double())


def test_truncated_is_the_inverse_cdf_of_every_trials_own_cut():
    z, tau = made("latent", dist="truncated", tau=TAU.tolist()).latent(Z, None), TAU[:, None, None]
    assert (z.abs() <= tau).all()
    torch.testing.assert_close((PHI(z) - PHI(-tau)) / (PHI(tau) - PHI(-tau)), PHI(Z))


@pytest.mark.parametrize("net", ["mlp", "dcgan"])
def test_the_dimension_is_the_generators(net):
    g = gan({"latent": settings("latent", dim=13)}, net)
    assert g.feed.z.shape[-1] == 13
    play(g, 1)


def test_truncation_changes_samples_and_not_training():
    from ablate.train.sample import generate

    cut, plain = (play(gan(t), 3) for t in ({"latent_trunc": settings("latent_trunc")}, {}))
    assert torch.equal(cut.G.theta, plain.G.theta)
    assert not torch.equal(generate(cut, cut.G.theta, 8), generate(plain, plain.G.theta, 8))
