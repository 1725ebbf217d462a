"""Packs of samples for the discriminator."""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from ablate.trick import (
    Conv,
    Layer,
    Linear,
    Moment,
    Network,
    Others,
    Player,
    Problem,
    Recipe,
    Residual,
    Trick,
    UserError,
    integer,
)


class Packing(Trick):
    """D judges packs of samples, all real or all fake, instead of single ones.

    `samples` neighbours of the batch are stacked along channels; only D's first layer grows. A
    batch of B images gives B / samples scores, labels and losses, at the same number of images
    shown to D (the paper draws `samples` times as many). A collapsed G betrays itself in a pack.

    Source: Lin et al. 2018, arXiv 1712.04086, section 2.
    """

    group = "architecture"
    rank = 9  # the last view: packs are made of what other views return
    neutral = {"samples": 1}
    cost = "a wider first layer of D; fewer passes through the rest"

    samples: int = integer(1, 16)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse batches that packs do not fill."""
        if recipe.batch_size % self.samples:
            yield Problem(
                True,
                f"packing cannot fill packs of {self.samples} from batches of {recipe.batch_size}; "
                f"type a trick.packing.samples that divides {recipe.batch_size}.",
            )

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Return [K, B / m, m C, ...] from [K, B, C, ...]."""
        if self.samples == 1:
            return x
        return x.reshape(len(x), -1, x.shape[2] * self.samples, *x.shape[3:])

    def network(self, layers: Network, player: Player) -> Network:
        """Widen what reads images in D."""
        if player == "G" or self.samples == 1:
            return layers
        for i, layer in enumerate(layers):
            if isinstance(layer, Linear | Conv | Residual):
                return [*layers[:i], self.widen(layer), *layers[i + 1 :]]
        raise UserError("packing finds no layer that reads images in D; drop packing.")

    def widen(self, layer: Layer) -> Layer:
        """Return the layer for m times the inputs; of a block, both branches' first layers."""
        if isinstance(layer, Residual):
            main, skip = (tuple(self.network([*b], "D")) for b in (layer.main, layer.skip))
            return replace(layer, main=main, skip=skip)
        assert isinstance(layer, Linear | Conv)
        return replace(layer, inputs=layer.inputs * self.samples)
