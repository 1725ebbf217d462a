"""Where a norm stands in a network."""

from __future__ import annotations

from collections.abc import Callable

from ablate.core.layers import Conv, ConvTranspose, Layer, Linear, Network, leaves, rewrite
from ablate.core.recipe import Player

Weighted = Linear | Conv | ConvTranspose


def normalise(
    layers: Network,
    player: Player,
    norm: Callable[[Weighted], list[Layer]],
    skip_first_d: bool,
    skip_last_g: bool,
) -> Network:
    """Return the network with `norm` in place of every layer with weights that is followed by more.

    D's last layer is its score and never normalised; skip connections are left alone.
    """
    weighted = [leaf for leaf in leaves(layers) if isinstance(leaf, Weighted)]
    spared = {leaf.name for leaf in weighted if leaf.name.endswith("/skip")}
    if player == "D" or skip_last_g:
        spared.add(weighted[-1].name)
    if player == "D" and skip_first_d:
        spared.add(weighted[0].name)

    def edit(layer: Layer) -> list[Layer]:
        return norm(layer) if isinstance(layer, Weighted) and layer.name not in spared else [layer]

    return rewrite(layers, edit)
