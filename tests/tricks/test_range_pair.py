"""Each pair of scaling and last function gives pixels back, and G stays in its range."""

import pytest
import torch

from tests.world import gan, settings


@pytest.mark.parametrize(("kind", "low", "high"),
                         [("tanh", -1, 1), ("sigmoid", 0, 1), ("linear", -9, 9)])  # fmt: skip
def test_bytes_survive_the_way_to_d_and_back(kind, low, high):
    g = gan({"range_pair": settings("range_pair", kind=kind)})
    rows = torch.arange(80)[None]
    x = g.pixels(rows)
    assert torch.equal(g.pixels.bytes(x)[0], g.pixels.images)
    assert low <= x.min() < x.max() <= high
    g.G.theta.mul_(100)
    y = g.G(g.G.open(g.G.theta), torch.randn(1, 32, 6), g.feed.start).value
    assert (y.min() >= low and y.max() <= high) == (kind != "linear")


def test_linear_is_standardised():
    g = gan({"range_pair": settings("range_pair", kind="linear")})
    x = g.pixels(torch.arange(80)[None])
    assert abs(x.mean()) < 1e-4 and abs(x.std() - 1) < 1e-4
