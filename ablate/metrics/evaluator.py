"""Score generated samples against one data set, under one protocol.

Legend: N samples, C H W image, M modes.
"""

import math
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ablate.data.dataset import Dataset, Split
from ablate.errors import UserError
from ablate.metrics.class_score import class_score
from ablate.metrics.estimate import Estimate
from ablate.metrics.extractor import Extracted, Extractor, make_extractor
from ablate.metrics.frechet import frechet_estimate, moments, total_variance
from ablate.metrics.histogram import (
    entropy,
    histogram,
    histogram_estimate,
    modes_covered,
    reverse_kl,
)
from ablate.metrics.kernel import kernel_distance
from ablate.metrics.mixture import mixture_estimates
from ablate.metrics.neighbours import neighbour_estimates
from ablate.metrics.reals import PAIRS_CAP, Reals, describe

FRECHET = {"classifier": "fd_classifier", "inception": "fid", "raw": "fd_raw"}
PAIRED = ("kid", "precision", "recall", "density", "coverage")  # cost grows with N^2
COLLAPSE_SAMPLES = 512  # a variance needs no more


@dataclass(frozen=True)
class Score:
    """One number of one generator.

    Attributes:
        metric: a name of `ablate.metric_catalog`.
        value: the number; NaN when a sample was not finite.
        resample_sd: how far it moves when the same generator draws again. Not the seed spread.
        protocol: what it was measured with. Scores of different protocols are not comparable.
    """

    metric: str
    value: float
    resample_sd: float | None
    protocol: str


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Everything that stays the same from one generator to the next.

    Attributes:
        dataset: the reals.
        extractor: auto, classifier, inception or raw.
        samples: how many generated samples are scored; pairs use the first 2048 of them.
        split: train or held_out, whose reals are compared with.
        neighbours: k of precision, recall, density and coverage.
        path: the Inception file; None fetches it.
        cache: folder for the classifier and for what is known of the reals.
        device: where features and maths are computed.
        collapse_ratio: `collapsed` speaks below this share of the reals' total variance.

    Raises:
        UserError: too few samples or reals, an unknown extractor or split, no Inception file.
    """

    dataset: Dataset
    extractor: str = "auto"
    samples: int = 2048
    split: str = "train"
    neighbours: int = 5
    path: str | Path | None = None
    _: KW_ONLY
    cache: Path
    device: torch.device | str = "cpu"
    collapse_ratio: float = 0.01
    extract: Extractor = field(init=False, repr=False)
    reals: Reals = field(init=False, repr=False)

    def __post_init__(self) -> None:
        device = torch.device(self.device)
        self._check_settings()
        cache = Path(self.cache)
        extract = make_extractor(self.extractor, self.dataset, cache, device, self.path)
        object.__setattr__(self, "extract", extract)
        reals = describe(self.dataset, self.split, extract, self.neighbours, cache, device)
        object.__setattr__(self, "reals", reals)

    def score(self, images: Tensor) -> list[Score]:
        """Every metric that this data set and extractor allow.

        Args:
            images: uint8 [N, C, H, W], or float32 [N, 2] for toys; the first `samples` are used.

        Raises:
            UserError: another shape or type, or fewer than `samples`.
        """
        fakes = self._checked_fakes(images)
        # one broken generator must not stop its neighbours: zeros are measured, NaN is reported
        finite = bool(fakes.isfinite().all())
        estimates = self._estimates(fakes if finite else torch.zeros_like(fakes))
        return [
            Score(
                name,
                float(estimate.value) if finite else math.nan,
                float(estimate.resample_sd) if finite else None,
                self.protocol(name),
            )
            for name, estimate in estimates.items()
        ]

    def collapsed(self, images: Tensor) -> str | None:
        """Why these samples count as collapsed onto a point, or None.

        The rule: the total variance of the features of the first 512 samples is below
        `collapse_ratio` of the reals'. It sees a generator that repeats one sample, not one that
        repeats a few; those are what `recall`, `coverage` and `modes` are for.
        """
        fakes = self._checked_fakes(images)[:COLLAPSE_SAMPLES]
        if not bool(fakes.isfinite().all()):
            return "Some samples are NaN or infinite."
        variance = float(total_variance(moments(self.extract(fakes).features)))
        real = float(total_variance(self.reals.moments))
        if variance >= self.collapse_ratio * real:
            return None
        return (
            f"Samples vary by {variance / real:.2g} of the reals' total variance in "
            f"{self.extract.identity} features, below {self.collapse_ratio:g}."
        )

    def protocol(self, metric: str) -> str:
        """Extractor and weights, generated samples, split, then reals and k where they matter."""
        paired = metric in PAIRED
        used = min(self.samples, PAIRS_CAP) if paired else self.samples
        text = f"{self.extract.identity}/n={used}/{self.split}"
        if metric in FRECHET.values():
            return f"{text}/reals={self.reals.moments.count}"
        if paired:
            text += f"/reals={len(self.reals.features)}"
        return f"{text}/k={self.neighbours}" if paired and metric != "kid" else text

    def _estimates(self, fakes: Tensor) -> dict[str, Estimate]:
        extracted = self.extract(fakes)
        few, reals = extracted.features[:PAIRS_CAP], self.reals
        around = neighbour_estimates(reals.features, few, self.neighbours, reals.radius)
        return {
            FRECHET[self.extract.kind]: frechet_estimate(reals.moments, extracted.features),
            "kid": kernel_distance(reals.features, few, reals.similarity),
            **around._asdict(),
            **self._class_estimates(extracted),
            **self._mixture_estimates(fakes),
        }

    def _class_estimates(self, extracted: Extracted) -> dict[str, Estimate]:
        if self.extract.kind == "inception" and extracted.probabilities is not None:
            return {"inception_score": class_score(extracted.probabilities)}
        labels = self._split.labels
        if not self.extract.labelled or extracted.probabilities is None or labels is None:
            return {}
        size = extracted.probabilities.shape[1]
        counts = histogram(extracted.probabilities.argmax(1), size)
        reference = histogram(labels.to(counts.device), size)
        return {
            "classifier_score": class_score(extracted.probabilities),
            "class_entropy": histogram_estimate(entropy, counts),
            "modes": histogram_estimate(modes_covered, counts),
            "reverse_kl": histogram_estimate(lambda c: reverse_kl(c, reference), counts),
        }

    def _mixture_estimates(self, fakes: Tensor) -> dict[str, Estimate]:
        truth = self.dataset.truth
        if truth is None or truth.sigma <= 0:  # nothing lies within 3 sigma of a Dirac point
            return {}
        points = fakes.double()
        return mixture_estimates(points, truth.centres.to(points), truth.sigma)

    @property
    def _split(self) -> Split:
        return self.dataset.train if self.split == "train" else self.dataset.held_out

    def _check_settings(self) -> None:
        if self.split not in ("train", "held_out"):
            raise UserError(
                f"There is no split {self.split!r}; write metric.split=train or =held_out."
            )
        least = self.neighbours + 2
        if self.neighbours < 1:
            raise UserError(f"metric.neighbours must be at least 1 but is {self.neighbours}.")
        if self.samples < least:
            raise UserError(
                f"{self.samples} samples are too few to score with {self.neighbours} neighbours; "
                f"write budget.samples={least} or more."
            )
        if len(self._split.images) < least:
            raise UserError(
                f"Split {self.split!r} of {self.dataset.name!r} holds {len(self._split.images)} "
                f"samples but {self.neighbours} neighbours need {least}; write "
                "metric.split=train, a larger data.fraction, or a smaller metric.neighbours."
            )

    def _checked_fakes(self, images: Tensor) -> Tensor:
        real = self._split.images
        if images.shape[1:] != real.shape[1:] or images.dtype != real.dtype:
            raise UserError(
                f"Generated samples must be {real.dtype} {['N', *real.shape[1:]]} like "
                f"{self.dataset.name!r} but are {images.dtype} {list(images.shape)}."
            )
        if len(images) < self.samples:
            raise UserError(
                f"{len(images)} generated samples were handed in but the protocol says "
                f"{self.samples}; write budget.samples={len(images)} or generate more."
            )
        return images[: self.samples].to(self.device)
