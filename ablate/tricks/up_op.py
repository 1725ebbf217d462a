"""How G doubles an image."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ablate.trick import (
    Conv,
    ConvTranspose,
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


class UpOp(Trick):
    """G doubles an image by transposed convolution, nearest or bilinear resampling, or a shuffle.

    transposed: convolution with stride 2. nearest, bilinear: resampling, then convolution. shuffle:
    convolution to four times the channels, then depth to space. A transposed kernel that the stride
    does not divide overlaps itself unevenly and draws a checkerboard; a shuffle without a low-pass
    filter can draw one, too. Normalisation, if any, stands behind the convolution, which is before
    the shuffle.

    Source: Odena et al. 2016, "Deconvolution and checkerboard artifacts", Distill; shuffle: Shi et
    al. 2016, arXiv 1609.05158; GAN hacks (Chintala et al. 2016), number 5.
    """

    group = "architecture"
    rank = -3  # before tricks that look for convolutions
    neutral = {"kind": "transposed", "kernel": 4}

    kind: str = choice("transposed", "nearest", "bilinear", "shuffle")
    kernel: int = integer(2, 6)

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse an even kernel where a convolution keeps the size."""
        if settings["kind"] != "transposed" and settings["kernel"] % 2 == 0:
            raise UserError(
                f"trick.up_op.kind={settings['kind']} keeps the size in its convolution, which a "
                f"kernel of {settings['kernel']} cannot; type trick.up_op.kernel=3 or 5."
            )

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse points, doubt kernels that overlap unevenly."""
        if recipe.is_toy:
            yield Problem(True, f"up_op doubles images and {recipe.data} holds points; drop up_op.")
        if self.kind == "transposed" and self.kernel % 2:
            yield Problem(
                False,
                f"up_op with a transposed kernel of {self.kernel}: the stride of 2 does not divide "
                "it, which draws a checkerboard; type trick.up_op.kernel=4 to avoid that.",
            )

    def network(self, layers: Network, player: Player) -> Network:
        """Replace whatever doubles an image in G."""
        if player == "D":
            return layers
        found = leaves(layers)
        resamples = any(isinstance(leaf, Resample) for leaf in found)
        if not resamples and not any(
            isinstance(leaf, ConvTranspose) and leaf.stride == 2 for leaf in found
        ):
            raise UserError("up_op finds nothing that doubles an image in G; drop up_op.")
        if resamples and self.kind in ("transposed", "shuffle"):
            raise UserError(
                "This model's G resamples beside its convolutions; type trick.up_op.kind=nearest "
                "or bilinear."
            )
        return rewrite(layers, self.enlarge)

    def enlarge(self, layer: Layer) -> Layer | list[Layer]:
        """Return what stands for a layer that doubles; others are returned as they are."""
        if isinstance(layer, Resample):
            return replace(layer, kind=self.kind)
        if not isinstance(layer, ConvTranspose) or layer.stride != 2:
            return layer
        k = self.kernel
        if self.kind == "transposed":
            return replace(layer, kernel=k, padding=(k - 1) // 2, output_padding=k % 2)
        name, many = f"{layer.name}/{self.name}", 4 if self.kind == "shuffle" else 1
        conv = Conv(layer.name, layer.inputs, layer.outputs * many, k, 1, k // 2, layer.bias)
        resample = Resample(name, self.kind, 2)
        return [conv, resample] if self.kind == "shuffle" else [resample, conv]
