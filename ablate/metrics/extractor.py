"""Three ways to turn samples into features, each with a name that says which weights it used.

Legend: N samples, C H W image, F features, M classes.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ablate.data.dataset import Dataset
from ablate.errors import UserError
from ablate.metrics import inception
from ablate.metrics.cache import digest, remembered
from ablate.metrics.network import Classifier
from ablate.metrics.training import is_stacked, task_of, train

EXTRACTORS = ("auto", "classifier", "inception", "raw")
VERSION = 1  # of the classifier and its training; a new number leaves old files unused
BATCH = 512

Kind = Literal["classifier", "inception", "raw"]


class Extracted(NamedTuple):
    """Features [N, F] in float64 and, where the network has classes, probabilities [N, M]."""

    features: Tensor
    probabilities: Tensor | None


@dataclass(frozen=True)
class Extractor:
    """A way to turn samples into features.

    Attributes:
        kind: which of the three; decides the name of the Fréchet distance.
        identity: what stands in the protocol, such as "classifier:1a2b3c4d".
        labelled: whether the probabilities are those of the data set's own labels.
        network: uint8 [n, C, H, W] (or points [n, 2]) -> features, probabilities.
        accuracy: of the classifier on held-out images, if it was trained here.
    """

    kind: Kind
    identity: str
    labelled: bool
    network: Callable[[Tensor], Extracted]
    accuracy: float | None = None

    @torch.no_grad()
    def __call__(self, samples: Tensor) -> Extracted:
        """Features and probabilities of all samples, in batches, in float64."""
        # benchmark and TF32 would let one set of samples have two scores
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            parts = [self.network(part) for part in torch.split(samples, BATCH)]
        features = torch.cat([part.features.double() for part in parts])
        if parts[0].probabilities is None:
            return Extracted(features, None)
        known = [part.probabilities.double() for part in parts if part.probabilities is not None]
        return Extracted(features, torch.cat(known))


def make_extractor(
    name: str, dataset: Dataset, cache: Path, device: torch.device, path: str | Path | None
) -> Extractor:
    """The extractor called `name`; `auto` is `raw` for toys and `classifier` for images.

    Raises:
        UserError: an unknown name, a network asked to look at a toy, no Inception file.
    """
    if name not in EXTRACTORS:
        near = difflib.get_close_matches(str(name), EXTRACTORS, 1, 0) or ["auto"]
        raise UserError(
            f"There is no extractor {name!r}; did you mean metric.extractor={near[0]}? "
            f"Known are {', '.join(EXTRACTORS)}."
        )
    if dataset.is_toy and name in ("classifier", "inception"):
        raise UserError(
            f"Extractor {name!r} looks at images but {dataset.name!r} is a toy; "
            "write metric.extractor=raw."
        )
    if name == "inception":
        return _inception(cache, device, path)
    if name == "raw" or dataset.is_toy:
        return Extractor("raw", "raw", False, raw)
    return _classifier(dataset, cache, device)


def raw(samples: Tensor) -> Extracted:
    """Coordinates as they are; pixels in [-1, 1], flattened."""
    if samples.is_floating_point():
        return Extracted(samples, None)
    return Extracted(samples.flatten(1).double() / 127.5 - 1, None)


def _inception(cache: Path, device: torch.device, path: str | Path | None) -> Extractor:
    network, name = inception.load(path, cache)
    network.to(device)
    return Extractor(
        "inception",
        f"inception:{name[:8]}",
        False,
        lambda images: Extracted(*inception.features(network, images)),
    )


def _classifier(dataset: Dataset, cache: Path, device: torch.device) -> Extractor:
    file = cache / "classifier" / f"{dataset.fingerprint}-{VERSION}.pt"
    task = task_of(dataset)
    weights = remembered(file, lambda: train(task))
    accuracy = weights.pop("accuracy").item()
    network = Classifier(task.shape, task.classes)
    network.load_state_dict(weights)
    network.eval().to(device)
    forward = _each_channel(network) if is_stacked(dataset) else _whole(network)
    identity = f"{task.name}:{digest(weights)[:8]}"
    return Extractor("classifier", identity, task.name == "classifier", forward, accuracy)


def _whole(network: Classifier) -> Callable[[Tensor], Extracted]:
    def forward(images: Tensor) -> Extracted:
        features, logits = network(images)
        return Extracted(features, logits.double().softmax(1))

    return forward


def _each_channel(network: Classifier) -> Callable[[Tensor], Extracted]:
    """Three grey images at once: features side by side, and the 1000 products of probabilities."""
    forward = _whole(network)

    def stacked(images: Tensor) -> Extracted:
        features, probabilities = forward(images.flatten(0, 1).unsqueeze(1))
        assert probabilities is not None
        red, green, blue = _by_image(probabilities).unbind(1)
        product = torch.einsum("nr,ng,nb->nrgb", red, green, blue)
        return Extracted(_by_image(features).flatten(1), product.flatten(1))

    return stacked


def _by_image(rows: Tensor) -> Tensor:
    """Rows of three channels each, [3 N, F] -> [N, 3, F]."""
    return rows.reshape(-1, 3, rows.shape[-1])
