"""Batch normalisation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
    Weights,
    choice,
    flag,
    like,
    normalise,
    number,
)


class BatchNorm(Trick):
    """Features are standardised over the batch, behind layers with weights.

    (x - mean) / sqrt(var + eps) * gamma + beta, statistics over batch and image. DCGAN leaves out
    G's last layer and D's first (`skip_last_g`, `skip_first_d`); tutorials that say "after every
    convolution" are false to it. The bias before it is removed: its gradient is zero in theory and
    Adam would turn rounding noise into full steps. There are no running statistics: a generator is
    evaluated with statistics measured on fixed latents, raw and averaged alike.

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167; placement of Radford et al. 2015, arXiv
    1511.06434, section 3.
    """

    group = "normalisation"
    cost = "small"

    nets: str = choice("both", "G", "D")
    skip_first_d: bool = flag()
    skip_last_g: bool = flag()
    eps: Strength = number(0)

    def marks(self) -> frozenset[str]:
        """Return whether D's scores depend on the other samples of the batch."""
        d = {"batch_coupled_d", "scale_invariant_d"} if self.nets != "G" else set()
        return frozenset(d | {"batch_norm_g"} if self.nets != "D" else d)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt small batches."""
        if recipe.batch_size < 16:
            yield Problem(
                False,
                f"batch_norm with batches of {recipe.batch_size}: its statistics are unreliable "
                "under 16 samples.",
            )

    def network(self, layers: Network, player: Player) -> Network:
        """Put a norm behind every layer with weights."""
        if self.nets not in ("both", player):
            return layers
        return normalise(layers, player, self.norm, self.skip_first_d, self.skip_last_g)

    def norm(self, layer: Linear | Conv | ConvTranspose) -> list[Layer]:
        """Return the layer without bias and the norm behind it."""
        name = f"{layer.name}/batch_norm"
        return [replace(layer, bias=False), Standardise(name, layer.outputs, self)]


@dataclass(frozen=True)
class Standardise(Layer):
    """gamma (x - mean) / sqrt(var + eps) + beta over batch and image, every trial by itself."""

    channels: int
    trick: BatchNorm

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
        dims = [d for d in range(1, x.dim()) if d != 2]
        mean, var = w.get("mean"), w.get("var")
        if mean is None or var is None:
            mean, var = x.mean(dims, keepdim=True), x.var(dims, correction=0, keepdim=True)
        if weights.recording:
            w["mean"], w["var"] = mean, var
        gamma, beta = (w[part].view_as(mean) for part in ("gamma", "beta"))
        return (x - mean) * ((var + like(self.trick.eps, var)).rsqrt() * gamma) + beta
