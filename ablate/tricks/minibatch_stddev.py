"""The spread of a minibatch, shown to D."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
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
    Strength,
    Trick,
    Weights,
    integer,
    like,
    number,
)


class MinibatchStddev(Trick):
    """D's last layer is given one more channel: how much the samples of a group differ.

    The batch is cut into groups of `size` neighbours; s = mean over features of sqrt(var over the
    group + eps), the same number for all samples of a group and all pixels. Groups are neighbours
    and not strides, so that real and fake never share a group in a merged pass either. A sample's
    score depends on its group: a gradient penalty then is that of the group's summed scores, as in
    StyleGAN2.

    Source: Karras et al. 2017, arXiv 1710.10196, section 3 and appendix A.1.
    """

    group = "architecture"
    rank = 7  # before minibatch_disc, which wraps the last layer
    doubts = {"gradient_penalty": "a sample's gradient includes what it does to its group's scores"}

    size: int = integer(2)
    eps: Strength = number(0)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse batches that groups do not fill."""
        packing = others.members["packing"] if "packing" in others else None
        units = recipe.batch_size // getattr(packing, "samples", 1)
        if units % self.size:
            yield Problem(
                True,
                f"minibatch_stddev cuts {units} scored units into groups of {self.size}, which "
                f"leaves a rest; type a trick.minibatch_stddev.size that divides {units}.",
            )

    def network(self, layers: Network, player: Player) -> Network:
        """Put the channel before D's last layer, which reads one more."""
        if player == "G":
            return layers
        i = max(i for i, layer in enumerate(layers) if isinstance(layer, Linear | Conv))
        last = layers[i]
        assert isinstance(last, Linear | Conv)
        wider = replace(last, inputs=last.inputs + 1)
        return [*layers[:i], Spread(f"{last.name}/{self.name}", self), wider, *layers[i + 1 :]]


@dataclass(frozen=True)
class Spread(Layer):
    """Appends the mean standard deviation of a group as a channel."""

    trick: MinibatchStddev

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return [K, U, C + 1, ...] from [K, U, C, ...]."""
        y = x.reshape(len(x), -1, self.trick.size, *x.shape[2:])  # [K, U / size, size, C, ...]
        var = y.var(2, correction=0)
        spread = (var + like(self.trick.eps, var)).sqrt().flatten(2).mean(2)  # [K, U / size]
        spread = spread[..., None].expand(-1, -1, self.trick.size).to(x.dtype)
        one = spread.reshape(*x.shape[:2], *(1 for _ in x.shape[2:]))
        return torch.cat((x, one.expand(-1, -1, 1, *x.shape[3:])), 2)
