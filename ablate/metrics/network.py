"""The small network whose features stand in for Inception's on small images.

Legend: N samples, C H W image, F features, M classes.
"""

import torch
from torch import Tensor, nn

FEATURES = 64
WIDTHS = (32, 64)  # channels of the first convolution and of all others


class Classifier(nn.Module):
    """Strided convolutions down to a side of at most 4, then 64 features, then the classes.

    Args:
        shape: (C, H, W); sides from 8 to 64 are sensible.
        classes: M.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        # images below 16 keep their first resolution, or too little would be left
        layers = _block(channels, WIDTHS[0], stride=1 if min(height, width) < 16 else 2)
        side = (height, width) if min(height, width) < 16 else (_half(height), _half(width))
        last = WIDTHS[0]
        while max(side) > 4:
            layers += _block(last, WIDTHS[1], stride=2)
            side, last = (_half(side[0]), _half(side[1])), WIDTHS[1]
        self.body = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(last * side[0] * side[1], FEATURES)
        )
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(FEATURES, classes))
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits, uint8 [N, C, H, W] -> [N, F], [N, M].

        The features stand before the last activation, less `centre` and over `scale`: both are set
        after training so that the reals have mean 0 and mean variance 1, and distances on
        different data sets are of one size.
        """
        plain = self.body(images.float() / 127.5 - 1)
        return (plain - self.centre) / self.scale, self.head(plain)


def _block(channels: int, width: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]


def _half(side: int) -> int:
    return (side + 1) // 2
