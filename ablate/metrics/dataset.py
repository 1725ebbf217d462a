"""What measuring needs to know about a data set; any object with these attributes will do.

Legend: N samples, C H W image, M modes.
"""

from typing import Protocol

from torch import Tensor


class Mixture(Protocol):
    """Equal Gaussians: `centres` [M, 2], `sigma` their standard deviation."""

    @property
    def centres(self) -> Tensor: ...  # noqa: D102
    @property
    def sigma(self) -> float: ...  # noqa: D102


class Split(Protocol):
    """`images` uint8 [N, C, H, W], or float32 [N, 2] for toys; `labels` int64 [N] or None."""

    @property
    def images(self) -> Tensor: ...  # noqa: D102
    @property
    def labels(self) -> Tensor | None: ...  # noqa: D102


class Dataset(Protocol):
    """Two splits, the number of classes or None, a toy's truth or None, a content hash."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def train(self) -> Split: ...  # noqa: D102
    @property
    def held_out(self) -> Split: ...  # noqa: D102
    @property
    def classes(self) -> int | None: ...  # noqa: D102
    @property
    def truth(self) -> Mixture | None: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def is_toy(self) -> bool: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102
