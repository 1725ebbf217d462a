"""d_capacity and g_capacity change one player, by what they say."""

import pytest

from tests.world import gan, settings


@pytest.mark.parametrize("player", ["D", "G"])
def test_width_scales_the_channels_and_depth_adds_layers_of_one_player(player):
    name, rival = f"{player.lower()}_capacity", {"D": "G", "G": "D"}[player]
    base = gan({})
    big = gan({name: settings(name, width=2.0, depth=1)})
    assert big.nets[rival].theta.equal(base.nets[rival].theta)
    own = {leaf.name: leaf for leaf in big.nets[player].leaves}
    assert "deep0" in own
    inner = "stem" if player == "G" else "conv0"
    widths = [leaf.outputs for leaf in base.nets[player].leaves if leaf.name == inner]
    assert [own[inner].outputs] == [2 * w for w in widths]
