"""The training split on the device, and the way between its bytes and the numbers networks see.

Legend: K trials, B batch, C H W image, N rows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Pixels(nn.Module):
    """Resident uint8 images [N, C, H, W], or float points [N, 2] of a toy, and their scaling.

    The scaling and G's last function are one pair: "tanh" x / 127.5 - 1, "sigmoid" x / 255,
    "linear" standardised by the mean and standard deviation of the split. Points are never scaled.
    """

    images: Tensor
    labels: Tensor
    mean: Tensor
    sd: Tensor

    def __init__(self, images: Tensor, labels: Tensor | None, image_range: str) -> None:
        super().__init__()
        self.is_toy = images.dim() == 2
        self.image_range = image_range
        self.register_buffer("images", images, persistent=False)
        labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
        self.register_buffer("labels", labels, persistent=False)
        if image_range == "linear" and not self.is_toy:
            kind = torch.get_default_dtype()
            self.register_buffer("mean", images.double().mean().to(kind))
            self.register_buffer("sd", images.double().std().to(kind))

    def forward(self, rows: Tensor) -> Tensor:
        """Return rows [K, B] of the split in the range that D sees, [K, B, ...]."""
        x = self.images.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        x = x.to(torch.get_default_dtype())
        if self.is_toy:
            return x
        if self.image_range == "tanh":
            return x.div_(127.5).sub_(1)
        return x.div_(255) if self.image_range == "sigmoid" else x.sub_(self.mean).div_(self.sd)

    def bytes(self, x: Tensor) -> Tensor:
        """Return G's output as uint8 images of the same shape; points are returned as they are.

        A value that is not finite becomes 0; the trial is known to have diverged by its theta.
        """
        if self.is_toy:
            return x
        if self.image_range == "tanh":
            x = (x + 1) * 127.5
        else:
            x = x * 255 if self.image_range == "sigmoid" else x * self.sd + self.mean
        return x.nan_to_num(0).round().clamp(0, 255).to(torch.uint8)
