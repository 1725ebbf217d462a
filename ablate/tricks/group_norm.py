"""Group normalisation, with layer and instance normalisation at its ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ablate.trick import (
    Conv,
    ConvTranspose,
    Layer,
    Linear,
    Moment,
    Network,
    Others,
    Player,
    Problem,
    Recipe,
    Shape,
    Strength,
    Trick,
    UserError,
    Weights,
    choice,
    flag,
    integer,
    like,
    normalise,
    number,
)


class GroupNorm(Trick):
    """Features of a sample are standardised over groups of channels, after a layer with weights.

    (x - mean) / sqrt(var + eps) * gamma + beta, statistics over the channels of a group and the
    image, every sample by itself: unlike batch norm it may stand beside a gradient penalty. groups
    1 is layer norm over (C, H, W); groups -1 is one group a channel, instance norm, which leaves
    layers on features alone, because one number has no spread. gamma and beta belong to a channel.
    Where a group is one channel the bias before it is removed: its gradient is zero in theory.

    Source: Wu and He 2018, arXiv 1803.08494, equation 7; Ba et al. 2016, arXiv 1607.06450; Ulyanov
    et al. 2016, arXiv 1607.08022; in D with a penalty: Gulrajani et al. 2017, arXiv 1704.00028,
    section 4; GAN hacks (Chintala et al. 2016), number 4.
    """

    group = "normalisation"
    cost = "small"

    nets: str = choice("both", "G", "D")
    groups: int = integer(-1)
    skip_first_d: bool = flag()
    skip_last_g: bool = flag()
    eps: Strength = number(0)

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse no groups at all."""
        if settings["groups"] == 0:
            raise UserError(
                "trick.group_norm.groups=0 has no meaning; type 1 for layer norm, or -1 for one "
                "group a channel."
            )

    def marks(self) -> frozenset[str]:
        """Return whether the scale of D's weights matters."""
        return frozenset({"scale_invariant_d"} if self.nets != "G" else ())

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse instance norm on points, doubt two norms in a row."""
        if self.groups == -1 and recipe.is_toy:
            yield Problem(
                True,
                f"group_norm with one group a channel needs images and {recipe.data} holds points; "
                "type trick.group_norm.groups=1.",
            )
        marks = others.marks()
        for player, trait in (("G", "batch_norm_g"), ("D", "batch_coupled_d")):
            if self.nets in ("both", player) and "batch_norm" in marks.get(trait, ()):
                yield Problem(
                    False,
                    f"group_norm with batch_norm in {player}: both stand behind one layer; type "
                    "trick.group_norm.nets and trick.batch_norm.nets so that each has its own.",
                )

    def network(self, layers: Network, player: Player) -> Network:
        """Put a norm behind every layer with weights.

        Raises:
            UserError: Instance norm finds no image in the player.
        """
        if self.nets not in ("both", player):
            return layers
        images = any(
            isinstance(leaf, Conv | ConvTranspose) for top in layers for leaf in top.leaves()
        )
        if self.groups == -1 and not images:
            raise UserError(
                f"group_norm with one group a channel finds no convolution in {player}; type "
                "trick.group_norm.groups=1."
            )
        return normalise(layers, player, self.norm, self.skip_first_d, self.skip_last_g)

    def norm(self, layer: Linear | Conv | ConvTranspose) -> list[Layer]:
        """Return the layer and the norm behind it."""
        channels = layer.outputs
        groups = channels if self.groups == -1 else self.groups
        if groups == channels and isinstance(layer, Linear):
            return [layer]
        if channels % groups:
            raise UserError(
                f"trick.group_norm.groups={groups} does not divide the {channels} channels of "
                f"layer {layer.name}; type a divisor of {channels}, 1, or -1."
            )
        bare = replace(layer, bias=False) if groups == channels else layer
        return [bare, Standardise(f"{layer.name}/{self.name}", channels, groups, self)]


@dataclass(frozen=True)
class Standardise(Layer):
    """gamma (x - mean) / sqrt(var + eps) + beta over the channels of a group and the image."""

    channels: int
    groups: int
    trick: GroupNorm

    def shapes(self) -> dict[str, Shape]:
        """Return gamma [C] and beta [C]."""
        return {"gamma": (self.channels,), "beta": (self.channels,)}

    def first(self, part: str, at: Moment) -> Tensor:
        """Return ones and zeros [K, C]."""
        return (at.key.new_ones if part == "gamma" else at.key.new_zeros)(
            (len(at.key), self.channels), dtype=at.dtype
        )

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return x [K, B, C, ...] standardised."""
        w = weights[self.name]
        y = x.reshape(*x.shape[:2], self.groups, -1)  # [K, B, groups, C / groups * H * W]
        mean, var = y.mean(3, keepdim=True), y.var(3, correction=0, keepdim=True)
        y = ((y - mean) * (var + like(self.trick.eps, var)).rsqrt()).view_as(x)
        gamma, beta = (w[part].view(len(x), 1, -1, *(1 for _ in x.shape[3:])) for part in w)
        return y * gamma + beta
