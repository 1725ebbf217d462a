"""How D halves an image."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ablate.trick import (
    Conv,
    Layer,
    Network,
    Others,
    Player,
    Problem,
    Recipe,
    Resample,
    Trick,
    UserError,
    choice,
    integer,
    leaves,
    rewrite,
)


class DownOp(Trick):
    """D halves an image by strided convolution, average or max pooling, or bilinear resampling.

    strided: convolution with stride 2. average, max: convolution, then pooling over 2 x 2.
    bilinear: resampling, then convolution; at factor 1/2 it is the mean over 2 x 2 as well, so that
    it differs from `average` in the order, which is cheaper. Max pooling passes a gradient to one
    pixel of four and is kept as a control for sparse gradients. Tutorials use strided kernels of 3
    and 4; an even kernel cannot keep the size, so that the other kinds take 3 or 5.

    Source: Radford et al. 2015, arXiv 1511.06434, section 3; GAN hacks (Chintala et al. 2016),
    number 5; bilinear: Huang et al. 2024, arXiv 2501.05441, section 3.
    """

    group = "architecture"
    rank = -3  # before tricks that look for convolutions
    neutral = {"kind": "strided", "kernel": 4}
    cost = "four times the convolution, for average and max"

    kind: str = choice("strided", "average", "max", "bilinear")
    kernel: int = integer(3, 5)

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse an even kernel where a convolution keeps the size."""
        if settings["kind"] != "strided" and settings["kernel"] == 4:
            raise UserError(
                f"trick.down_op.kind={settings['kind']} keeps the size in its convolution, which a "
                "kernel of 4 cannot; type trick.down_op.kernel=3 or 5."
            )

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse points."""
        if recipe.is_toy:
            yield Problem(
                True, f"down_op halves images and {recipe.data} holds points; drop down_op."
            )

    def network(self, layers: Network, player: Player) -> Network:
        """Replace whatever halves an image in D."""
        if player == "G":
            return layers
        found = leaves(layers)
        pools = any(isinstance(leaf, Resample) and leaf.factor < 1 for leaf in found)
        if not pools and not any(isinstance(leaf, Conv) and leaf.stride == 2 for leaf in found):
            raise UserError("down_op finds nothing that halves an image in D; drop down_op.")
        if pools and self.kind == "strided":
            raise UserError(
                "This model's D halves by pooling beside its convolutions; type "
                "trick.down_op.kind=average, max or bilinear."
            )
        return rewrite(layers, self.halve)

    def halve(self, layer: Layer) -> Layer | list[Layer]:
        """Return what stands for a layer that halves; others are returned as they are."""
        if isinstance(layer, Resample) and layer.factor < 1:
            return replace(layer, kind=self.kind)
        if not isinstance(layer, Conv) or layer.stride != 2:
            return layer
        strided = replace(layer, kernel=self.kernel, padding=(self.kernel - 1) // 2)
        if self.kind == "strided":
            return strided
        conv = replace(strided, stride=1)
        pool = Resample(f"{layer.name}/{self.name}", self.kind, 0.5)
        return [pool, conv] if self.kind == "bilinear" else [conv, pool]
