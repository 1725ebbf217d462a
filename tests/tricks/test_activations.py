"""leaky_slope and act_kind."""

import pytest
import torch
import torch.nn.functional as F

from ablate.core.layers import Apply, Leaky, leaves
from tests.contract.laws import problems, signature, trained
from tests.world import gan, settings


def slopes(d, g):
    return {"leaky_slope": settings("leaky_slope", slope_d=d, slope_g=g)}


def test_slope_0_is_relu_and_slope_1_is_no_activation():
    x = torch.randn(1, 4, 5)
    for slope, wanted in ((0.0, x.relu()), (1.0, x)):
        g = gan(slopes(slope, slope))
        for player in ("G", "D"):
            layers = [leaf for leaf in leaves(g.nets[player].layers) if isinstance(leaf, Leaky)]
            assert layers
            assert all(torch.equal(leaf(x, {}, g.feed.start), wanted) for leaf in layers)


def test_prelu_starts_as_leaky_of_a_quarter_and_learns():
    prelu = {"act_kind": settings("act_kind", kind_g="prelu", kind_d="prelu")}
    new, old = gan(prelu), gan(slopes(0.25, 0.25))
    z = torch.randn(1, 3, 6)
    for player, x in (("G", z), ("D", torch.randn(1, 3, 1, 8, 8))):
        a, b = new.nets[player], old.nets[player]
        at = new.feed.start
        assert torch.equal(a(a.open(a.theta), x, at).value, b(b.open(b.theta), x, at).value)
    learned = trained(prelu, "dcgan").D.part("act0.slope")
    assert 0 < (learned - 0.25).abs().max() < 0.1


@pytest.mark.parametrize("kind", ["elu", "selu", "gelu", "silu", "tanh"])
def test_kinds_are_torchs_and_a_player_can_keep_its_own(kind):
    g = gan({"act_kind": settings("act_kind", kind_g="leaky", kind_d=kind)})
    function = getattr(F, kind, torch.tanh)
    x = torch.randn(2, 3, 4)
    layers = [leaf for leaf in leaves(g.D.layers) if isinstance(leaf, Apply)]
    assert layers
    assert all(torch.equal(leaf(x, {}, g.feed.start), function(x)) for leaf in layers)
    assert torch.equal(g.G.theta, gan({}).G.theta)


def test_a_slope_without_leaky_layers_is_refused_or_doubted():
    both = slopes(0.1, 0.1) | {"act_kind": settings("act_kind")}
    assert "exclude each other" in problems(both, "dcgan")[0]
    one = slopes(0.1, 0.1) | {"act_kind": settings("act_kind", kind_d="leaky")}
    assert not problems(one, "dcgan")
    unheard = slopes(0.1, 0.4) | {"act_kind": settings("act_kind", kind_d="leaky")}
    assert torch.equal(signature(trained(one, "mlp")), signature(trained(unheard, "mlp")))
