"""Orthogonal first weights."""

import torch
from torch import Tensor

from ablate.trick import Conv, ConvTranspose, Layer, Linear, Moment, Strength, Trick, like, number


class InitOrthogonal(Trick):
    """Kernels start as orthogonal matrices times a gain.

    W as a matrix [first dimension, all others] has orthonormal rows, or columns where it is tall:
    the Q of a Gaussian's QR, every column with the sign that makes R's diagonal positive (without
    which Q is not uniform). As torch.nn.init.orthogonal_, so that a transposed convolution is a
    matrix [in, out k^2]. Biases keep torch's first values, as in BigGAN's code.

    Source: Saxe et al. 2014, arXiv 1312.6120, section 3; in GANs: Brock et al. 2019, arXiv
    1809.11096, appendix C.
    """

    group = "initialisation"

    gain: Strength = number(0)

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Return [K, ...] for the kernels of layers with weights."""
        if not isinstance(layer, Linear | Conv | ConvTranspose) or part != "weight":
            return first
        drawn = at.normal(f"{self.name}/{layer.name}.{part}", *first.shape[1:]).flatten(2)
        wide = drawn.shape[1] < drawn.shape[2]
        q, r = torch.linalg.qr(drawn.mT if wide else drawn)
        q = q * r.diagonal(dim1=1, dim2=2).sign()[:, None]
        kernel: Tensor = (q.mT if wide else q).reshape(first.shape)
        return kernel * like(self.gain, first)
