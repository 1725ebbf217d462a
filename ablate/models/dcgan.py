"""DCGAN (Radford, Metz, Chintala 2015, arXiv 1511.06434) without any trick inside.

Strided and transposed convolutions with kernel 4, as in pytorch/examples; no normalisation, torch's
own first values. Channels double at every halving of the image.
"""

from __future__ import annotations

from itertools import pairwise

from ablate.core.layers import Conv, ConvTranspose, Leaky, Network, Reshape
from ablate.core.recipe import Player, Recipe
from ablate.errors import UserError
from ablate.models.output import last

STAGES = {8: 1, 28: 2, 32: 3, 64: 4}  # image size -> number of halvings


def dcgan(player: Player, recipe: Recipe, width: int = 64, depth: int = 0) -> Network:
    """Return the network for 8, 28, 32 or 64 pixels.

    Args:
        player: "G" or "D".
        recipe: Gives shape, latent_dim, range and the factors of capacity tricks.
        width: Channels at the largest resolution.
        depth: Further 3x3 convolutions at the smallest resolution; -1 leaves one halving out.

    Raises:
        UserError: The image has another size, or nothing is left of the network.
    """
    size, extra = recipe.shape[-1], depth + recipe.depth[player]
    if recipe.is_toy or size not in STAGES or recipe.shape[-2] != size:
        raise UserError(
            f"model=dcgan draws images of 8, 28, 32 or 64 pixels and {recipe.data} has samples of "
            f"shape {tuple(recipe.shape)}; type model=mlp, or data.size=32 for an image folder."
        )
    stages, channels = STAGES[size] + min(extra, 0), round(width * recipe.width[player])
    if stages < 1 or channels < 1:
        raise UserError(
            f"model=dcgan leaves {player} with {stages} stages of {channels} channels; "
            "type a larger model.width or a depth of 0."
        )
    widths = [channels * 2**i for i in range(stages)]
    base = size // 2**stages
    build = _generator if player == "G" else _discriminator
    return build(recipe, widths, base, max(extra, 0))


def _discriminator(recipe: Recipe, widths: list[int], base: int, extra: int) -> Network:
    layers: Network = []
    for i, (c, o) in enumerate(zip([recipe.shape[0], *widths], widths, strict=False)):
        layers += [Conv(f"conv{i}", c, o, 4, 2, 1), Leaky(f"act{i}", 0.2)]
    for j in range(extra):
        layers += [Conv(f"deep{j}", widths[-1], widths[-1], 3, 1, 1), Leaky(f"deepact{j}", 0.2)]
    return [*layers, Conv("out", widths[-1], 1, base), Reshape("score", (1,))]


def _generator(recipe: Recipe, widths: list[int], base: int, extra: int) -> Network:
    widths = widths[::-1]
    layers: Network = [
        Reshape("latent", (recipe.latent_dim, 1, 1)),
        ConvTranspose("stem", recipe.latent_dim, widths[0], base),
        Leaky("stemact"),
    ]
    for j in range(extra):
        layers += [Conv(f"deep{j}", widths[0], widths[0], 3, 1, 1), Leaky(f"deepact{j}")]
    for i, (c, o) in enumerate(pairwise(widths)):
        layers += [ConvTranspose(f"conv{i}", c, o, 4, 2, 1), Leaky(f"act{i}")]
    return [*layers, ConvTranspose("out", widths[-1], recipe.shape[0], 4, 2, 1), *last(recipe)]
