"""Every metric by name: what it means, which way is better, on which scale arms are compared.

Data only and free of torch, so that the analysis reads the same table as the measurement.
"""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["ratio", "difference"]
Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as it stands in results.
        meaning: one line for a table's legend.
        scale: "ratio" for a positive quantity that is compared by factors (on the log scale);
            "difference" for one that may be zero or negative, or is a share.
        better: the direction that a good generator moves it.
    """

    name: str
    meaning: str
    scale: Scale
    better: Better


_METRICS = (
    Metric("fd_classifier", "Fréchet distance in the set's own classifier", "ratio", "lower"),
    Metric("fid", "Fréchet distance in Inception features", "ratio", "lower"),
    Metric("fd_raw", "Fréchet distance of pixels or coordinates", "ratio", "lower"),
    Metric("kid", "unbiased squared MMD, cubic kernel; may be negative", "difference", "lower"),
    Metric("precision", "share of fakes inside the reals' manifold", "difference", "higher"),
    Metric("recall", "share of reals inside the fakes' manifold", "difference", "higher"),
    Metric("density", "mean number of real balls round a fake, over k", "difference", "higher"),
    Metric("coverage", "share of real balls that hold a fake", "difference", "higher"),
    Metric("classifier_score", "exp mean KL of the set's own classifier", "ratio", "higher"),
    Metric("inception_score", "exp mean KL of Inception's classes", "ratio", "higher"),
    Metric("class_entropy", "entropy of the fakes' classes, in nats", "difference", "higher"),
    Metric("modes", "modes with at least one fake", "difference", "higher"),
    Metric("high_quality", "share of fakes within 3 sigma of a mode", "difference", "higher"),
    Metric("reverse_kl", "KL of the fakes' modes from the reals', in nats", "difference", "lower"),
)

CATALOG: dict[str, Metric] = {metric.name: metric for metric in _METRICS}
SCALE: dict[str, Scale] = {metric.name: metric.scale for metric in _METRICS}
HIGHER_IS_BETTER: dict[str, bool] = {m.name: m.better == "higher" for m in _METRICS}
