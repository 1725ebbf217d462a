"""down_op and up_op: sizes, and what each kind does to a gradient or a constant image."""

import pytest
import torch

from ablate.core.layers import Resample, Weights
from ablate.core.rng import Moment
from ablate.errors import UserError
from ablate.models.dcgan import dcgan
from ablate.trick import Recipe
from tests.contract.laws import problems
from tests.world import gan, settings

AT = Moment.of(torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), 1)
SIZES = (8, 28, 32, 64)
DOWN = [("strided", 3), ("strided", 4), ("strided", 5), ("average", 3), ("max", 5), ("bilinear", 3)]
UP = [("transposed", k) for k in range(2, 7)]
UP += [(kind, k) for kind in ("nearest", "bilinear", "shuffle") for k in (3, 5)]


def build(size):
    return lambda player, recipe: dcgan(player, recipe, width=2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kind", "kernel"), DOWN)
def test_every_way_down_ends_in_one_score(kind, kernel, size):
    shape = (1, size, size)
    g = gan({"down_op": settings("down_op", kind=kind, kernel=kernel)}, build=build(size),
            shape=shape, batch=2)  # fmt: skip
    x = torch.zeros(1, 2, *shape)
    assert g.D(g.D.open(g.D.theta), x, g.feed.start).value.shape == (1, 2, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kind", "kernel"), UP)
def test_every_way_up_ends_in_one_image(kind, kernel, size):
    shape = (1, size, size)
    g = gan({"up_op": settings("up_op", kind=kind, kernel=kernel)}, build=build(size), shape=shape,
            batch=2)  # fmt: skip
    z = torch.zeros(1, 2, 6)
    assert g.G(g.G.open(g.G.theta), z, g.feed.start).value.shape == (1, 2, *shape)


def test_bilinear_halving_is_the_mean_and_max_passes_one_gradient_of_four():
    x = torch.randn(2, 3, 4, 8, 8, requires_grad=True)
    half = {k: Resample("r", k, 0.5)(x, Weights(), AT) for k in ("average", "bilinear", "max")}
    torch.testing.assert_close(half["average"], half["bilinear"])
    (g,) = torch.autograd.grad(half["max"].sum(), x)
    assert (g != 0).float().mean() == 0.25


@pytest.mark.parametrize(
    ("kind", "kernel", "even"),
    [("transposed", 3, False), ("transposed", 4, True), ("transposed", 5, False),
     ("transposed", 6, True), ("nearest", 3, True), ("bilinear", 3, True)],
)  # fmt: skip
def test_a_kernel_that_the_stride_does_not_divide_draws_a_checkerboard(kind, kernel, even):
    tricks = {"up_op": settings("up_op", kind=kind, kernel=kernel)}
    g = gan(tricks, build=build(32), shape=(1, 32, 32))
    i = next(i for i, leaf in enumerate(g.G.layers) if "conv0" in leaf.name)
    weights = g.G.open(torch.ones_like(g.G.theta))
    y = torch.ones(1, 1, 8, 8, 8)
    for layer in g.G.layers[i:]:
        if layer.name.startswith("act"):
            break
        y = layer(y, weights, g.feed.start)
    inside = y[..., 4:-4, 4:-4]
    assert (inside.std() < 1e-6) == even
    doubts = [p for p in g.tricks.problems(Recipe()) if "checkerboard" in p.sentence]
    assert bool(doubts) == (not even)


@pytest.mark.parametrize("name", ["down_op", "up_op"])
def test_even_kernels_that_keep_the_size_and_networks_without_images_are_refused(name):
    with pytest.raises(UserError, match="kernel=3 or 5"):
        gan({name: settings(name, kind="bilinear", kernel=4)})
    assert "holds points" in problems({name: settings(name)}, "mlp")[0]
    with pytest.raises(UserError, match=f"drop {name}"):
        gan({name: settings(name)}, net="mlp", shape=(1, 8, 8))
