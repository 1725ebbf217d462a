"""A multilayer perceptron for points and small images."""

from __future__ import annotations

import math
from itertools import pairwise

from ablate.core.layers import Leaky, Linear, Network, Reshape
from ablate.core.recipe import Player, Recipe
from ablate.errors import UserError
from ablate.models.output import last


def mlp(player: Player, recipe: Recipe, width: int = 128, depth: int = 2) -> Network:
    """Return `depth` hidden layers of `width` units; ReLU in G, LeakyReLU 0.2 in D.

    Raises:
        UserError: Width or depth leaves no hidden unit.
    """
    pixels = math.prod(recipe.shape)
    hidden = round(width * recipe.width[player])
    count = depth + recipe.depth[player]
    if hidden < 1 or count < 1:
        raise UserError(
            f"model=mlp leaves {player} with {count} hidden layers of {hidden} units; "
            "type a larger model.width or model.depth."
        )
    sizes = [recipe.latent_dim if player == "G" else pixels, *[hidden] * count]
    layers: Network = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [
            Linear(f"linear{i}", inputs, outputs),
            Leaky(f"act{i}", 0.0 if player == "G" else 0.2),
        ]
    layers.append(Linear("out", hidden, pixels if player == "G" else 1))
    if player == "D":
        return layers
    return [*layers, Reshape("image", recipe.shape), *last(recipe)]
