"""A data set as everything else sees it: resident tensors, two splits, a fingerprint.

Legend: N samples, C H W image, M modes.
"""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ablate.data.reading import Reading
from ablate.errors import UserError


@dataclass(frozen=True, eq=False)
class Mixture:
    """The density a toy was drawn from: equal Gaussians of one width.

    Attributes:
        centres: float32 [M, 2].
        sigma: Standard deviation along each axis, in the units of the points; 0 for a Dirac.
    """

    centres: Tensor
    sigma: float

    def to(self, device: torch.device | str) -> "Mixture":
        """The same mixture with its centres on `device`."""
        return replace(self, centres=self.centres.to(device))


@dataclass(frozen=True, eq=False)
class Split:
    """Samples that are used together: the training split or the held-out one.

    Attributes:
        images: uint8 [N, C, H, W], or float32 [N, 2] for toys.
        labels: int64 [N], or None.

    Raises:
        UserError: A dtype or shape differs, or a point is NaN or infinite.
    """

    images: Tensor
    labels: Tensor | None

    def __post_init__(self) -> None:
        _check_images(self.images)
        _check_labels(self.labels, len(self.images))

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Tensor) -> "Split":
        """The samples at `indices` (int64 [n]), in that order."""
        return Split(self.images[indices], None if self.labels is None else self.labels[indices])

    def part(self, rows: slice) -> "Split":
        """The samples of `rows`, in the same memory."""
        return Split(self.images[rows], None if self.labels is None else self.labels[rows])

    def to(self, device: torch.device | str) -> "Split":
        """The same split on `device`."""
        return Split(
            self.images.to(device), None if self.labels is None else self.labels.to(device)
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything a trial and its metrics may know about the data.

    Attributes:
        name: What tables call this set.
        train: Shown to D, and the reference of the training-split metrics.
        held_out: Never trained on.
        classes: Number of labels, or None for an unlabelled set.
        truth: The density of a toy, or None.
        reading: How its files were read.

    Raises:
        UserError: A split is empty, or the two hold samples of different shapes.
    """

    name: str
    train: Split
    held_out: Split
    classes: int | None = None
    truth: Mixture | None = None
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        if not (len(self.train) and len(self.held_out)):
            raise UserError(
                f"Data set {self.name!r} has {len(self.train)} training and {len(self.held_out)} "
                "held-out samples; give it files with some of both."
            )
        shapes = [tuple(split.images.shape[1:]) for split in (self.train, self.held_out)]
        if shapes[0] != shapes[1]:
            raise UserError(
                f"Data set {self.name!r} has training samples of shape {shapes[0]} but held-out "
                f"samples of shape {shapes[1]}; give both splits the same shape."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (C, H, W), or (2,) for toys."""
        return tuple(self.train.images.shape[1:])

    @property
    def is_toy(self) -> bool:
        """Whether the samples are points in the plane."""
        return self.train.images.is_floating_point()

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits of a sha256 over shapes, dtypes and values of both splits."""
        digest = hashlib.sha256()
        for split in (self.train, self.held_out):
            for tensor in (split.images, split.labels):
                digest.update(_identity(tensor))
        return digest.hexdigest()[:16]

    def summary(self) -> dict[str, Any]:
        """What a result's provenance tells of its data."""
        return {
            "name": self.name,
            "train": len(self.train),
            "held_out": len(self.held_out),
            "classes": self.classes,
            "shape": list(self.shape),
            "left_out": dict(self.reading.left_out),
            "notes": list(self.reading.notes),
        }

    def sentences(self) -> list[str]:
        """What was read, in words: counts first, then what a person may not expect."""
        labels = "no labels" if self.classes is None else f"{self.classes:,} classes"
        counts = f"{len(self.train):,} train ({labels}), {len(self.held_out):,} held out"
        return [f"Data {self.name}: {counts}{self.reading}."] + [
            f"Note: {note}." for note in self.reading.notes
        ]

    def to(self, device: torch.device | str) -> "Dataset":
        """The same data set on `device`."""
        return replace(
            self,
            train=self.train.to(device),
            held_out=self.held_out.to(device),
            truth=None if self.truth is None else self.truth.to(device),
        )


def _identity(tensor: Tensor | None) -> bytes:
    if tensor is None:
        return b"none"
    header = f"{tensor.dtype} {tuple(tensor.shape)}".encode()
    return header + tensor.cpu().contiguous().numpy().tobytes()


def _check_images(images: Tensor) -> None:
    pixels = images.dtype == torch.uint8 and images.ndim == 4
    points = images.dtype == torch.float32 and images.ndim == 2 and images.shape[1] == 2
    if not (pixels or points):
        raise UserError(
            "Samples must be uint8 images [N, C, H, W] or float32 points [N, 2] but got "
            f"{images.dtype} {list(images.shape)}; convert images with "
            "(255 * images).round().to(torch.uint8)."
        )
    if pixels and len(images) and not images.numel():
        raise UserError(f"Images of shape {list(images.shape[1:])} hold no pixels; save others.")
    # Data is made on the host; a copy on another device need not be asked again.
    if points and images.device.type == "cpu" and not bool(images.isfinite().all()):
        raise UserError("Some points are NaN or infinite; remove these rows from the data.")


def _check_labels(labels: Tensor | None, count: int) -> None:
    if labels is not None and (labels.dtype != torch.int64 or labels.shape != (count,)):
        raise UserError(
            f"Labels must be int64 [{count}], one a sample, but got {labels.dtype} "
            f"{list(labels.shape)}; pass labels=None for an unlabelled set."
        )
