"""Small data sets that have what measuring asks of one, without the data package."""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Truth:
    centres: Tensor
    sigma: float


@dataclass(frozen=True)
class Samples:
    images: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class World:
    name: str
    train: Samples
    held_out: Samples
    classes: int | None = None
    truth: Truth | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.train.images.shape[1:])

    @property
    def is_toy(self) -> bool:
        return self.train.images.is_floating_point()

    @property
    def fingerprint(self) -> str:
        content = hashlib.sha256()
        for split in (self.train, self.held_out):
            for tensor in (split.images, split.labels):
                content.update(b"none" if tensor is None else tensor.numpy().tobytes())
        return content.hexdigest()[:16]


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal draws, float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def bytes_like(*shape: int, seed: int = 0) -> Tensor:
    """Uniform uint8."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


@cache
def digits(labelled: bool = True) -> World:
    from sklearn.datasets import load_digits

    levels, labels = load_digits(return_X_y=True)
    pixels = np.rint(levels * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    images, classes = torch.from_numpy(pixels)[order], torch.from_numpy(labels).long()[order]

    def split(rows: slice) -> Samples:
        return Samples(images[rows], classes[rows] if labelled else None)

    train, held_out = split(slice(400, None)), split(slice(400))
    return World("digits", train, held_out, 10 if labelled else None)


@cache
def stacked(count: int = 3000) -> World:
    """Three digits a picture, label 100 a + 10 b + c."""

    def stack(grey: Samples, seed: int) -> Samples:
        generator = torch.Generator().manual_seed(seed)
        picks = torch.randint(len(grey.images), (count, 3), generator=generator)
        assert grey.labels is not None
        labels = grey.labels[picks] @ torch.tensor([100, 10, 1])
        return Samples(grey.images[picks].squeeze(2), labels)

    whole = digits()
    return World("stacked_digits", stack(whole.train, 1), stack(whole.held_out, 2), 1000)


@cache
def ring(modes: int = 8, sigma: float = 0.01, count: int = 4096) -> World:
    angles = torch.arange(modes) * (2 * torch.pi / modes)
    centres = torch.stack([angles.cos(), angles.sin()], 1)
    train = Samples(around(centres, sigma, count, seed=1))
    held_out = Samples(around(centres, sigma, count, seed=2))
    return World(f"ring{modes}", train, held_out, modes, Truth(centres, sigma))


def around(centres: Tensor, sigma: float, count: int, seed: int) -> Tensor:
    """Points of an equal mixture, float32 [N, 2]."""
    generator = torch.Generator().manual_seed(seed)
    mode = torch.randint(len(centres), (count,), generator=generator)
    return centres[mode] + sigma * torch.randn(count, 2, generator=generator)
