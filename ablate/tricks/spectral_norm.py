"""Spectral normalisation."""

from collections.abc import Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ablate.trick import (
    Conv,
    ConvTranspose,
    Gan,
    Layer,
    Linear,
    Others,
    Player,
    Problem,
    Recipe,
    Step,
    Strength,
    Trick,
    choice,
    integer,
    like,
    number,
)

FIRST = 15  # power iterations before the first round; torch.nn.utils.parametrizations takes as many


class SpectralNorm(Trick):
    """Kernels are divided by about their largest singular value, so that layers are Lipschitz.

    W <- bound W / sigma, sigma = u' W v with u and v from power iteration, taken as constants in
    the gradient. sigma is at most the largest singular value and lags behind it, so the norm of a
    kernel is at least `bound`: in 400 rounds of small networks up to 1.27 times it at Adam's 2e-4
    and 1.53 times at 2e-3; with `iterations` of 10, 1.08 and 1.12. A convolution counts as the
    matrix [out, in k^2], whose norm is not that of the operator on images. The vectors are memory:
    `iterations` of them follow every move of the player, on the new kernel, so that all looks at
    one theta see one network. Gains of norms, and layers that are no linear maps, are left alone;
    Miyato et al. leave the gain out when they compare norms.

    Source: Miyato et al. 2018, arXiv 1802.05957, algorithm 1; both nets: Zhang et al. 2018, arXiv
    1805.08318, section 4.1.
    """

    group = "normalisation"
    rank = 5  # bounds the kernel as other tricks leave it
    cost = "two matrix-vector products a layer and move"
    traits = frozenset({"lipschitz", "scale_invariant_d"})
    doubts = {
        "batch_coupled_d": "batch norm behind a layer rescales it, and the bound is gone",
        "gradient_penalty": "two Lipschitz devices; expect about no gain (Kurach et al. 2019)",
    }

    nets: str = choice("D", "both")
    bound: Strength = number(0)
    iterations: int = integer(1, 100)
    bounded: Mapping[Player, Sequence[Layer]] = {"G": (), "D": ()}  # none before `build`

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Note what an average of G is divided by."""
        if self.nets == "both" and "average" in others.marks():
            yield Problem(
                False,
                "spectral_norm with an averaged G: the average is divided by u' W v with the raw "
                "generator's vectors; type trick.spectral_norm.nets=D to avoid that.",
            )

    def build(self, gan: Gan) -> None:
        """Allocate u and v for every layer with weights, iterated from a random start."""
        for player in ("D", "G") if self.nets == "both" else ("D",):
            net, at = gan.D if player == "D" else gan.G, gan.feed.start.at(self.name, player)
            kernels = net.kernels(net.theta)
            found = [leaf for leaf in net.leaves if isinstance(leaf, Linear | Conv | ConvTranspose)]
            for leaf in found:
                w = matrix(kernels[leaf.name], leaf)
                u = at.normal(leaf.name, w.shape[1])
                u, v = iterate(w, u, FIRST)
                self.register_buffer(f"{player}/{leaf.name}/u", u)
                self.register_buffer(f"{player}/{leaf.name}/v", v)
            self.bounded = {**self.bounded, player: found}

    def weight(self, weight: Tensor, player: Player, layer: Layer) -> Tensor:
        """Return the kernel divided by sigma; differentiable."""
        if layer not in self.bounded[player]:
            return weight
        u, v = (self.get_buffer(f"{player}/{layer.name}/{x}") for x in "uv")
        sigma = (u * (matrix(weight, layer) * v[:, None]).sum(2)).sum(1)
        return weight * like(self.bound / sigma, weight)

    @torch.no_grad()
    def settle(self, step: Step) -> None:
        """Follow the kernels of the player that has just moved."""
        if not self.bounded[step.player]:
            return
        net = step.gan.D if step.player == "D" else step.gan.G
        kernels = net.kernels(net.theta)  # a kernel that is divided has the same singular vectors
        for leaf in self.bounded[step.player]:
            w = matrix(kernels[leaf.name], leaf)
            u, v = (self.get_buffer(f"{step.player}/{leaf.name}/{x}") for x in "uv")
            for old, new in zip((u, v), iterate(w, u, self.iterations), strict=True):
                old.copy_(new)


def matrix(weight: Tensor, layer: Layer) -> Tensor:
    """Return a kernel [K, ...] as [K, out, in k^2]."""
    return (weight.transpose(1, 2) if isinstance(layer, ConvTranspose) else weight).flatten(2)


def iterate(w: Tensor, u: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return u [K, out] and v [K, in k^2] after n power iterations on w [K, out, in k^2]."""
    for _ in range(n):
        v = F.normalize((w * u[:, :, None]).sum(1), dim=1)
        u = F.normalize((w * v[:, None]).sum(2), dim=1)
    return u, v
