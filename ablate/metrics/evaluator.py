"""Score the samples of many generators against one data set, under one protocol.

Each generator is measured for itself, and all numbers of all generators leave the device at once.

Legend: K generators, N samples, C H W image, F features, M modes.
"""

import math
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ablate.data.dataset import Dataset, Split
from ablate.errors import UserError
from ablate.metrics.class_score import class_score
from ablate.metrics.estimate import Estimate
from ablate.metrics.extractor import Extracted, Extractor, make_extractor
from ablate.metrics.frechet import frechet_estimate, total_variance
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
AT_ONCE = 2**25  # float64 numbers that the largest tensors of a measurement may hold, 256 MB each


@dataclass(frozen=True)
class Score:
    """One number of one generator.

    Attributes:
        metric: a name of `ablate.metric`.
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

    def score(self, images: Tensor) -> list[list[Score]]:
        """Every metric that this data set and extractor allow, for each of K generators.

        Args:
            images: uint8 [K, N, C, H, W], or float32 [K, N, 2] for toys; the first `samples` are
                used.

        Raises:
            UserError: another shape or type, or fewer than `samples`.
        """
        fakes, finite = self._measurable(images)
        parts = [self._estimates(part) for part in fakes.split(self._together)]
        # [K, metrics, 2]
        table = torch.cat(
            [torch.stack([torch.stack(e, -1) for e in part.values()], 1) for part in parts]
        )
        rows = torch.where(finite.view(-1, 1, 1), table, torch.nan).tolist()
        return [
            [
                Score(name, value, None if math.isnan(value) else spread, self.protocol(name))
                for name, (value, spread) in zip(parts[0], row, strict=True)
            ]
            for row in rows
        ]

    def collapsed(self, images: Tensor) -> list[str | None]:
        """Why the samples of each generator count as collapsed onto a point, or None.

        The rule: the total variance of the features of the first 512 samples is below
        `collapse_ratio` of the reals'. It sees a generator that repeats one sample, not one that
        repeats a few; those are what `recall`, `coverage` and `modes` are for.
        """
        fakes, finite = self._measurable(images)
        parts = fakes[:, :COLLAPSE_SAMPLES].split(self._together)
        variance = torch.cat([self._extract(part).features.var(-2).sum(-1) for part in parts])
        reals = total_variance(self.reals.moments).expand(1)
        *found, real = torch.cat([variance.where(finite, torch.nan), reals]).tolist()
        return [self._reason(one, real) for one in found]

    def _reason(self, variance: float, real: float) -> str | None:
        if math.isnan(variance):
            return "Some samples are NaN or infinite."
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

    @property
    def _together(self) -> int:
        """Generators that are measured together; on a CPU that would only cost memory."""
        if torch.device(self.device).type == "cpu":
            return 1
        pairs, features = min(self.samples, PAIRS_CAP) * PAIRS_CAP, self.reals.features.shape[1]
        return max(1, AT_ONCE // max(pairs, self.samples * features))

    def _extract(self, fakes: Tensor) -> Extracted:
        """Features [K, N, F] and probabilities of [K, N, ...]."""
        shape, (features, known) = fakes.shape[:2], self.extract(fakes.flatten(0, 1))
        return Extracted(
            features.unflatten(0, shape), None if known is None else known.unflatten(0, shape)
        )

    def _estimates(self, fakes: Tensor) -> dict[str, Estimate]:
        """Every metric of [K, N, ...], each [K]; nothing is read from the device."""
        extracted = self._extract(fakes)
        few, reals = extracted.features[:, :PAIRS_CAP], self.reals
        around = neighbour_estimates(reals.features, few, self.neighbours, reals.radius)
        return {
            FRECHET[self.extract.kind]: frechet_estimate(reals.moments, extracted.features),
            "kid": kernel_distance(reals.features, few, reals.similarity),
            **around._asdict(),
            **self._class_estimates(extracted.probabilities),
            **self._mixture_estimates(fakes),
        }

    def _class_estimates(self, probabilities: Tensor | None) -> dict[str, Estimate]:
        if probabilities is None:
            return {}
        if self.extract.kind == "inception":
            return {"inception_score": class_score(probabilities)}
        reference = self._classes
        if reference is None or not self.extract.labelled:
            return {}
        counts = histogram(probabilities.argmax(-1), len(reference))
        return {
            "classifier_score": class_score(probabilities),
            "class_entropy": histogram_estimate(entropy, counts),
            "modes": histogram_estimate(modes_covered, counts),
            "reverse_kl": histogram_estimate(lambda c: reverse_kl(c, reference), counts),
        }

    @cached_property
    def _classes(self) -> Tensor | None:
        """How often each class stands among the reals, [M]."""
        labels, size = self._split.labels, self.dataset.classes
        return histogram(labels.to(self.device), size) if labels is not None and size else None

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

    def _measurable(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Samples [K, N, ...] that can be measured, and which of the K were all finite, [K].

        One broken generator must not stop its neighbours: zeros are measured, NaN is reported.
        """
        real = self._split.images
        if images.shape[2:] != real.shape[1:] or images.dtype != real.dtype:
            raise UserError(
                f"Generated samples must be {real.dtype} {['K', 'N', *real.shape[1:]]} like "
                f"{self.dataset.name!r} but are {images.dtype} {list(images.shape)}."
            )
        if images.shape[1] < self.samples:
            raise UserError(
                f"{images.shape[1]} generated samples were handed in but the protocol says "
                f"{self.samples}; write budget.samples={images.shape[1]} or generate more."
            )
        fakes = images[:, : self.samples].to(self.device)
        finite = fakes.isfinite().flatten(1).all(1)
        return torch.where(finite.view(-1, *[1] * (fakes.dim() - 1)), fakes, 0), finite
