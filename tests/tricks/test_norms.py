"""group_norm against torch's three norms, and pixel_norm."""

import pytest
import torch
import torch.nn.functional as F

from ablate.core.layers import Weights
from ablate.errors import UserError
from ablate.tricks.group_norm import GroupNorm, Standardise
from ablate.tricks.pixel_norm import PixelNorm, PixelScale
from tests.contract.laws import problems
from tests.world import gan, settings


@pytest.mark.parametrize(("groups", "torchs"), [
    (1, lambda x, w, b: F.group_norm(x, 1, w, b, 1e-5)),
    (2, lambda x, w, b: F.group_norm(x, 2, w, b, 1e-5)),
    (6, lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-5)),
])  # fmt: skip
def test_groups_1_is_layer_norm_and_one_a_channel_is_instance_norm(groups, torchs):
    trick = GroupNorm(**settings("group_norm", groups=groups))
    layer = Standardise("norm", 6, groups, trick)
    x, w, b = torch.randn(2, 3, 6, 4, 4), torch.randn(2, 6), torch.randn(2, 6)
    y = layer(x, Weights(norm={"gamma": w, "beta": b}), None)
    if groups == 1:
        plain = layer(x, Weights(norm={"gamma": torch.ones(2, 6), "beta": torch.zeros(2, 6)}), None)
        torch.testing.assert_close(plain, F.layer_norm(x, x.shape[2:], eps=1e-5))
    for k in range(2):
        torch.testing.assert_close(y[k], torchs(x[k], w[k], b[k]), rtol=1e-4, atol=1e-5)


def test_a_bias_goes_only_where_its_gradient_is_zero():
    for groups, gone in ((-1, True), (1, False)):
        g = gan({"group_norm": settings("group_norm", groups=groups, skip_first_d=False)})
        shapes = {leaf.name: leaf.shapes() for leaf in [*g.G.leaves, *g.D.leaves]}
        assert ("bias" not in shapes["stem"]) == ("bias" not in shapes["conv0"]) == gone


def test_groups_that_cannot_be_are_refused_with_what_to_type():
    with pytest.raises(UserError, match="type a divisor of 4"):
        gan({"group_norm": settings("group_norm", groups=3)})
    with pytest.raises(UserError, match="groups=0"):
        gan({"group_norm": settings("group_norm", groups=0)})
    with pytest.raises(UserError, match="groups=1"):
        gan({"group_norm": settings("group_norm", groups=-1)}, net="mlp", shape=(1, 8, 8))
    assert problems({"group_norm": settings("group_norm", groups=-1)}, "mlp")


def test_pixel_norm_gives_every_pixel_a_mean_square_of_one():
    layer = PixelScale("norm", PixelNorm(**settings("pixel_norm")))
    for shape in ((2, 3, 5), (2, 3, 5, 4, 4)):
        y = layer(torch.randn(shape), Weights(), None)
        torch.testing.assert_close(y.square().mean(2), torch.ones(2, 3, *shape[3:]))
