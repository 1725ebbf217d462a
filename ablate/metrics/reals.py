"""What is remembered of the real samples: moments of many, features of some.

Legend: N samples, F features.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ablate.data.dataset import Dataset
from ablate.metrics.cache import remembered
from ablate.metrics.extractor import Extractor
from ablate.metrics.frechet import Moments, merge, moments
from ablate.metrics.kernel import real_similarity
from ablate.metrics.neighbours import nearest

MOMENTS_CAP = 60_000  # reals behind the moments
PAIRS_CAP = 2048  # reals, and fakes, behind whatever compares every pair
VERSION = 1  # of what stands in the file
CHUNK = 4096


@dataclass(frozen=True)
class Reals:
    """The real side of every metric.

    Attributes:
        moments: of the features of up to 60,000 reals.
        features: [N, F] of up to 2048 of them.
        radius: [N], to the k-th nearest other real.
        similarity: mean kernel between different reals.
    """

    moments: Moments
    features: Tensor
    radius: Tensor
    similarity: Tensor


def describe(
    dataset: Dataset,
    split: str,
    extractor: Extractor,
    neighbours: int,
    cache: Path,
    device: torch.device,
) -> Reals:
    """Extract once, remember on disk by content, put on `device`.

    Args:
        dataset: its fingerprint is the key.
        split: train or held_out.
        extractor: makes the features.
        neighbours: k of the radius.
        cache: folder.
        device: where the maths is done.
    """
    key = f"{dataset.fingerprint} {split} {extractor.identity} {MOMENTS_CAP} {PAIRS_CAP} {VERSION}"
    file = cache / "reals" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.pt"
    images = (dataset.train if split == "train" else dataset.held_out).images
    held = remembered(file, lambda: _extract(images, extractor, device))
    held = {name: tensor.to(device) for name, tensor in held.items()}
    features = held["features"]
    return Reals(
        Moments(int(held["count"]), held["mean"], held["root"]),
        features,
        nearest(features, neighbours).radius,
        real_similarity(features),
    )


def _extract(images: Tensor, extractor: Extractor, device: torch.device) -> dict[str, Tensor]:
    chosen = _fixed_order(len(images))[:MOMENTS_CAP].to(images.device)
    total: Moments | None = None
    some: list[Tensor] = []
    for part in _chunks(chosen):
        features = extractor(images[part].to(device)).features
        total = moments(features) if total is None else merge(total, moments(features))
        some += [features] if sum(map(len, some)) < PAIRS_CAP else []
    assert total is not None
    return {
        "count": torch.tensor(total.count),
        "mean": total.mean,
        "root": total.root,
        "features": torch.cat(some)[:PAIRS_CAP],
    }


def _chunks(chosen: Tensor) -> list[Tensor]:
    """Parts of nearly equal size, because one image alone has no moments."""
    return list(chosen.tensor_split(-(-len(chosen) // CHUNK)))


def _fixed_order(count: int) -> Tensor:
    """A permutation [count] that depends on nothing else, since files are often sorted by class.

    Sorting raw PCG64 output, because numpy promises that stream for every version.
    """
    keys = np.random.PCG64(0).random_raw(count)
    return torch.from_numpy(np.argsort(keys, kind="stable"))
