"""Gaussian first weights."""

from torch import Tensor

from ablate.trick import Conv, ConvTranspose, Layer, Linear, Moment, Strength, Trick, like, number


class InitGauss(Trick):
    """Kernels start as N(0, sd^2), gains of norms as N(1, sd^2), biases and shifts as zero.

    "All weights from N(0, 0.02)" leaves the parameters of norms open; DCGAN's code centres their
    gains on 1. Biases, which that code leaves to the framework where a layer has one, are zero
    here.

    Source: Radford et al. 2015, arXiv 1511.06434, section 3, and the code of pytorch/examples/dcgan
    (weights_init).
    """

    group = "initialisation"
    excludes = {
        "init_orthogonal": "both give kernels their first values",
        "init_variance": "both give kernels their first values",
    }

    sd: Strength = number(0)

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Return [K, ...]; parts that are neither of a layer with weights nor of a norm stay."""
        weighted = isinstance(layer, Linear | Conv | ConvTranspose)
        if part == "beta" or (weighted and part == "bias"):
            return first.new_zeros(first.shape)
        if part == "gamma" or (weighted and part == "weight"):
            centre = 1.0 if part == "gamma" else 0.0
            drawn = at.normal(f"{self.name}/{layer.name}.{part}", *first.shape[1:])
            return drawn * like(self.sd, drawn) + centre
        return first
