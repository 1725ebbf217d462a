"""Every metric by name: what it means, which way is better, how others spell it.

Data only and free of torch, so that the analysis reads the same table as the measurement.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ablate.errors import UserError

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

CLOSE = 0.75  # from this similarity on, a name may be a known one that is written wrongly

# What says where, when or how often a metric was taken and not which one it is.
ABOUT = {
    "val", "valid", "validation", "test", "eval", "evaluation", "train", "metric", "metrics",
    "result", "results", "best", "last", "final", "mean", "avg", "average", "full", "value",
    "raw", "ema", "summary",
}  # fmt: skip

SIZE = r"(_?\d+k?)?"

# In `_plain` names; the first that fits.
LIKE_OURS = {
    "fid": rf"(clean_|clip_|intra_|class_|s|mi|c|i)?fid{SIZE}(_clean|_clip|_inception)?(_score)?"
    r"|(memorization_informed_)?frechet_(inception|classifier)_distance",
    "kid": rf"(clean_|clip_)?kid{SIZE}(_clean|_clip)?(_score)?"
    r"|kernel_(inception|classifier)_distance|kd|c?mmd2?",
    "inception_score": rf"is{SIZE}|isc|inception(_score)?|vendi(_score)?|mode_score",
    "precision": r"(pr\d*k?\d*_|prc_|improved_|ip_)?precision",
    "recall": r"(pr\d*k?\d*_|prc_|improved_|ir_)?recall",
    "density": r"(prdc_|dc_)?density",
    "coverage": r"(prdc_|dc_)?coverage",
    "fd_raw": r"fdd?(_?dino(v2)?|_?clip|_?swav)?|dino_fd",
}

FURTHER = {
    r"ppl\d*(_?[zw]_?(end|full)?)?|perceptual_path_length": Metric(
        "ppl", "perceptual path length", "ratio", "lower"
    ),
    r"swd|sliced_wasserstein(_distance)?": Metric(
        "swd", "sliced Wasserstein distance", "ratio", "lower"
    ),
    r"am_score": Metric("am_score", "AM score", "ratio", "lower"),
    r"eq[tr]\d*k?(_int|_frac)?": Metric("eq", "equivariance, in dB", "difference", "higher"),
    r"psnr|peak_signal_noise_ratio": Metric("psnr", "PSNR, in dB", "difference", "higher"),
    r"ssim|structural_similarity(_index_measure)?": Metric(
        "ssim", "structural similarity to a target", "difference", "higher"
    ),
    r"cas|classification_accuracy_score": Metric(
        "cas", "accuracy of a classifier of real images", "difference", "higher"
    ),
}

# Which way is better depends on what it was measured between: scale, better against a target,
# better among samples, which should differ.
EITHER: dict[str, tuple[Scale, Better, Better]] = {
    r"lpips(_score)?|learned_perceptual_image_patch_similarity": ("ratio", "lower", "higher"),
    r"ms_?ssim|multi_scale_(ssim|structural_similarity(_index_measure)?)": (
        "difference",
        "higher",
        "lower",
    ),
}

KNOWN = {
    **{re.compile(pattern): CATALOG[name] for name, pattern in LIKE_OURS.items()},
    **{re.compile(pattern): metric for pattern, metric in FURTHER.items()},
}

SPELLED = (
    *("fid_score", "fid50k_full", "fid50k", "fid10k", "clean_fid", "frechet_inception_distance"),
    *("kid50k_full", "kid50k", "kernel_inception_distance", "is_mean", "isc", "is50k"),
    *("inception_score_mean", "pr50k3_full_precision", "pr50k3_full_recall", "ppl2_wend", "swd"),
    *("perceptual_path_length", "sliced_wasserstein", "psnr", "ssim"),
)

# Parts of words that say a direction; looked for in this order, as `fid_score` is no score.
LOWER = re.compile(r"fid|kid|dist|diverg|mmd|ppl|path|wasser|loss|err|frech|fd")

HIGHER = re.compile(r"score|prec|rec|accur|cov|dens|simil|incep")


def known(name: str) -> Metric | None:
    """Return what is known of a metric, under the name it has; None of one that is not known."""
    if name in CATALOG:
        return CATALOG[name]
    plain = _plain(name)
    found = next((metric for pattern, metric in KNOWN.items() if pattern.fullmatch(plain)), None)
    return None if found is None else replace(found, name=name)


def is_like(ours: str, name: str) -> bool:
    """Return whether `name` is the field's for a metric of ours, however it was measured."""
    found = known(name)
    return found is not None and replace(found, name=ours) == CATALOG[ours]


def either_way(name: str) -> tuple[Scale, Better, Better] | None:
    """Return what `EITHER` says of a metric of which both directions are meant; None of others."""
    plain = _plain(name)
    return next((told for text, told in EITHER.items() if re.fullmatch(text, plain)), None)


def hint(name: str, among: Iterable[str] = (*CATALOG, *SPELLED)) -> str:
    """Return `did you mean 'fid'`, or nothing: never a metric of the other direction.

    Of an unknown name the direction is what its words say; where they say none there is no hint.
    """
    plain = _plain(name)
    own = "lower" if LOWER.search(plain) else "higher" if HIGHER.search(plain) else ""
    names = {one.casefold(): one for one in among if _better(one) == own}
    near = difflib.get_close_matches(name.casefold(), names, 1, CLOSE)
    return f"did you mean {names[near[0]]!r}" if near else ""


def unknown_metric(name: str) -> UserError:
    """Return the error for a metric that is none of ours; the field's name for one suggests it."""
    entry = known(name)
    ours = [one for one in CATALOG if entry is not None and is_like(one, name)]
    guess = f"did you mean {ours[0]!r}" if ours else hint(name, CATALOG)
    return UserError(
        f"There is no metric {name!r}; {guess or 'type one of ' + ', '.join(CATALOG)}."
    )


def _better(name: str) -> str:
    found = known(name)
    assert found is not None, name
    return found.better


def _plain(name: str) -> str:
    """Return `val/FrechetInceptionDistance` as `frechet_inception_distance`."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", unicodedata.normalize("NFKD", name))
    text = "".join(letter for letter in text if not unicodedata.combining(letter)).casefold()
    words = [word for word in re.split(r"[^a-z0-9]+", text) if word]
    while len(words) > 1 and words[-1] in ABOUT:
        words.pop()
    while len(words) > 1 and words[0] in ABOUT:
        words.pop(0)
    return "_".join(word for word in words if word != "full")
