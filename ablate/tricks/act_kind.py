"""The kind of activation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ablate.trick import (
    Apply,
    Layer,
    Leaky,
    Moment,
    Network,
    Others,
    Player,
    Problem,
    Recipe,
    Shape,
    Trick,
    Weights,
    choice,
    like,
    rewrite,
)

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "tanh": torch.tanh,
}
KINDS = ("leaky", "prelu", *FUNCTIONS)


class ActKind(Trick):
    """Hidden activations are PReLU, ELU, SELU, GELU, SiLU or tanh instead of leaky ReLU.

    `leaky` leaves a player's own activations. PReLU is max(x, 0) + a min(x, 0) with one learned a
    for every layer, 0.25 at first; a is no kernel, so that weight penalties leave it alone. ELU,
    GELU, SiLU and tanh have a second derivative, which gradient penalties then see.

    Source: PReLU: He et al. 2015, arXiv 1502.01852, equation 1; ELU: Clevert et al. 2015, arXiv
    1511.07289; SELU: Klambauer et al. 2017, arXiv 1706.02515; GELU: Hendrycks and Gimpel 2016,
    arXiv 1606.08415; comparison in GANs: Huang et al. 2024, arXiv 2501.05441, section 3.
    """

    group = "activation"
    neutral = {"kind_g": "leaky", "kind_d": "leaky"}

    kind_g: str = choice(*KINDS)
    kind_d: str = choice(*KINDS)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse slopes of activations that are gone."""
        if "leaky_slope" not in others:
            return
        gone = [p for p, kind in (("G", self.kind_g), ("D", self.kind_d)) if kind != "leaky"]
        if len(gone) == 2:
            yield Problem(
                True,
                "Tricks ['act_kind', 'leaky_slope'] exclude each other: no leaky activation is "
                "left; drop leaky_slope or type trick.act_kind.kind_d=leaky.",
            )
        elif gone:
            yield Problem(
                False,
                f"leaky_slope with act_kind: {gone[0]} has no leaky activation left, so that "
                f"slope_{gone[0].lower()} does nothing.",
            )

    def network(self, layers: Network, player: Player) -> Network:
        """Replace every leaky layer of the player."""
        kind = self.kind_g if player == "G" else self.kind_d
        if kind == "leaky":
            return layers

        def edit(layer: Layer) -> Layer:
            if not isinstance(layer, Leaky):
                return layer
            if kind == "prelu":
                return Learned(layer.name, 0.25)
            return Apply(layer.name, FUNCTIONS[kind])

        return rewrite(layers, edit)


@dataclass(frozen=True)
class Learned(Leaky):
    """max(x, 0) + a min(x, 0), a learned; `slope` is its first value."""

    def shapes(self) -> dict[str, Shape]:
        """Return one number for the layer."""
        return {"slope": (1,)}

    def first(self, part: str, at: Moment) -> Tensor:
        """Return [K, 1], filled with the first slope."""
        return at.key.new_full((len(at.key), 1), self.slope, dtype=at.dtype)  # type: ignore[arg-type]

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the activation, shape unchanged."""
        slope = like(weights[self.name]["slope"], x).to(x.dtype)
        return torch.where(x > 0, x, x * slope)
