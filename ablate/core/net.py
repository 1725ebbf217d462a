"""A player: one matrix of parameters, and networks that are functions of it.

Legend: K trials, B batch, P parameters, F features.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ablate.core.layers import Layer, Network, Weights, leaves
from ablate.core.recipe import Player
from ablate.core.rng import Moment

KERNEL = "weight"
ALIGN = 64


class Output(NamedTuple):
    """What a network returns: its output, and what its last layer with parameters was given."""

    value: Tensor  # G: images [K, B, C, H, W]; D: scores [K, B, 1]
    features: Tensor  # [K, B, ...], or [B, ...] of one trial alone


class Net(nn.Module):
    """A player's parameters theta [K, P] and the layers that read them.

    Optimiser, averages, clipping and snapshots see theta; layers see views that are cut from it.
    """

    theta: Tensor

    def __init__(
        self,
        player: Player,
        layers: Network,
        at: Moment,
        init: Callable[[Tensor, Layer, str, Moment], Tensor],
        weight: Callable[[Tensor, Player, Layer], Tensor] | None,
    ) -> None:
        """Draw the first parameters.

        Args:
            player: "G" or "D".
            layers: The network after all surgery; names of leaves are unique.
            at: The moment before the first round; every part draws under its own name.
            init: The `init` seam.
            weight: The `weight` seam, None where no trick touches it.
        """
        super().__init__()
        self.player, self.layers, self.weight = player, layers, weight
        self.channels_last = False
        self.forms: dict[str, str] = {}  # of convolutions, by layer name
        at = at.at("init", player)
        self.leaves = [leaf for leaf in leaves(layers) if leaf.shapes()]
        self.last = [layer for layer in layers if any(leaf.shapes() for leaf in layer.leaves())][-1]
        self.plain = all(leaf.plain for leaf in leaves(layers))
        names = [leaf.name for leaf in leaves(layers)]
        assert len(names) == len(set(names)), f"layers share a name: {names}"
        self.cuts = [
            (leaf, part, shape) for leaf in self.leaves for part, shape in leaf.shapes().items()
        ]
        self.sizes = [math.prod(shape) for _, _, shape in self.cuts]
        self.used = [leaf.used(part, len(at.key)) for leaf, part, _ in self.cuts]
        first = [
            init(leaf.first(part, at), leaf, part, at).flatten(1) for leaf, part, _ in self.cuts
        ]
        # A whole number of vector registers a trial: no element falls into the scalar tail of an
        # elementwise loop, where the last bit may differ, so a slot's numbers do not depend on it.
        padding = -sum(self.sizes) % ALIGN
        self.sizes.append(padding)
        first.append(first[0].new_zeros(len(first[0]), padding))
        self.register_buffer("theta", torch.cat(first, 1))

    def open(self, theta: Tensor) -> Weights:
        """Return theta [K, P] cut into every layer's parts, kernels passed through the seam."""
        weights, k = Weights(), len(theta)
        weights.channels_last, weights.forms = self.channels_last, self.forms
        # One split has one `cat` as its backward; a slice a part would cost P for each of them.
        flats = torch.split_with_sizes(theta, self.sizes, 1)  # Tensor.split is a Python function
        for (leaf, part, shape), used, flat in zip(self.cuts, self.used, flats, strict=False):
            if part == KERNEL and self.weight is not None:
                flat = self.weight(flat.view(k, *shape), self.player, leaf)  # noqa: PLW2901
            weights.setdefault(leaf.name, {})[part] = flat.reshape(used)
        return weights

    def kernels(self, theta: Tensor) -> dict[str, Tensor]:
        """Return the kernels [K, ...] that the forward pass uses, by layer name."""
        opened, k = self.open(theta), len(theta)
        return {
            leaf.name: opened[leaf.name][part].reshape(k, *shape)
            for leaf, part, shape in self.cuts
            if part == KERNEL
        }

    def __call__(self, weights: Weights, x: Tensor, at: Moment) -> Output:
        """Return the output for x [K, B, ...] and the input of the last layer with parameters."""
        if self.plain and len(x) == 1:
            alone = self.run(weights, x.squeeze(0), at)
            return alone._replace(value=alone.value.unsqueeze(0))
        return self.run(weights, x, at)

    def run(self, weights: Weights, x: Tensor, at: Moment) -> Output:
        """Return the output of all layers, with or without the trial axis."""
        features = x
        for layer in self.layers:
            if layer is self.last:
                features = x
            x = layer(x, weights, at)
        return Output(x, features)

    def part(self, name: str) -> Tensor:
        """Return a view [K, ...] of theta by the name 'layer.part', for a look from outside."""
        flats = self.theta.split(self.sizes, 1)[:-1]
        for (leaf, part, shape), flat in zip(self.cuts, flats, strict=True):
            if f"{leaf.name}.{part}" == name:
                return flat.unflatten(1, shape)
        raise KeyError(name)
