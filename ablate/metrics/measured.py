"""Which metrics a trial will have, told before anything is trained."""

from __future__ import annotations

from typing import Any

from ablate.data.dataset import Dataset
from ablate.metrics.evaluator import FRECHET, PAIRED

OF_CLASSES = ("classifier_score", "class_entropy", "modes", "reverse_kl")
OF_MIXTURES = ("modes", "high_quality", "reverse_kl")


def measured(dataset: Dataset, extractor: str, **_: Any) -> list[str]:
    """Return the names of all that `Evaluator` scores, without making its networks.

    Args:
        dataset: The reals.
        extractor: auto, classifier, inception or raw.
    """
    kind = {"auto": "classifier"}.get(extractor, extractor)
    kind = "raw" if dataset.is_toy or kind not in FRECHET else kind
    names = [FRECHET[kind], *PAIRED]
    if kind == "inception":
        names.append("inception_score")
    elif kind == "classifier" and dataset.train.labels is not None and dataset.classes:
        names.extend(OF_CLASSES)
    if dataset.truth is not None and dataset.truth.sigma > 0:
        names.extend(OF_MIXTURES)
    return names
