"""SNGAN's residual networks for 32 pixels (Miyato et al. 2018, arXiv 1802.05957, tables 3-4).

Without its tricks: no normalisation and no spectral norm, torch's own first values.
"""

from __future__ import annotations

from ablate.core.layers import (
    Conv,
    Layer,
    Leaky,
    Linear,
    Network,
    Resample,
    Reshape,
    Residual,
    SumPool,
)
from ablate.core.recipe import Player, Recipe
from ablate.errors import UserError
from ablate.models.output import last


def resnet(player: Player, recipe: Recipe, width: int = 128, depth: int = 0) -> Network:
    """Return the 32-pixel network of `width` channels.

    Args:
        player: "G" or "D".
        recipe: Gives shape, latent_dim, range and the factors of capacity tricks.
        width: Channels of every block (the paper: 256 in G, 128 in D).
        depth: Further blocks that keep the size; -1 leaves one such block of D out.

    Raises:
        UserError: The image is not 32 pixels wide, or nothing is left of the network.
    """
    if recipe.shape[1:] != (32, 32):
        raise UserError(
            f"model=resnet draws images of 32 pixels and {recipe.data} has samples of shape "
            f"{tuple(recipe.shape)}; type model=dcgan, or data.size=32 for an image folder."
        )
    channels, extra = round(width * recipe.width[player]), depth + recipe.depth[player]
    lowest = -2 if player == "D" else 0
    if channels < 1 or extra < lowest:
        raise UserError(
            f"model=resnet leaves {player} with {channels} channels at depth {extra}; type a "
            f"larger model.width, or a depth of at least {lowest}."
        )
    if player == "G":
        return _generator(recipe, channels, extra)
    return _discriminator(recipe, channels, extra)


def _generator(recipe: Recipe, c: int, extra: int) -> Network:
    ups = [_up(f"up{i}", c) for i in range(3)]
    flat = [_flat(f"flat{i}", c, 0.0) for i in range(extra)]
    return [
        Linear("stem", recipe.latent_dim, c * 16),
        Reshape("image", (c, 4, 4)),
        *flat,
        *ups,
        Leaky("act"),
        Conv("out", c, recipe.shape[0], 3, 1, 1),
        *last(recipe),
    ]


def _discriminator(recipe: Recipe, c: int, extra: int) -> Network:
    # The paper's D ends in two blocks that keep the size.
    flat = [_flat(f"flat{i}", c, 0.0) for i in range(2 + extra)]
    head: Network = [Leaky("act"), SumPool("sum"), Linear("out", c, 1)]
    return [_first_down("down0", recipe.shape[0], c), _down("down1", c), *flat, *head]


def _up(name: str, c: int) -> Residual:
    main: list[Layer] = [
        Leaky(f"{name}/act0"),
        Resample(f"{name}/up", "nearest", 2),
        Conv(f"{name}/conv0", c, c, 3, 1, 1),
        Leaky(f"{name}/act1"),
        Conv(f"{name}/conv1", c, c, 3, 1, 1),
    ]
    skip = (Resample(f"{name}/skipup", "nearest", 2), Conv(f"{name}/skip", c, c, 1))
    return Residual(name, tuple(main), skip)


def _flat(name: str, c: int, slope: float) -> Residual:
    main = (
        Leaky(f"{name}/act0", slope),
        Conv(f"{name}/conv0", c, c, 3, 1, 1),
        Leaky(f"{name}/act1", slope),
        Conv(f"{name}/conv1", c, c, 3, 1, 1),
    )
    return Residual(name, main)


def _down(name: str, c: int) -> Residual:
    block = _flat(name, c, 0.0)
    pooled = (*block.main, Resample(f"{name}/pool", "average", 0.5))
    skip = (Conv(f"{name}/skip", c, c, 1), Resample(f"{name}/skippool", "average", 0.5))
    return Residual(name, pooled, skip)


def _first_down(name: str, inputs: int, c: int) -> Residual:
    # The first block of D sees pixels: no activation before its first convolution, and the skip
    # pools before it convolves, which is the same and cheaper.
    main = (
        Conv(f"{name}/conv0", inputs, c, 3, 1, 1),
        Leaky(f"{name}/act0"),
        Conv(f"{name}/conv1", c, c, 3, 1, 1),
        Resample(f"{name}/pool", "average", 0.5),
    )
    skip = (Resample(f"{name}/skippool", "average", 0.5), Conv(f"{name}/skip", inputs, c, 1))
    return Residual(name, main, skip)
