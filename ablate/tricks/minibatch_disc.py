"""Minibatch discrimination."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ablate.trick import (
    Conv,
    Gan,
    Layer,
    Linear,
    Moment,
    Network,
    Player,
    Reshape,
    Residual,
    Shape,
    Trick,
    Weights,
    integer,
)


class MinibatchDisc(Trick):
    """D's last layer is given, for every sample, how close the others of its batch are.

    M_i = f_i T with T [A, kernels, dims]; o_i,b = sum_j exp(-|M_i,b - M_j,b|_1) + bias_b over the
    samples of one pass, real and fake apart. The last layer of (f, o) is written as the sum of
    two, one on f and one on o, so that the layer on f starts as it does without the trick. The
    first values are set by the data, as in the authors' code (which sets the mean distance to the
    nearest to 2): T is scaled so that the mean distance between reals is 1, and bias is minus the
    mean of the sum, which takes in the constant that a sample's closeness to itself adds.

    Source: Salimans et al. 2016, arXiv 1606.03498, section 3.2; its code, nn.py, MinibatchLayer.
    """

    group = "architecture"
    rank = 8  # behind all other surgery of D's end; its memory is built after that of others
    cost = "batch^2 * kernels * dims"
    doubts = {"gradient_penalty": "a sample's gradient includes what it does to others' scores"}

    kernels: int = integer(1, 1024)
    dims: int = integer(1, 1024)

    def network(self, layers: Network, player: Player) -> Network:
        """Add a second last layer, on closeness."""
        if player == "G":
            return layers
        i = max(i for i, layer in enumerate(layers) if isinstance(layer, Linear | Conv))
        last, name = cast(Linear | Conv, layers[i]), f"{layers[i].name}/{self.name}"
        close = Closeness(name, last.fan_in(), self.kernels, self.dims)
        head = Linear(f"{name}/head", self.kernels, last.outputs, bias=False)
        flat = Reshape(f"{name}/flat", (last.outputs,))
        both = Residual(f"{name}/sum", (last, flat), (close, head))
        return [*layers[:i], both, *layers[i + 1 :]]

    @torch.no_grad()
    def build(self, gan: Gan) -> None:
        """Set scale and bias by one batch of reals; afterwards they are learned."""
        at, net = gan.feed.start.at(self.name), gan.D
        layer = next(leaf for leaf in net.leaves if isinstance(leaf, Closeness))
        real = gan.pixels(at.below(self.name, gan.feed.n, gan.recipe.batch_size))
        features = net(net.open(net.theta), gan.tricks.view(real, at), at).features.flatten(2)
        weight, bias = net.part(f"{layer.name}.weight"), net.part(f"{layer.name}.bias")
        distance = layer.distance(features, weight)  # [K, U, U, kernels]
        pairs = distance[0].numel() - distance.shape[1] * distance.shape[3]
        scale = distance.sum((1, 2, 3)).div(pairs).clamp(min=1e-6)[:, None, None]
        weight.div_(scale)
        bias.copy_(-(distance / scale[..., None]).neg().exp().sum(2).mean(1))


@dataclass(frozen=True)
class Closeness(Layer):
    """o_i,b = sum_j exp(-|M_i,b - M_j,b|_1) + bias_b."""

    inputs: int
    kernels: int
    dims: int

    def shapes(self) -> dict[str, Shape]:
        """Return weight [kernels * dims, A], which is T transposed, and bias [kernels]."""
        return {"weight": (self.kernels * self.dims, self.inputs), "bias": (self.kernels,)}

    def fan_in(self) -> int:
        """Return A."""
        return self.inputs

    def distance(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return distances [K, U, U, kernels] between the samples of x [K, U, A]."""
        m = torch.bmm(x, weight.transpose(1, 2)).view(*x.shape[:2], self.kernels, self.dims)
        return (m[:, :, None] - m[:, None]).abs().sum(4)

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return [K, U, kernels]; a merged pass holds two batches, which do not see each other."""
        w = weights[self.name]
        batches = x.flatten(2).chunk(2 if at.path[-1:] == ("both",) else 1, 1)
        close = [self.distance(b, w["weight"]).neg().exp().sum(2) for b in batches]
        return torch.cat(close, 1) + w["bias"][:, None]
